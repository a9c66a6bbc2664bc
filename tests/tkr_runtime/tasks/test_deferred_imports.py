"""Imports that wait until something needs them, in processes of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tkr_nexus_worker.cloud import NEXUS

# What importing the packages of these names takes most of the time for.
HEAVY = {"scipy", "sympy.core", "pandas.core", "networkx", "matplotlib", "click"}
DEFERRED = """
from tkr_nexus_worker.cloud import NEXUS
from tkr_runtime.tasks.deferred_imports import defer_imports
defer_imports(NEXUS)
"""
USES = {
    "distribution": """
from pytket.backends.backendresult import BackendResult
from pytket.utils.outcomearray import OutcomeArray
result = BackendResult(shots=OutcomeArray.from_readouts([[0, 1], [0, 1], [1, 1]]))
print(result.get_empirical_distribution())
from pytket.utils import ProbabilityDistribution
variable, outcomes = ProbabilityDistribution({(0,): 0.5, (1,): 0.5}).as_rv_discrete()
print(variable.mean(), outcomes)
""",
    "graph": """
from pytket.circuit import Circuit
from pytket.utils import Graph
print(Graph(Circuit(2).CX(0, 1)).as_nx())
""",
    "symbolic unitary": """
from pytket.circuit import Circuit
from pytket.utils import circuit_to_symbolic_unitary
from sympy import Symbol
print(circuit_to_symbolic_unitary(Circuit(1).Rz(Symbol("a"), 0)))
""",
    "symbolic circuit": """
from pytket.circuit import Circuit
circuit = Circuit(1).Rz(0.5, 0)
circuit = Circuit.from_dict(circuit.to_dict())
print(circuit.free_symbols(), circuit.get_commands()[0].op.params)
import sympy
turned = Circuit(1).Rz(2 * sympy.Symbol("a") + 1, 0)
print(turned.to_dict(), turned.free_symbols())
turned.symbol_substitution({sympy.Symbol("a"): 0.25})
print(turned.get_commands()[0].op.params)
""",
    "operator": """
from pytket.pauli import Pauli, QubitPauliString
from pytket.unit_id import Qubit
from pytket.utils import QubitPauliOperator
operator = QubitPauliOperator({QubitPauliString(Qubit(0), Pauli.Z): 0.5})
print(operator * 2.0, isinstance(operator, QubitPauliOperator))
class Derived(QubitPauliOperator): pass
print(isinstance(Derived({}), QubitPauliOperator), Derived.__mro__)
""",
    "table": """
import qnexus.models.annotations as annotations
print(annotations.Annotations(name="a").df())
import pandas as pd
print(pd.DataFrame({"a": [1]}).sum(), isinstance(3, pd.DataFrame))
""",
    "command line": """
import httpx
httpx.main(["--help"], standalone_mode=False)
""",
    "annotations": """
import typing
from pytket.backends.backendresult import BackendResult
for method in ("get_empirical_distribution", "get_probability_distribution"):
    print(list(typing.get_type_hints(getattr(BackendResult, method))))
from sympy import Expr
print(isinstance(1.5, Expr), isinstance(Expr(), Expr), issubclass(type(Expr()), Expr))
print(isinstance(None, Expr | None), isinstance(None, None | Expr))
""",
}


# Runs pieces of code, each in a fork of a process that has imported what all need.
FORKS = """
import json, os, sys, traceback
prelude, pieces = json.load(sys.stdin)
exec(prelude)
outputs = []
for piece in pieces:
    ours, theirs = os.pipe()
    if (child := os.fork()) == 0:
        os.dup2(theirs, 1)
        try:
            exec(piece, {"__name__": "__main__"})
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
        sys.stdout.flush()
        os._exit(0)
    os.close(theirs)
    with open(ours) as pipe:
        output = pipe.read()
    assert os.waitpid(child, 0)[1] == 0, piece
    outputs.append(output)
json.dump(outputs, sys.stdout)
"""


def run_python(prelude: str, *pieces: str, **environment: str) -> list[str]:
    """Import what all need, run each piece in a fork, and return what they print."""
    result = subprocess.run(
        [sys.executable, "-c", FORKS],
        input=json.dumps([prelude, pieces]),
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    assert result.returncode == 0, result.stderr
    outputs: list[str] = json.loads(result.stdout)
    return outputs


IMPORTED = f"""
import sys
print(sorted({HEAVY} & set(sys.modules)))
"""
TASKS = DEFERRED + "import tkr_nexus_worker.tasks, qnexus\n"
JOB = """
from pytket.circuit import Circuit
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from tkr_nexus_worker import tasks
config = QuantinuumConfig(device_name="H2-1LE")
circuits = [Circuit(2, name="ones").X(0).X(1).measure_all()]
work = "tests of imports", "a job", circuits, [5], config
(batch,) = tasks.prepare_batches(*work)
programs = tasks.upload_circuits("tests of imports", batch)
job = tasks.start_execute_job(*work[:2], programs, *work[3:])
change = tasks.wait_for_change(job, 0.1)
while change.is_unfinished:
    change = tasks.wait_for_change(job, 0.1, change.status)
assert not tasks.is_running(job)
(result,) = tasks.get_results(job)
assert result.get_counts() == {(1, 1): 5}
(item,) = tasks.get_item_results(job)
assert tasks.get_results_by_id(job)
"""


@pytest.fixture(scope="module")
def of_the_tasks(shared_nexus) -> list[str]:
    """What is printed where the tasks were imported and imports wait."""
    pieces = [IMPORTED, JOB + IMPORTED, *USES.values()]
    return run_python(TASKS, *pieces, **shared_nexus.env)


@pytest.fixture(scope="module")
def at_once() -> list[str]:
    """The same, but for the job, where all was imported at once."""
    return run_python(TASKS, IMPORTED, *USES.values(), TKR_NEXUS_DEFER="0")


def test_the_tasks_are_imported_without_what_they_do_not_need(of_the_tasks, at_once):
    assert of_the_tasks[0] == "[]\n"
    # They do wait, and are not missing.
    assert at_once[0] == f"{sorted(HEAVY - {'matplotlib'})}\n"


def test_a_job_from_upload_to_results_needs_none_of_it(of_the_tasks):
    assert of_the_tasks[1] == "[]\n"


@pytest.mark.parametrize("use", USES)
def test_what_waits_does_the_same_as_if_it_had_been_imported_at_once(
    use, of_the_tasks, at_once
):
    index = list(USES).index(use)
    assert at_once[1:][index]
    assert of_the_tasks[2:][index] == at_once[1:][index]


def names_of_the_table(module: str) -> str:
    return f"""
import importlib, sys
from tkr_nexus_worker.cloud import NEXUS
from tkr_runtime.tasks.deferred_imports import DeferredName
waiting = importlib.import_module({module!r})
for name in {sorted(NEXUS.deferred_imports[module])}:
    assert isinstance(getattr(waiting, name), DeferredName)
assert sys.modules[{module!r}] is waiting
try:
    waiting.no_such_name
except AttributeError as error:
    print(error)
imported = sys.modules[{module!r}]
assert imported is not waiting
for name in {sorted(NEXUS.deferred_imports[module])}:
    assert getattr(waiting, name) is vars(imported)[name]
"""


def submodule(package: str, parent: str, module: str, name: str) -> str:
    return f"""
import sys
import {package}
waiting = {package}
import {module}
assert sys.modules[{package!r}] is {package} is not waiting
assert sys.modules[{parent!r}] is {parent}
assert sys.modules[{module!r}] is {module}
assert {module}.{name} is {package}.{name} is waiting.{name}
for module in ({package}, {parent}, {module}):
    assert type(module.__spec__.loader).__module__.startswith("_frozen_importlib")
print("once")
"""


THREADS = """
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
import sys, pandas
begin = Barrier(8)
def use(index):
    begin.wait()
    return pandas.concat if index % 2 else pandas.DataFrame({"a": [index]}).__class__
with ThreadPoolExecutor(8) as pool:
    got = set(pool.map(use, range(8)))
print(got == {sys.modules["pandas"].concat, sys.modules["pandas"].DataFrame})
"""


def test_only_the_names_of_the_table_do_not_import_their_module():
    modules = list(NEXUS.deferred_imports)
    printed = run_python(DEFERRED, *map(names_of_the_table, modules))
    for module, output in zip(modules, printed, strict=True):
        assert f"module {module!r} has no attribute 'no_such_name'" in output


def test_a_submodule_of_what_waits_is_imported_once():
    pandas = submodule("pandas", "pandas.core", "pandas.core.frame", "DataFrame")
    sympy = submodule("sympy", "sympy.core", "sympy.core.expr", "Expr")
    assert run_python(DEFERRED, pandas, sympy) == ["once\n"] * 2


def test_threads_that_need_it_at_once_get_the_same_module():
    assert run_python(DEFERRED, THREADS) == ["True\n"]


def test_a_program_whose_packages_need_more_starts_again_with_all_imports(tmp_path):
    """As if a later qnexus derived a model from what is only mentioned today."""
    (tmp_path / "sitecustomize.py").write_text(
        "from tkr_nexus_worker.cloud import NEXUS\n"
        "from tkr_runtime.tasks import deferred_imports as deferred\n"
        "names = {'BackendInfo'}\n"
        "NEXUS.deferred_imports['pytket.backends.backendinfo'] = names\n"
        "def refuse(*_): raise TypeError('not like this')\n"
        "deferred.DeferredName.__or__ = deferred.DeferredName.__ror__ = refuse\n"
        "deferred.DeferredName.__getitem__ = refuse\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    refused = subprocess.run(
        [sys.executable, "-c", DEFERRED + "import tkr_nexus_worker.tasks"],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert "not like this" in refused.stderr
    stubs = tmp_path / "stubs.py"
    result = subprocess.run(
        [Path(sys.executable).with_name("tkr_nexus_worker"), "--stubs-path", stubs],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert result.returncode == 0, result.stderr
    assert stubs.exists()
    doctor = subprocess.run(
        [Path(sys.executable).with_name("tkr-nexus"), "doctor"],
        capture_output=True,
        text=True,
        env=environment | {"NEXUS_HOST": "127.0.0.1", "NEXUS_PORT": "9"},
    )
    assert "not like this" in doctor.stdout
    assert "export TKR_NEXUS_DEFER=0" in doctor.stdout
