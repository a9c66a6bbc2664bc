import pytest

# How each kind is uploaded and what downloading it again gives.
KINDS = {
    "circuits": (
        "qnx.circuits.upload(bell(name), project=project)",
        "ref.download_circuit() == bell(name)",
    ),
    "hugr": (
        "qnx.hugr.upload(hugr, name=name, project=project)",
        "ref.download_hugr_bytes() == hugr.to_bytes()",
    ),
    "qir": (
        "qnx.qir.upload(b'qir', name=name, project=project)",
        "ref.download_qir() == b'qir'",
    ),
    "wasm_modules": (
        "qnx.wasm_modules.upload(wasm, name=name, project=project)",
        "ref.download_wasm_contents().bytecode_base64 == wasm.bytecode_base64",
    ),
    "gpu_decoder_configs": (
        "qnx.gpu_decoder_configs.upload('config: 1', name=name, project=project)",
        "ref.download_gpu_decoder_config_contents() == 'config: 1'",
    ),
}

SETUP = """
from hugr.hugr import Hugr
from hugr.package import Package
from pytket.wasm import WasmModuleHandler
hugr = Package([Hugr()])
wasm = WasmModuleHandler(b"\\0asm\\1\\0\\0\\0", check=False)
project = qnx.projects.get(name="shared")
"""


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_uploaded_comes_back(client, kind):
    upload, same = KINDS[kind]
    code = f"""
name = "sent {kind}"
sent = {upload}
ref = qnx.{kind}.get(id=sent.id)
result = [{same}, ref.annotations.name, ref.project.annotations.name]
"""
    assert client.run(SETUP + code) == [True, f"sent {kind}", "shared"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_upload_is_listed_counted_and_changed(client, kind):
    code = f"""
name = "listed {kind}"
sent = {KINDS[kind][0]}
ref = qnx.{kind}.get(name=name, project=project)
changed = qnx.{kind}.update(ref, name=name + " 2", description="new")
result = [
    ref.id == sent.id,
    qnx.{kind}.get_all(name_like="LISTED {kind}", project=project).count(),
    changed.annotations.description,
    qnx.{kind}.get(id=sent.id).annotations.name,
]
"""
    assert client.run(SETUP + code) == [True, 1, "new", f"listed {kind} 2"]


def test_contents_of_one_kind_are_not_found_as_another(client):
    kind = client.run(
        SETUP
        + """
sent = qnx.qir.upload(b"qir", name="a program", project=project)
try:
    qnx.hugr.get(id=sent.id)
except Exception as error:
    result = type(error).__name__
"""
    )
    assert kind == "ZeroMatches"


def test_contents_that_are_no_base64_are_refused(http, shared):
    answer = http.post(
        "/api/qir/v1beta",
        json={
            "data": {
                "attributes": {"name": "bad", "contents": "not base64!"},
                "relationships": {"project": {"data": {"id": shared}}},
            }
        },
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "data.attributes.contents"
