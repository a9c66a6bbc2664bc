import json

import pytest

from local_cloud import Fault
from local_cloud.admin.models import NewFault
from local_cloud.errors import ApiError
from local_cloud.web.models import parse


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"action": "explode"}, "there is no fault 'explode'; take one of answer"),
        ({"action": "answer"}, "a fault 'answer' needs status"),
        ({"action": "answer", "status": 99}, "status of a fault is 200 to 599"),
        ({"action": "drop", "status": 500}, "a fault 'drop' takes no status"),
        ({"action": "drop", "probability": 2}, "probability of a fault is 0 to 1"),
        ({"action": "drop", "times": 0}, "times of a fault is 1 to"),
        ({"action": "delay"}, "a fault 'delay' needs seconds"),
        ({"action": "delay", "seconds": float("nan")}, "seconds of a fault is 0"),
        ({"action": "close", "code": 1006}, "code 1006 cannot be sent"),
        ({"action": "expire"}, "a fault 'expire' needs token"),
        (
            {"action": "answer", "status": 500, "headers": {"a b": "c"}},
            "'a b': 'c' is not a header",
        ),
        (
            {"action": "answer", "status": 500, "headers": {"a": "b\r\nc: d"}},
            "is not a header",
        ),
        (
            {"action": "answer", "status": 500, "headers": {"Content-Length": "1"}},
            "the header 'Content-Length' is the server's own",
        ),
    ],
    ids=str,
)
def test_a_wrong_rule_is_refused_in_a_sentence(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        Fault(**values)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"status": "500"}, "status"),
        ({"status": 500, "when": "later"}, "when"),
        ({"status": 500, "wen": "after"}, "wen"),
        ({"status": 700}, "body"),
    ],
    ids=str,
)
def test_the_field_of_a_wrong_rule_is_named(values, field):
    with pytest.raises(ApiError, match=f"^{field}: ") as caught:
        parse(NewFault, json.dumps({"action": "answer"} | values).encode())
    assert caught.value.field == field


def test_a_rule_comes_back_as_it_was_given(nexus):
    fault = Fault(
        "answer", status=429, retry_after=1, body={"a": [1]}, headers={"X": "y"}
    )
    fault_id = nexus.add_fault(fault)
    (active,) = nexus.faults()
    assert (active.id, active.fault) == (fault_id, fault)
