"""Quotas and credentials."""

import pytest
import qnexus as qnx
from qnexus.exceptions import ResourceFetchFailed
from qnexus.models import CredentialIssuer
from tests.helpers.contract import covers

QUOTAS = ["compilation", "simulation", "jupyterhub", "database_usage"]


@covers("quotas.get_all")
@covers("quotas.get", "name")
@covers("Quota.df")
def test_quotas_without_a_limit_say_so():
    assert [it.name for it in qnx.quotas.get_all()] == QUOTAS
    for name in QUOTAS:
        quota = qnx.quotas.get(name)
        assert quota.quota == "No quota set for user"
        assert quota.usage >= 0
        assert quota.df()["description"][0] == quota.description


@covers("quotas.check_quota", "name")
@pytest.mark.parametrize("name", QUOTAS)
def test_a_quota_that_is_used_up_is_guarded(nexus, name):
    assert qnx.quotas.check_quota(name)
    try:
        nexus.set_quota(nexus.email, name, 0)
        assert not qnx.quotas.check_quota(name)
        nexus.set_quota(nexus.email, name, 1e9)
        assert qnx.quotas.check_quota(name)
        assert qnx.quotas.get(name).quota == 1e9
    finally:
        nexus.set_quota(nexus.email, name, None)


@covers("quotas.get", "name", raises="ResourceFetchFailed")
@covers("quotas.check_quota", "name")
def test_there_is_no_other_quota():
    with pytest.raises(ResourceFetchFailed, match="no quota 'gold'") as raised:
        qnx.quotas.get("gold")
    assert raised.value.status_code == 404
    assert not qnx.quotas.check_quota("gold")


@covers("credentials.get_all", "issuer")
@covers("Credential.df")
def test_credentials_are_listed_by_issuer(nexus):
    for name, issuer in [("a", "Quantinuum"), ("b", "Quantinuum"), ("c", "Braket")]:
        nexus.add_credential(nexus.email, name, issuer)
    assert [it.name for it in qnx.credentials.get_all()] == ["a", "b", "c"]
    issued = qnx.credentials.get_all(issuer=CredentialIssuer.QUANTINUUM)
    assert [it.name for it in issued] == ["a", "b"]
    assert [it.is_default_for_issuer for it in issued] == [True, False]
    assert [it.name for it in qnx.credentials.get_all(issuer="Braket")] == ["c"]
    assert qnx.credentials.get_all(issuer=CredentialIssuer.QISKIT) == []
    assert issued[0].df()["id"][0] == issued[0].id


@covers("credentials.get_all")
def test_credentials_of_others_are_not_listed(nexus, as_other):
    nexus.add_credential(nexus.email, "secret", "Qiskit")
    with as_other():
        assert qnx.credentials.get_all() == []
