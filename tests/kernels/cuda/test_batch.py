import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from skrational.kernels.cuda.batch import PIECE, Batch

N_ROWS = 5


def batch_of(ids):
    ids = np.array(ids, dtype=np.int32)
    return Batch.of(ids, np.array([0, len(ids)]), N_ROWS, torch.device("cpu"))


@given(st.lists(st.integers(0, N_ROWS - 1), max_size=3 * PIECE))
@example([4] * PIECE)
@example([2] * (2 * PIECE + 1) + [0, 3, 2])
def test_the_tokens_of_a_row_are_cut_in_pieces_in_their_order(ids):
    batch = batch_of(ids)
    first_pieces, starts = batch.first_pieces.numpy(), batch.starts.numpy()
    n_pieces = first_pieces[-1]
    assert (starts[n_pieces:] == len(ids)).all()
    pieces = np.split(batch.order.numpy(), starts[1:n_pieces]) if n_pieces else []
    assert starts[0] == first_pieces[0] == 0
    assert all(1 <= len(piece) <= PIECE for piece in pieces)
    for row in range(N_ROWS):
        of_row = pieces[first_pieces[row] : first_pieces[row + 1]]
        tokens = [int(token) for piece in of_row for token in piece]
        assert tokens == [t for t, id_ in enumerate(ids) if id_ == row]
        assert all(len(piece) == PIECE for piece in of_row[:-1])


@pytest.mark.parametrize(
    ("ids", "repeats"),
    [(range(N_ROWS), False), ([0, 1, 2, 3], True), ([1, 0, 2, 3, 4], True)],
)
def test_rows_repeat_unless_each_token_has_its_own_in_order(ids, repeats):
    assert batch_of(list(ids)).repeats == repeats
