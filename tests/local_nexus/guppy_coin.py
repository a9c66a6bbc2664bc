"""A guppy program: one coin tossed, its side under the tag ``c``."""

from guppylang import guppy
from guppylang.std.builtins import result
from guppylang.std.quantum import h, measure, qubit
from hugr.package import Package


@guppy
def main() -> None:
    coin = qubit()
    h(coin)
    result("c", measure(coin).read())


def package() -> Package:
    return main.compile()
