"""Parse OpenQASM 2 and 3 into statements of the reference syntax tree.

The parser is that of the ``openqasm3`` package, which the OpenQASM project keeps.
OpenQASM 2 is brought into its language statement by statement: names that only
OpenQASM 3 reserves are marked, ``^`` becomes ``**`` and numbers of every legal form
become their position in a list. Most statements of a long file then have one text, and
each text is parsed once.
"""

import codecs
import re
from collections.abc import Iterator
from contextlib import redirect_stderr
from dataclasses import dataclass, fields
from functools import lru_cache
from io import StringIO
from typing import Any

from openqasm3 import ast, parse
from openqasm3.parser import QASM3ParsingError

VERSIONS = (2, 3)
"""The versions of OpenQASM that can be read."""

_VERSION = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/)*OPENQASM\s+(\d+)", re.DOTALL)
_COMMENTS = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
# A file without a version line is of OpenQASM 2 if it has what only that has.
_ONLY_2 = re.compile(r'\b(?:qreg|creg|opaque)\b|"(?:qelib1|hqslib1)\.inc"')
_ONLY_3 = re.compile(r'\b(?:qubit|bit)\b|"stdgates\.inc"')
_TOKEN = re.compile(
    r"(?P<space>\s+|//[^\n]*|/\*(?s:.*?)\*/)"
    r"|(?P<real>(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)"
    r"|(?P<integer>\d+)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r'|(?P<text>"[^"\n]*")'
    r"|(?P<symbol>->|==|!=|<=|>=|<<|>>|[-+*/^()\[\]{};,=<>!&|~])"
)
_WORDS = frozenset(
    (
        *("gate", "qreg", "creg", "measure", "reset", "barrier", "if", "U", "CX"),
        *("pi", "sin", "cos", "tan", "exp", "sqrt", "ln"),
    )
)
_MARK = "v_"
# After these a plus is a sign.
_BEFORE_SIGN = frozenset(["(", "[", ",", "=", *"+-*/^"])
_ENDS = frozenset(";{}")
_LONGEST_TOKEN = 40


class OpenQasmError(Exception):
    """A program that is wrong, or that cannot be expressed as a circuit.

    :param reason: What is wrong, without a full stop.
    :param line: The line of the mistake, counted from 1.
    :param source: The include file that has the line; empty for the program itself.
    """

    def __init__(self, reason: str, line: int, source: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
        self.source = source


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, and what its nodes refer to.

    :param node: The syntax tree.
    :param line: The line that the tree calls line 1.
    :param numbers: The numbers that the integers of the tree are positions of, counted
        from 1; None if its numbers are what they say.
    :param opaque: Whether it declares an opaque gate; the node is a gate then.
    """

    node: ast.Statement | ast.Pragma
    line: int = 1
    numbers: tuple[int | float, ...] | None = None
    opaque: bool = False


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    line: int


def decode(content: bytes) -> str:
    """Return the text of a file in whichever encoding editors write.

    :param content: The file: UTF-8, UTF-16 or Latin-1, with or without a byte order
        mark, with line ends of any system.
    :returns: The text; its lines end in line feeds.
    :raises UnicodeDecodeError: If it claims an encoding and does not keep to it.
    """
    if content.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        text = content.decode("utf-32")
    elif content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = content.decode("utf-16")
    elif b"\0" in content[:2]:
        text = content.decode("utf-16-be" if content[0] == 0 else "utf-16-le")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def version_of(text: str) -> int:
    """Return the version of OpenQASM that a program is written in.

    :param text: The program.
    :raises OpenQasmError: If it can be read in no such version.
    """
    declared = _VERSION.match(text)
    if declared is not None:
        if int(declared[1]) not in VERSIONS:
            raise OpenQasmError(
                f"OpenQASM {declared[1]} is not known; write the circuit in OpenQASM "
                "2.0 or 3.0",
                text.count("\n", 0, declared.start(1)) + 1,
            )
        return int(declared[1])
    code = _COMMENTS.sub(" ", text)
    return 2 if _ONLY_2.search(code) and not _ONLY_3.search(code) else 3


def parse_statements(text: str, version: int) -> Iterator[Statement]:
    """Parse a program, or a file that it includes.

    :param text: The program; its lines end in line feeds.
    :param version: The version of OpenQASM.
    :returns: The statements, in order.
    :raises OpenQasmError: At the first mistake in the syntax.
    """
    if not _COMMENTS.sub("", text).strip():
        raise OpenQasmError("it has no statements", 1)
    if version == 2:
        return _parse_2(text)
    return (Statement(node) for node in _parse(text).statements)


def _parse_2(text: str) -> Iterator[Statement]:
    for number, tokens in enumerate(_split(text)):
        first = tokens[0]
        match first.text:
            case "OPENQASM":
                if number or [t.kind for t in tokens[2:]] != ["symbol"]:
                    raise OpenQasmError(
                        "OPENQASM and its version are the first statement of a file",
                        first.line,
                    )
            case "include":
                if [t.kind for t in tokens[1:]] != ["text", "symbol"]:
                    raise OpenQasmError(
                        'write include and a file name, such as include "qelib1.inc";',
                        first.line,
                    )
                yield Statement(ast.Include(tokens[1].text[1:-1]), first.line)
            case "opaque":
                if tokens[-1].text != ";":
                    raise OpenQasmError(
                        "an opaque gate has no body; write gate instead of opaque",
                        first.line,
                    )
                end = tokens[-1].line
                body = [_Token("symbol", "{", end), _Token("symbol", "}", end)]
                gate = _Token("name", "gate", first.line)
                yield _statement([gate, *tokens[1:-1], *body], opaque=True)
            case _:
                if first.text != "gate" and tokens[-1].text == "}":
                    raise OpenQasmError(
                        "OpenQASM 2 has braces only in the definition of a gate",
                        next(t.line for t in tokens if t.text == "{"),
                    )
                yield _statement(tokens)


def _split(text: str) -> Iterator[list[_Token]]:
    """Split a program into the tokens of its statements."""
    tokens: list[_Token] = []
    opened: list[int] = []
    for token in _tokens(text):
        if token.text == ";" and not tokens:
            continue  # an empty statement
        tokens.append(token)
        if token.text == "{":
            opened.append(token.line)
        elif token.text == "}":
            if not opened:
                raise OpenQasmError("'}' closes nothing", token.line)
            opened.pop()
        if token.text in (";", "}") and not opened:
            yield tokens
            tokens = []
    if opened:
        raise OpenQasmError("'{' is not closed", opened[0])
    if tokens:
        raise OpenQasmError(
            f"the statement does not end with ';' after {_shown(tokens[-1].text)}",
            tokens[-1].line,
        )


def _tokens(text: str) -> Iterator[_Token]:
    position, line = 0, 1
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise OpenQasmError(
                f"the character {text[position]!r} has no meaning in OpenQASM 2", line
            )
        kind = found.lastgroup or ""
        if kind != "space":
            yield _Token(kind, found[0], line)
        line += found[0].count("\n")
        position = found.end()


def _statement(tokens: list[_Token], *, opaque: bool = False) -> Statement:
    """Parse the tokens of one statement of OpenQASM 2."""
    pieces: list[str] = []
    numbers: list[int | float] = []
    assigns = any(token.text == "=" for token in tokens)
    if assigns and any(token.text == "measure" for token in tokens):
        raise OpenQasmError(
            "OpenQASM 2 has no '=' here; write measure q -> c;", tokens[0].line
        )
    line, before = tokens[0].line, ""
    for token in tokens:
        pieces.append("\n" * (token.line - line) or " ")
        line = token.line
        text = token.text
        if token.kind in ("real", "integer"):
            numbers.append(_number(token))
            pieces.append(str(len(numbers)))  # from 1: no register has 0 qubits
        elif token.kind == "name":
            pieces.append(_renamed(text))
        elif text == "^" and not assigns:
            pieces.append("**")
        elif text != "+" or before not in _BEFORE_SIGN:
            pieces.append(text)
        before = text
    try:
        node = _parse_shape("".join(pieces).strip(" "))
    except OpenQasmError as error:
        raise OpenQasmError(
            _restored(error.reason, numbers), error.line + tokens[0].line - 1
        ) from error
    return Statement(node, tokens[0].line, tuple(numbers), opaque)


def _number(token: _Token) -> int | float:
    if token.kind == "integer":
        if len(token.text) > 1 and token.text.startswith("0"):
            raise OpenQasmError(
                f"the whole number {_shown(token.text)} starts with 0", token.line
            )
        if len(token.text) > _LONGEST_TOKEN:
            raise OpenQasmError(
                f"the number {_shown(token.text)} is too long", token.line
            )
        return int(token.text)
    value = float(token.text)
    if value == float("inf"):
        raise OpenQasmError(f"the number {_shown(token.text)} is too large", token.line)
    return value


def _renamed(name: str) -> str:
    return name if name in _WORDS else _MARK + name


def _restored(reason: str, numbers: list[int | float]) -> str:
    """Put the names and numbers of a program into a message about its shape."""
    reason = re.sub(r"'(\d+)'", lambda found: f"'{numbers[int(found[1]) - 1]}'", reason)
    return reason.replace(f"'{_MARK}", "'")


@lru_cache(maxsize=4096)
def _parse_shape(text: str) -> ast.Statement | ast.Pragma:
    statements = _parse(text).statements
    if len(statements) != 1:
        raise OpenQasmError("a statement is empty; remove its ';'", 1)
    _unmark(statements[0])
    return statements[0]


def _unmark(node: Any) -> None:
    """Return the names of a syntax tree as the program has them."""
    if isinstance(node, list | tuple):
        for one in node:
            _unmark(one)
    elif isinstance(node, ast.Identifier):
        node.name = node.name.removeprefix(_MARK)
    elif isinstance(node, ast.QASMNode):
        for field in fields(node):
            _unmark(getattr(node, field.name))


def _parse(text: str) -> ast.Program:
    # The lexer writes what it does not know to standard error as well.
    with redirect_stderr(StringIO()):
        try:
            return parse(text)
        except QASM3ParsingError as error:
            raise _translated(error) from error
        except RecursionError as error:
            raise OpenQasmError("an expression is nested too deeply", 1) from error
        # The parser raises errors of other kinds for some programs without meaning.
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise OpenQasmError("it cannot be parsed", 1) from error


def _translated(error: QASM3ParsingError) -> OpenQasmError:
    """Say in which line a program is wrong, and near what."""
    said = re.match(r"L(\d+):C\d+: (.*)", str(error), re.DOTALL)
    if said is not None:
        reason = re.sub(
            r"token recognition error at: (.*)", r"\1 is not expected here", said[2]
        )
        return OpenQasmError(reason, int(said[1]))
    cause: Any = error.__cause__
    if cause is not None and getattr(cause, "offendingToken", None) is None:
        cause = cause.args[0] if cause.args else None
    token = getattr(cause, "offendingToken", None)
    if token is None:
        return OpenQasmError("it cannot be parsed", 1)
    before = cause.input.get(token.tokenIndex - 1) if token.tokenIndex > 0 else None
    index = token.tokenIndex - 1
    while before is not None and before.channel != 0:
        index -= 1
        before = cause.input.get(index) if index >= 0 else None
    shown = "the end" if token.type == -1 else _shown(token.text)
    if before is not None and before.text not in _ENDS and before.line < token.line:
        return OpenQasmError(
            f"the statement does not end with ';' after {_shown(before.text)}",
            before.line,
        )
    if token.type == -1:
        opened = []
        for one in cause.input.tokens:
            if one.text == "{":
                opened.append(one.line)
            elif one.text == "}" and opened:
                opened.pop()
        if opened:
            return OpenQasmError("'{' is not closed", opened[-1])
    if before is not None and token.type == -1:
        return OpenQasmError(
            f"it ends too early, after {_shown(before.text)}", before.line
        )
    return OpenQasmError(f"{shown} is not expected here", token.line)


def _shown(text: str) -> str:
    cut = text if len(text) <= _LONGEST_TOKEN else f"{text[:_LONGEST_TOKEN]}…"
    return f"'{cut}'"
