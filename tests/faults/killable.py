"""Run tasks of a worker in processes that can be killed at any moment.

The argument is the name of the worker, ``nexus_worker`` by default.
Reads a line of JSON for each task from stdin: the definition, after how many seconds to
kill the process (null: never), and the environment. Answers with a line: the exit code,
negative for a signal, and how long the process lived. The processes are forks of this
one, which has imported everything, so that a kill seldom falls into an import.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path
from threading import Timer

from tierkreis.worker.storage.filestorage import WorkerFileStorage

from tkr_runtime.cloud import cloud_of
from tkr_runtime.tasks import program

CLOUD = cloud_of((sys.argv[1:] or ["nexus_worker"])[0])


def run(
    definition: str, kill_after: float | None, environment: dict[str, str]
) -> tuple[int, float]:
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        os.environ.clear()
        os.environ.update(environment)
        CLOUD.read_environment_again()
        CLOUD.load_worker().storage = WorkerFileStorage()
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
            code = program.run([definition], CLOUD)
        os._exit(code)
    timer = Timer(kill_after or 0.0, os.kill, (child, signal.SIGKILL))
    if kill_after is not None:
        timer.start()
    _, status = os.waitpid(child, os.WUNTRACED)
    timer.cancel()
    return os.waitstatus_to_exitcode(status), time.monotonic() - started


def main() -> None:
    CLOUD.load_all()
    for line in sys.stdin:
        print(json.dumps(run(**json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
