"""What can be uploaded: one line for every kind."""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import qnexus as qnx
from hugr.hugr import Hugr
from hugr.package import Package
from pytket import Circuit, OpType
from pytket.passes import AutoRebase
from pytket.wasm import WasmModuleHandler

type Ref = Any


def bell(name: str = "bell") -> Circuit:
    circuit = Circuit(2, name=name).H(0).CX(0, 1).measure_all()
    # Nexus runs on a device only the gates that it has.
    AutoRebase({OpType.PhasedX, OpType.Rz, OpType.ZZPhase}).apply(circuit)
    return circuit


def _same_wasm(found: WasmModuleHandler, sent: WasmModuleHandler) -> bool:
    return bool(found.bytecode_base64 == sent.bytecode_base64)


@dataclass(frozen=True)
class Kind:
    """A kind of upload.

    :param name: of its module in qnexus.
    :param ref: the class of its references.
    :param content: the argument of ``upload`` that takes the contents.
    :param make: makes contents.
    :param download: the method that gives the contents back.
    :param same: whether downloaded contents are those that were sent.
    """

    name: str
    ref: str
    content: str
    make: Callable[[], Any]
    download: str
    same: Callable[[Any, Any], bool] = lambda found, sent: found == sent

    @property
    def module(self) -> ModuleType:
        return getattr(qnx, self.name)

    def upload(self, **arguments: Any) -> Ref:
        return self.module.upload(**{self.content: self.make(), **arguments})


KINDS = [
    Kind("circuits", "CircuitRef", "circuit", lambda: bell("sent"), "download_circuit"),
    Kind(
        "hugr",
        "HUGRRef",
        "hugr_package",
        lambda: Package([Hugr()]),
        "download_hugr_bytes",
        lambda found, sent: found == sent.to_bytes(),
    ),
    Kind("qir", "QIRRef", "qir", lambda: b"some QIR", "download_qir"),
    Kind(
        "wasm_modules",
        "WasmModuleRef",
        "wasm_module_handler",
        lambda: WasmModuleHandler(b"\0asm\1\0\0\0", check=False),
        "download_wasm_contents",
        _same_wasm,
    ),
    Kind(
        "gpu_decoder_configs",
        "GpuDecoderConfigRef",
        "gpu_decoder_config",
        lambda: "decoder: 1",
        "download_gpu_decoder_config_contents",
    ),
]
