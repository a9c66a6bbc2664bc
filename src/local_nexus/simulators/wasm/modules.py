"""Classical functions in WebAssembly that programs call."""

from collections.abc import Callable

import wasmtime

from local_nexus.simulators.errors import SimulationError

Call = tuple[str, tuple[int, ...]]

SIZES = {"i32": 2**32, "i64": 2**64}
"""Arguments and results are integers; they count as unsigned here."""


class WasmModule:
    """A module of functions.

    :param data: The module in binary form.
    :param needs_init: Whether there has to be a function ``init``.
    :raises SimulationError: When it is not a module.
    """

    def __init__(self, data: bytes, *, needs_init: bool = True) -> None:
        self._needs_init = needs_init
        self._engine = wasmtime.Engine()
        try:
            self._module = wasmtime.Module(self._engine, data)
        except wasmtime.WasmtimeError as error:
            raise SimulationError(
                f"The WASM module of the job cannot be loaded: {error}"
            ) from error

    @property
    def exports(self) -> list[str]:
        """The names of what the module has for others, in its order."""
        return [one.name for one in self._module.exports]

    def shot(self) -> "WasmShot":
        """Return the module for a shot that has made no call yet."""
        return WasmShot(self)

    def instantiate(self) -> Callable[[str, tuple[int, ...]], int]:
        """Return what calls the functions of a fresh instance, after its ``init``."""
        store = wasmtime.Store(self._engine)
        exports = wasmtime.Instance(store, self._module, []).exports(store)

        def call(name: str, arguments: tuple[int, ...]) -> int:
            function = exports.get(name)
            if not isinstance(function, wasmtime.Func):
                raise SimulationError(
                    f"The program calls {name}, which its WASM module does not have."
                )
            kind = function.type(store)
            types = [str(one) for one in [*kind.params, *kind.results]]
            if not SIZES.keys() >= set(types) or len(arguments) != len(kind.params):
                raise SimulationError(
                    f"The program calls {name} with {len(arguments)} integers, which "
                    f"has the type {kind.params} -> {kind.results}."
                )
            wrapped = [
                value % SIZES[its] for value, its in zip(arguments, types, strict=False)
            ]
            value = function(store, *wrapped)
            return value % SIZES[types[-1]] if kind.results else 0

        if self._needs_init or "init" in self.exports:
            call("init", ())
        return call


class WasmShot:
    """The module as one shot sees it: it remembers what the shot did before.

    :param module: The module.
    :param calls: Calls that the shot has made already.
    """

    def __init__(self, module: WasmModule, calls: tuple[Call, ...] = ()) -> None:
        self._module = module
        self._calls = calls
        self._instance: Callable[[str, tuple[int, ...]], int] | None = None

    def copy(self) -> "WasmShot":
        """Return the module for a shot that has the same history so far."""
        return WasmShot(self._module, self._calls)

    def call(self, name: str, arguments: tuple[int, ...]) -> int:
        """Call a function.

        :param arguments: Integers.
        :returns: Its result as an unsigned integer, 0 if it has none.
        :raises SimulationError: When there is no such function, or it fails.
        """
        try:
            if self._instance is None:
                # Instances cannot be copied; the same calls give the same state.
                self._instance = self._module.instantiate()
                for call in self._calls:
                    self._instance(*call)
            result = self._instance(name, arguments)
        except (wasmtime.WasmtimeError, wasmtime.Trap, TypeError) as error:
            raise SimulationError(
                f"The WASM function {name} failed: {error}"
            ) from error
        self._calls += ((name, arguments),)
        return result
