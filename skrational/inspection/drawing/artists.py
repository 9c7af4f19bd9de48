"""States, arcs and loops of automata in matplotlib, and text that is drawn as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skrational.inspection.drawing.arcs import Arc
from skrational.utils.figures import legible, new_axes

__all__ = [
    "LINE_SPACING",
    "draw_arc",
    "draw_labelled",
    "draw_loop",
    "draw_state",
    "set_text",
    "set_up_axes",
    "spelled_out",
    "write",
]

LINE_SPACING = 1.3
"""From line to line of an arc's label, as a multiple of the font's size."""

# Of a word, a weight leaves 14.
_MOST_OF_LINE = 20
_MOST_OF_TITLE = 62


def set_up_axes(
    ax: Any,
    limits: tuple[float, float, float],
    title: str,
    margin: tuple[float, float],
) -> tuple[Any, float]:
    """Give axes room for a picture, with circles that are round, and a title.

    Parameters
    ----------
    ax : matplotlib Axes or None
        None makes a new figure, as large as the picture and its margin.
    limits : (float, float, float)
        Width, bottom and top of the picture, in inches.
    title : str
    margin : (float, float)
        Width and height of the figure around the picture, in inches.

    Returns
    -------
    ax : matplotlib Axes
    scale : float
        What letters and lines shrink by where the axes have less room.
    """
    width, bottom, top = limits
    height, scale = top - bottom, 1.0
    if ax is None:
        size = width + margin[0], height + margin[1]
        ax = new_axes(figsize=size, layout="constrained")
    else:
        box = ax.get_window_extent()
        inches = box.width / ax.figure.dpi, box.height / ax.figure.dpi
        scale = min(1.0, inches[0] / width, inches[1] / height)
    ax.set_axis_off()
    ax.set(xlim=(0, width), ylim=(bottom, top), aspect="equal")
    set_text(ax.set_title(" ", fontsize=10 * scale), title, _MOST_OF_TITLE)
    return ax, scale


def draw_state(
    ax: Any,
    x: float,
    y: float,
    radius: float,
    label: str,
    *,
    final: bool = False,
    fontsize: float = 8,
    **look: Any,
) -> Any:
    """Draw a circle, a double one if final, with a label inside.

    Parameters
    ----------
    ax : matplotlib Axes
    x, y, radius : float
    label : str
    final : bool, default=False
    fontsize : float, default=8
    **look
        Passed on to ``Circle``.

    Returns
    -------
    Circle
        The outer one.
    """
    from matplotlib import rcParams
    from matplotlib.patches import Circle

    look = {"color": rcParams["text.color"]} | look
    state = ax.add_patch(Circle((x, y), radius, fill=False, **look))
    if final:
        inner = {**look, "linewidth": 0.8}
        ax.add_patch(Circle((x, y), 0.78 * radius, fill=False, **inner))
    alpha = look.get("alpha")
    write(ax, x, y, label, fontsize=fontsize, ha="center", va="center", alpha=alpha)
    return state


def draw_labelled(
    ax: Any,
    x: Sequence[float],
    radius: float,
    arc: Arc,
    fontsize: float,
    scale: float = 1.0,
    **look: Any,
) -> Any:
    """Draw an arc between states, its label over a loop or under a main path.

    Parameters
    ----------
    ax : matplotlib Axes
    x : sequence of float
        Where the states are.
    radius : float
        Of a state.
    arc : Arc
    fontsize : float
    scale : float, default=1.0
        What letters and lines shrink by.
    **look
        Passed on to ``Axes.annotate`` for the label.

    Returns
    -------
    FancyArrowPatch
    """
    from matplotlib import rcParams

    def of(colour: str | None) -> str:
        return rcParams["text.color"] if colour is None else legible(colour, ax)

    line: dict[str, Any] = {"color": of(arc.colour), "linestyle": arc.dashes}
    line["linewidth"] = scale * arc.width
    fontsize *= scale
    look = {"fontsize": fontsize, "most": _MOST_OF_LINE, **look}
    if arc.is_loop:
        centre = x[arc.source]
        text = "\n".join(text for text, _ in arc.lines)
        place = {"ha": "center", "va": "bottom", "multialignment": "left"}
        place["color"] = of(arc.lines[0][1])
        write(ax, centre, 3 * radius, text, **place | look)
        return draw_loop(ax, centre, 0, radius, mutation_scale=11 * scale, **line)
    start, end = x[arc.source] + radius, x[arc.target] - radius
    for i, (text, colour) in enumerate(arc.lines):
        below = 3 * scale, -8 * scale - LINE_SPACING * fontsize * i
        place = {"color": of(colour), "va": "top"}
        write(ax, start, 0, text, offset=below, **place | look)
    return draw_arc(ax, start, end, 0, mutation_scale=14 * scale, **line)


def draw_arc(ax: Any, start: float, end: float, y: float, **look: Any) -> Any:
    """Draw an arrow to the right.

    Parameters
    ----------
    ax : matplotlib Axes
    start, end, y : float
    **look
        Passed on to ``FancyArrowPatch``.

    Returns
    -------
    FancyArrowPatch
    """
    return _draw_arrow(ax, [(start, y), (end, y)], **look)


def draw_loop(ax: Any, x: float, y: float, radius: float, **look: Any) -> Any:
    """Draw an arrow over a state and back to it, as high as the state is wide.

    Parameters
    ----------
    ax : matplotlib Axes
    x, y, radius : float
        Of the state.
    **look
        Passed on to ``FancyArrowPatch``.

    Returns
    -------
    FancyArrowPatch
    """
    dx, dy, peak = 0.6 * radius, 0.8 * radius, y + 3.4 * radius
    corners = [(x - dx, y + dy), (x - 1.6 * radius, peak)]
    corners += [(2 * x - left, height) for left, height in reversed(corners)]
    return _draw_arrow(ax, corners, **look)


def _draw_arrow(ax: Any, corners: list[tuple[float, float]], **look: Any) -> Any:
    """Draw a line, or the Bezier curve of four points, with a head at its end."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    code = Path.LINETO if len(corners) == 2 else Path.CURVE4
    line = Path(corners, [Path.MOVETO] + [code] * (len(corners) - 1))
    arrow = FancyArrowPatch(path=line, arrowstyle="-|>", **look)
    return ax.add_patch(arrow)


def write(
    ax: Any,
    x: float,
    y: float,
    text: str,
    *,
    offset: tuple[float, float] = (0, 0),
    most: int | None = None,
    **look: Any,
) -> Any:
    """Write text at a point or off it.

    Parameters
    ----------
    ax : matplotlib Axes
    x, y : float
    text : str
        Drawn as it is, by `set_text`.
    offset : (float, float), default=(0, 0)
        From the point to the text, in points of the page.
    most : int, default=None
        Characters of a line; longer ones are cut.
    **look
        Passed on to ``Axes.annotate``.

    Returns
    -------
    Annotation
    """
    artist = ax.annotate(
        "",
        (x, y),
        xytext=offset,
        textcoords="offset points",
        annotation_clip=False,
        **look,
    )
    return set_text(artist, text, most)


def set_text(artist: Any, text: str, most: int | None = None) -> Any:
    r"""Set a text without markup; what the font lacks is spelled out, as in ``\u65e5``.

    Lines are cut to so many characters.
    """
    artist.set(parse_math=False, usetex=False)
    lines = spelled_out(text, artist.get_fontproperties()).split("\n")
    if most is not None:
        lines = [line[: most - 1] + "…" if len(line) > most else line for line in lines]
    artist.set_text("\n".join(lines))
    return artist


def spelled_out(text: str, properties: Any = None) -> str:
    """Write the code points of characters that a font lacks; None: the usual font."""
    # Matplotlib would warn and draw a box, the same for all characters.
    from matplotlib.font_manager import FontProperties, findfont, get_font

    families = (properties or FontProperties()).get_family()
    fonts = [get_font(findfont(FontProperties(family=[name]))) for name in families]
    return "".join(
        character
        if character == "\n"
        or any(font.get_char_index(ord(character)) for font in fonts)
        else character.encode("unicode_escape").decode()
        for character in text
    )
