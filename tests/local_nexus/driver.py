"""Runs pieces of code with qnexus, which is imported once: each client has a fork.

The argument is the number of a socket. Each message brings the connection of another
client, which sends its environment, then code: a line of JSON in, a line out.
"""

import json
import os
import signal
import socket
import sys
import traceback

import qnexus as qnx
from pytket import Circuit
from qnexus.config import CONFIG, Config


def bell(name: str = "bell") -> Circuit:
    return Circuit(2, name=name).H(0).CX(0, 1).measure_all()


def serve(connection: socket.socket) -> None:
    with connection.makefile("rw") as stream:
        os.environ.clear()
        os.environ.update(json.loads(stream.readline()))
        for name, value in Config():
            setattr(CONFIG, name, value)
        for line in stream:
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
            stream.write(json.dumps(answer, default=str) + "\n")
            stream.flush()


signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a client ended
with socket.socket(fileno=int(sys.argv[1])) as control:
    while (received := socket.recv_fds(control, 1, 1))[0]:
        with socket.socket(fileno=received[1][0]) as connection:
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                control.close()
                serve(connection)
                os._exit(0)
