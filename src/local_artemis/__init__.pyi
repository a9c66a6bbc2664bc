from local_artemis.cloud import ARTEMIS as ARTEMIS
from local_artemis.engines import Noise as Noise
from local_artemis.server import LocalArtemis as LocalArtemis
from local_cloud import ActiveFault as ActiveFault
from local_cloud import Fault as Fault
from local_cloud import Progress as Progress
from local_cloud import ProgressRule as ProgressRule
from local_cloud import Request as Request
