"""The internals of Tierkreis that the runtime uses are still what they were."""

import hashlib
import importlib
import inspect

import pytest

# Module -> name -> digest of the source that was read, of Tierkreis 2.1.1.
SOURCES = {
    "tierkreis.worker.worker": {
        "Worker._load_args": "2e1d7a4b48b4db07",
        "Worker._save_results": "56899e69ff900d15",
        "Worker.task": "47ae18cba897af16",
        "Worker.run": "d6fa8543e284dfdb",
        "Worker.app": "7edb0a822e832256",
    },
    "tierkreis.controller": {
        "run_graph": "cb86a74a7179844d",
        "resume_graph": "647ed7b1fb84cc71",
    },
    "tierkreis.controller.start": {
        "start": "26d63515949db986",
        "start_nodes": "ca916372a99b055f",
        "run_builtin": "f7df06d2c265d5ee",
    },
    "tierkreis.controller.storage.walk": {
        "walk_node": "9d2d455196722c1f",
    },
    "tierkreis.controller.storage.walk_result": {
        "NodeRunData": "e57cf8ca60120493",
        "WalkResult": "475928f3d8bee7fb",
    },
    "tierkreis.logger_setup": {
        "set_tkr_logger": "de568ec8f8c1172c",
    },
    "tierkreis.controller.storage.protocol": {
        "ControllerStorage._nodedef_path": "fbcf52b24451a232",
        "ControllerStorage._metadata_path": "125daddb43cb5a1d",
        "ControllerStorage._done_path": "d7a3665b100d0e09",
        "ControllerStorage._error_path": "d29b2ce3f6323717",
        "ControllerStorage._worker_logs_path": "ba78bb27a4503513",
        "ControllerStorage.is_node_started": "0fa6cd78d6038798",
        "ControllerStorage.is_node_finished": "e241465ed118fa7a",
        "ControllerStorage.node_has_error": "92f5ee03009e3dca",
        "ControllerStorage.write_metadata": "3be89028418fa646",
    },
}
ITEMS = [(module, name) for module, names in SOURCES.items() for name in names]


@pytest.mark.parametrize(("module", "name"), ITEMS)
def test_tierkreis_has_not_changed_what_the_runtime_relies_on(module, name):
    value = importlib.import_module(module)
    for part in name.split("."):
        value = getattr(value, part, None)
        assert value is not None, f"Tierkreis has no {module}.{name} any more"
    digest = hashlib.sha256(inspect.getsource(value).encode()).hexdigest()[:16]
    assert digest == SOURCES[module][name], (
        f"Tierkreis has changed {module}.{name}: read the change, adapt what "
        "tkr_runtime/tierkreis_internals.py says about it, then put the digest here"
    )


def test_the_worker_reads_and_writes_where_tierkreis_calls_its_private_methods():
    from tkr_runtime.tierkreis_internals import OpenWorker

    calls = []

    class Recorder(OpenWorker):
        def read_inputs(self, *_):
            calls.append("read")
            return {"x": 1}

        def write_outputs(self, *arguments):
            calls.append(arguments[-1])

    worker = Recorder("recorder")

    @worker.task()
    def double(x: int) -> int:
        return 2 * x

    class Call:
        inputs = outputs = ()

    worker.functions["double"](Call())
    assert calls == ["read", 2]
