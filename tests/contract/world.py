"""One of everything that the client can refer to."""

from dataclasses import dataclass, fields, replace
from typing import Any, Self
from uuid import uuid4

import qnexus as qnx
from qnexus.models.references import (
    CircuitRef,
    CompilationResultRef,
    CompileJobRef,
    ExecuteJobRef,
    ExecutionResultRef,
    GpuDecoderConfigRef,
    HUGRRef,
    IncompleteJobItemRef,
    ProjectRef,
    QIRRef,
    ResultType,
    RuntimeTracesRef,
    TeamRef,
    WasmModuleRef,
)
from tests.contract.kinds import KINDS

from local_nexus import LocalNexus, Progress


@dataclass(frozen=True)
class World:
    """References as the client gave them.

    :param job: an execute job of one circuit, completed.
    :param qsys_result: a reference that asks for a result of the other type.
    :param incomplete: the item of a job that waits.
    """

    project: ProjectRef
    circuit: CircuitRef
    hugr: HUGRRef
    qir: QIRRef
    wasm_module: WasmModuleRef
    gpu_decoder_config: GpuDecoderConfigRef
    team: TeamRef
    job: ExecuteJobRef
    compile_job: CompileJobRef
    result: ExecutionResultRef
    qsys_result: ExecutionResultRef
    compilation: CompilationResultRef
    incomplete: IncompleteJobItemRef
    traces: RuntimeTracesRef

    @classmethod
    def make(cls, nexus: LocalNexus) -> Self:
        project = qnx.projects.create("a world")
        uploads = {
            kind.ref: kind.upload(name=kind.name, project=project) for kind in KINDS
        }
        circuit = uploads["CircuitRef"]
        job = execute(circuit, project)
        compile_job = qnx.start_compile_job(
            circuit, qnx.QulacsConfig(), "compiled", project=project
        )
        for started in (job, compile_job):
            qnx.jobs.wait_for(started, timeout=250)
        nexus.progress = Progress.seconds(queued=1e6)
        (incomplete,) = qnx.jobs.results(
            execute(circuit, project), allow_incomplete=True
        )
        nexus.progress = Progress.immediate()
        (result,) = qnx.jobs.results(job)
        (compilation,) = qnx.jobs.results(compile_job)
        nexus.set_runtime_traces(job.id, [{}], item=0)
        (traces,) = qnx.jobs.runtime_traces(job)
        return cls(
            project=project,
            circuit=circuit,
            hugr=uploads["HUGRRef"],
            qir=uploads["QIRRef"],
            wasm_module=uploads["WasmModuleRef"],
            gpu_decoder_config=uploads["GpuDecoderConfigRef"],
            team=qnx.teams.create("a team"),
            job=job,
            compile_job=compile_job,
            result=result,
            qsys_result=result.model_copy(update={"result_type": ResultType.QSYS}),
            compilation=compilation,
            incomplete=incomplete,
            traces=traces,
        )

    def afresh(self) -> Self:
        """Return references that remember nothing that was downloaded before."""
        return self._with(lambda _ref: {})

    def with_other_ids(self) -> Self:
        """Return references to things that are not there."""
        return self._with(
            lambda ref: {
                name: uuid4()
                for name in ("id", "program_id", "job_item_id")
                if getattr(ref, name, None) is not None
            }
        )

    def _with(self, changes: Any) -> Self:
        refs = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(
            self,
            **{
                name: type(ref)(**dict(ref) | changes(ref))
                for name, ref in refs.items()
            },
        )


def execute(program: Any, project: ProjectRef, name: str = "executed") -> ExecuteJobRef:
    return qnx.start_execute_job(
        program,
        n_shots=10,
        backend_config=qnx.QulacsConfig(),
        name=name,
        project=project,
    )
