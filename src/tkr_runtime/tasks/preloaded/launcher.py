"""Run a task of a worker of the user, in a fork of a preloaded process if possible.

``warm_executor`` runs this file instead of the worker's ``main.py``, in the folder of
the worker and by the worker's own interpreter. The arguments are the definition of the
task, and the variables that the preloaded process keeps. The preloaded process runs
this file with ``--serve``, the name of its socket, the folder and the variables.
With ``--name``, it prints the name of the socket.

The environment of the worker may lack this package, and may have another Python. If it
has the package, the installed one is used; otherwise the modules beside this file,
which need the standard library alone.
"""

import os
import sys

TYPE_CHECKING = False  # typing itself takes longer to import than all of this

if TYPE_CHECKING:
    from types import ModuleType

_PACKAGE = "tkr_runtime"


def main() -> int:
    """Run a task, or serve tasks.

    :returns: The exit code.
    """
    arguments = sys.argv[1:]
    if arguments[0] == "--name":
        _find_package()
        return _print_name(*arguments[1:])
    is_server = arguments[0] == "--serve"
    folder = arguments[2] if is_server else os.getcwd()  # noqa: PTH109
    # The first folder of modules is that of main.py, not that of this file.
    if sys.path[:1] == [os.path.dirname(os.path.realpath(__file__))]:  # noqa: PTH120
        sys.path[0] = folder
    try:
        _find_package()
        from tkr_runtime.tasks.preloaded.identity import WorkerFolder

        if is_server:
            from tkr_runtime.tasks.preloaded import server, user_worker

            worker = WorkerFolder(folder, tuple(arguments[3:]))
            server.serve(arguments[1], user_worker.UserWorker(worker))
            return 0
        from tkr_runtime.tasks.preloaded import client, identity
    except (ImportError, SyntaxError) as error:
        if is_server:
            raise
        sys.stderr.write("task: the worker starts cold, because %s\n" % error)  # noqa: UP031
        os.execv(sys.executable, [sys.executable, "main.py", arguments[0]])
    return _run_task(client, identity, WorkerFolder(folder, tuple(arguments[1:])))


def _run_task(client: "ModuleType", identity: "ModuleType", worker: object) -> int:
    package, prefix = "tkr_worker", "TKR_WORKER_"
    definition = sys.argv[1]
    code: int | None = client.run([definition], package, prefix, worker)
    if code is not None:
        return code
    if identity.is_wanted(prefix):
        sys.stderr.write("task: starts cold, as no preloaded process can run it\n")
    from tkr_runtime.tasks.preloaded.user_worker import run_main

    run_main(worker, [definition])  # type: ignore[arg-type]
    return 0


def _print_name(package: str, prefix: str, *folder_and_variables: str) -> int:
    """Print the name of the socket that an executable would use."""
    from tkr_runtime.tasks.preloaded import client, identity

    worker = None
    if folder_and_variables:
        folder, *variables = folder_and_variables
        worker = identity.WorkerFolder(folder, tuple(variables))
    if identity.is_wanted(prefix):
        sys.stdout.write(client.socket_name(package, prefix, worker) or "")
    return 0


def _find_package() -> None:
    """Make this package importable, but nothing else of its environment."""
    try:
        import tkr_runtime  # noqa: F401
    except ModuleNotFoundError:
        from importlib.util import module_from_spec, spec_from_file_location

        folder = __file__
        while os.path.basename(folder) != _PACKAGE:  # noqa: PTH119
            folder = os.path.dirname(folder)  # noqa: PTH120
        spec = spec_from_file_location(
            _PACKAGE, folder + "/__init__.py", submodule_search_locations=[folder]
        )
        sys.modules[_PACKAGE] = module_from_spec(spec)  # type: ignore[arg-type]


if __name__ == "__main__":
    sys.exit(main())
