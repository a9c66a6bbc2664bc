"""Checks of the input of a job, made before anything is uploaded or billed."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from math import inf, isfinite
from typing import Any

from pytket.circuit import (
    CircBox,
    Circuit,
    Conditional,
    ConjugationBox,
    MultiplexedRotationBox,
    MultiplexedTensoredU2Box,
    MultiplexedU2Box,
    MultiplexorBox,
    Op,
    OpType,
    PauliExpCommutingSetBox,
    PauliExpPairBox,
    PhasePolyBox,
    QControlBox,
    TermSequenceBox,
)

from tkr_nexus_worker.errors import InvalidInputError
from tkr_runtime.jobs.names import check_name

# Boxes whose parameters are those of the gates in them.
_COMPOSED = (
    CircBox,
    ConjugationBox,
    PauliExpCommutingSetBox,
    PauliExpPairBox,
    PhasePolyBox,
    TermSequenceBox,
)
_MULTIPLEXED = (
    MultiplexedRotationBox,
    MultiplexedTensoredU2Box,
    MultiplexedU2Box,
    MultiplexorBox,
)

# LLVM bitcode as it is, and in a wrapper.
_BITCODE = (b"BC\xc0\xde", b"\xde\xc0\x17\x0b")
_LLVM_TEXT = b"define "

STATE_BACKENDS = frozenset({"AerStateConfig", "AerUnitaryConfig"})
"""The backend configs whose results are states or unitaries, not shots."""


def check_qir(content: object) -> None:
    """Refuse what certainly is no QIR.

    :param content: LLVM bitcode or text.
    :raises InvalidInputError: If it is neither.
    """
    if not isinstance(content, bytes):
        raise InvalidInputError(
            f"A QIR program is a {type(content).__name__}; give the bytes of a .bc or "
            ".ll file."
        )
    if not content.startswith(_BITCODE) and _LLVM_TEXT not in content:
        raise InvalidInputError(
            f"A QIR program begins with {content[:8]!r}: it is neither LLVM bitcode "
            "nor LLVM text with a definition; give the bytes of a .bc or .ll file."
        )


def check_shots(n_shots: object, n_programs: int, noun: str = "circuit") -> list[int]:
    """Check the numbers of shots of a job.

    :param n_shots: One number of shots for each program, in their order.
    :param n_programs: The number of programs of the job.
    :param noun: What a program is called in messages.
    :returns: The numbers of shots.
    :raises InvalidInputError: If the list has the wrong length, or an entry is not a
        positive integer.
    """
    if not isinstance(n_shots, list):
        raise InvalidInputError(
            f"n_shots is {n_shots!r}; give a list with one number of shots for each of "
            f"the {n_programs} {noun}s."
        )
    if len(n_shots) != n_programs:
        raise InvalidInputError(
            f"n_shots has length {len(n_shots)}, but there are {n_programs} {noun}s; "
            f"give one number of shots for each {noun}."
        )
    for index, shots in enumerate(n_shots):
        if isinstance(shots, bool) or not isinstance(shots, int) or shots < 1:
            raise InvalidInputError(
                f"n_shots[{index}], for {noun} {index}, is {shots!r}; "
                "give an integer of at least 1."
            )
    return n_shots


def check_each(
    name: str,
    values: Sequence[Any] | None,
    n_programs: int,
    is_valid: Callable[[Any], bool],
    wanted: str,
) -> None:
    """Check an option that has one value, or None, for each program.

    :param name: The name of the option.
    :param values: The values; None if the option is not given.
    :param n_programs: The number of programs.
    :param is_valid: Returns whether a value is valid.
    :param wanted: What a valid value is.
    :raises InvalidInputError: If there are more or fewer values, or one is not valid.
    """
    if values is None:
        return
    if not isinstance(values, Sequence) or len(values) != n_programs:
        given = (
            f"has length {len(values)}"
            if isinstance(values, Sequence)
            else "is no list"
        )
        raise InvalidInputError(
            f"{name} {given}, and there are {n_programs} programs; give one value for "
            "each program."
        )
    for index, value in enumerate(values):
        if value is not None and not is_valid(value):
            raise InvalidInputError(
                f"{name}[{index}], for program {index}, is {value!r}; give {wanted}."
            )


def is_count(value: object) -> bool:
    """Return whether a value is a whole number of at least 1.

    :param value: The value.
    """
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def check_cost(name: str, value: object) -> None:
    """Check the most that something may cost.

    :param name: The name of the input.
    :param value: Its value; None for no limit.
    :raises InvalidInputError: If it is not a number above 0.
    """
    if value is not None and not is_cost(value):
        raise InvalidInputError(f"{name} is {value!r}; give a number of HQC above 0.")


def is_cost(value: object) -> bool:
    """Return whether a value is a number above 0 that is not infinite.

    :param value: The value.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 < value < inf


def check_job(
    project_name: object,
    job_name: object,
    circuits: Sequence[Circuit],
    n_shots: object,
    backend_config: object,
) -> None:
    """Check the input of a job of circuits as far as possible before its upload.

    :param project_name: The name of the project.
    :param job_name: The name of the job.
    :param circuits: The circuits, at least one.
    :param n_shots: One number of shots for each circuit.
    :param backend_config: The backend config of the job.
    :raises InvalidInputError: For the first problem, in one sentence.
    """
    check_name("project", project_name)
    check_name("job", job_name)
    if not circuits:
        raise InvalidInputError("circuits is empty; give at least one circuit.")
    check_shots(n_shots, len(circuits))
    for index, circuit in enumerate(circuits):
        check_parameters(circuit, index)
    backend_type = type(backend_config).__name__
    if backend_type in STATE_BACKENDS:
        return
    for index, circuit in enumerate(circuits):
        if not is_measured(circuit):
            raise InvalidInputError(
                f"{_named(circuit, index)} has no measurement, so backend_config "
                f"{backend_type} would return nothing; measure its qubits, for example "
                "with measure_all()."
            )


def check_parameters(circuit: Circuit, index: int) -> None:
    """Check that the parameters of all gates are finite numbers.

    :param circuit: The circuit.
    :param index: Its place among the circuits of the job, for the message.
    :raises InvalidInputError: For the first gate with a symbol, NaN or an infinite
        number, or if the global phase is not a finite number.
    """
    for number, command in enumerate(circuit):
        for value in _parameters(command.op):
            problem = _problem(value)
            if problem:
                qubits = ", ".join(map(str, command.qubits))
                raise InvalidInputError(
                    f"{_named(circuit, index)}: gate {number} ({command.op} on "
                    f"{qubits}) has {problem}"
                )
    problem = _problem(circuit.phase)
    if problem:
        raise InvalidInputError(f"{_named(circuit, index)}: its phase has {problem}")


def _named(circuit: Circuit, index: int) -> str:
    return f"circuits[{index}]" + (f" ({circuit.name!r})" if circuit.name else "")


def _problem(value: Any) -> str:
    """Return what is wrong with a parameter, as the end of a sentence."""
    symbols = getattr(value, "free_symbols", None)
    if symbols:
        names = ", ".join(sorted(map(str, symbols)))
        return f"the free symbol {names}; replace it by Circuit.symbol_substitution()."
    try:
        if isfinite(float(value)):
            return ""
    except (TypeError, ValueError, OverflowError):
        pass  # a complex number, or one too large
    return f"the parameter {value}; give a finite real number."


def _parameters(op: Op) -> Iterator[Any]:
    if isinstance(op, Conditional):
        yield from _parameters(op.op)
    elif isinstance(op, QControlBox):
        yield from _parameters(op.get_op())
    elif isinstance(op, _COMPOSED):
        content = op.get_circuit()
        yield content.phase
        for command in content:
            yield from _parameters(command.op)
    elif isinstance(op, _MULTIPLEXED):
        for _, chosen in op.get_bitstring_op_pair_list():
            for one in chosen if isinstance(chosen, list) else [chosen]:
                yield from _parameters(one)
    elif hasattr(op, "get_phase"):
        yield op.get_phase()
    else:
        with suppress(RuntimeError):  # a box without parameters
            yield from op.params
        yield from op.free_symbols()


def is_measured(circuit: Circuit) -> bool:
    """Return whether a circuit measures at least one qubit.

    :param circuit: The circuit.
    :returns: Whether it has a measurement; those in boxes and conditions count.
    """
    if circuit.n_gates_of_type(OpType.Measure) > 0:
        return True
    return any(_op_measures(command.op) for command in circuit)


def _op_measures(op: Op) -> bool:
    if isinstance(op, Conditional):
        return _op_measures(op.op)
    if isinstance(op, CircBox):
        return is_measured(op.get_circuit())
    return op.type == OpType.Measure
