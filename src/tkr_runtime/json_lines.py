"""Lists as JSON text with one element on each line, which need not be read as a whole.

The worker writes its lists in this form, and ``run`` writes circuits in it. Tierkreis
reads it as it reads any other list.
"""

from collections.abc import Iterable, Iterator

from pydantic_core import from_json, to_json

_WHOLE = frozenset({(b"{", b"}"), (b"[", b"]")})
"""The first and the last byte of an element that is whole on its line."""


def join(elements: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the pieces of a list.

    :param elements: The JSON text of each element, without line breaks.
    """
    separator = b"[\n"
    for element in elements:
        yield separator + element
        separator = b",\n"
    yield b"[]" if separator == b"[\n" else b"\n]"


def split(text: bytes) -> list[bytes]:
    """Return the JSON text of each element of a list.

    :param text: The list, with one element on each line or in any other form, which
        takes the time and the space to read it.
    :raises ValueError: If it is not JSON.
    :raises TypeError: If it is not a list.
    """
    lines = text.split(b"\n")
    if len(lines) > 2 and (lines[0], lines[-1]) == (b"[", b"]"):
        elements = [line.removesuffix(b",") for line in lines[1:-1]]
        # An element of an indented list goes over many lines.
        if all((one[:1], one[-1:]) in _WHOLE for one in elements):
            return elements
    values = from_json(text)
    if not isinstance(values, list):
        raise TypeError(f"a {type(values).__name__} instead of a list")
    del lines  # so that the text is not in memory twice
    values.reverse()
    return [to_json(values.pop()) for _ in range(len(values))]
