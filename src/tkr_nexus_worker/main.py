"""The executable ``tkr_nexus_worker``: runs one task, or writes the stubs.

It is started for every task, so it imports little until it is known what is needed.
"""

import sys

TYPE_CHECKING = False  # typing itself takes longer to import than all of this

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from tierkreis.worker.worker import Worker


def main() -> int:
    """Run the worker as Tierkreis's executors do, by a preloaded process if possible.

    :returns: The exit code: 0, or 1 if the task failed.
    """
    arguments = sys.argv[1:]
    if len(arguments) == 1 and not arguments[0].startswith("-"):
        from tkr_nexus_worker.warm import client

        code = client.run(arguments)
        if code is not None:
            return code
    return run(arguments)


def run(argv: "Sequence[str]") -> int:
    """Run the worker in this process.

    :param argv: The arguments of the executable.
    :returns: The exit code: 0, or 1 if the task failed.
    """
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.stubs_path is None and arguments.definition is None:
        parser.print_usage(sys.stderr)
        return 0

    # qnexus and pytket take a second to import: only a task needs them.
    from tkr_nexus_worker.deferred import defer_imports, restarted_if_impossible

    defer_imports()
    with restarted_if_impossible():
        from tkr_nexus_worker.tasks import worker

    if arguments.stubs_path is not None:
        worker.app(["tkr_nexus_worker", "--stubs-path", str(arguments.stubs_path)])
        return 0
    return _run_task(worker, arguments.definition)


def _run_task(worker: "Worker", definition: "Path") -> int:
    import logging
    from contextlib import suppress

    from tierkreis.worker.worker import TierkreisWorkerError

    from tkr_nexus_worker.failures import write_message

    # At DEBUG it writes the headers of answers, and with them renewed tokens.
    logging.getLogger("httpcore").setLevel(logging.INFO)
    try:
        worker.app(["tkr_nexus_worker", str(definition)])
    # On a full disk Tierkreis's own report of an error fails as well.
    except (TierkreisWorkerError, OSError) as error:
        reason = error.__cause__ or error.__context__ or error
        message = str(reason) or type(reason).__name__
        sys.stderr.write(f"nexus: {message}\n")
        with suppress(OSError):
            write_message(worker.storage, definition, message)
        return 1
    return 0


def _parser() -> "argparse.ArgumentParser":
    import argparse
    from pathlib import Path

    from tkr_nexus_worker._version import __version__

    parser = argparse.ArgumentParser(
        prog="tkr_nexus_worker",
        description="Worker for Quantinuum Nexus. Tierkreis starts it once for each "
        "task of a workflow; people use the command tkr-nexus.",
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
        help="write the type stubs of the tasks to this file and stop",
    )
    parser.add_argument("--version", action="version", version=__version__)
    return parser


if __name__ == "__main__":
    sys.exit(main())
