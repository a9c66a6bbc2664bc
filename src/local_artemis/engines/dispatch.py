"""The function that the processes of the pool call: a request in, an outcome out."""

import importlib

from local_artemis.engines.requests import EngineError, Outcome, SampleRequest

_MODULES = {"numpy": "sampling", "lightworks": "emulator"}


def handle(request: SampleRequest) -> Outcome:
    """Compute the samples of a request, or say why that is not possible."""
    try:
        module = importlib.import_module(f"{__package__}.{_MODULES[request.engine]}")
        outcome: Outcome = module.sample(request)
    except EngineError as error:
        return request.failed(str(error))
    except ModuleNotFoundError as error:
        return request.failed(
            f"The engine {request.engine!r} needs the module {error.name}, which is "
            "not installed: pip install 'PATH[lightworks]', where PATH is the checkout "
            "or wheel of tkr-nexus-worker."
        )
    return outcome
