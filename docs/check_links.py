"""Follow every link within the built site, and those of the README into the repository.

    python docs/check_links.py docs/_build/html

Nothing is asked over a network. A link that leads nowhere is printed, and the exit code
is 1.
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

ROOT = Path(__file__).parents[1]
HOSTED = re.compile(
    r"https://(?:github\.com/skrational/skrational/blob"
    r"|raw\.githubusercontent\.com/skrational/skrational)/main/([^\s)\"#]+)"
)


class Page(HTMLParser):
    """The anchors of a page, and what it links to."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value is None:
                continue
            if name == "id" or (name == "name" and tag == "a"):
                self.anchors.add(value)
            elif name in ("href", "src") and tag != "base":
                self.links.append(value)


def find_broken_links(site: Path) -> list[str]:
    """Say which links of a folder of HTML lead to no file or no anchor."""
    # The theme brings templates along.
    files = (f for f in site.resolve().rglob("*.html") if "_static" not in f.parts)
    pages = {file: Page(file) for file in files}
    broken = []
    for file, page in pages.items():
        for link in page.links:
            path, anchor = urldefrag(link)
            if re.match(r"[a-z][a-z0-9+.-]*:|//", path):
                continue
            target = (file.parent / unquote(path.split("?")[0])).resolve()
            target = file if path == "" else target
            found = target.exists()
            if found and anchor and target in pages:
                found = unquote(anchor) in pages[target].anchors
            if not found:
                broken.append(f"{file.relative_to(site.resolve())}: {link}")
    return broken


def find_missing_files() -> list[str]:
    """Say which files the README names by their address and the repository lacks."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    names = HOSTED.findall(text)
    return [f"README.md: {name}" for name in names if not (ROOT / name).exists()]


def main(site: str) -> int:
    broken = find_broken_links(Path(site)) + find_missing_files()
    print("\n".join(broken or ["no broken links"]))
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
