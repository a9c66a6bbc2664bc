"""The output of QIR programs, and the shots of circuits, as tagged values."""

import pytest
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Bit
from pytket.utils.outcomearray import OutcomeArray

from tkr_nexus_worker.errors import ResultFormatError
from tkr_nexus_worker.results import ProgramShots
from tkr_nexus_worker.results.tagged import read_qir_output, shots_of_registers

# As the QIR specification shows it; labels are optional in its ordered schema.
OUTPUT = """HEADER\tschema_id\tlabeled
START
METADATA\tentry_point
OUTPUT\tARRAY\t2\tc
OUTPUT\tRESULT\t1
OUTPUT\tRESULT\t0
OUTPUT\tINT\t-7\tn
OUTPUT\tBOOL\ttrue\tb
OUTPUT\tDOUBLE\t0.5\tc
END\t0
START
OUTPUT\tRESULT\t1
END\t3
"""


def test_the_output_of_qir_is_read_with_its_types_and_labels():
    first, stopped = read_qir_output(OUTPUT).results
    assert first.entries == [("c", 1), ("c", 0), ("n", -7), ("b", True), ("c", 0.5)]
    assert [type(value) for _, value in first] == [int, int, int, bool, float]
    assert stopped.entries == [("0", 1), ("exit: ended early", 3)]


@pytest.mark.parametrize(
    "text",
    [
        *("", "some text", "OUTPUT\tRESULT\t1\tc", "START\nOUTPUT\tCOLOUR\tred\tc"),
        *("START\nOUTPUT\tINT\tone\tn", "START\nOUTPUT", "START\nEND\tnever"),
    ],
)
def test_what_is_no_output_of_qir_is_said(text):
    with pytest.raises(ResultFormatError, match="output of a QIR program"):
        read_qir_output(text)


def test_registers_of_circuits_are_tags_and_come_back():
    bits = [Bit("a", 0), Bit("a", 1), Bit("b", 0)]
    rows = [[1, 0, 1], [0, 0, 0]]
    result = BackendResult(shots=OutcomeArray.from_readouts(rows), c_bits=bits)
    shots = shots_of_registers(result)
    assert shots == [[("a", [1, 0]), ("b", [1])], [("a", [0, 0]), ("b", [0])]]
    value = ProgramShots(index=0, program_type="circuit", shots=shots)
    again = ProgramShots(**value.model_dump(mode="json"))
    assert again == value
    assert again.to_pytket().get_counts() == result.get_counts()


def test_values_keep_their_types_in_json():
    shots = [[("b", True), ("n", 1), ("x", 1.0), ("l", [True, False]), ("m", [1, 0])]]
    value = ProgramShots(index=0, program_type="hugr", shots=shots)
    [shot] = ProgramShots.model_validate_json(value.model_dump_json()).shots
    assert [type(one) for _, one in shot] == [bool, int, float, list, list]
    assert [type(one) for one in shot[3][1]] == [bool, bool]
    with pytest.raises(ResultFormatError, match="is not a bit"):
        value.to_pytket()
