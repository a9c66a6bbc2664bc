"""What programs call is uploaded once, and what is no program is refused."""

import pytest
import qnexus as qnx
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from tests.local_nexus.simulators.test_hybrid import bell_qir

from tkr_nexus_worker import jobs, programs, tasks
from tkr_nexus_worker.errors import InvalidInputError

PROJECT = "tests of programs"
WASM = b"\0asm\1\0\0\0"


def test_qir_is_uploaded_as_it_is(connected):
    ref = tasks.upload_qir(bell_qir(), PROJECT)
    assert ref.download_qir() == bell_qir()
    assert ref.annotations.name.startswith("qir-")
    assert (
        programs.upload_qir(b"BC\xc0\xde", PROJECT, "named").annotations.name == "named"
    )


def test_a_job_names_the_wasm_module_and_the_decoder_of_its_programs(connected):
    wasm = tasks.upload_wasm(WASM, PROJECT, "wasm")
    decoder = tasks.upload_gpu_decoder_config("decoder: 1", PROJECT)
    assert wasm.annotations.name == "wasm"
    assert decoder.annotations.name.startswith("gpu-decoder-config-")
    assert decoder.download_gpu_decoder_config_contents() == "decoder: 1"
    qir = programs.upload_qir(bell_qir(), PROJECT)
    job = tasks.start_execute_job(
        PROJECT,
        "both",
        [qir],
        [1],
        QuantinuumConfig(device_name="H2-1LE"),
        n_qubits=[2],
        wasm_module=wasm,
        gpu_decoder_config=decoder,
    )
    options = jobs.get_job_payload(job).options
    assert options["wasm_module_id"] == str(wasm.id)
    assert options["gpu_decoder_config_id"] == str(decoder.id)


def test_programs_of_several_kinds_are_uploaded_in_their_order(connected):
    refs = programs.upload_programs([bell_qir(), b"BC\xc0\xde"], PROJECT)
    assert [ref.download_qir() for ref in refs] == [bell_qir(), b"BC\xc0\xde"]
    assert len(list(qnx.qir.get_all(project=refs[0].project))) >= 2


@pytest.mark.parametrize(
    ("upload", "content", "words"),
    [
        (programs.upload_qir, b"", "neither LLVM bitcode nor LLVM text"),
        (programs.upload_qir, "define", "is a str; give the bytes"),
        (programs.upload_wasm, b"(module)", "not of its text form"),
        (programs.upload_gpu_decoder_config, " ", "give its text"),
        (
            lambda one, project: programs.upload_programs([one], project),
            7,
            "is no prog",
        ),
    ],
)
def test_what_is_no_program_is_refused_before_any_request(
    connected, upload, content, words
):
    with pytest.raises(InvalidInputError, match=words):
        upload(content, PROJECT)
    assert connected.requests() == []
