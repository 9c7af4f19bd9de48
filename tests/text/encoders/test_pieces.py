import numpy as np
import pytest

from skrational.text.encoders.pieces import TokenizedText, cut_into_pieces


@pytest.mark.parametrize("long", ["windows", "sentences", "every_sentence"])
@pytest.mark.parametrize("overlap", [0, 1, 6])
@pytest.mark.parametrize("n", range(25))
def test_pieces_cover_a_document(n, overlap, long):
    text = "".join("x. "[i % 3] for i in range(n))
    offsets = np.array([(i, i + 1) for i in range(n)]).reshape(-1, 2)
    spans = cut_into_pieces(TokenizedText(text, [7] * n, offsets), 7, overlap, long)
    assert all(stop - start <= 7 for start, stop in spans)
    assert all(stop > start for start, stop in spans) or n == 0
    covered = np.zeros(n, int)
    for start, stop in spans:
        covered[start:stop] += 1
    assert (covered > 0).all()
    if long == "every_sentence":
        assert (covered == 1).all()
    assert len(set(spans)) == len(spans) >= 1
