"""The bodies of requests that upload programs and what they use."""

from typing import Self

from pydantic import ConfigDict, model_validator

from local_cloud.web.models import FieldError
from local_nexus.api.models import Annotations


class CircuitAttributes(Annotations):
    """Annotations with a circuit beside them, as ``pytket.Circuit.to_dict`` gives it.

    Whether it is a circuit in all details is for the simulators to judge.
    """

    model_config = ConfigDict(extra="allow")

    @model_validator(mode="after")
    def _circuit(self) -> Self:
        for name in ("qubits", "bits", "commands"):
            if not isinstance((self.model_extra or {}).get(name), list):
                raise FieldError((name,), "a circuit has a list of these")
        return self


class ContentAttributes(Annotations):
    """Annotations with contents in base64."""

    contents: str
