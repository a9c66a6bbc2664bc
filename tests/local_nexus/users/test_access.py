import pytest
from tests.local_nexus.conftest import Client, ClientError

from local_nexus import LocalNexus

OTHER = "other@example.com"


@pytest.fixture(scope="module")
def other(shared_nexus: LocalNexus, make_client, tmp_path_factory) -> Client:
    """The client of a second user."""
    shared_nexus.add_user(OTHER, "secret", "Other User")
    tokens = tmp_path_factory.mktemp("tokens")
    environment = shared_nexus.env | {"NEXUS_TOKEN_PATH": str(tokens)}
    with make_client(environment) as client:
        client.run("qnx.auth.login_no_interaction(user=user, pwd='secret')", user=OTHER)
        yield client


def test_users_are_found_by_address_and_themselves(nexus, other, http):
    assert other.run("result = qnx.users.get_self().display_name") == "Other User"
    by_address = http.get(f"/api/users/v1beta/{OTHER}").json()["data"]
    by_id = http.get(f"/api/users/v1beta/{by_address['id']}").json()["data"]
    assert by_address == by_id
    assert http.get("/api/users/v1beta/no@example.com").status_code == 404


def test_a_project_is_hidden_from_others(client, other):
    project = client.run("result = qnx.projects.create(name='hidden').id")
    assert other.run("result = qnx.projects.get_all(name_like='hidden').count()") == 0
    with pytest.raises(ClientError) as raised:
        other.run("qnx.projects.get(id=project)", project=project)
    assert raised.value.kind == "ZeroMatches"


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("Reader", ["read"]),
        ("Contributor", ["read", "upload"]),
        ("Maintainer", ["read", "upload", "delete"]),
        ("Administrator", ["read", "upload", "delete"]),
    ],
)
def test_a_role_permits_what_it_says(client, other, role, may):
    project = client.run(
        """
        project = qnx.projects.create(name=f"for a {role}")
        qnx.circuits.upload(bell(), project=project)
        qnx.roles.assign_user(project, user_email=user, role=role)
        result = project.id
        """,
        role=role,
        user=OTHER,
    )
    done = other.run(
        """
        project = qnx.projects.get(id=project)
        def delete():
            qnx.projects.update(project, archive=True)
            qnx.projects.delete(project)
        result = []
        for name, action in {
            "read": lambda: qnx.circuits.get(name="bell", project=project),
            "upload": lambda: qnx.circuits.upload(bell("more"), project=project),
            "delete": delete,
        }.items():
            try:
                action()
                result.append(name)
            except Exception:
                pass
        """,
        project=project,
    )
    assert done == may


def test_a_team_shares_a_project_with_its_members(nexus, client, other):
    team, project = client.run(
        """
        team = qnx.teams.create(name="sharing", description="a team")
        project = qnx.projects.create(name="shared by team")
        qnx.roles.assign_team(project, team=team, role="Reader")
        result = [team.id, project.id]
        """
    )
    assert other.run("result = [it.name for it in qnx.teams.get_all()]") == []
    nexus.add_team_member(team, OTHER)
    assert other.run("result = qnx.teams.get(name='sharing').id") == team
    assert other.run("result = qnx.projects.get(name='shared by team').id") == project


def test_assignments_are_listed(client, other):
    seen = client.run(
        """
        team = qnx.teams.create(name="listed")
        project = qnx.projects.create(name="assigned")
        qnx.roles.assign_team(project, team=team, role="Contributor")
        qnx.roles.assign_user(project, user_email=user, role="Reader")
        maintainer = qnx.roles.get("Maintainer")
        qnx.roles.assign_user(project, user_email=user, role=maintainer)
        result = sorted(
            [it.assignment_type, it.role.name] for it in qnx.roles.assignments(project)
        )
        """,
        user=OTHER,
    )
    assert seen == [
        ["team", "Contributor"],
        ["user", "Administrator"],
        ["user", "Maintainer"],
    ]


def test_a_reader_cannot_give_roles(client, other):
    project = client.run(
        """
        project = qnx.projects.create(name="no giving")
        qnx.roles.assign_user(project, user_email=user, role="Reader")
        result = project.id
        """,
        user=OTHER,
    )
    with pytest.raises(ClientError, match="takes the permission ASSIGN"):
        other.run(
            """
            project = qnx.projects.get(id=project)
            qnx.roles.assign_user(project, user_email=user, role="Administrator")
            """,
            project=project,
            user=OTHER,
        )


@pytest.fixture
def _administrator(shared_nexus):
    shared_nexus.set_admin(shared_nexus.email)
    yield
    shared_nexus.set_admin(shared_nexus.email, admin=False)


@pytest.mark.usefixtures("_administrator")
def test_wider_scopes_are_for_administrators(client, other):
    project = other.run("result = qnx.projects.create(name='of another').id")
    count = (
        "result = qnx.projects.get_all(name_exact=['of another'], scope=scope).count()"
    )
    assert client.run(count, scope="user") == 0
    assert client.run(count, scope="org_admin") == 1
    assert client.run(count, scope="highest") == 1
    assert other.run(count, scope="highest") == 1
    assert project == client.run(
        "result = qnx.projects.get(id=project, scope='global_admin').id",
        project=project,
    )
    assert other.run(count, scope="org_admin") == 0


def test_nobody_is_an_administrator_at_the_start(client):
    client.run("qnx.projects.create(name='of mine')")
    count = "result = qnx.projects.get_all(scope=scope).count()"
    assert client.run(count, scope="user") > 0
    assert client.run(count, scope="highest") == client.run(count, scope="user")
    assert client.run(count, scope="org_admin") == 0
    assert client.run(count, scope="global_admin") == 0
