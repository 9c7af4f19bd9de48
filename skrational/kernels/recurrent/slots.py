"""Documents side by side: a few at a time, each in a slot, one token of each a step.

Together they share every weight that a matrix product reads. A slot whose document has
ended takes the next one, so that nothing is padded. What is computed for a document
doesn't depend on those beside it.
"""

from __future__ import annotations

from skrational.kernels.cpu.panels import ROWS
from skrational.utils.compile import part

__all__ = ["SLOTS", "take_seats"]

SLOTS = ROWS


@part
def take_seats(  # type: ignore[no-untyped-def]
    documents, n_taken, offsets, back, token, stop, states
):
    """Let every slot whose document has ended take the next one that has tokens.

    Parameters
    ----------
    documents : ndarray of shape (n,), int64
        In the order in which they are taken.
    n_taken : int
        How many of them have been taken so far.
    offsets : ndarray of shape (n_documents + 1,), int64
    back : bool
        Whether documents are read from their last token to the first one.
    token, stop : ndarray of shape (SLOTS,), int64
        The next token of each slot, and the one where its document has ended.
    states : tuple of ndarray of shape (SLOTS * stride,)
        States, or their gradients, which are 0 for a new document.

    Returns
    -------
    n_taken, n_running : int
    """
    n_running, stride = 0, states[0].size // SLOTS
    for slot in range(SLOTS):
        while token[slot] == stop[slot] and n_taken < documents.size:
            document = documents[n_taken]
            n_taken += 1
            first, end = offsets[document], offsets[document + 1]
            token[slot] = end - 1 if back else first
            stop[slot] = first - 1 if back else end
            for state in states:
                state[slot * stride : (slot + 1) * stride] = 0
        n_running += token[slot] != stop[slot]
    return n_taken, n_running
