"""Labelled arcs of an automaton, as matplotlib and Graphviz draw them alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skrational.inspection.transitions.strengths import Words
from skrational.utils.figures import GREY

__all__ = ["Arc", "arcs_dot", "arcs_legend", "main_path_arcs", "self_loop_arcs"]


_THINNEST, _WIDEST = 0.8, 4.0


@dataclass(frozen=True)
class Arc:
    """An arc between two states, and how it looks.

    Attributes
    ----------
    source, target : int
        The states; the same one for a loop.
    lines : tuple of (str, str or None)
        The lines of its label, each with its colour; None for that of text.
    width : float
        In points.
    colour : str or None, default=GREY
        None for that of text.
    dashes : {"solid", "dashed", "dashdot"}, default="solid"
    """

    source: int
    target: int
    lines: tuple[tuple[str, str | None], ...]
    width: float
    colour: str | None = GREY
    dashes: str = "solid"

    @property
    def is_loop(self) -> bool:
        """Whether it leads back to its own state."""
        return self.source == self.target


def main_path_arcs(
    words: Sequence[Words],
    strengths: NDArray[np.floating],
    colours: tuple[str, str] | None = None,
) -> list[Arc]:
    """Arcs into each state, from state 1 on.

    Parameters
    ----------
    words : sequence of K lists of (str, float)
    strengths : ndarray of shape (K,)
    colours : (str, str), default=None
        Those of words of positive and of negative weights; None for that of text.
    """
    signed = any(weight < 0 for state in words for _, weight in state)
    arcs = []
    for k, (state, width) in enumerate(zip(words, _widths(strengths), strict=True)):
        by_sign = sorted(state, key=lambda word: word[1] < 0)
        is_negative = [weight < 0 for _, weight in by_sign]
        of_words = [colours and colours[negative] for negative in is_negative]
        same = len(set(is_negative)) == 1
        lines = zip(_lines(by_sign, signed=signed), of_words, strict=True)
        norm = (f"‖W_u‖ = {strengths[k]:.2g}", None)
        dashes = "solid"
        if any(is_negative):
            dashes = "dashed" if same else "dashdot"
        mixed = GREY if colours else None
        colour = of_words[0] if same else mixed
        arcs.append(Arc(k, k + 1, tuple(lines) or (norm,), width, colour, dashes))
    return arcs


def self_loop_arcs(
    skipped: Sequence[Words],
    breaking: Sequence[Words],
    strengths: NDArray[np.floating],
) -> list[Arc]:
    """Self-loops of each state, from the start on, whose weight is one."""
    loops = [Arc(0, 0, (("any word", GREY),), _THINNEST)]
    for k, width in enumerate(_widths(strengths)):
        lines: list[str] = []
        for head, words in (("skips", skipped[k]), ("breaks at", breaking[k])):
            if words:
                lines += ["", head] if lines else [head]
                lines += _lines(words)
        lines = lines or [f"‖W_f‖ = {strengths[k]:.2g}"]
        label = tuple((line, None) for line in lines)
        loops.append(Arc(k + 1, k + 1, label, width))
    return loops


def arcs_legend(main_path: Sequence[Words], skipped: Sequence[Words]) -> list[str]:
    """Say what words, widths and dashes of arcs mean, line by line.

    Parameters
    ----------
    main_path, skipped : sequence of K lists of (str, float)
        Words of the main path, and those that self-loops skip.
    """
    weights = [weight for words in main_path for _, weight in words]
    if not weights:
        return ["Width: the norm of the weights. Double circle: a path may end."]
    is_log = any(weight < 0 for words in skipped for _, weight in words)
    f, joins = ("log f", "adds up") if is_log else ("f", "multiplies")
    lines = [
        f"Words with weights: u under an arc, {f} over a loop; a path {joins} them.",
        "Width: the largest |u|, the mean f. Double circle: a path may end.",
    ]
    if min(weights) < 0:
        turns = ", which turns the sign of a score" * (len(main_path) > 1)
        lines.append(f"Solid: u > 0. Dashed: u < 0{turns}. Dash-dot: both.")
    return lines


def _widths(strengths: NDArray[np.floating]) -> list[float]:
    largest = strengths.max(initial=0.0) or 1.0
    return [_THINNEST + (_WIDEST - _THINNEST) * float(s / largest) for s in strengths]


def _lines(words: Words, *, signed: bool = False) -> list[str]:
    sign = "+" if signed else ""
    return [
        f"{weight:{sign}.2f}".replace("-", "−") + " " + _one_line(word)
        for word, weight in words
    ]


def _one_line(word: str) -> str:
    return word if word.isprintable() else word.encode("unicode_escape").decode()


def arcs_dot(
    title: str, labels: Sequence[str], final: Iterable[int], arcs: Iterable[Arc]
) -> str:
    r"""Write states in a line and arcs between them as a Graphviz graph.

    Parameters
    ----------
    title : str
    labels : sequence of str
        One for each state; state k is the node ``q{k}``.
    final : iterable of int
        The states of double circles.
    arcs : iterable of Arc

    Returns
    -------
    str

    Examples
    --------
    >>> arc = Arc(0, 1, (('+1.00 "good"', "blue"),), 2.0, "blue")
    >>> print(arcs_dot("WFSA 0", ["q0", "q1"], [1], [arc]))
    digraph wfsa {
      rankdir=LR;
      label="WFSA 0"; labelloc=t;
      node [shape=circle];
      q0 [label="q0"];
      q1 [label="q1", shape=doublecircle];
      q0 -> q1 [label="+1.00 \"good\"\l", penwidth=2, style=solid,
        color="blue", fontcolor="blue"];
    }
    """
    doubled = set(final)
    head = ["rankdir=LR;", f"label={_quoted(title)}; labelloc=t;"]
    states = [
        f"q{k} [label={_quoted(label)}{', shape=doublecircle' * (k in doubled)}];"
        for k, label in enumerate(labels)
    ]
    edges = [f"q{arc.source} -> q{arc.target} [{_attributes(arc)}];" for arc in arcs]
    lines = [*head, "node [shape=circle];", *states, *edges]
    return "\n".join(["digraph wfsa {", *(f"  {line}" for line in lines), "}"])


def _attributes(arc: Arc) -> str:
    # \l ends a line that begins at the left, so that weights stand in a column.
    label = "".join(_escaped(text) + r"\l" for text, _ in arc.lines)
    style = "dotted" if arc.dashes == "dashdot" else arc.dashes
    of_lines = {colour for _, colour in arc.lines}
    font = of_lines.pop() if len(of_lines) == 1 else arc.colour
    looks = {"color": arc.colour, "fontcolor": font}
    colours = [f'{name}="{colour}"' for name, colour in looks.items() if colour]
    line = f'label="{label}", penwidth={arc.width:.3g}, style={style}'
    return ",\n    ".join(filter(None, [line, ", ".join(colours)]))


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    # Graphviz reads backslashes as its own escapes, and &...; as HTML's.
    for character, written in (("\\", r"\\"), ('"', r"\""), ("&", "&amp;")):
        text = text.replace(character, written)
    return text.replace("\n", r"\n")
