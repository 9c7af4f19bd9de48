"""Draw the layers of the package, as pyproject.toml holds them: images/layers.svg.

Run ``python docs/draw_layers.py`` after a change of the contract.
"""

import tomllib
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "images" / "layers.svg"
WIDTH, ROW, GAP, NOTE = 980, 40, 8, 210

NOTES = {
    "cli": "the command line",
    "model_selection": "choose a size",
    "estimators": "what users import",
    "training": "regularize, prune, finetune",
    "cells": "parameters and their groups",
    "kernels": "price, cut, compute",
    "groups": "what stands or falls together",
    "structures": "values, without torch",
    "utils": "what every layer uses",
}


def read_layers():
    """Names of the rooms of each layer, from the top down."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = config["tool"]["importlinter"]["contracts"]
    layers = next(
        c["layers"] for c in contracts if c.get("containers") == ["skrational"]
    )
    there = {path.stem for path in (ROOT / "skrational").iterdir()}
    rooms = [[name.strip(" ()") for name in layer.split("|")] for layer in layers]
    return [[name for name in layer if name in there] for layer in rooms]


def draw(layers):
    """Write an SVG document: a row for each layer, the lowest at the bottom."""
    height = len(layers) * (ROW + GAP) + GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{WIDTH}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13" '
        'fill="none" stroke="#767676">',
        "<title>The layers: each imports only what stands below it</title>",
    ]
    for i, names in enumerate(layers):
        y, room = GAP + i * (ROW + GAP), (WIDTH - NOTE - GAP) / len(names)
        for j, name in enumerate(names):
            x = j * room + GAP
            parts += [
                f'<rect x="{x:.1f}" y="{y}" width="{room - GAP:.1f}" height="{ROW}" '
                'rx="4"/>',
                f'<text x="{x + (room - GAP) / 2:.1f}" y="{y + 25}" stroke="none" '
                f'fill="#767676" text-anchor="middle">{escape(name)}</text>',
            ]
        note = next((NOTES[name] for name in names if name in NOTES), "")
        parts.append(
            f'<text x="{WIDTH - NOTE + GAP}" y="{y + 25}" stroke="none" fill="#767676" '
            f'font-style="italic">{escape(note)}</text>'
        )
    return "\n".join([*parts, "</svg>\n"])


if __name__ == "__main__":
    PICTURE.write_text(draw(read_layers()))
