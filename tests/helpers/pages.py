"""The pages that users read, and the code on them."""

import re
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/*.md"))]
BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    """Return the blocks of code in a language, in their order."""
    found = BLOCK.findall(page.read_text())
    return [dedent(content) for _, name, content in found if name == language]


def commands(block: str) -> list[str]:
    """Return the commands of a block for a shell, without comments."""
    lines = block.replace("\\\n", " ").splitlines()
    found = [re.sub(r"(^|\s+)# .*$", "", line).strip() for line in lines]
    return [" ".join(line.split()) for line in found if line]
