import itertools

import pytest

from skrational.inspection.matching.paths import Path


def enumerate_paths(u, f, final, *, anywhere, additive):
    """Every path of one automaton with its score, straight from its picture.

    ``u`` and ``f`` are (n_tokens, n_states).
    """
    n_tokens, n_states = u.shape
    for start in range(n_tokens):
        ends = range(start + 1, n_tokens + 1) if anywhere else [n_tokens]
        for end in ends:
            for n_entered in range(1, min(n_states, end - start) + 1):
                if final[n_entered - 1] == 0:
                    continue
                rest = range(start + 1, end)
                for later in itertools.combinations(rest, n_entered - 1):
                    entries = (start, *later)
                    weight, state = 0.0 if additive else 1.0, 0
                    for t in range(start, end):
                        if t in entries:
                            step, state = u[t, state], state + 1
                        else:
                            step = f[t, state - 1]
                        weight = weight + step if additive else weight * step
                    score = float(final[n_entered - 1] * weight)
                    yield Path(wfsa=0, score=score, entries=entries, end=end)


@pytest.fixture(scope="session")
def all_paths():
    return enumerate_paths
