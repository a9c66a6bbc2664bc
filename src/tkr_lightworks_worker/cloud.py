"""What the runtime has to know of Artemis and of this worker."""

from tkr_lightworks_worker._version import __version__
from tkr_runtime.cloud import Cloud, JobTasks

_DEFERRED_IMPORTS = {
    # The command line of httpx, with click, rich and pygments.
    "httpx._main": frozenset({"main"}),
    # Circuits of qubits, which Lightworks converts where Qiskit is installed.
    "qiskit": frozenset({"QuantumCircuit"}),
    # Pictures of circuits and plots of results.
    "IPython": frozenset({"display"}),
    "drawsvg": frozenset({"Drawing", "DrawingBasicElement", "Group"}),
    "matplotlib": frozenset({"figure", "patches", "pyplot"}),
    "matplotlib.figure": frozenset({"Figure"}),
    "matplotlib.patches": frozenset[str](),
    "matplotlib.pyplot": frozenset({"Axes"}),
    # Tables of jobs and results.
    "pandas": frozenset({"DataFrame"}),
    # Random unitaries and tomography.
    "scipy.linalg": frozenset({"sqrtm"}),
    "scipy.stats": frozenset({"unitary_group"}),
    # Another way to wait, which httpx imports where it is installed.
    "trio": frozenset[str](),
    # Unitaries with symbols.
    "sympy": frozenset({"Basic", "Expr", "Matrix", "Symbol"}),
    # Permanents of the emulator.
    "thewalrus": frozenset({"perm"}),
}
"""The modules, and those of their classes and functions that do not import them."""

LIGHTWORKS = Cloud(
    name="Artemis",
    worker_name="lightworks_worker",
    package="tkr_lightworks_worker",
    version=__version__,
    command="tkr-lightworks",
    env_prefix="TKR_LIGHTWORKS_",
    log_prefix="artemis: ",
    job_tasks=JobTasks(
        submitting=frozenset({"retry_job", "submit_job", "submit_jobs"}),
        waiting=frozenset({"wait_until_complete"}),
        fetching=frozenset({"get_results"}),
        polling={"is_running": "value", "wait_for_change": "is_unfinished"},
        job_inputs=("job", "jobs"),
        id_path=("job_id",),
        name_path=("name",),
    ),
    deferred_imports=_DEFERRED_IMPORTS,
    worker="tkr_lightworks_worker.tasks:worker",
    cancel="tkr_lightworks_worker.jobs.actions:cancel_by_id",
    enter_fork="tkr_lightworks_worker.artemis.client:read_environment_again",
    preload="tkr_lightworks_worker.lightworks:preload",
    login="tkr_lightworks_worker.artemis.qpus:check_login",
)
