#!/usr/bin/env python3
"""Draw docs/pictures/architecture.svg from the layers that import-linter holds.

Run it from a checkout, after a change of the contracts in pyproject.toml::

    uv run tools/architecture_picture.py
"""

import tomllib
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "pictures" / "architecture.svg"
ROW, GAP, COLUMN, CLOUD = 25, 14, 300, 250  # pixels
WIDTH = 2 * COLUMN + 2 * GAP + CLOUD
BLUE, GREEN, GREY = "#e3ecfa", "#e4f3e6", "#f1f1f4"


def layers(package: str) -> list[str]:
    """Return the layers of a package from the top, each as the names of its modules.

    :param package: The package.
    """
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for contract in settings["tool"]["importlinter"]["contracts"]:
        found = [str(it) for it in contract.get("layers", ())]
        if found and all(it.startswith(f"{package}.") for it in found):
            return [it.replace(f"{package}.", "").replace("|", "·") for it in found]
    raise ValueError(f"pyproject.toml has no contract of layers for {package}")


def draw() -> str:
    """Return the picture as SVG."""
    workers = [
        ("tkr_nexus_worker", "circuits and programs on Quantinuum Nexus"),
        ("tkr_lightworks_worker", "photonic circuits on Artemis"),
    ]
    tallest = max(_height(layers(name)) for name, _ in workers)
    top = ROW + GAP
    below = top + tallest + GAP
    runtime = layers("tkr_runtime")
    bottom = below + _height(runtime)
    right = 2 * (COLUMN + GAP)
    parts = [
        _text(0, 17, "Your graph, run by Tierkreis, calls the tasks of a worker:"),
        _text(right, 17, "Requests go to one of these:"),
    ]
    for column, (name, subject) in enumerate(workers):
        x = column * (COLUMN + GAP)
        box = _box(x, top, COLUMN, tallest, name, subject, layers(name), BLUE)
        parts.append(box)
    parts.append(
        _box(
            *(0, below, 2 * COLUMN + GAP, bottom - below),
            *("tkr_runtime", "how tasks and workflows run; no cloud"),
            *(runtime, BLUE),
        )
    )
    clouds = [
        ("Quantinuum Nexus, Artemis", "the real services", [], GREY),
        ("local_nexus", "the embedded Nexus", _CLOUD, GREEN),
        ("local_artemis", "the embedded Artemis", _CLOUD, GREEN),
        ("local_cloud", "how an embedded server lives; no API", _SERVER, GREEN),
    ]
    y = top
    for name, subject, rows, colour in clouds:
        height = _height(rows)
        parts.append(_box(right, y, CLOUD, height, name, subject, rows, colour))
        y += height + GAP
    parts.append(_text(right, y + 8, "Embedded clouds import neither a"))
    parts.append(_text(right, y + 26, "worker nor a client."))
    return _svg(parts, max(bottom, y + 30))


_CLOUD = ["application", "routes", "services", "tables · simulators or engines"]
_SERVER = ["server · admin", "web", "store · faults · progress · pool"]


def _height(rows: list[str]) -> int:
    return ROW * (len(rows) + 2) if rows else 2 * ROW


def _box(
    x: int,
    y: int,
    width: int,
    height: int,
    name: str,
    subject: str,
    rows: list[str],
    colour: str,
) -> str:
    parts = [
        _rectangle(x, y, width, height, f'rx="6" fill="{colour}" stroke="#8a94a6"'),
        _text(x + 12, y + 20, name, "bold"),
        _text(x + 12, y + 38, subject, "small"),
    ]
    for number, row in enumerate(rows):
        line = y + 2 * ROW + number * ROW - 3
        look = 'rx="3" fill="#ffffff" stroke="#c3cad6"'
        parts.append(_rectangle(x + 8, line, width - 16, ROW - 4, look))
        parts.append(_text(x + width // 2, line + 15, row, "row"))
    return "\n".join(parts)


def _rectangle(x: int, y: int, width: int, height: int, look: str) -> str:
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" {look}/>'


def _text(x: int, y: int, text: str, kind: str = "plain") -> str:
    return f'<text x="{x}" y="{y}" class="{kind}">{escape(text)}</text>'


def _svg(parts: list[str], height: int) -> str:
    style = (
        "text{font-family:system-ui,sans-serif;font-size:14px;fill:#1c2430}"
        ".bold{font-family:ui-monospace,monospace;font-weight:bold}"
        ".small{font-size:12px}"
        ".row{font-family:ui-monospace,monospace;font-size:11px;text-anchor:middle}"
    )
    paper = (-12, -8, WIDTH + 24, height + 16)
    view = " ".join(map(str, paper))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}" role="img">',
        "<title>The packages and their layers</title>",
        f"<style>{style}</style>",
        _rectangle(*paper, 'fill="#ffffff"'),
        *parts,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PICTURE.write_text(draw())
