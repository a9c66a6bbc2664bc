"""A second embedded cloud, as small as it can be: jobs that say how far they are."""

import json
import uuid

import sqlalchemy as sa
from pydantic import BaseModel

from local_cloud import Cloud, server_command
from local_cloud.errors import ApiError, not_found
from local_cloud.files import write_private
from local_cloud.progress.rule import Stage
from local_cloud.server.certificates import bundle_path
from local_cloud.store import Store
from local_cloud.store.columns import BIG, seq, text
from local_cloud.store.columns import uuid as uuid_column
from local_cloud.web.application import Application
from local_cloud.web.endpoint import Call, Endpoint, Hooks, Reply
from local_cloud.web.models import Name
from local_cloud.web.state import ServerState

metadata = sa.MetaData()
sa.Table(
    "jobs",
    metadata,
    seq(),
    uuid_column(),
    text("name", nullable=False),
    sa.Column("created", BIG, nullable=False),
)
WORDS = {
    Stage.QUEUED: "Accepted",
    Stage.SUBMITTED: "Scheduled",
    Stage.RUNNING: "Running",
    Stage.DONE: "Completed",
}


class NewJob(BaseModel):
    name: Name


class Jobs:
    def __init__(self, state: ServerState) -> None:
        self.state = state
        self.store = Store(state.instance.database, metadata)
        self.tokens = {state.instance.secret}

    def issue(self) -> dict[str, str]:
        self.tokens.add(self.state.instance.secret)
        return {"token": self.state.instance.secret}

    def expire(self, _kind: str) -> None:
        self.tokens.clear()

    def resume(self) -> None:
        with self.store.read() as tx:
            for job in tx.find("jobs"):
                self.state.progress.follow(job["id"], job["name"], "")


def submit(call: Call[Jobs]) -> Reply:
    now = call.state.clock.now()
    job = {"id": str(uuid.uuid4()), "created": now, **call.parse(NewJob).model_dump()}
    with call.services.store.write() as tx:
        tx.insert("jobs", job)
    call.state.progress.follow(job["id"], job["name"], "")
    return Reply(202, headers={"X-Job-Id": job["id"]})


def show(call: Call[Jobs]) -> Reply:
    key = call.path["id"]
    with call.services.store.read() as tx:
        job = tx.get("jobs", key)
    if job is None:
        raise not_found("job", key)
    call.state.progress.read(key)
    waited = (call.state.clock.now() - job["created"]) / 1e6
    return Reply(200, {"status": WORDS[call.state.progress.stage(key, waited)]})


ENDPOINTS = [
    Endpoint("POST", "/jobs", submit, body=NewJob),
    Endpoint("GET", "/jobs/{id}", show),
]


def build(state: ServerState) -> Application:
    jobs = Jobs(state)

    def authenticate(request):
        if request.headers.get("x-access-token") not in jobs.tokens:
            raise ApiError(401, "The token is wrong.")
        return "somebody"

    return Application(
        services=jobs,
        endpoints=ENDPOINTS,
        authenticate=authenticate,
        hooks=Hooks(jobs.issue, jobs.expire, lambda: None, jobs.store.clear),
        start=jobs.resume,
        close=jobs.store.close,
        api=("/jobs",),
        security={"type": "apiKey", "in": "header", "name": "x-access-token"},
    )


TOY = Cloud(
    title="toy cloud",
    module="toy_cloud",
    requirement="toys",
    database="toy.db",
    environment=lambda directory, url: {
        "TOY_URL": url,
        "TOY_CERTIFICATE": str(bundle_path(directory)),
        "TOY_TOKENS": str(directory / "tokens.json"),
    },
    write_login=lambda directory, _url, tokens: write_private(
        directory / "tokens.json", json.dumps(dict(tokens))
    ),
    application=build,
)

if __name__ == "__main__":
    server_command(TOY)()
