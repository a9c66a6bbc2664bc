"""Users, which only tests add."""

from pydantic import BaseModel

from local_artemis.api.calls import ArtemisCall
from local_cloud.web.endpoint import Reply, admin
from local_cloud.web.models import Name


class NewUser(BaseModel):
    """A user to add."""

    name: Name


def _add(call: ArtemisCall) -> Reply:
    user_id = call.services.users.ensure(call.parse(NewUser).name)
    token = call.services.tokens.issue(user_id, "access")
    return Reply(201, {"id": user_id, "token": token})


ENDPOINTS = [admin("POST", "users", _add, NewUser)]
