"""Pictures of linear automata as text: SVG for notebooks, DOT for Graphviz.

Both follow Fig. 1 of Dodge et al. (2019): states in a line, a main-path arc into each
and a self-loop on each but the start. What was pruned stays visible, dashed, in the
place it had, unless it is left out. Weight and dashes tell the two apart, never colour,
and every line has the colour of the text around it, so that a picture suits light and
dark notebooks.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from skrational.utils.figures import check_drawable

__all__ = ["automata_dot", "automata_svg"]

_RADIUS = 9.0
_STEP = 34.0
_ROW = 43.0
_LABEL = 26.0
_GAP = 14.0
_MAX_WIDTH = 640.0
_FEW_ROWS = 6

_SVG_KEPT = 'class="kept" stroke-width="1.8"'
_SVG_REMOVED = 'class="removed" stroke-width="1" stroke-dasharray="2 2" opacity="0.55"'
_DOT_KEPT = "style=bold"
_DOT_REMOVED = "style=dashed, color=gray50, fontcolor=gray50"


def automata_svg(
    initial_lengths: Sequence[int],
    kept_lengths: Sequence[int],
    *,
    all_final: bool = False,
    removed: bool = True,
    title: str = "",
) -> str:
    """Draw automata, one a line, in as many columns as a notebook has room for.

    Parameters
    ----------
    initial_lengths : sequence of int, length d
        States of each automaton before pruning, the start state not counted.
    kept_lengths : sequence of int, length d
        States left of each, from the start; 0 if the automaton was removed.
    all_final : bool, default=False
        Whether every state left is final (double circle), not only the last.
    removed : bool, default=True
        Whether what was removed is drawn too.
    title : str, default=""
        What a screen reader says and a pointer shows.

    Returns
    -------
    str
        An SVG document, sized in pixels but scalable. Each automaton is a group with
        the attribute ``data-wfsa``; in it, groups of class "kept" and "removed".

    Raises
    ------
    ValueError
        If there are too many states to draw.

    References
    ----------
    Dodge, Schwartz, Peng, Smith (2019), arXiv:1909.03011, Fig. 1.

    Examples
    --------
    >>> svg = automata_svg([4, 4], [2, 0], title="2 of 8 transitions")
    >>> svg.count("<circle"), svg.count('class="final"')
    (11, 1)
    """
    check_drawable(sum(initial_lengths), "states")
    drawn = _drawn(initial_lengths, kept_lengths, removed)
    longest = max((n_states for _, n_states, _ in drawn), default=0)
    column = _LABEL + _STEP * longest + 2 * _RADIUS + _GAP
    n_rows = max(_FEW_ROWS, math.ceil(len(drawn) / max(1, _MAX_WIDTH // column)))
    automata = [
        _svg_automaton(
            i, n_states, n_kept, all_final, column * (place // n_rows), place % n_rows
        )
        for place, (i, n_states, n_kept) in enumerate(drawn)
    ]
    automata = automata or [_svg_text(column / 2, _ROW / 2, "none left")]
    width = column * math.ceil(len(automata) / n_rows)
    height = _ROW * min(n_rows, len(automata)) + 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width:g}" '
        f'viewBox="0 0 {width:g} {height:g}" style="max-width: 100%" '
        'fill="none" stroke="currentColor" '
        'font-family="sans-serif" font-size="10" text-anchor="middle">\n'
        f"<title>{escape(title)}</title>\n" + "\n".join(automata) + "\n</svg>\n"
    )


def automata_dot(
    initial_lengths: Sequence[int],
    kept_lengths: Sequence[int],
    *,
    all_final: bool = False,
    removed: bool = True,
) -> str:
    """Write automata as a Graphviz graph, one cluster each.

    Parameters
    ----------
    initial_lengths, kept_lengths, all_final, removed
        As for :func:`automata_svg`.

    Returns
    -------
    str
        DOT text. State k of automaton i is the node ``w{i}q{k}``.

    Raises
    ------
    ValueError
        If there are too many states to draw.

    Examples
    --------
    >>> print(automata_dot([2], [1]))
    digraph wfsas {
      rankdir=LR;
      node [shape=circle];
      subgraph cluster_0 {
        label="WFSA 0"; style=solid;
        w0q0 [label="q0", style=bold];
        w0q1 [label="q1", style=bold, shape=doublecircle];
        w0q0 -> w0q1 [style=bold];
        w0q1 -> w0q1 [style=bold];
        w0q2 [label="q2", style=dashed, color=gray50, fontcolor=gray50];
        w0q1 -> w0q2 [style=dashed, color=gray50, fontcolor=gray50];
        w0q2 -> w0q2 [style=dashed, color=gray50, fontcolor=gray50];
      }
    }
    """
    check_drawable(sum(initial_lengths), "states")
    lines = ["digraph wfsas {", "  rankdir=LR;", "  node [shape=circle];"]
    for i, n_states, n_kept in _drawn(initial_lengths, kept_lengths, removed):
        lines += [
            f"  subgraph cluster_{i} {{",
            f'    label="WFSA {i}"; style={"solid" if n_kept else "dashed"};',
            *_dot_states(i, n_states, n_kept, all_final),
            "  }",
        ]
    return "\n".join([*lines, "}"])


def _drawn(
    initial_lengths: Sequence[int], kept_lengths: Sequence[int], removed: bool
) -> list[tuple[int, int, int]]:
    """Number, states to draw and states left of each automaton that is drawn."""
    lengths = zip(initial_lengths, kept_lengths, strict=True)
    return [
        (i, n_states if removed else n_kept, n_kept)
        for i, (n_states, n_kept) in enumerate(lengths)
        if removed or n_kept
    ]


def _dot_states(i: int, n_states: int, n_kept: int, all_final: bool) -> Iterator[str]:
    """Write the states of an automaton, and the arcs that enter them.

    Parameters
    ----------
    i : int
    n_states, n_kept : int
        Without the start state.
    all_final : bool
    """
    final = _final_states(n_kept, all_final)
    for k in range(n_states + 1):
        look = _DOT_KEPT if k <= n_kept > 0 else _DOT_REMOVED
        shape = ", shape=doublecircle" if k in final else ""
        yield f'    w{i}q{k} [label="q{k}", {look}{shape}];'
        if k > 0:
            yield f"    w{i}q{k - 1} -> w{i}q{k} [{look}];"
            yield f"    w{i}q{k} -> w{i}q{k} [{look}];"


def _final_states(n_kept: int, all_final: bool) -> range:
    return range(1 if all_final else max(n_kept, 1), n_kept + 1)


def _svg_automaton(
    i: int, n_states: int, n_kept: int, all_final: bool, left: float, row: int
) -> str:
    """One line of the picture; its start state stands only if a state is left.

    Parameters
    ----------
    i : int
    n_states, n_kept : int
        Without the start state.
    all_final : bool
    left : float
        Of its column, in pixels.
    row : int
    """
    y = _ROW * row + _ROW - _RADIUS - 3
    x = [left + _LABEL + _RADIUS + _STEP * k for k in range(n_states + 1)]
    n_standing = n_kept + 1 if n_kept else 0
    final = _final_states(n_kept, all_final)
    look = ' font-weight="bold"' if n_kept else ' opacity="0.55"'
    return (
        f'<g data-wfsa="{i}">'
        f"{_svg_text(left + _LABEL / 2, y, str(i), look)}"
        f"{_svg_states(_SVG_KEPT, x, y, range(n_standing), final)}"
        f"{_svg_states(_SVG_REMOVED, x, y, range(n_standing, n_states + 1))}</g>"
    )


def _svg_states(
    look: str,
    x: Sequence[float],
    y: float,
    states: range,
    final: Iterable[int] = (),
) -> str:
    """States that look alike, each with the arcs that enter it.

    Parameters
    ----------
    look : str
        Attributes of the group.
    x : sequence of float, length n_states + 1
    y : float
    states, final : range
        Those to draw, and those with a ring.
    """
    if not states:
        return ""
    entered = [k for k in states if k > 0]
    circles = [
        f'<circle class="{"state" if k else "start"}" cx="{x[k]:.1f}" cy="{y:.1f}" '
        f'r="{_RADIUS:g}"/>{_svg_text(x[k], y, str(k))}'
        for k in states
    ]
    rings = [
        f'<circle class="final" cx="{x[k]:.1f}" cy="{y:.1f}" r="{_RADIUS - 2.5:g}" '
        'stroke-width="1"/>'
        for k in final
    ]
    arcs = [_svg_arc(x[k - 1] + _RADIUS, x[k] - _RADIUS, y) for k in entered]
    arcs += [_svg_loop(x[k], y) for k in entered]
    lines = "".join(line for line, _ in arcs)
    heads = "".join(head for _, head in arcs)
    paths = (
        f'<path d="{lines}"/><path d="{heads}" fill="currentColor" stroke="none"/>'
        if arcs
        else ""
    )
    return f"<g {look}>{''.join(circles + rings)}{paths}</g>"


def _svg_text(x: float, y: float, text: str, look: str = "") -> str:
    """Write a text about a point.

    Parameters
    ----------
    x, y : float
    text : str
    look : str, default=""
        Attributes.
    """
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" dy="0.35em" fill="currentColor" '
        f'stroke="none"{look}>{escape(text)}</text>'
    )


def _svg_arc(start: float, end: float, y: float) -> tuple[str, str]:
    line = f"M{start:.1f} {y:.1f}H{end - 4:.1f}"
    return line, _svg_head(end - 0.5, y, 1.0, 0.0)


def _svg_loop(x: float, y: float) -> tuple[str, str]:
    """A loop above the state, from the left of its top to the right."""
    dx, top, peak = 5.0, y - math.sqrt(_RADIUS**2 - 25.0), y - _RADIUS - 17.0
    line = (
        f"M{x - dx:.1f} {top:.1f}C{x - 13:.1f} {peak:.1f} "
        f"{x + 13:.1f} {peak:.1f} {x + dx + 1:.1f} {top - 3:.1f}"
    )
    return line, _svg_head(x + dx, top - 0.5, -0.35, 0.937)


def _svg_head(x: float, y: float, dx: float, dy: float) -> str:
    """An arrowhead with its tip at (x, y) that points along the unit vector.

    Parameters
    ----------
    x, y : float
    dx, dy : float
        The direction, of length 1.
    """
    back_x, back_y, side = x - 5.5 * dx, y - 5.5 * dy, 2.6
    return (
        f"M{x:.1f} {y:.1f}L{back_x - side * dy:.1f} {back_y + side * dx:.1f}"
        f"L{back_x + side * dy:.1f} {back_y - side * dx:.1f}Z"
    )
