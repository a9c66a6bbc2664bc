"""A task that waits for a cloud releases its slot."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest
from tests.helpers.waiting import wait_until

from tkr_runtime.requests import TransientResponseError, send_with_retries
from tkr_runtime.settings.limits import Limits
from tkr_runtime.tasks import concurrency


@pytest.fixture
def released() -> threading.Event:
    released = threading.Event()
    concurrency.hold_slot(released.set)
    return released


def send(request):
    return send_with_retries(
        "try",
        request,
        limits=Limits(retry_wait=0.01),
        log_prefix="cloud: ",
        is_worth_a_retry=lambda error: isinstance(error, TransientResponseError),
        translate=lambda _error: None,
    )


def test_a_slot_is_released_before_the_first_pause(released):
    tries = []

    def request():
        tries.append(released.is_set())
        if len(tries) == 1:
            raise TransientResponseError(503, None, "busy")

    send(request)
    assert tries == [False, True]


def test_a_slot_is_released_during_a_slow_request(released):
    assert send(lambda: released.wait(30))


def test_a_quick_request_keeps_the_slot(released):
    assert send(lambda: "answer") == "answer"
    assert not released.is_set()
    concurrency.release_slot()
    assert released.is_set()


def test_a_slot_is_released_once():
    calls = []
    concurrency.hold_slot(lambda: calls.append("released"))
    concurrency.release_slot()
    concurrency.release_slot()
    assert calls == ["released"]


def test_requests_share_a_thread_that_ends_by_itself(released):
    with ThreadPoolExecutor() as pool:
        contexts = [copy_context() for _ in range(20)]
        answers = [pool.submit(it.run, send, concurrency.watchers) for it in contexts]
    threads = {thread for answer in answers for thread in answer.result()}
    (thread,) = threads
    assert wait_until(lambda: not thread.is_alive())
    assert not concurrency.watchers()
    assert not released.is_set()
