"""The page: one HTML document that needs nothing else.

Colour is that of classes alone, in what explains them; all else is grey.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

__all__ = ["page"]

_STYLE = """
:root { color-scheme: light dark; --ground: #fff; --text: #1b1b1b; --faint: #5c5c5c;
  --line: rgba(127, 127, 127, .35); --panel: rgba(127, 127, 127, .08);
  --ink: 70, 70, 80; --link: #005a8e; }
@media (prefers-color-scheme: dark) { :root { --ground: #16181b; --text: #e6e6e6;
  --faint: #a5a5a5; --ink: 190, 190, 200; --link: #7cc0ee; } }
body { margin: 0 auto; padding: 1.5em 1.2em 4em; max-width: 62em; line-height: 1.55;
  background: var(--ground); color: var(--text);
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { margin: .2em 0 .1em; line-height: 1.2; }
h2 { margin: 2em 0 .5em; padding-bottom: .2em; border-bottom: 1px solid var(--line); }
h3 { margin: 1.5em 0 .4em; }
a { color: var(--link); }
nav { margin: .8em 0 0; } nav a { margin-right: 1.1em; white-space: nowrap; }
table { border-collapse: collapse; }
th, td { padding: .2em 1em .2em 0; text-align: left; vertical-align: baseline; }
th { font-weight: normal; white-space: nowrap; color: var(--faint);
  border-bottom: 1px solid var(--line); }
.num { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; margin: .4em 0 .8em; }
.note { border-left: .3em solid rgb(var(--ink)); background: var(--panel);
  padding: .5em .8em; font-weight: 600; }
.faint { color: var(--faint); }
.facts { display: flex; flex-wrap: wrap; gap: .6em; margin: 1em 0; }
.facts div { background: var(--panel); border: 1px solid var(--line);
  border-radius: .5em; padding: .4em .9em; }
.facts b { display: block; font-size: 1.35em; }
.bar { display: inline-block; width: 5em; height: .7em; margin-right: .4em;
  background: var(--panel); text-align: left; }
.bar span { display: block; height: 100%; background: rgba(var(--ink), .7); }
.right, .wrong { display: inline-block; min-width: 3em; padding: .1em .4em; }
.right, .wrong { background: rgba(var(--ink), calc(.35 * var(--share))); }
.right { outline: 1px solid rgba(var(--ink), .6); }
pre { overflow-x: auto; background: var(--panel); padding: .7em .9em;
  border-radius: .4em; line-height: 1.4;
  white-space: pre-wrap; overflow-wrap: anywhere; }
details { margin: .3em 0; } summary { cursor: pointer; }
details.document { border: 1px solid var(--line); border-radius: .5em;
  padding: .4em .9em; margin: .6em 0; }
svg { max-width: 100%; height: auto; }
@media print { details:not([open]) > * { display: block; } nav { display: none; } }
"""


def page(
    title: str, lead: str, sections: Sequence[tuple[str, str]], footer: str
) -> str:
    """Write an HTML document.

    Parameters
    ----------
    title : str
    lead : str
        HTML of what stands above the sections.
    sections : sequence of (str, str)
        Headings, and HTML.
    footer : str

    Returns
    -------
    str

    Examples
    --------
    >>> html = page("A & B", "", [("Scores", "<p>none</p>")], "made by hand")
    >>> "<title>A &amp; B</title>" in html, 'id="scores"' in html
    (True, True)
    """
    links = " ".join(
        f'<a href="#{_anchor(name)}">{escape(name)}</a>' for name, _ in sections
    )
    body = "\n".join(
        f'<section id="{_anchor(name)}">\n<h2>{escape(name)}</h2>\n{html}\n</section>'
        for name, html in sections
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<header>
<h1>{escape(title)}</h1>
{lead}
<nav>{links}</nav>
</header>
<main>
{body}
</main>
<footer class="faint">
<p>{escape(footer)}</p>
</footer>
</body>
</html>
"""


def _anchor(name: str) -> str:
    return re.sub(r"[^a-z]+", "-", name.lower()).strip("-")
