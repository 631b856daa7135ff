"""The limits that real endpoints announce: what they keep a minute is kept, what they keep a day is not."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairsmith.wire.headers import Announced, Announcements


def read(*answers: Mapping[str, str]) -> Announced:
    """What is known after these answers' headers, one after another."""
    announcements = Announcements()
    return [announcements.read(headers) for headers in answers][-1]


def of(what: str, limit: object, remaining: object = "", reset: str = "") -> dict[str, str]:
    said = {"limit": str(limit), "remaining": str(remaining), "reset": reset}
    return {f"x-ratelimit-{word}-{what}": value for word, value in said.items() if value}


def bucket(what: str, limit: int, used: int, period_s: float = 60.0) -> dict[str, str]:
    """A limit that refills evenly, of which so much is used."""
    reset_s = used * period_s / limit
    return of(what, limit, limit - used, f"{reset_s * 1000:.0f}ms" if reset_s < 1 else f"{reset_s:.3f}s")


def window(what: str, limit: int, used: int, left_s: float) -> dict[str, str]:
    """A limit that is whole again when its window ends."""
    return of(what, limit, limit - used, f"{left_s:g}s")


# --- real ones ------------------------------------------------------------------------------------------

# As they came, November 2026 and from the pages of the makers.
OPENAI = bucket("requests", 5000, 1) | bucket("tokens", 450_000, 16)
OPENAI_DAILY = of("requests", 200, 199, "7m12s") | of("tokens", 40_000, 39_973, "40ms")
GROQ_DAILY = of("requests", 1000, 999, "1m26.4s") | of("tokens", 6000, 5942, "580ms")
GROQ_BUSY = of("requests", 14_400, 14_370, "2m59.56s") | of("tokens", 18_000, 17_997, "10ms")


def test_openais_limits_are_kept_once_two_answers_agree() -> None:
    busy = bucket("requests", 5000, 64) | bucket("tokens", 450_000, 20_000)

    assert read(OPENAI, busy) == Announced(5000.0, 450_000.0)


def test_a_first_answer_says_no_limit_that_is_lower_than_the_real_one() -> None:
    found = read(OPENAI)

    assert found.requests is None or found.requests >= 5000
    assert found.tokens is None or found.tokens >= 450_000


@pytest.mark.parametrize("headers", [OPENAI_DAILY, GROQ_DAILY, GROQ_BUSY])
def test_a_limit_a_day_is_none_a_minute_though_tokens_are_limited_by_the_minute(headers: dict[str, str]) -> None:
    limit = float(headers["x-ratelimit-limit-tokens"])
    found = read(headers)

    assert found.requests is None
    assert found.tokens is None or found.tokens >= limit


@pytest.mark.parametrize("reset", ["1m7s", "6m0s", "2m59.56s", "1h0m0s", "23h59m59s", "86400"])
def test_what_is_whole_again_only_after_minutes_is_no_limit_a_minute(reset: str) -> None:
    assert read(of("requests", 600, 100, reset)) == Announced()
    assert read(of("tokens", 600, 100, reset)) == Announced()


@pytest.mark.parametrize("headers", [{}, {"content-type": "application/json", "retry-after": "20"}])
def test_who_announces_nothing_has_no_limit(headers: dict[str, str]) -> None:
    assert read(headers) == Announced()


# --- buckets and windows ---------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [60, 500, 5000, 30_000])
def test_a_bucket_of_a_minute_is_known_after_some_answers(limit: int) -> None:
    answers = [bucket("requests", limit, used) for used in (1, 8, 20, 40)]

    assert read(*answers).requests == limit


@pytest.mark.parametrize("limit", [200, 1000, 14_400])
def test_a_bucket_of_a_day_never_becomes_a_limit_that_is_lower_than_a_days(limit: int) -> None:
    announcements = Announcements()

    for used in range(1, 100):
        found = announcements.read(bucket("requests", limit, used, 86_400.0)).requests
        assert found is None or found >= limit
    assert found is None


@pytest.mark.parametrize(("length_s", "limit", "a_minute"), [(60, 600, 600), (10, 150, 900), (30, 50, 100)])
def test_a_window_is_as_long_as_the_longest_time_until_it_is_whole(length_s: int, limit: int, a_minute: int) -> None:
    late, whole = window("requests", limit, limit // 2, length_s / 4), window("requests", limit, 1, length_s)

    assert read(late, whole, late).requests is None
    assert read(late, whole, late, late, late).requests == a_minute


def test_a_window_that_was_only_seen_near_its_end_is_never_taken_for_a_lower_limit() -> None:
    found = read(window("requests", 600, 599, 3.0)).requests

    assert found is None or found >= 600


@given(st.lists(st.tuples(st.integers(0, 600), st.floats(0.001, 60.0)), min_size=1, max_size=20))
def test_a_window_of_a_minute_is_never_taken_for_less_than_it_allows(answers: list[tuple[int, float]]) -> None:
    found = read(*[window("requests", 600, used, left_s) for used, left_s in answers]).requests

    assert found is None or found >= 600


# --- strange ones --------------------------------------------------------------------------------------------


def test_a_limit_without_a_word_on_when_it_is_whole_again_is_taken_as_one_a_minute() -> None:
    assert read(of("requests", 600), of("requests", 600)) == Announced(600.0)
    assert read(of("requests", 600, 599) | of("tokens", 90_000)) == Announced(600.0, 90_000.0)


@pytest.mark.parametrize("limit", ["0", "-1", "unlimited", "inf", "nan", "1e3", "10, 10;w=60", "9" * 40, "½"])
def test_a_limit_that_is_no_positive_number_is_none(limit: str) -> None:
    assert read(of("requests", limit, 1, "1s") | of("tokens", limit)) == Announced()


@pytest.mark.parametrize("reset", ["soon", "-5", "1x", "2026-11-01T00:00:00Z", "m", " "])
def test_a_reset_that_says_nothing_does_not_hide_the_limit(reset: str) -> None:
    assert read(of("requests", 600, 599, reset)) == Announced(600.0)


@pytest.mark.parametrize("remaining", ["many", "-1", "601", "0", "99999999"])
def test_a_strange_remainder_raises_nothing(remaining: str) -> None:
    found = read(of("requests", 600, remaining, "1s"), of("requests", 600, remaining, "0s"))

    assert found.requests is None or found.requests >= 600


def test_what_remains_is_no_limit() -> None:
    assert read({"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "1s"}) == Announced()


def test_an_answer_without_headers_between_others_forgets_nothing() -> None:
    answers = [bucket("requests", 600, 1), bucket("requests", 600, 30), {}, bucket("requests", 600, 2)]

    assert read(*answers).requests == 600
