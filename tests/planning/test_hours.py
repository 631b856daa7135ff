from __future__ import annotations

import pytest

from pairsmith.planning.figures import Band, Figures
from pairsmith.planning.forecast import Line
from pairsmith.planning.hours import Pace, paces, whole
from pairsmith.records import Endpoint, EndpointName, Purpose

WORDS = Band("", "", "")


def line(name: str, calls: float, seconds: float = 2.0, tokens: float = 100.0) -> Line:
    one = Figures(calls, calls * tokens, 0.0, calls * tokens, 0.0)
    left = Band(one.times(0.5), one, one.times(2))
    return Line(EndpointName(name), Purpose.SCORE, left, left, WORDS, WORDS, seconds, True, 1000)


def endpoint(name: str, url: str = "http://a/v1", **limits: object) -> Endpoint:
    return Endpoint(EndpointName(name), "m", (url,), name, **limits)  # type: ignore[arg-type]


def only(calls: float, **limits: object) -> Pace:
    (pace,) = paces([line("a", calls)], {EndpointName("a"): endpoint("a", **limits)})
    return pace


def test_without_limits_the_calls_in_flight_decide() -> None:
    pace = only(640, concurrency=64)

    assert pace.seconds == Band(10.0, 20.0, 40.0)
    assert pace.binds == "concurrency = 64"


def test_the_narrowest_limit_binds() -> None:
    assert only(640, requests_per_minute=64).seconds.likely == 600.0
    assert only(640, requests_per_minute=64, tokens_per_minute=6400).binds == "tokens_per_minute = 6400"
    assert only(640, requests_per_minute=64, tokens_per_minute=6400).seconds.likely == 1200.0


def test_where_bounds_are_counted_the_longest_answer_allowed_is_what_counts() -> None:
    counted = only(640, tokens_per_minute=6400, counts_bounds=True)

    assert counted.seconds.likely == pytest.approx(60 * 640 * (100 + 1000) / 6400)


def test_replicas_share_the_calls() -> None:
    two = Endpoint(EndpointName("a"), "m", ("http://a/v1", "http://b/v1"), "a", concurrency=64)

    (pace,) = paces([line("a", 640)], {EndpointName("a"): two})

    assert pace.seconds.likely == 10.0


def test_endpoints_at_one_place_share_its_limits_and_others_work_side_by_side() -> None:
    endpoints = {
        EndpointName("a"): endpoint("a", requests_per_minute=60),
        EndpointName("b"): endpoint("b", requests_per_minute=60),
        EndpointName("c"): endpoint("c", "http://c/v1", requests_per_minute=60),
    }

    found = paces([line("a", 60), line("b", 60), line("c", 90)], endpoints)

    assert [(pace.endpoints, pace.seconds.likely) for pace in found] == [(("a", "b"), 120.0), (("c",), 90.0)]
    assert whole(found).likely == 120.0


def test_nothing_left_takes_no_time() -> None:
    assert whole(()) == Band(0.0, 0.0, 0.0)
