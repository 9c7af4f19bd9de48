"""Files are written whole, whatever their names."""

import pytest

from skrational.utils.files import replaced_file, unfinished_files


@pytest.mark.parametrize("name", [235 * "m", 248 * "m", 124 * "é"])
def test_names_as_long_as_a_file_system_takes(name, tmp_path):
    path = tmp_path / f"{name}.joblib"
    for content in (b"first", b"second"):
        with replaced_file(path) as file:
            assert unfinished_files(path) == [
                part for part in tmp_path.iterdir() if part != path
            ]
            file.write(content)
    assert path.read_bytes() == b"second"
    assert list(tmp_path.iterdir()) == [path]


def test_longer_names_are_told(tmp_path):
    path = tmp_path / (256 * "m")
    with pytest.raises(OSError, match="name too long") as told, replaced_file(path):
        pass
    assert path.name in str(told.value)
    assert not any(tmp_path.iterdir())
