import pytest
from wire_fakes import make_endpoint

from pairsmith.errors import Stopped
from pairsmith.records import Failure, FailureKind, RequestId
from pairsmith.wire.breaker import MAX_IN_A_ROW, SAME_FIRST, SILENT_FOR_S, WARY_FROM, Breaker

ENDPOINT = make_endpoint("http://model.example/v1", api_key_env="STUDENT_KEY")


def failure(
    kind: FailureKind, reason: str, message: str = "", request: str = "r", status: int | None = None, **more: object
) -> Failure:
    return Failure(RequestId(request), kind, reason, message, status, **more)  # type: ignore[arg-type]


def transient(reason: str = "http_503", message: str = "", request: str = "r") -> Failure:
    return failure(FailureKind.TRANSIENT, reason, message, request)


def one_after_another(breaker: Breaker, what: Failure, count: int, start_s: float = 0.0) -> list[Stopped | None]:
    """So many failures, each of an attempt that was sent after the last one had ended."""
    return [breaker.failure(what, False, start_s + n, start_s + n + 0.5) for n in range(count)]


def stopped(why: Stopped | None) -> Stopped:
    assert why is not None
    assert why.sentence.startswith("endpoint student (sim-student) ")
    return why


# --- fatal at once ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "status", "way_out"),
    [
        ("quota", 429, "top up or raise it, then run the same command again"),
        ("refused_key", 401, "the key in $STUDENT_KEY with 401 (said so): set a valid key"),
        ("no_such_model", 404, "mend model, or base_url (most end in /v1)"),
        ("redirected", 308, "mend base_url"),
    ],
)
def test_a_fatal_failure_stops_at_once_and_names_the_way_out(reason: str, status: int, way_out: str) -> None:
    fatal = failure(FailureKind.FATAL, reason, "said so", status=status)

    why = stopped(Breaker(ENDPOINT).failure(fatal, True, 0.0, 1.0))

    assert why.reason == reason
    assert way_out in why.sentence
    assert "said so" in why.sentence


def test_a_refusal_for_want_of_a_key_names_the_field_to_set() -> None:
    refused = failure(FailureKind.FATAL, "refused_key", status=401)

    why = stopped(Breaker(make_endpoint()).failure(refused, True, 0.0, 1.0))

    assert "set api_key_env" in why.sentence


# --- twenty in a row -------------------------------------------------------------------------------


def test_twenty_failures_in_a_row_stop_the_run() -> None:
    whys = one_after_another(Breaker(ENDPOINT), transient(message="overloaded"), MAX_IN_A_ROW)

    assert whys[:-1] == [None] * (MAX_IN_A_ROW - 1)
    why = stopped(whys[-1])
    assert why.reason == "broken_endpoint"
    assert "20 times in a row (http_503: overloaded); run the same command again" in why.sentence


def test_calls_that_were_in_flight_together_and_all_fail_are_one_step() -> None:
    breaker = Breaker(ENDPOINT)

    whys = [breaker.failure(transient("reset"), True, 0.0, 5.0 + n / 100) for n in range(256)]

    assert whys == [None] * 256
    assert breaker.steps == 1


def test_an_answer_between_begins_the_count_anew() -> None:
    breaker = Breaker(ENDPOINT)
    one_after_another(breaker, transient(), MAX_IN_A_ROW - 1)
    breaker.success()

    assert one_after_another(breaker, transient(), MAX_IN_A_ROW - 1, 100.0) == [None] * (MAX_IN_A_ROW - 1)


def test_a_refused_item_shows_that_the_endpoint_is_alive() -> None:
    breaker = Breaker(ENDPOINT)
    one_after_another(breaker, transient(), MAX_IN_A_ROW - 1)
    breaker.failure(failure(FailureKind.PERMANENT, "context_length"), True, 50.0, 51.0)

    assert one_after_another(breaker, transient(), 5, 100.0) == [None] * 5


def test_after_three_steps_the_gate_is_wary_until_an_answer_comes() -> None:
    breaker = Breaker(ENDPOINT)
    one_after_another(breaker, transient(), WARY_FROM - 1)
    assert not breaker.wary

    one_after_another(breaker, transient(), 1, 100.0)
    assert breaker.wary

    breaker.success()
    assert not breaker.wary


def test_calls_that_all_hang_for_a_quarter_of_an_hour_stop_the_run() -> None:
    breaker = Breaker(ENDPOINT)
    hung = transient("timeout", "no whole answer within 600 s")
    first = [breaker.failure(hung, True, 0.0, 600.0) for _ in range(64)]

    why = stopped(breaker.failure(hung, False, 601.0, 1201.0))

    assert first == [None] * 64
    assert why.reason == "broken_endpoint"
    assert "no answer for 20 minutes" in why.sentence


# --- the same from the first ------------------------------------------------------------------------


def same_first(breaker: Breaker, what: str, count: int, kind: FailureKind, status: int) -> list[Stopped | None]:
    return [
        breaker.failure(failure(kind, what, f"broken, request req_{n}f3a", f"r{n}", status), True, n, n + 0.5)
        for n in range(count)
    ]


def test_the_same_500_to_the_first_three_requests_stops_the_run_though_it_names_each_request() -> None:
    whys = same_first(Breaker(ENDPOINT), "http_500", SAME_FIRST, FailureKind.TRANSIENT, 500)

    assert whys[:-1] == [None] * (SAME_FIRST - 1)
    why = stopped(whys[-1])
    assert why.reason == "broken_endpoint"
    assert "run the same command again" in why.sentence


def test_the_same_refusal_to_the_first_three_requests_is_about_a_parameter() -> None:
    whys = same_first(Breaker(ENDPOINT), "bad_request", SAME_FIRST, FailureKind.PERMANENT, 422)

    why = stopped(whys[-1])
    assert why.reason == "parameter_refused"
    assert "422" in why.sentence
    assert "take the parameter it names out of the recipe" in why.sentence


def test_three_tries_of_one_request_are_no_three_requests() -> None:
    breaker = Breaker(ENDPOINT)
    broken = transient("http_500", "broken")

    assert [breaker.failure(broken, n == 0, n, n + 0.5) for n in range(6)] == [None] * 6


def test_after_an_answer_the_same_refusal_is_each_items_own() -> None:
    breaker = Breaker(ENDPOINT)
    breaker.success()

    assert same_first(breaker, "bad_request", 10, FailureKind.PERMANENT, 400) == [None] * 10
    assert same_first(breaker, "http_500", 10, FailureKind.TRANSIENT, 500) == [None] * 10


def test_a_refused_response_format_stops_nothing_since_verdicts_can_be_asked_for_otherwise() -> None:
    breaker = Breaker(ENDPOINT)
    refused = [
        failure(FailureKind.PERMANENT, "bad_request", "no schema", f"r{n}", 400, parameter="response_format")
        for n in range(5)
    ]

    assert [breaker.failure(what, True, 0.0, 1.0) for what in refused] == [None] * 5


# --- unreachable -----------------------------------------------------------------------------------


def test_where_nothing_listens_three_steps_are_enough() -> None:
    whys = one_after_another(Breaker(ENDPOINT), transient("unreachable", "Connection refused"), SAME_FIRST)

    assert whys[:-1] == [None] * (SAME_FIRST - 1)
    why = stopped(whys[-1])
    assert why.reason == "unreachable"
    assert "at http://model.example/v1 (Connection refused): start the server, or mend base_url" in why.sentence


def test_a_server_that_answered_before_is_given_time_to_come_back() -> None:
    breaker = Breaker(ENDPOINT)
    breaker.success()

    assert one_after_another(breaker, transient("unreachable"), MAX_IN_A_ROW - 1) == [None] * (MAX_IN_A_ROW - 1)


# --- throttled -------------------------------------------------------------------------------------


def throttle(retry_after_s: float | None = None) -> Failure:
    return failure(FailureKind.THROTTLED, "http_429", status=429, retry_after_s=retry_after_s)


def test_nothing_but_throttling_for_a_quarter_of_an_hour_stops_the_run() -> None:
    breaker = Breaker(ENDPOINT)

    assert breaker.failure(throttle(), True, 100.0, 101.0) is None
    assert breaker.failure(throttle(), False, 998.0, 999.0) is None
    why = stopped(breaker.failure(throttle(), False, 1000.0, 1000.0))

    assert why.reason == "throttled"
    assert "nothing but http_429 for 15 minutes" in why.sentence
    assert "lower requests_per_minute" in why.sentence


def test_an_answer_between_gives_throttling_its_time_again() -> None:
    breaker = Breaker(ENDPOINT)
    breaker.failure(throttle(), True, 0.0, 1.0)
    breaker.success()

    assert breaker.failure(throttle(), True, 890.0, 910.0) is None


def test_a_pause_of_an_hour_is_not_sat_out() -> None:
    why = stopped(Breaker(ENDPOINT).failure(throttle(3600.0), True, 0.0, 1.0))

    assert why.reason == "throttled"
    assert "asks for a pause of 60 minutes (http_429)" in why.sentence


def test_a_pause_that_fits_is_sat_out() -> None:
    assert Breaker(ENDPOINT).failure(throttle(SILENT_FOR_S - 10), True, 0.0, 1.0) is None


def test_throttling_is_no_failure_in_a_row() -> None:
    breaker = Breaker(ENDPOINT)

    assert one_after_another(breaker, throttle(), 100) == [None] * 100
    assert breaker.steps == 0
