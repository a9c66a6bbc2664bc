from local_nexus import Fault

ME = "/api/users/v1beta2/me"
PROJECTS = "/api/projects/v1beta2"


def test_an_entry_says_what_came_and_what_went(nexus, http):
    nexus.clear_requests()
    fault_id = nexus.add_fault(Fault("answer", status=500, times=1))
    http.get(ME, params={"scope": "user"})
    http.get(ME)
    hit, untouched = nexus.requests()
    assert (hit.method, hit.path, hit.query) == ("GET", ME, "scope=user")
    assert (hit.status, hit.faults) == (500, (fault_id,))
    assert (untouched.status, untouched.faults) == (200, ())
    assert untouched.time >= hit.time
    assert hit.duration > 0


def test_entries_are_chosen_by_method_and_path(nexus, http):
    http.get(ME)
    http.get(f"{PROJECTS}/meta/count")
    nexus.clear_requests()
    http.get(ME)
    http.get(f"{PROJECTS}/meta/count")
    http.post("/auth/tokens/refresh")
    assert len(nexus.requests()) == 3
    assert [it.path for it in nexus.requests(path="/api/users/*")] == [ME]
    assert [it.method for it in nexus.requests(method="post")] == ["POST"]
    assert nexus.requests(method="PUT") == []
