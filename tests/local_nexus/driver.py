"""Runs pieces of code with qnexus imported once; a line of JSON in, a line out."""

import json
import os
import sys
import traceback

import qnexus as qnx
from pytket import Circuit

# What the code prints, as qnexus does at a login, must not mix with the answers.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def bell(name: str = "bell") -> Circuit:
    return Circuit(2, name=name).H(0).CX(0, 1).measure_all()


for line in sys.stdin:
    request = json.loads(line)
    scope = {"qnx": qnx, "Circuit": Circuit, "bell": bell, **request["values"]}
    try:
        exec(request["code"], scope)  # noqa: S102
        answer = {"result": scope.get("result")}
    except Exception as error:  # noqa: BLE001
        answer = {
            "error": type(error).__name__,
            "message": str(error),
            "trace": traceback.format_exc(),
        }
    answers.write(json.dumps(answer, default=str) + "\n")
    answers.flush()
