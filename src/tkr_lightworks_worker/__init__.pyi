from tkr_lightworks_worker._version import __version__ as __version__
from tkr_lightworks_worker.errors import ArtemisRefusedError as ArtemisRefusedError
from tkr_lightworks_worker.errors import (
    ArtemisUnavailableError as ArtemisUnavailableError,
)
from tkr_lightworks_worker.errors import LightworksWorkerError as LightworksWorkerError
from tkr_lightworks_worker.errors import SetupError as SetupError
from tkr_lightworks_worker.errors import (
    SubmissionUnclearError as SubmissionUnclearError,
)
from tkr_lightworks_worker.errors import TokenError as TokenError
from tkr_lightworks_worker.executors import REGISTRY_PATH as REGISTRY_PATH
from tkr_lightworks_worker.executors import uv_executor as uv_executor
from tkr_lightworks_worker.results import SamplingResult as SamplingResult
from tkr_lightworks_worker.samplers import SamplerSpec as SamplerSpec
