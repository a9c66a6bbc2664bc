"""Users."""

from local_nexus.routes.endpoint import Call, Endpoint, Reply


def _me(call: Call) -> Reply:
    with call.services.store.read() as tx:
        user = call.services.users.get(tx, call.user_id)
    attributes = {"display_name": user["display_name"], "email": user["email"]}
    data = {
        "type": "user",
        "id": user["id"],
        "attributes": attributes,
        "relationships": {},
    }
    return Reply(200, {"data": data})


ENDPOINTS = [Endpoint("GET", "/api/users/v1beta2/me", _me)]
