"""Uploads of every kind: contents, annotations, properties, and what is refused."""

import functools

import pytest
import qnexus as qnx
from hugr.hugr import Hugr
from hugr.package import Package, PackagePointer
from pytket import Circuit, OpType
from qnexus.exceptions import ResourceCreateFailed, ResourceUpdateFailed, ZeroMatches
from qnexus.models.scope import ScopeFilterEnum as Scope
from tests.contract.kinds import KINDS
from tests.helpers.contract import covers, for_each

for_kinds = functools.partial(
    for_each, "kind", {kind.name: kind for kind in KINDS}, vars
)


@for_kinds(
    ("{name}.upload", "{content}", "name", "description", "project", "properties"),
    ("{name}.get", "id", "scope"),
    ("{ref}.{download}",),
)
def test_what_is_uploaded_comes_back(kind, project):
    contents = kind.make()
    owner = qnx.projects.create(f"of {kind.name}")
    qnx.projects.add_property("size", "int", owner)
    sent = kind.upload(
        **{kind.content: contents},
        name="sent",
        description="in full",
        project=owner,
        properties={"size": 2},
    )
    found = kind.module.get(id=sent.id, scope=Scope.ORG_ADMIN)
    assert found.annotations == sent.annotations
    assert found.annotations.name == "sent"
    assert found.annotations.description == "in full"
    assert found.annotations.properties == {"size": 2}
    assert found.project.id == owner.id
    assert found.project.contents_modified > owner.contents_modified
    assert kind.same(getattr(found, kind.download)(), contents)


@for_kinds(("{name}.update", "ref", "name", "description", "properties"))
def test_annotations_are_changed(kind):
    owner = qnx.projects.create(f"changing {kind.name}")
    for name in ("size", "run"):
        qnx.projects.add_property(name, "int", owner)
    ref = kind.upload(name="before", project=owner, properties={"size": 2, "run": 1})
    changed = kind.module.update(
        ref, name="after", description="new", properties={"size": 3, "run": 1}
    )
    assert changed.id == ref.id
    assert changed.annotations.name == "after"
    assert changed.annotations.description == "new"
    assert changed.annotations.properties == {"size": 3, "run": 1}
    assert changed.annotations.created == ref.annotations.created
    assert changed.annotations.modified > ref.annotations.modified
    assert kind.module.get(id=ref.id).annotations == changed.annotations


@for_kinds(("{name}.update", "ref", "name"))
def test_properties_stay_where_only_the_name_changes(kind):
    owner = qnx.projects.create(f"renaming {kind.name}")
    qnx.projects.add_property("size", "int", owner, required=True)
    ref = kind.upload(name="before", project=owner, properties={"size": 2})
    assert kind.module.update(ref, name="after").annotations.properties == {"size": 2}


@for_kinds(("{name}.update", "ref", "properties"), raises="ResourceUpdateFailed")
def test_a_wrong_change_is_refused(kind, project):
    ref = kind.upload(name="unchanged", project=project)
    with pytest.raises(ResourceUpdateFailed, match="'unheard'") as raised:
        kind.module.update(ref, properties={"unheard": 1})
    assert raised.value.status_code == 422
    assert kind.module.get(id=ref.id).annotations == ref.annotations


@for_kinds(("{name}.upload", "properties"), raises="ResourceCreateFailed")
@pytest.mark.parametrize(
    ("properties", "sentence"),
    [
        ({"note": "1"}, "The property 'size' is required in this project"),
        ({"size": True}, "'size' is of type int, not True"),
        ({"size": 0.5}, "'size' is of type int, not 0.5"),
        ({"size": "2"}, "'size' is of type int, not '2'"),
        ({"size": 2, "other": 1}, "does not define the property 'other'"),
    ],
    ids=str,
)
def test_wrong_properties_are_refused(kind, properties, sentence):
    owner = qnx.projects.create("strict")
    qnx.projects.add_property("size", "int", owner, required=True)
    qnx.projects.add_property("note", "string", owner)
    with pytest.raises(ResourceCreateFailed, match=sentence) as raised:
        kind.upload(name="refused", project=owner, properties=properties)
    assert raised.value.status_code == 422
    assert kind.module.get_all(project=owner).count() == 0


@for_kinds(("{name}.upload", "project"), raises="ResourceCreateFailed")
def test_an_archived_project_takes_nothing_new(kind):
    owner = qnx.projects.create("archived")
    qnx.projects.update(owner, archive=True)
    with pytest.raises(ResourceCreateFailed, match="takes nothing new") as raised:
        kind.upload(name="late", project=owner)
    assert raised.value.status_code == 409


@for_kinds(("{name}.get", "id"), raises="ZeroMatches")
def test_one_kind_is_not_found_as_another(kind, project):
    refs = [
        other.upload(name="other", project=project)
        for other in KINDS
        if other is not kind
    ]
    for ref in refs:
        with pytest.raises(ZeroMatches):
            kind.module.get(id=ref.id)


@for_kinds(("{name}.upload", "{content}", "name"))
def test_contents_of_a_megabyte_come_back(kind, project):
    large = {
        "circuits": lambda: _long_circuit(4000),
        "qir": lambda: bytes(range(256)) * 4096,
        "gpu_decoder_configs": lambda: "größe: 1\n" * 100_000,
    }
    contents = large.get(kind.name, kind.make)()
    ref = kind.upload(**{kind.content: contents}, name="large", project=project)
    found = getattr(kind.module.get(id=ref.id), kind.download)()
    assert kind.same(found, contents)


def _long_circuit(n_gates: int) -> Circuit:
    circuit = Circuit(2, 2, "large")
    for number in range(n_gates):
        circuit.add_gate(OpType.PhasedX, [number / n_gates, 0.5], [number % 2])
    return circuit.measure_all()


@covers("circuits.upload", "circuit")
def test_a_circuit_without_a_name_given_keeps_its_own(project):
    ref = qnx.circuits.upload(Circuit(1, name="its own"), project=project)
    assert ref.annotations.name == "its own"


@covers("circuits.upload", "circuit")
@covers("CircuitRef.download_circuit", "scope")
def test_a_circuit_keeps_everything_that_pytket_writes(project):
    circuit = Circuit(3, 3, "conditional")
    circuit.add_c_register("flags", 2)
    circuit.H(0).CX(0, 1).Measure(0, 0).X(2, condition_bits=[0], condition_value=1)
    circuit.add_barrier([0, 1]).Rz(0.25, 1).measure_all()
    circuit.add_phase(0.5)
    sent = qnx.circuits.upload(circuit, name="conditional", project=project)
    found = qnx.circuits.get(id=sent.id)
    assert found.download_circuit(scope=Scope.HIGHEST) == circuit


@covers("hugr.upload", "hugr_package")
@covers("HUGRRef.download_hugr")
def test_a_hugr_comes_in_three_forms(project):
    module = Hugr()
    for form in (module, Package([module]), PackagePointer(Package([module]))):
        ref = qnx.hugr.upload(form, name="in a form", project=project)
        found = qnx.hugr.get(id=ref.id)
        assert isinstance(found.download_hugr(), Package)
        assert len(found.download_hugr().modules) == 1
