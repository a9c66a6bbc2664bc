"""The types of requests and routes."""

from local_artemis.services import Services
from local_cloud.web.endpoint import Call, Endpoint

type ArtemisCall = Call[Services]
type ArtemisEndpoint = Endpoint[Services]
