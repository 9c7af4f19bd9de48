import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skrational.kernels.cpu.prediction import PackedAutomata
from skrational.kernels.cpu.tables import TransitionTable, table_size
from skrational.structures.automata import ScoringRule

E, N = 5, 40


def draw_automata(dtype="float32", lengths=(4, 1, 3, 9), n_features=E):
    rng = np.random.default_rng(0)
    n_states = sum(lengths)
    W_u, W_f = rng.normal(size=(2, n_states, n_features)).astype(dtype)
    b_f = rng.normal(size=n_states).astype(dtype)
    final = np.ones(n_states, dtype)
    return PackedAutomata.of(lengths, ScoringRule(), W_u, W_f, b_f, final)


def draw_features(dtype="float32", n_rows=N, frozen=True, seed=0):
    drawn = np.random.default_rng(seed).normal(size=(n_rows, E)).astype(dtype)
    drawn.flags.writeable = not frozen
    return drawn


def ids_of(*rows):
    return np.array(rows, dtype=np.int32)


def project(automata, features):
    """All rows, without a table."""
    out = np.empty((len(features), automata.width), automata.dtype)
    automata.project(np.ascontiguousarray(features), np.arange(len(features)), out)
    return out


def assert_holds(table, automata, features, rows):
    np.testing.assert_array_equal(table.rows[rows], project(automata, features)[rows])


@pytest.fixture
def automata():
    return draw_automata()


@pytest.fixture
def projected(monkeypatch):
    """The rows that are projected from now on, call by call."""
    calls = []
    original = PackedAutomata.project

    def counting(self, features, rows, out):
        if len(rows):
            calls.append(sorted(np.asarray(rows).tolist()))
        return original(self, features, rows, out)

    monkeypatch.setattr(PackedAutomata, "project", counting)
    return calls


@pytest.mark.parametrize("frozen", [False, True])
def test_a_row_is_projected_once_when_it_is_first_needed(automata, projected, frozen):
    features = draw_features(frozen=frozen)
    table = TransitionTable(automata, features)
    assert not projected
    for ids in (ids_of(3, 7, 3), ids_of(7, 8, 9, 3), ids_of(9, 9), ids_of()):
        assert table.fill(features, ids)
    assert projected == [[3, 7], [8, 9]]
    assert_holds(table, automata, features, [3, 7, 8, 9])


def test_where_rows_are_few_all_are_projected_at_once(automata, projected):
    features = draw_features()
    table = TransitionTable(automata, features)
    ids = np.resize(ids_of(2, 5), N)
    assert table.fill(features, ids)
    assert projected == [list(range(N))]
    assert table.fill(features, ids_of(11))
    assert table.fill(features[:5], ids_of(4))
    assert len(projected) == 1
    assert_holds(table, automata, features, slice(None))


def test_a_longer_view_of_frozen_memory_uses_the_same_table(automata, projected):
    owner = draw_features()
    short, long = owner[:10], owner[:30]
    table = TransitionTable(automata, short)
    assert table.fill(short, np.resize(ids_of(1), 10))
    assert table.belongs_to(long)
    assert table.belongs_to(owner)
    assert table.fill(long, ids_of(2, 29))
    assert table.fill(owner, ids_of(39, 2))
    assert projected == [list(range(10)), [29], [39]]
    assert_holds(table, automata, owner, [*range(10), 29, 39])


def test_a_longer_view_finds_what_was_projected_in_front(automata, projected):
    owner = draw_features()
    table = TransitionTable(automata, owner[:10])
    table.fill(owner[:10], np.zeros(10, np.int32))
    table.fill(owner[:30], np.zeros(30, np.int32))
    assert projected == [list(range(10)), list(range(10, 30))]
    assert_holds(table, automata, owner, slice(30))


@pytest.mark.parametrize("frozen", [False, True])
def test_other_memory_is_not_taken_for_the_same(automata, frozen):
    owner = draw_features(frozen=frozen)
    table = TransitionTable(automata, owner[:10])
    others = {
        "a copy": owner.copy(),
        "other rows": owner[5:],
        "every second row": owner[::2],
        "backwards": owner[::-1],
        "fewer columns": owner[:, :3],
        "another type": owner.view(np.int32),
    }
    for name, other in others.items():
        assert not table.belongs_to(other), name
    assert table.belongs_to(owner[:10])
    assert table.belongs_to(owner[:2].view())


def test_a_view_that_begins_later_has_room_for_itself_only(automata):
    owner = draw_features()
    table = TransitionTable(automata, owner[5:10])
    assert len(table.rows) == 5
    assert table.belongs_to(owner[5:9])
    assert not table.belongs_to(owner[5:11])


def test_the_size_of_a_table_is_known_before_it_is_made(automata):
    owner = draw_features()
    for features in (owner, owner[:3], owner[5:], owner[::2]):
        size = table_size(automata, features)
        assert size == TransitionTable(automata, features).rows.nbytes


def test_a_change_in_place_is_noticed(automata, projected):
    features = draw_features(frozen=False)
    table = TransitionTable(automata, features)
    everything = np.arange(N, dtype=np.int32)
    assert table.fill(features, everything)
    projected.clear()
    features[[4, 6]] += 1
    features[8, 3] = np.nextafter(features[8, 3], np.float32(np.inf))
    assert table.fill(features, ids_of(5, 6))
    assert table.fill(features, everything)
    assert table.fill(features, everything)
    assert projected == [[6], [4, 8]]
    assert_holds(table, automata, features, slice(None))


def test_a_change_through_a_frozen_view_of_writeable_memory_is_noticed(automata):
    owner = draw_features(frozen=False)
    view = owner[:20]
    view.flags.writeable = False
    table = TransitionTable(automata, view)
    assert table.fill(view, ids_of(1, 2))
    owner[2] *= -1
    assert table.fill(view, ids_of(1, 2))
    assert_holds(table, automata, owner, [1, 2])


def test_a_change_of_memory_that_was_frozen_for_a_while_is_noticed(automata):
    features = draw_features(frozen=True)
    table = TransitionTable(automata, features)
    assert table.fill(features, ids_of(1, 2))
    features.flags.writeable = True
    features[2] *= -1
    if table.belongs_to(features):
        assert table.fill(features, ids_of(1, 2))
        assert_holds(table, automata, features, [1, 2])


def test_memory_that_another_array_uses_now_is_not_mistaken(automata):
    features = draw_features(n_rows=4)
    address = features.ctypes.data
    table = TransitionTable(automata, features)
    assert table.fill(features, ids_of(0, 1, 2, 3))
    del features
    again = []
    for seed in range(50):
        again.append(draw_features(n_rows=4, seed=seed + 1))
        assert not table.belongs_to(again[-1])
        if again[-1].ctypes.data == address:
            return
    pytest.skip("the memory was not used again")


def test_a_table_does_not_keep_its_features_alive(automata):
    features = draw_features()
    table = TransitionTable(automata, features)
    table.fill(features, ids_of(1))
    assert table._owner() is features
    del features
    assert table._owner() is None


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("n_tokens", [2, N])
@pytest.mark.parametrize("frozen", [False, True])
def test_rows_that_are_not_finite_matter_where_tokens_use_them(
    automata, frozen, n_tokens, bad
):
    features = draw_features(frozen=False)
    features[3, 2] = features[4, 0] = bad
    features.flags.writeable = not frozen
    table = TransitionTable(automata, features)
    good, worse = np.resize(ids_of(1, 2), n_tokens), np.resize(ids_of(1, 3), n_tokens)
    for _ in range(2):
        assert table.fill(features, good)
        for _ in range(2):
            assert not table.fill(features, worse)
    assert table.fill(features, good)
    assert_holds(table, automata, np.nan_to_num(features, posinf=0), [1, 2])


def test_a_row_that_becomes_nan_is_reported_until_it_is_mended(automata):
    features = draw_features(frozen=False)
    table = TransitionTable(automata, features)
    ids = ids_of(1, 2)
    assert table.fill(features, ids)
    before = features[2].copy()
    features[2, 0] = np.nan
    assert not table.fill(features, ids)
    assert not table.fill(features, ids)
    assert table.fill(features, ids_of(1))
    features[2] = before + 1
    assert table.fill(features, ids)
    features[2] = np.nan
    assert not table.fill(features, ids)
    features[2] = before
    assert table.fill(features, ids)
    assert_holds(table, automata, features, [1, 2])


def forms_of_features(folder):
    base = np.random.default_rng(0).normal(size=(2 * N, 2 * E))
    plain = base[:N, :E].copy()
    file = folder / "rows"
    plain.astype(np.float32).tofile(file)
    return {
        "float16": plain.astype(np.float16),
        "float32": plain.astype(np.float32),
        "float64": plain,
        "made of integers": np.round(9 * plain).astype(np.int8).astype(np.float64),
        "every second row": base[::2, :E],
        "every second column": base[:N, ::2],
        "backwards": plain[::-1],
        "Fortran order": np.asfortranarray(plain),
        "transposed": plain.T.copy().T,
        "read-only map": np.memmap(file, np.float32, "r", shape=(N, E)),
        "private map": np.memmap(file, np.float32, "c", shape=(N, E)),
        "part of a map": np.memmap(file, np.float32, "r", shape=(N, E))[7:],
        "of a tensor": torch.from_numpy(plain.copy()).numpy(),
    }


FORMS = [
    "float16",
    "float32",
    "float64",
    "made of integers",
    "every second row",
    "every second column",
    "backwards",
    "Fortran order",
    "transposed",
    "read-only map",
    "private map",
    "part of a map",
    "of a tensor",
]


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", FORMS)
def test_features_may_come_in_any_form(tmp_path, form, dtype, frozen):
    features = forms_of_features(tmp_path)[form]
    automata = draw_automata(dtype)
    view = features.view()
    view.flags.writeable = False
    if frozen:
        owner = features if features.base is None else features.base
        if isinstance(owner, np.ndarray):
            owner.flags.writeable = False
        features.flags.writeable = False
    table = TransitionTable(automata, view)
    for ids in (ids_of(3, 9, 3), np.arange(len(view), dtype=np.int32)):
        assert table.belongs_to(features.view())
        assert table.fill(view, ids)
        assert_holds(table, automata, view, np.unique(ids))
    if features.flags.writeable:
        features[5] += 1
        assert table.fill(view, ids_of(5))
        assert_holds(table, automata, view, [5])
        features[5] = np.nan
        assert not table.fill(view, ids_of(5))


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("n_tokens", [3, N])
def test_a_projection_that_fails_leaves_nothing_marked_as_filled(
    automata, monkeypatch, frozen, n_tokens
):
    features = draw_features(frozen=frozen)
    table = TransitionTable(automata, features)
    ids = np.resize(ids_of(5, 6, 7), n_tokens)

    def fail(self, features, rows, out):
        out[:] = 99
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(PackedAutomata, "project", fail)
        for _ in range(2):
            with pytest.raises(MemoryError):
                table.fill(features, ids)
    assert table.fill(features, ids)
    assert_holds(table, automata, features, [5, 6, 7])


def test_a_projection_of_a_change_that_fails_is_done_again(automata, monkeypatch):
    features = draw_features(frozen=False)
    table = TransitionTable(automata, features)
    assert table.fill(features, ids_of(5, 6))
    before = features[6].copy()

    def fail(self, features, rows, out):
        out[:] = 99
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(PackedAutomata, "project", fail)
        features[6] += 1
        with pytest.raises(KeyboardInterrupt):
            table.fill(features, ids_of(5, 6))
    # Also where the row is what it was when it was last projected.
    features[6] = before
    assert table.fill(features, ids_of(5, 6))
    assert_holds(table, automata, features, [5, 6])


steps = st.lists(
    st.tuples(
        st.sampled_from(["fill", "change", "spoil", "mend"]),
        st.lists(st.integers(0, 11), max_size=14),
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(steps, st.booleans())
def test_what_was_filled_equals_a_projection_after_any_history(steps, views):
    automata, owner = draw_automata(lengths=(2, 1)), draw_features(frozen=False)
    owner = owner[:12].copy()
    original = owner.copy()
    table = TransitionTable(automata, owner[:6] if views else owner)
    for number, (step, rows) in enumerate(steps):
        if step == "change":
            owner[rows] += number + 1
        elif step == "spoil":
            owner[rows, number % E] = np.nan
        elif step == "mend":
            owner[rows] = original[rows]
        else:
            rows = np.unique(rows).astype(int)
            finite = np.isfinite(owner[rows]).all()
            assert table.fill(owner, np.array(rows, np.int32)) == finite
            good = rows[np.isfinite(owner[rows]).all(axis=1)]
            assert_holds(table, automata, np.nan_to_num(owner), good)
