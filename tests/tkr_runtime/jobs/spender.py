"""Submit jobs under a budget in processes that are killed, again and again.

The arguments are the file of the ledger and an empty folder that stands for the cloud:
a job is a file in it. Prints one line of JSON with what happened.
"""

import json
import os
import random
import signal
import sys
from itertools import count
from pathlib import Path

from tkr_runtime.errors import BudgetExceededError
from tkr_runtime.jobs.ledger import Ledger, Preparation

BRANCHES = 10
AMOUNT = 3.0
STEPS = 7
REFUSED = 3


def submit(branch: int, ledger: Ledger, cloud: Path, killed_after: int | None) -> None:
    """Submit one job as two tasks of a workflow do, each of them started again."""
    steps = count()

    def step() -> None:
        if next(steps) == killed_after:
            os.kill(os.getpid(), signal.SIGKILL)

    job_id, key = f"job-{branch}", f"key-{branch}"
    found = Preparation("the same job in each branch", f"-.M{branch}.N0")
    step()
    ledger.prepare(f"prepare-{branch}", AMOUNT, "a job", found)
    step()
    later = Preparation("the same job in each branch", f"-.M{branch}.N4.L0.N1")
    amount = ledger.claim(key, later)
    step()
    job = cloud / job_id
    if not job.exists():
        ledger.reserve(key, amount or AMOUNT, "a job")
        step()
        job.touch()
    else:
        step()
    step()
    ledger.submitted(key, job_id, AMOUNT, "a job")
    step()
    ledger.bill(job_id, AMOUNT - 1)
    step()


def fork(branch: int, ledger: Ledger, cloud: Path, kill: float | None) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        if isinstance(kill, float):
            # The signal ends the process at any instruction, also within SQLite.
            signal.setitimer(signal.ITIMER_REAL, kill)
        submit(branch, ledger, cloud, kill if isinstance(kill, int) else None)
        code = 0
    except BudgetExceededError:
        code = REFUSED
    finally:
        os._exit(code)


def main(path: str, cloud_path: str, seed: str) -> None:
    rng = random.Random(seed)
    ledger, cloud = Ledger(Path(path)), Path(cloud_path)
    waiting, refused, most, kills = set(range(BRANCHES)), set(), 0.0, 0
    for turn in count():
        last = turn > STEPS + 2
        children = {}
        for branch in waiting:
            at_random = rng.uniform(0.0005, 0.03)
            kill = turn if turn < STEPS else None if last else at_random
            children[fork(branch, ledger, cloud, kill)] = branch
        while children:
            pid, status = os.wait()
            code = os.waitstatus_to_exitcode(status)
            branch = children.pop(pid)
            balance = ledger.balance()
            most = max(most, balance.reserved + balance.spent)
            kills += code < 0
            if code in (0, REFUSED):
                waiting.remove(branch)
                refused |= {branch} if code else set()
            elif code > 0:
                raise SystemExit(f"branch {branch} failed")
        if not waiting:
            break
    jobs = len(list(cloud.iterdir()))
    print(
        json.dumps(
            {"jobs": jobs, "refused": len(refused), "most": most, "kills": kills}
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
