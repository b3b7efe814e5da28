"""What a server says of itself: to whoever may ask, all of it; to nobody else anything."""

import logging

import httpx
import pytest

from mltrack_jupyter.server.health import Vitals
from mltrack_jupyter.server.lanes import Lanes
from mltrack_jupyter.server.loops import Loop
from mltrack_jupyter.services.around import around


def test_a_server_in_order_says_which_loops_live(own_server):
    headers = {"Authorization": f"Bearer {own_server.token}"}
    with httpx.Client(base_url=own_server.tracking_uri, headers=headers, timeout=60) as client:
        for _ in range(600):
            told = client.get("/api/1/health").json()
            if all(loop["last_round"] for loop in told["loops"]):
                break
        assert (told["status"], told.get("reasons", [])) == ("ok", [])
        assert {loop["name"] for loop in told["loops"]} == {
            "feed",
            "kernels",
            "ends of runs",
            "leases",
        }
        assert all(loop["lives"] and loop["failures"] == 0 for loop in told["loops"])
        lanes = {lane["name"]: lane for lane in told["lanes"]}
        assert set(lanes) == {"reads", "writes", "files", "uploads", "downloads", "feed", "kernels"}
        assert lanes["reads"]["running"] == 1  # this question
        assert lanes["writes"]["most"] == 72
        assert (lanes["feed"]["most"], lanes["kernels"]["most"]) == (2, 6)
        assert client.get("/health").text == "OK"


@pytest.mark.parametrize("path", ["/health", "/api/1/health"])
def test_a_stranger_hears_nothing(stranger, path):
    answer = stranger.get(path)
    assert (answer.status_code, answer.json()["error_code"]) == (403, "PERMISSION_DENIED")
    assert "loop" not in answer.text


def test_a_store_without_a_server_is_in_order(store):
    found = store.health.check()
    assert (found.status.value, found.reasons, found.loops, found.lanes) == ("ok", [], [], [])


async def test_what_does_not_work_is_told_in_words(store):
    async def fail():
        raise ConnectionError("the disk is away")

    vitals = Vitals(Lanes())
    checks = around(store, vitals.over).health
    assert checks.check().status.value == "ok"
    loop = Loop("of the test", fail, 0.01, logging.getLogger("mltrack_jupyter.tests"))
    vitals.loops.append(loop)
    assert checks.check().reasons == ["The loop 'of the test' does not run."]
    assert not await loop.attempts.run(fail)
    found = checks.check()
    assert found.status.value == "degraded"
    assert found.reasons == [
        "The loop 'of the test' waits after a failure: ConnectionError: the disk is away"
    ]
    assert (found.loops[0].lives, found.loops[0].failures) == (False, 1)
    assert found.loops[0].last_failure > found.loops[0].last_round
    vitals.lanes.close()
