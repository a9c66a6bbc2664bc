"""What the runtime has to know of Nexus and of this worker."""

from tkr_nexus_worker._version import __version__
from tkr_runtime.cloud import Cloud, JobTasks

_DEFERRED_IMPORTS = {
    # Tables of qnexus.
    "pandas": frozenset({"DataFrame"}),
    # The command line of httpx, with click, rich and pygments.
    "httpx._main": frozenset({"main"}),
    # Parameters of gates that are formulas.
    "sympy": frozenset({"Expr", "Symbol"}),
    # What pytket needs scipy, sympy, networkx and graphviz for.
    "pytket.utils.distribution": frozenset(
        {
            "EmpiricalDistribution",
            "ProbabilityDistribution",
            "convex_combination",
        }
    ),
    "pytket.utils.graph": frozenset({"Graph"}),
    "pytket.utils.operators": frozenset({"QubitPauliOperator"}),
    "pytket.utils.symbolic": frozenset(
        {
            "circuit_apply_symbolic_statevector",
            "circuit_to_symbolic_unitary",
        }
    ),
}
"""The modules, and those of their classes and functions that do not import them."""

NEXUS = Cloud(
    name="Nexus",
    worker_name="nexus_worker",
    package="tkr_nexus_worker",
    version=__version__,
    command="tkr-nexus",
    env_prefix="TKR_NEXUS_",
    log_prefix="nexus: ",
    job_tasks=JobTasks(
        submitting=frozenset(
            {
                "start_attempt",
                "start_compile_job",
                "start_execute_job",
                "start_single_job",
                "submit_part",
                "submit_programs",
            }
        ),
        waiting=frozenset({"wait_until_complete"}),
        fetching=frozenset(
            {
                "collect_attempt",
                "get_compiled_programs",
                "get_item_results",
                "get_program_shots",
                "get_qsys_shots",
                "get_results",
            }
        ),
        polling={
            # The name of wait_for_change in graphs of version 0.1.
            "await_news": "is_unfinished",
            "is_running": "value",
            "is_unfinished": "value",
            "wait_for_change": "is_unfinished",
        },
        job_inputs=("execute_ref", "compile_ref", "part_jobs"),
        narrowing={"await_results": "part_jobs", "collect_part": "part_jobs"},
    ),
    deferred_imports=_DEFERRED_IMPORTS,
    worker="tkr_nexus_worker.tasks:worker",
    cancel="tkr_nexus_worker.jobs.actions:cancel_by_id",
    enter_fork="tkr_nexus_worker.nexus.client:read_config_again",
    before_fork="tkr_nexus_worker.nexus.client:load_certificates",
    preload="tkr_nexus_worker.tasks:preload",
    login="tkr_nexus_worker.nexus.account:check_login",
)
