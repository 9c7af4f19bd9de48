import json

import pytest

from skrational.structures import LSTMLanguageStructure, structure_from_json

FIELDS = {
    "n_units_initial": 3,
    "n_features": 2,
    "n_outputs": 6,
    "units": (0, 2),
    "constants": ((None, 0.9, None, 0.5), (None, None, None, None)),
    "inputs": (1,),
    "n_weights": 20,
}


def test_all_words_are_left_unless_some_are_named():
    assert LSTMLanguageStructure(**FIELDS).words == (0, 1, 2, 3, 4, 5)
    few = LSTMLanguageStructure(**FIELDS, words=[1, 4])
    assert (few.n_words, few.n_words_initial) == (2, 6)
    assert structure_from_json(few.to_json()) == few
    assert "reading 2 of 6 words" in repr(few)
    assert few.reading().endswith("2 of 6 words are told apart.")


def test_sizes_are_those_of_the_arrays():
    structure = LSTMLanguageStructure(**FIELDS, words=[1, 4])
    # Emb, W_ih and W_hh, A; b and a; table of gates, inputs, words.
    n_numbers = 2 * 1 + 6 * (1 + 2) + 6 * 2 + 4 * 2 + 6
    assert structure.n_bytes == 4 * n_numbers + 8 + 4 * 1 + 4 * 2
    assert structure.n_weights_initial == 6 * 2 + 12 * (2 + 3) + 6 * 3
    assert structure.compression == structure.n_weights_initial / 20


@pytest.mark.parametrize("words", [(2, 1), (0, 6), (-1,), "01", (0.5,)])
def test_bad_words(words):
    with pytest.raises(ValueError, match="words is"):
        LSTMLanguageStructure(**FIELDS, words=words)
    record = json.loads(LSTMLanguageStructure(**FIELDS).to_json())
    with pytest.raises(ValueError, match="words is"):
        structure_from_json(json.dumps(record | {"words": words}))


def test_no_more_weights_than_there_is_room_for():
    with pytest.raises(ValueError, match="expected at most 32"):
        LSTMLanguageStructure(**FIELDS | {"n_weights": 33}, words=[1, 4])
