"""The QPUs of Artemis, and what fits them."""

from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tkr_lightworks_worker.artemis.client import get_json
from tkr_lightworks_worker.errors import ArtemisRefusedError, InvalidInputError

_PATIENCE_SECONDS = 2.0


class QpuSummary(BaseModel):
    """A QPU in a list.

    :param name: The name, as jobs give it.
    :param id: The id.
    :param is_available: Whether it is online, where the list says so.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    name: str
    id: str
    is_available: bool | None = None


class QpuDetails(QpuSummary):
    """A QPU with its limits.

    :param n_modes: The number of modes.
    :param max_photons: The largest number of photons of an input state.
    :param max_detection_filter: The largest minimal detection, in photons.
    :param default_max_samples: The largest number of samples of a job.
    :param max_samples: The largest number of samples by minimal detection, where it is
        smaller.
    :param last_updated: When Artemis last updated this, as it writes it.
    """

    n_modes: int
    max_photons: int
    max_detection_filter: int
    default_max_samples: int
    max_samples: dict[int, int] = Field(default_factory=dict)
    last_updated: str = ""

    def allowed_samples(self, min_detection: int) -> int:
        """Return the largest number of samples.

        :param min_detection: The minimal detection, in photons, heralds included.
        """
        limit = self.max_samples.get(min_detection, self.default_max_samples)
        return min(self.default_max_samples, limit)


def check_login() -> None:
    """Check soon that Artemis answers and accepts the token.

    :raises LightworksWorkerError: If it does not.
    """
    get_json("check the access token", "qpus", read_timeout=_PATIENCE_SECONDS)


def list_qpus() -> list[QpuSummary]:
    """List the QPUs that you may use.

    :raises LightworksWorkerError: If Artemis refuses or does not answer.
    """
    action = "list the QPUs"
    listed = get_json(action, "qpus")
    return [_read(QpuSummary, _fields(qpu), action) for qpu in _as_list(listed)]


def get_qpu_details(name: str) -> QpuDetails:
    """Return the limits of a QPU, and whether it is online.

    :param name: The name as ``list_qpus`` gives it.
    :raises InvalidInputError: If there is no such QPU; it names the closest.
    :raises LightworksWorkerError: If Artemis refuses or does not answer.
    """
    if not isinstance(name, str) or not name.strip():
        raise InvalidInputError(f"qpu_name is {name!r}; give the name of a QPU.")
    qpus = list_qpus()
    found = next((qpu for qpu in qpus if qpu.name == name), None)
    if found is None:
        names = [qpu.name for qpu in qpus]
        close = get_close_matches(name, names, cutoff=0.4) or names
        raise InvalidInputError(
            f"qpu_name is {name!r}, and Artemis has no such QPU; give one of "
            f"{', '.join(close) or 'those that your token may use (there is none)'}."
        )
    action = f"get the details of the QPU {name!r}"
    content = get_json(action, f"Qpus/{found.id}")
    return _read(QpuDetails, _fields(content), action)


def _as_list(content: object) -> list[Any]:
    return content if isinstance(content, list) else []


_NAMES = {
    "isAvailable": "is_available",
    "numberOfModes": "n_modes",
    "maxPhotonInputNumber": "max_photons",
    "maxDetectionFilter": "max_detection_filter",
    "defaultMaxSamples": "default_max_samples",
    "maxSamples": "max_samples",
    "lastUpdated": "last_updated",
}


def _fields(content: object) -> dict[str, Any]:
    """Return the fields of a QPU by our names; those that we do not know stay."""
    if not isinstance(content, dict):
        return {}
    fields: dict[str, Any] = {
        _NAMES.get(str(name), str(name)): value for name, value in content.items()
    }
    fields["id"] = str(fields.get("id", ""))
    if isinstance(fields.get("max_samples"), list):
        fields["max_samples"] = {
            pair.get("item1"): pair.get("item2") for pair in fields["max_samples"]
        }
    return fields


def _read[M: BaseModel](model: type[M], fields: dict[str, Any], action: str) -> M:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        raise ArtemisRefusedError(
            f"Could not {action}: the answer of Artemis has no usable {place}; update "
            "tkr-nexus-worker if this lasts."
        ) from error
