from local_cloud import ActiveFault as ActiveFault
from local_cloud import Fault as Fault
from local_cloud import Progress as Progress
from local_cloud import ProgressRule as ProgressRule
from local_cloud import Request as Request

from .cloud import ARTEMIS as ARTEMIS
from .engines import Noise as Noise
from .server import LocalArtemis as LocalArtemis
