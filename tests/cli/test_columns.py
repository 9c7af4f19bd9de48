import pytest

from skrational.cli.columns import choose_columns
from skrational.cli.faults import UsageFault
from skrational.cli.rows import Row

ROWS = [Row(2, {"a": "0", "b": "a long text"}), Row(3, {"a": "1", "b": "another"})]


def choose(columns, text=None, label=None, needs_label=True, rows=()):
    return choose_columns(columns, rows, text, label, needs_label)


@pytest.mark.parametrize(
    ("columns", "named", "expected"),
    [
        (["label", "text"], {}, ("text", "label", True)),
        (["stars", "review"], {}, ("review", "stars", True)),
        (["sentiment", "said"], {}, ("said", "sentiment", True)),
        (["a", "b"], {"rows": ROWS}, ("b", "a", True)),
        (["a", "b"], {"text": "a"}, ("a", "b", True)),
        (["a", "b"], {"label": "b"}, ("a", "b", True)),
        (["a", "b"], {"text": "a", "label": "b"}, ("a", "b", False)),
        (["id", "text", "label"], {}, ("text", "label", True)),
        (["only"], {"needs_label": False}, ("only", None, False)),
        (["a", "b"], {"needs_label": False, "rows": ROWS}, ("b", None, True)),
        (["id", "text", "n"], {"needs_label": None}, ("text", None, True)),
        (["text", "label"], {"needs_label": None}, ("text", "label", True)),
    ],
)
def test_columns_are_taken_or_guessed(columns, named, expected):
    assert choose(columns, **named) == expected


@pytest.mark.parametrize(
    ("columns", "named", "message"),
    [
        (["text", "label"], {"label": "lable"}, "Did you mean 'label'?"),
        (["text", "label"], {"text": "x"}, "there are 'text', 'label'"),
        (["a", "b", "c"], {}, "Which column holds the texts"),
        (["text", "b", "c"], {}, "Which column holds the labels"),
        (["only"], {}, "Which column holds the labels"),
        (["a", "b"], {"text": "a", "label": "a"}, "both name 'a'"),
    ],
)
def test_bets_are_refused(columns, named, message):
    with pytest.raises(UsageFault, match=r"Which|no such|both") as caught:
        choose(columns, **named)
    assert message in str(caught.value)
