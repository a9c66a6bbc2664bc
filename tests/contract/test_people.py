"""Users, teams, roles, and who has which role on what."""

import pytest
import qnexus as qnx
from qnexus.exceptions import (
    NoUniqueMatch,
    ResourceCreateFailed,
    ResourceFetchFailed,
    ResourceUpdateFailed,
    ZeroMatches,
)
from qnexus.models.scope import ScopeFilterEnum as Scope
from tests.conftest import OTHER
from tests.contract.kinds import bell
from tests.helpers.contract import covers


@covers("users.get_self")
@covers("UserRef.df")
def test_each_user_is_themselves(as_other):
    me = qnx.users.get_self()
    assert me.display_name == "Local User"
    assert me.df().to_dict("records") == [{"name": "Local User", "id": me.id}]
    with as_other():
        assert qnx.users.get_self().display_name == "Other User"


@covers("teams.create", "name", "description")
@covers("teams.get", "name", "scope")
@covers("teams.get_all", "scope")
@covers("TeamRef.df")
def test_a_team_is_found_by_its_members_and_administrators(nexus, as_other):
    team = qnx.teams.create("found", description="a team")
    assert qnx.teams.get("found") == team
    assert qnx.teams.get("found", scope=Scope.ORG_ADMIN) == team
    assert team in qnx.teams.get_all()
    assert team in qnx.teams.get_all(scope=Scope.HIGHEST)
    (row,) = team.df().to_dict("records")
    assert row == {"name": "found", "description": "a team", "id": team.id}
    with as_other():
        assert team not in qnx.teams.get_all()
        nexus.add_team_member(team.id, OTHER)
        assert team in qnx.teams.get_all()


@covers("teams.create", "name")
@covers("teams.get", "name", raises="ZeroMatches")
@covers("teams.get", "name", raises="NoUniqueMatch")
def test_a_team_must_be_the_only_one_of_its_name():
    with pytest.raises(ZeroMatches):
        qnx.teams.get("in pairs")
    for _ in range(2):
        qnx.teams.create("in pairs")
    with pytest.raises(NoUniqueMatch):
        qnx.teams.get("in pairs")


@covers("teams.create", "name", raises="ResourceCreateFailed")
def test_a_team_needs_a_name():
    before = qnx.teams.get_all()
    with pytest.raises(ResourceCreateFailed, match=r"data\.attributes\.name") as raised:
        qnx.teams.create("")
    assert raised.value.status_code == 422
    assert qnx.teams.get_all() == before


@covers("roles.get_all")
@covers("roles.get", "name")
@covers("Role.df")
@pytest.mark.parametrize(
    ("name", "permissions"),
    [
        ("Administrator", ["ASSIGN", "DELETE", "WRITE", "READ"]),
        ("Maintainer", ["DELETE", "WRITE", "READ"]),
        ("Contributor", ["WRITE", "READ"]),
        ("Reader", ["READ"]),
    ],
)
def test_a_role_says_what_it_permits(name, permissions):
    role = qnx.roles.get(name)
    assert role in qnx.roles.get_all()
    assert role.permissions == str(permissions)
    assert role.df()["permissions"][0] == role.permissions


@covers("roles.get", "name", raises="NoUniqueMatch")
def test_there_is_no_other_role():
    with pytest.raises(NoUniqueMatch):
        qnx.roles.get("Emperor")


@covers("roles.assign_user", "resource_ref", "user_email", "role", "scope")
@covers("roles.assign_team", "resource_ref", "team", "role", "scope")
@covers("roles.assignments", "resource_ref", "scope")
@covers("RoleInfo.df")
def test_roles_are_assigned_and_replaced(other_environment):
    project = qnx.projects.create("assigned")
    team = qnx.teams.create("assigned")
    scope = Scope.ORG_ADMIN
    qnx.roles.assign_user(project, OTHER, "Reader", scope=scope)
    qnx.roles.assign_user(project, OTHER, qnx.roles.get("Maintainer"))
    qnx.roles.assign_team(project, team, "Reader")
    qnx.roles.assign_team(project, team, qnx.roles.get("Contributor"), scope=scope)
    assignments = qnx.roles.assignments(project, scope=scope)
    assert assignments == qnx.roles.assignments(project)
    table = assignments.df().sort_values(["assignment_type", "assignee"])
    assert table.to_numpy().tolist() == [
        ["team", "assigned", "Contributor"],
        ["user", "Local User", "Administrator"],
        ["user", "Other User", "Maintainer"],
    ]
    assert assignments[0].df()["role"][0] == assignments[0].role.name


@covers("roles.assign_user", "resource_ref", "user_email", "role")
@covers("roles.assignments", "resource_ref")
def test_the_owner_of_a_project_stays_its_administrator(nexus, as_other):
    project = qnx.projects.create("owned")

    def roles_of(name: str) -> list[str]:
        found = qnx.roles.assignments(project)
        return [it.role.name for it in found if it.assignee.display_name == name]

    qnx.roles.assign_user(project, OTHER, "Administrator")
    for role in ("Reader", "Contributor", "Administrator"):
        with as_other():
            qnx.roles.assign_user(project, nexus.email, role)
        assert roles_of("Local User") == list(dict.fromkeys(["Administrator", role]))
        assert roles_of("Other User") == ["Administrator"]
    qnx.roles.assign_user(project, OTHER, "Reader")
    assert roles_of("Other User") == ["Reader"]


@covers("projects.get_all")
@pytest.mark.parametrize("scope", Scope)
def test_a_scope_shows_what_the_user_may_see(as_other, scope):
    """The first user administers the organisation here; the other does not."""
    mine = qnx.projects.create(f"mine in {scope.value}")
    assert mine in qnx.projects.get_all(scope=scope).list()
    with as_other():
        others = qnx.projects.create(f"others in {scope.value}")
    seen = others in qnx.projects.get_all(scope=scope).list()
    assert seen == (scope is not Scope.USER)
    if scope in (Scope.USER, Scope.HIGHEST):
        with as_other():
            found = qnx.projects.get_all(scope=scope).list()
            assert others in found
            assert mine not in found


@covers("roles.assign_user", "role", raises="ResourceFetchFailed")
def test_a_role_is_for_a_known_user():
    project = qnx.projects.create("for nobody")
    before = qnx.roles.assignments(project)
    with pytest.raises(ResourceFetchFailed, match="no user 'nobody@e") as raised:
        qnx.roles.assign_user(project, "nobody@example.com", "Reader")
    assert raised.value.status_code == 404
    assert qnx.roles.assignments(project) == before


@covers("roles.assign_user", "role", raises="ResourceUpdateFailed")
@covers("roles.assign_team", "role", raises="ResourceUpdateFailed")
def test_a_reader_gives_no_roles(as_other):
    project = qnx.projects.create("not to be given on")
    team = qnx.teams.create("not to get anything")
    qnx.roles.assign_user(project, OTHER, "Reader")
    before = qnx.roles.assignments(project)
    with as_other():
        with pytest.raises(ResourceUpdateFailed, match="ASSIGN") as raised:
            qnx.roles.assign_user(project, OTHER, "Administrator")
        assert raised.value.status_code == 403
        with pytest.raises(ResourceUpdateFailed, match="ASSIGN") as raised:
            qnx.roles.assign_team(project, team, "Reader")
        assert raised.value.status_code == 403
    assert qnx.roles.assignments(project) == before


@covers("circuits.upload", raises="ResourceCreateFailed")
@covers("circuits.update", raises="ResourceUpdateFailed")
@covers("projects.update", raises="ResourceUpdateFailed")
def test_a_reader_changes_nothing(as_other):
    project = qnx.projects.create("to read")
    circuit = qnx.circuits.upload(bell(), project=project)
    qnx.roles.assign_user(project, OTHER, "Reader")
    with as_other():
        assert qnx.circuits.get(project=project).download_circuit() == bell()
        for change, error in [
            (lambda: qnx.circuits.upload(bell(), project), ResourceCreateFailed),
            (lambda: qnx.circuits.update(circuit, "mine"), ResourceUpdateFailed),
            (lambda: qnx.projects.update(project, "mine"), ResourceUpdateFailed),
        ]:
            with pytest.raises(error, match="takes the permission WRITE") as raised:
                change()
            assert raised.value.status_code == 403
    assert qnx.circuits.get(project=project).annotations == circuit.annotations


@pytest.mark.parametrize("scope", [Scope.ORG_ADMIN, Scope.GLOBAL_ADMIN])
def test_wider_scopes_show_nothing_to_those_who_administer_nothing(as_other, scope):
    with as_other():
        own = qnx.projects.create(f"own in {scope.value}")
        assert qnx.projects.get_all(scope=scope).list() == []
        assert qnx.projects.get_all(scope=scope).count() == 0
        with pytest.raises(ZeroMatches):
            qnx.projects.get(id=own.id, scope=scope)
