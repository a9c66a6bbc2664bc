"""The executable of a worker: runs one task, preloads the worker or writes the stubs.

It starts for every task, so it imports little until it knows what it needs.
"""

import sys

TYPE_CHECKING = False  # typing itself takes longer to import than all of this

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tkr_runtime.cloud import Cloud
    from tkr_runtime.tasks.worker import TaskWorker


def main(package: str, env_prefix: str, load_cloud: "Callable[[], Cloud]") -> int:
    """Run a worker as Tierkreis's executors do, in a preloaded process if possible.

    :param package: The package of the worker.
    :param env_prefix: The prefix of its environment variables.
    :param load_cloud: Imports the description of its cloud.
    :returns: The exit code: 0, or 1 if the task failed.
    """
    arguments = sys.argv[1:]
    if len(arguments) == 1 and not arguments[0].startswith("-"):
        from tkr_runtime.tasks.preloaded import client

        code = client.run(arguments, package, env_prefix)
        if code is not None:
            return code
    if arguments == ["--preload"]:
        from tkr_runtime.tasks.preloaded import client

        client.preload(package, env_prefix)
        return 0
    return run(arguments, load_cloud())


def run(argv: "Sequence[str]", cloud: "Cloud") -> int:
    """Run the worker in this process.

    :param argv: The arguments of the executable.
    :param cloud: The cloud of the worker.
    :returns: The exit code: 0; 1 if the task failed; 2 if there is no such task.
    """
    parser = _parser(cloud)
    arguments = parser.parse_args(argv)
    if arguments.stubs_path is None and arguments.definition is None:
        parser.print_usage(sys.stderr)
        return 0

    import atexit
    import gc

    # A last search for garbage among all modules would take half a second.
    atexit.register(gc.freeze)
    # The client of a cloud takes seconds to import: only a task needs it.
    from tkr_runtime.tasks.deferred_imports import (
        defer_imports,
        restart_without_deferring,
    )

    defer_imports(cloud)
    with restart_without_deferring(cloud):
        worker = cloud.load_worker()

    if arguments.stubs_path is not None:
        worker.app([cloud.package, "--stubs-path", str(arguments.stubs_path)])
        return 0
    return _run_task(worker, arguments.definition)


def _run_task(worker: "TaskWorker", definition: "Path") -> int:
    import logging
    from contextlib import suppress

    from tierkreis.worker.worker import TierkreisWorkerError

    from tkr_runtime.tasks.worker import write_message

    problem = _definition_problem(worker, definition)
    if problem:
        sys.stderr.write(f"{worker.cloud.log_prefix}{problem}\n")
        return 2
    # At DEBUG it logs the headers of responses, which contain renewed tokens.
    logging.getLogger("httpcore").setLevel(logging.INFO)
    try:
        worker.app([worker.cloud.package, str(definition)])
    # On a full disk, Tierkreis fails to report the error as well.
    except (TierkreisWorkerError, OSError) as error:
        reason = error.__cause__ or error.__context__ or error
        message = str(reason) or type(reason).__name__
        sys.stderr.write(f"{worker.cloud.log_prefix}{message}\n")
        with suppress(OSError):
            write_message(worker.storage, definition, message)
        return 1
    return 0


def _definition_problem(worker: "TaskWorker", definition: "Path") -> str:
    """Return what is wrong with the definition of a task; empty if nothing is."""
    from tierkreis.controller.storage.exceptions import EntryNotFoundError

    advice = (
        "an executor of Tierkreis starts this worker, with the definition of a task; "
        f"people use the command {worker.cloud.command}."
    )
    resolve = getattr(worker.storage, "resolve", lambda path: path)
    try:
        worker.storage.read_call_args(definition)
    except EntryNotFoundError:
        return f"There is no file {resolve(definition)}: {advice}"
    except (OSError, ValueError, TypeError) as error:
        reason = getattr(error, "strerror", None) or "it is not the JSON of a task"
        return f"{resolve(definition)} defines no task ({reason}): {advice}"
    return ""


def _parser(cloud: "Cloud") -> "argparse.ArgumentParser":
    import argparse
    from pathlib import Path

    parser = argparse.ArgumentParser(
        prog=cloud.package,
        description=f"Worker for {cloud.name}. Tierkreis starts it once for each task "
        f"of a workflow; people use the command {cloud.command}.",
    )
    parser.add_argument(
        "definition",
        nargs="?",
        type=Path,
        metavar="DEFINITION",
        help="the definition of a task, as a Tierkreis executor writes it",
    )
    parser.add_argument(
        "--stubs-path",
        type=Path,
        metavar="FILE",
        help="write the type stubs of the tasks to this file, then exit",
    )
    parser.add_argument(
        "--preload",
        action="store_true",
        help="start the process that imports the worker and runs later tasks, then "
        "exit; without other arguments",
    )
    parser.add_argument("--version", action="version", version=cloud.version)
    return parser
