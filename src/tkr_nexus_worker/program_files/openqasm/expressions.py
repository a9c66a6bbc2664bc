"""Expressions of OpenQASM: of numbers, known when a file is read, and of bits."""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from pytket.circuit import Bit
from pytket.circuit.logic_exp import (
    BitAnd,
    BitLogicExp,
    BitNot,
    BitOr,
    BitXor,
    LogicExp,
    RegAdd,
    RegLogicExp,
    RegMul,
    RegSub,
)
from pytket.unit_id import BitRegister

from tkr_nexus_worker.program_files.conditions import Condition

Number = bool | int | float
Item = bool | Bit | BitLogicExp
"""The value of a bit: known, measured, or computed of such."""


@dataclass(frozen=True)
class Bits:
    """Bits whose values are known only when the circuit runs.

    :param items: The bits, the least significant first.
    :param single: Whether it is one bit and no register.
    :param register: The register that they are, if they are all of one; it may have
        fewer bits than a number that is made of it.
    :param condition: What they say as a condition on one register, if that is all.
    :param signed: Whether they are a whole number whose highest bit is its sign.
    """

    items: tuple[Item, ...]
    single: bool = False
    register: BitRegister | None = None
    condition: Condition | None = None
    signed: bool = False


Value = Number | Bits | RegLogicExp


class ExpressionError(Exception):
    """An expression without a value, or one that pytket has no operation for."""


CONSTANTS: Mapping[int, Mapping[str, float]] = {
    2: {"pi": math.pi},
    3: {
        **dict.fromkeys(("pi", "π"), math.pi),
        **dict.fromkeys(("tau", "τ"), math.tau),
        **dict.fromkeys(("euler", "ℇ"), math.e),
    },
}
"""The constants of each version of the language."""

_MOST_BITS = 4096
_NUMBERS = 2**64  # those of expressions of pytket are less


def _divide(left: Number, right: Number) -> Number:
    if isinstance(left, int) and isinstance(right, int):
        quotient = abs(left) // abs(right)
        return quotient if (left < 0) == (right < 0) else -quotient
    return left / right


def _remainder(left: Number, right: Number) -> Number:
    if isinstance(left, int) and isinstance(right, int):
        return left - int(_divide(left, right)) * right
    return math.fmod(left, right)


def _power(left: Number, right: Number) -> Number:
    if (
        isinstance(left, int)
        and isinstance(right, int)
        and 0 <= right <= _MOST_BITS // max(1, left.bit_length())
    ):
        return int(left**right)
    return math.pow(left, right)


def _shift_left(left: Number, right: Number) -> Number:
    return int(left) << min(int(right), _MOST_BITS)


FUNCTIONS: Mapping[str, Callable[..., Number]] = {
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "arcsin": math.asin,
    "arccos": math.acos,
    "arctan": math.atan,
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    # Their values are real numbers, of which a half is not cut off.
    "ceiling": lambda x: float(math.ceil(x)),
    "floor": lambda x: float(math.floor(x)),
    "mod": _remainder,
    "pow": _power,
}
"""The functions of OpenQASM 3."""

FUNCTIONS_2: Mapping[str, Callable[..., Number]] = {
    **{name: FUNCTIONS[name] for name in ("sin", "cos", "tan", "exp", "sqrt")},
    "ln": math.log,
}
"""The functions of OpenQASM 2."""

OPERATORS_2 = frozenset(["+", "-", "*", "/", "**"])
"""The operators of numbers in OpenQASM 2, as OpenQASM 3 writes them."""

_ON_NUMBERS: Mapping[str, Callable[[Number, Number], Number]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "%": _remainder,
    "**": _power,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "&&": lambda a, b: bool(a) and bool(b),
    "||": lambda a, b: bool(a) or bool(b),
    "&": lambda a, b: int(a) & int(b),
    "|": lambda a, b: int(a) | int(b),
    "^": lambda a, b: int(a) ^ int(b),
    "<<": _shift_left,
    ">>": lambda a, b: int(a) >> int(b),
}


def on_numbers(name: str, operation: Callable[..., Number], *values: Number) -> Number:
    """Compute a number.

    :param name: What the operation is called, for the message.
    :param operation: The operation.
    :param values: What it acts on.
    :raises ExpressionError: If there is no such number, as for a division by zero.
    """
    shown = ", ".join(f"{value:g}" for value in values)
    try:
        result = operation(*values)
    except TypeError as error:
        raise ExpressionError(f"{name} does not take {len(values)} values") from error
    except ZeroDivisionError as error:
        raise ExpressionError("a division by zero") from error
    except (ValueError, OverflowError) as error:
        raise ExpressionError(
            f"{name} of {shown} is not a finite real number"
        ) from error
    if not math.isfinite(result):
        raise ExpressionError(f"{name} of {shown} is not a finite real number")
    return result


def binary(name: str, left: Value, right: Value) -> Value:
    """Compute an operation on two values.

    :param name: The operator as OpenQASM 3 writes it.
    :param left: The value on its left.
    :param right: The value on its right.
    :raises ExpressionError: If there is no result, or pytket cannot express it.
    """
    if name not in _ON_NUMBERS:
        raise ExpressionError(f"there is no operator '{name}' of two values")
    if not isinstance(left, Bits | LogicExp) and not isinstance(right, Bits | LogicExp):
        return on_numbers(f"'{name}'", _ON_NUMBERS[name], left, right)
    if name in ("&&", "||"):
        joined = _and if name == "&&" else _or
        return Bits((joined(truth(left), truth(right)),), single=True)
    if name in ("+", "-", "*"):
        operations: Mapping[str, Callable[..., RegLogicExp]] = {
            "+": RegAdd,
            "-": RegSub,
            "*": RegMul,
        }
        return operations[name](_operand(name, left), _operand(name, right))
    if name in ("<<", ">>") and isinstance(left, Bits) and isinstance(right, int):
        return _shifted(left, right if name == "<<" else -right)
    if name in ("&", "|", "^"):
        width = max(_width(left), _width(right))
        pairs = zip(_items(left, width), _items(right, width), strict=True)
        joined = {"&": _and, "|": _or, "^": _xor}[name]
        single = isinstance(left, Bits) and left.single and width == 1
        return Bits(tuple(joined(a, b) for a, b in pairs), single)
    if name in _COMPARISONS:
        return _compare(name, left, right)
    raise _cannot(name)


def negate_bits(value: Bits) -> Bits:
    """Return the bits of a value, each inverted.

    :param value: The value.
    """
    items = tuple(_not(item) for item in value.items)
    return Bits(items, value.single, signed=value.signed)


def widened(value: Bits, width: int) -> Bits:
    """Return the same number with more bits.

    :param value: The number.
    :param width: How many bits it has at least.
    """
    more = width - len(value.items)
    if more <= 0:
        return value
    highest = value.items[-1] if value.signed else False
    return replace(value, items=(*value.items, *[highest] * more), single=False)


def narrowed(value: Bits, width: int = 1) -> Bits:
    """Return the same number without its highest bits that are known to be 0.

    :param value: The number.
    :param width: How many bits are left at least.
    """
    items = value.items
    while len(items) > width and items[-1] is False and not value.signed:
        items = items[:-1]
    return replace(value, items=items)


def rotated(value: Bits, distance: int) -> Bits:
    """Return the bits of a value, turned to the left.

    :param value: The value.
    :param distance: By how many places; to the right if it is negative.
    """
    width = len(value.items)
    return Bits(tuple(value.items[(at - distance) % width] for at in range(width)))


def truth(value: Value) -> Item:
    """Return whether a value is not zero.

    :param value: The value.
    :raises ExpressionError: If pytket cannot express that.
    """
    if isinstance(value, LogicExp):
        raise _cannot("a condition on a sum")
    if not isinstance(value, Bits):
        return bool(value)
    result: Item = False
    for item in value.items:
        result = _or(result, item)
    return result


def condition_of(value: Value) -> bool | Condition | BitLogicExp:
    """Return when a branch of the program runs.

    :param value: The condition.
    :returns: Whether it does, if that is known; otherwise a condition.
    :raises ExpressionError: If pytket cannot express it.
    """
    if isinstance(value, Bits) and value.condition is not None:
        return value.condition
    item = truth(value)
    if isinstance(item, Bit):
        return Condition((item,), (True,))
    if isinstance(item, BitNot) and isinstance(item.args[0], Bit):
        return Condition((item.args[0],), (False,))
    return item


def _compare(name: str, left: Value, right: Value) -> Value:
    if name in (">", "<="):
        left, right = right, left
        name = {">": "<", "<=": ">="}[name]
    if any(isinstance(one, Bits) and one.signed for one in (left, right)):
        left, right = _without_sign(left, right)
    for one, other in ((left, right), (right, left)):
        if isinstance(one, int | float) and (one != int(one) or one < 0):
            raise _cannot(f"a comparison of bits with {one:g}")
        if isinstance(one, int) and isinstance(other, Bits) and name == "==":
            condition = _equals(other, one)
            if condition is not None:
                return condition
    width = max(_width(left), _width(right))
    pairs = list(zip(_items(left, width), _items(right, width), strict=True))
    if name in ("==", "!="):
        equal: Item = True
        for a, b in pairs:
            equal = _and(equal, _not(_xor(a, b)))
        return Bits((equal if name == "==" else _not(equal),), single=True)
    less: Item = False
    for a, b in pairs:
        less = _or(_and(_not(a), b), _and(_not(_xor(a, b)), less))
    return Bits((less if name == "<" else _not(less),), single=True)


def _without_sign(left: Value, right: Value) -> tuple[Value, Value]:
    """Add as much to two numbers, of which one has a sign, that none is negative."""
    width = max(len(one.items) for one in (left, right) if isinstance(one, Bits))
    half = 1 << (width - 1)

    def raised(value: Value) -> Value:
        if isinstance(value, Bits) and value.signed:
            *low, sign = widened(value, width).items
            return Bits((*low, _not(sign)))
        if isinstance(value, int) and -half <= value < half:
            return value + half
        if isinstance(value, int):
            raise ExpressionError(
                f"int[{width}] has no value {value}; cast to uint[{width}]"
            )
        raise _cannot("a comparison of bits with a sign and without")

    return raised(left), raised(right)


_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})


def _equals(bits: Bits, value: int) -> Bits | None:
    """Return the condition that a whole register has a value, if it is one."""
    width = 0 if bits.register is None else bits.register.size
    if bits.register is None or value >= 1 << width:
        return None
    values = tuple(bool(value >> index & 1) for index in range(width))
    condition = Condition(tuple(bits.register.to_list()), values)
    return Bits((condition.expression(),), single=True, condition=condition)


def _width(value: Value) -> int:
    if isinstance(value, Bits):
        return len(value.items)
    if isinstance(value, LogicExp):
        raise _cannot("bits of a sum")
    return max(1, int(value).bit_length())


def _items(value: Value, width: int) -> Sequence[Item]:
    if isinstance(value, Bits):
        return widened(value, width).items
    if isinstance(value, LogicExp) or value < 0 or value != int(value):
        raise _cannot(f"the number {value} beside bits")
    return [bool(int(value) >> index & 1) for index in range(width)]


def _operand(name: str, value: Value) -> RegLogicExp | BitRegister | int:
    if isinstance(value, RegLogicExp):
        return value
    if isinstance(value, Bits) and value.register is not None:
        return value.register
    if isinstance(value, int):
        if not 0 <= value < _NUMBERS:
            raise _cannot(f"the number {value} beside bits")
        return value
    raise _cannot(f"'{name}' on bits that are not a whole register")


def _shifted(value: Bits, distance: int) -> Bits:
    width = len(value.items)
    places = (index - distance for index in range(width))
    above = value.items[-1] if value.signed else False
    items = (
        False if at < 0 else value.items[at] if at < width else above for at in places
    )
    return Bits(tuple(items), value.single, signed=value.signed)


def _cannot(what: str) -> ExpressionError:
    shown = f"'{what}' on bits" if not what[0].isalpha() and what[0] != "'" else what
    return ExpressionError(f"a circuit of pytket cannot express {shown}")


def _not(item: Item) -> Item:
    if isinstance(item, bool):
        return not item
    if isinstance(item, BitNot):
        return cast("Item", item.args[0])
    return BitNot(item)


def _and(left: Item, right: Item) -> Item:
    if isinstance(left, bool):
        return right if left else False
    if isinstance(right, bool):
        return left if right else False
    return BitAnd(left, right)


def _or(left: Item, right: Item) -> Item:
    if isinstance(left, bool):
        return True if left else right
    if isinstance(right, bool):
        return True if right else left
    return BitOr(left, right)


def _xor(left: Item, right: Item) -> Item:
    if isinstance(left, bool):
        return _not(right) if left else right
    if isinstance(right, bool):
        return _not(left) if right else left
    return BitXor(left, right)
