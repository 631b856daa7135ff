"""What is found out about an endpoint: each platform of the simulator by its own table, and servers that are odd."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

sys.path.insert(0, str(Path(__file__).with_name("wire")))

from wire_fakes import Books, Told, answer, make_endpoint, refusal

from pairsmith import probing
from pairsmith.capabilities import Capabilities, Finding, Support
from pairsmith.dialects import DIALECTS, Dialect, of_owner, speaking
from pairsmith.probing import examine, examine_arms, merged, most_cost_usd, wants
from pairsmith.records import Arm, Endpoint, EndpointName, Json, Price
from pairsmith.simulator import Settings, running
from pairsmith.simulator.presets import PRESETS
from pairsmith.wire.client import Transport, TransportError
from pairsmith.wire.faults import RawReply
from pairsmith.wire.gate import Clock
from pairsmith.wire.probe import MOST_CALLS, Probe
from pairsmith.wire.session import transport_for

HONOURED, ACCEPTED, IGNORED, REFUSED, UNKNOWN = Support
SEEN = ("top_k", "top_p", "min_p", "seed", "max_tokens", "max_completion_tokens", "logprobs")
TAKEN = ("repetition_penalty", "presence_penalty", "frequency_penalty", "reasoning_effort", "verbosity")


def arm(name: str = "a", **params: Json) -> Arm:
    return Arm(name, EndpointName("student"), params)


def probe_of(endpoint: Endpoint, transport: Transport | None = None, books: Books | None = None) -> Probe:
    """On real time, but for pauses."""
    clock = Clock(time.monotonic, time.time, lambda seconds: asyncio.sleep(0))
    return Probe(endpoint, transport or transport_for(endpoint, None), books or Books(), clock)


def examined(
    endpoint: Endpoint,
    arms: Sequence[Arm] | None = None,
    wanted: Sequence[Arm] = (),
    transport: Transport | None = None,
) -> Capabilities:
    """Everything; with `arms` only what they use."""

    async def ask() -> Capabilities:
        probe = probe_of(endpoint, transport)
        try:
            if arms is not None:
                return await examine_arms(endpoint, arms, probe)
            return await examine(endpoint, wants(wanted, endpoint), probe)
        finally:
            await probe.close()

    return asyncio.run(ask())


def at(like: str | None, arms: Sequence[Arm] | None = None, wanted: Sequence[Arm] = (), **fields: Any) -> Capabilities:
    """What is found out at a platform of the simulator."""
    with running(Settings(like=like)) as simulator:
        return examined(make_endpoint(simulator.base_url, **fields), arms, wanted)


def supports(found: Capabilities) -> dict[str, Support]:
    return {name: finding.support for name, finding in found.findings.items()}


# --- the simulator's platforms, by their own table ---------------------------------------------------


def becomes(platform: str, dialect: Dialect, parameter: str) -> Support:
    """What the platform's row says of a parameter, under whatever it is called there."""
    preset = PRESETS[platform]
    length = parameter in ("max_tokens", "max_completion_tokens")  # these are asked by their own names
    names = [parameter] if length else dialect.names.get(parameter, parameter).split()
    if preset.nested and names[0].startswith(f"{preset.nested}."):
        return HONOURED
    if any(name in preset.refused or (preset.known is not None and name not in preset.known) for name in names):
        return REFUSED
    return IGNORED if all(name in preset.ignored for name in names) else HONOURED


def shape(allowed: object, ignored: bool) -> Support:
    if callable(allowed):
        return REFUSED
    return IGNORED if ignored or not allowed else HONOURED


@pytest.fixture(scope="module")
def platforms() -> dict[str, Capabilities]:
    return {platform: at(platform) for platform in PRESETS}


@pytest.mark.parametrize("platform", PRESETS)
def test_each_platform_does_what_it_is_said_to_do(platforms: dict[str, Capabilities], platform: str) -> None:
    preset, found = PRESETS[platform], platforms[platform]
    said, dialect = supports(found), DIALECTS.get(found.server, Dialect())
    shapeless = "response_format" in preset.ignored
    low, high = preset.temperature

    assert {name: said[name] for name in SEEN} == {name: becomes(platform, dialect, name) for name in SEEN}
    assert said["n"] is shape(preset.many, "n" in preset.ignored)
    assert said["json_schema"] is shape(preset.json_schema or True, shapeless)
    assert said["json_object"] is shape(True, shapeless)
    assert said["developer"] is (REFUSED if callable(preset.developer) else ACCEPTED)
    assert said["system"] is ACCEPTED
    assert found.findings["temperature"].highest == (high if high < 2 else None)
    assert found.findings["temperature"].lowest == (low if low > 0 else None)
    assert said["temperature"] is (HONOURED if low == 0 else ACCEPTED)
    for name in TAKEN:
        allowed = {REFUSED: {REFUSED}, IGNORED: {ACCEPTED}, HONOURED: {ACCEPTED, HONOURED}}
        assert said[name] in allowed[becomes(platform, dialect, name)], name


@pytest.mark.parametrize("platform", PRESETS)
def test_what_a_platform_lists_tells_server_and_context(platforms: dict[str, Capabilities], platform: str) -> None:
    listed, found = PRESETS[platform].listed, platforms[platform]
    meta = listed.get("meta", {})
    contexts = [value for value in (*listed.values(), *meta.values()) if isinstance(value, int)]  # type: ignore[attr-defined]

    assert found.server == (
        of_owner(str(listed.get("owned_by", ""))) or ("transformers" if platform == "transformers" else "")
    )
    assert found.context_tokens == (contexts[0] if contexts else None)
    assert found.answers_as == "sim-student"
    assert found.problem == ""


@pytest.mark.parametrize("platform", PRESETS)
def test_it_takes_fewer_than_50_calls(platforms: dict[str, Capabilities], platform: str) -> None:
    assert 25 <= platforms[platform].calls < 50


def test_a_refusal_is_told_in_the_servers_words(platforms: dict[str, Capabilities]) -> None:
    assert "property 'top_k' is unsupported" in platforms["groq"].findings["top_k"].said
    assert "Extra inputs are not permitted" in platforms["mistral"].findings["seed"].said


def test_a_penalty_that_changes_the_greedy_text_is_honoured(platforms: dict[str, Capabilities]) -> None:
    assert platforms["together"].findings["frequency_penalty"].support is HONOURED
    assert platforms["silent"].findings["frequency_penalty"].support is ACCEPTED


# --- the arms' own values ----------------------------------------------------------------------------


def test_the_recipes_own_temperatures_are_asked_where_the_usual_ones_are_refused() -> None:
    found = at("mistral", wanted=[arm(temperature=1.8), arm(temperature=1.2)])
    narrow = at("openai-reasoning", wanted=[arm(temperature=0.7)])

    assert found.lacks("temperature", 1.8) is not None
    assert found.lacks("temperature", 1.2) is None
    assert narrow.lacks("temperature", 0.7) is not None
    assert narrow.lacks("temperature", 1.0) is None


def test_what_arms_send_together_is_kept_apart_by_what_each_sends() -> None:
    endpoint = speaking(make_endpoint(), "together")
    arms = [arm(temperature=0.6, top_k=20), arm(temperature=1.1, top_k=20), arm(verbosity="low")]

    assert wants(arms, endpoint) == [
        {"top_p": (1.0,), "repetition_penalty": (1.0,), "temperature": (0.6, 1.1), "top_k": (20,)},
        {"top_p": (1.0,), "repetition_penalty": (1.0,), "verbosity": ("low",)},
    ]


# --- the first calls of a run ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("platform", "top_k", "calls"), [("vllm", HONOURED, 8), ("ollama", IGNORED, 11), ("openai", REFUSED, 7)]
)
def test_the_first_calls_of_a_run_are_few_and_show_what_becomes_of_top_k(
    platform: str, top_k: Support, calls: int
) -> None:
    found = at(platform, arms=[arm(temperature=0.6, top_k=20), arm(temperature=1.1, top_k=50)])

    assert found.findings["top_k"].support is top_k
    assert found.findings["temperature"].support is ACCEPTED
    assert found.calls <= calls


def test_of_arms_only_what_they_send_is_found_out() -> None:
    found = at("groq", arms=[arm(temperature=0.6, presence_penalty=0.5)], seed=True)

    assert found.findings.keys() == {"temperature", "presence_penalty", "seed", "max_tokens"}


def test_parameters_that_are_refused_are_told_from_those_that_are_not() -> None:
    found = at("openai", arms=[arm(temperature=0.6, min_p=0.1, reasoning_effort="low", verbosity="low", top_p=0.5)])

    assert supports(found) == {
        "max_tokens": HONOURED,
        "temperature": ACCEPTED,
        "top_p": ACCEPTED,
        "min_p": REFUSED,
        "reasoning_effort": REFUSED,
        "verbosity": REFUSED,
    }


def test_a_temperature_that_is_too_low_is_found_as_well_as_one_that_is_too_high() -> None:
    arms = [arm(temperature=value) for value in (0.6, 1.0)]
    found = at("openai-reasoning", arms=arms, length_parameter="max_completion_tokens")

    assert [found.lacks("temperature", value) is None for value in (0.6, 1.0)] == [False, True]


def test_transformers_is_told_by_its_refusal_and_asked_in_its_own_way() -> None:
    found = at("transformers", arms=[arm(temperature=0.9, top_k=20)])

    assert found.server == "transformers"
    assert found.findings["top_k"].support is HONOURED


def test_the_other_length_parameter_is_tried_where_the_endpoints_own_is_refused() -> None:
    found = at("openai-reasoning", arms=[arm(temperature=1.0)])

    assert supports(found) == {
        "max_tokens": REFUSED,
        "max_completion_tokens": HONOURED,
        "temperature": ACCEPTED,
    }


# --- models that think, decline, or are not there ----------------------------------------------------


@pytest.mark.parametrize("model", ["sim-thinker", "sim-thinker-rc"])
def test_a_model_that_thinks_is_given_room_and_judged_by_its_answers(model: str) -> None:
    found = at("ollama", model=model)

    assert supports(found)["temperature"] is HONOURED
    assert supports(found)["top_k"] is IGNORED
    assert supports(found)["top_p"] is HONOURED


def test_thoughts_that_leave_no_room_for_an_answer_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pairsmith.questioning.MORE_ROOM", 40)
    found = at("silent", model="sim-thinker")

    assert {supports(found)[name] for name in ("temperature", "top_k", "top_p", "min_p", "seed")} == {UNKNOWN}


def test_a_model_that_declines_half_of_the_time_is_not_said_to_ignore_anything() -> None:
    assert IGNORED not in supports(at(None, model="sim-refuser")).values()


def test_a_reward_model_is_asked_for_one_number() -> None:
    found = at(None, model="sim-reward", kind="reward")

    assert (found.problem, found.calls, found.answers_as) == ("", 1, "sim-reward")


def test_an_unknown_model_ends_it_at_once_and_the_known_ones_are_named() -> None:
    found = at(None, model="sim-studnet")

    assert found.calls == 1
    assert "mend model" in found.problem
    assert "it lists sim-student" in found.problem
    assert found.findings == {}


# --- servers of our own making ----------------------------------------------------------------------

SEA = "Grey water hums a slow hymn while gulls misquote it, and the tide corrects their grammar at dusk."


class Echo(Told):
    """Answers as a function of the body says; lists no models."""

    def __init__(self, reply: Any) -> None:
        self.bodies: list[dict[str, Any]] = []

        async def send(body: bytes, key: str) -> RawReply:
            self.bodies.append(orjson.loads(body))
            made: RawReply = reply(self.bodies[-1], len(self.bodies))
            return made

        super().__init__(send)

    async def get(self, path: str) -> RawReply:
        return RawReply(404, {}, b"")


def said_of(reply: Any, arms: Sequence[Arm] | None = None) -> Capabilities:
    return examined(make_endpoint(), arms, transport=Echo(reply))


def test_one_odd_answer_does_not_show_that_a_parameter_is_ignored() -> None:
    def exact_but_once(body: Mapping[str, Any], number: int) -> RawReply:
        narrowed = body.get("top_k") == 1
        first = narrowed and not seen
        seen.extend([1] if narrowed else [])
        return answer(SEA if narrowed and not first else f"{number} {SEA[::-1]}")

    seen: list[int] = []

    assert supports(said_of(exact_but_once, [arm(top_k=20)]))["top_k"] is HONOURED


def test_a_tie_in_the_last_words_is_no_other_text() -> None:
    def tied(body: Mapping[str, Any], number: int) -> RawReply:
        return answer(f"{SEA} {number}" if body.get("top_k") == 1 else f"{number} {SEA}")

    assert supports(said_of(tied, [arm(top_k=20)]))["top_k"] is HONOURED


def test_nothing_is_told_of_top_k_where_every_answer_is_the_same() -> None:
    found = said_of(lambda body, number: answer(SEA), [arm(top_k=20)])

    assert supports(found)["top_k"] is ACCEPTED
    assert "without it as well" in found.findings["top_k"].said


def test_a_server_that_repeats_itself_without_a_seed_is_asked_with_seeds() -> None:
    def fixed(body: Mapping[str, Any], number: int) -> RawReply:
        cold = body.get("temperature") == 0 or body.get("top_k") == 1
        return answer(SEA if cold else f"{body.get('seed', 0)} {SEA}")

    found = supports(said_of(fixed))

    assert (found["temperature"], found["seed"], found["top_k"], found["min_p"]) == (
        HONOURED,
        HONOURED,
        HONOURED,
        IGNORED,
    )


def test_an_endpoint_that_ignores_every_limit_is_asked_nothing_more() -> None:
    found = said_of(lambda body, number: answer(SEA, output_tokens=400))

    assert found.calls == 4
    assert "keeps no limit on the length of its answers" in found.problem


def test_what_is_refused_only_together_is_said_so() -> None:
    def not_both(body: Mapping[str, Any], number: int) -> RawReply:
        both = "temperature" in body and "top_p" in body
        return refusal(400, "temperature and top_p cannot both be set") if both else answer(f"{number} {SEA}")

    found = said_of(not_both, [arm(temperature=0.6, top_p=0.9)])

    assert supports(found) == {
        "max_tokens": ACCEPTED,
        "temperature": ACCEPTED,
        "top_p": ACCEPTED,
        "together": REFUSED,
    }


def test_a_word_that_is_refused_is_kept_apart_from_those_that_are_taken() -> None:
    def no_xhigh(body: Mapping[str, Any], number: int) -> RawReply:
        refused = body.get("reasoning_effort") == "xhigh"
        return refusal(400, "Unsupported value: 'xhigh'") if refused else answer(f"{number} {SEA}")

    found = said_of(no_xhigh, [arm(reasoning_effort=word) for word in ("low", "high", "xhigh")])

    assert found.findings["reasoning_effort"].refuses == ("xhigh",)
    assert [found.lacks("reasoning_effort", word) is None for word in ("low", "high", "xhigh")] == [True, True, False]


def test_openais_words_for_a_thought_that_was_too_long_are_no_refusal() -> None:
    said = "Could not finish the message because max_tokens or model output limit was reached."
    found = said_of(lambda body, number: refusal(400, said), [arm(temperature=0.6, top_k=20)])

    assert found.problem == ""
    assert REFUSED not in supports(found).values()


def test_nothing_is_told_of_what_extra_sets_in_every_request() -> None:
    found = at("ollama", extra={"top_k": 5})

    assert found.findings["top_k"].support is UNKNOWN
    assert "endpoints.student.extra sets it" in found.findings["top_k"].said


@pytest.mark.parametrize("fault", ["500", "cut-json", "429"])
def test_faults_are_no_findings(fault: str) -> None:
    with running(Settings(like="vllm", faults={fault: 0.3})) as simulator:
        found = supports(examined(make_endpoint(simulator.base_url)))

    assert IGNORED not in found.values()
    assert found.get("developer", REFUSED) in (REFUSED, UNKNOWN)


@pytest.mark.parametrize("arms", [None, [arm(temperature=0.6, top_k=20, min_p=0.1)]])
@pytest.mark.parametrize("after", range(0, 40, 3))
@pytest.mark.parametrize("end", [TransportError("unreachable", "refused"), TransportError("reset", "gone")])
def test_a_server_that_goes_away_is_not_said_to_ignore_what_it_honours(
    end: TransportError, after: int, arms: Sequence[Arm] | None
) -> None:
    def going(body: Mapping[str, Any], number: int) -> RawReply:
        if number > after:
            raise end
        cold = body.get("temperature") == 0 or body.get("top_k") == 1 or body.get("min_p") == 1
        return answer(SEA if cold else f"{number} {SEA}")

    found = said_of(going, arms)
    really = {"n", "json_schema", "json_object", "logprobs", "top_p", "seed"}

    assert found.calls <= MOST_CALLS
    assert {name for name, support in supports(found).items() if support is IGNORED} <= really
    assert found.problem or after


# --- money -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["sim-student", "sim-thinker"])
@pytest.mark.parametrize("platform", ["silent", "transformers", "llama-cpp"])
def test_what_is_booked_at_most_is_never_more_than_was_said_before(platform: str, model: str) -> None:
    arms = [arm(temperature=0.1 * at, extra={"stop": ["x" * 200]}) for at in range(4)]
    books = Books()
    with running(Settings(like=platform)) as simulator:
        endpoint = make_endpoint(simulator.base_url, model=model, price=Price(3.0, 15.0))
        most = books.most
        taken: list[float] = []
        begin = books.begin

        async def begun(request: Any, usd: float | None, tokens: int) -> int:
            taken.append(usd or 0.0)
            return await begin(request, usd, tokens)

        books.begin = begun  # type: ignore[method-assign]

        async def ask() -> Capabilities:
            probe = probe_of(endpoint, books=books)
            try:
                return await examine(endpoint, wants(arms, endpoint), probe)
            finally:
                await probe.close()

        found = asyncio.run(ask())
    said = most_cost_usd(endpoint, wants(arms, endpoint))

    assert not most  # every attempt came to an end
    assert len(taken) == found.calls <= MOST_CALLS
    assert said is not None
    assert (found.cost_usd or 0) <= sum(taken) <= said


# --- what is kept ------------------------------------------------------------------------------------


def known(**supports: Support) -> Capabilities:
    findings = {name: Finding(support) for name, support in supports.items()}
    return Capabilities(EndpointName("student"), "m", "http://here/v1", 0.0, findings=findings)


def test_a_new_finding_replaces_an_old_one_and_what_cannot_be_told_does_not() -> None:
    now = merged(known(top_k=IGNORED, seed=REFUSED, n=HONOURED), known(top_k=UNKNOWN, seed=HONOURED, min_p=UNKNOWN))

    assert supports(now) == {"top_k": IGNORED, "seed": HONOURED, "n": HONOURED, "min_p": UNKNOWN}


def test_nothing_is_kept_of_another_model_or_place() -> None:
    old, new = known(top_k=IGNORED), known(seed=HONOURED)

    assert merged(replace(old, model="other"), new) == new
    assert merged(replace(old, base_url="http://there/v1"), new) == new
    assert merged(None, new) == new


def test_the_typical_number_of_calls_is_what_it_takes(platforms: dict[str, Capabilities]) -> None:
    calls = sorted(found.calls for found in platforms.values())

    assert abs(calls[len(calls) // 2] - probing.TYPICAL_CALLS) <= 3
