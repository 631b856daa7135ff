import pytest
from sample_makers import arms_of, endpoints

from pairsmith.capabilities import Capabilities, Finding, Support
from pairsmith.errors import RecipeError
from pairsmith.records import EndpointName
from pairsmith.sample.plan import build_arms, effective, requested
from pairsmith.sample.settings import SampleSettings

PERSONAS = {"plain": "", "expert.md": "You are an expert.\n", "terse": "Be terse."}


def names(settings: SampleSettings, *known: str, systems: dict[str, str] = PERSONAS) -> list[str]:
    return [arm.name for arm in build_arms(settings, endpoints(*known), systems)]


def test_arms_are_the_product_of_the_lists_with_readable_names() -> None:
    settings = SampleSettings(temperature=[0.6, 1], top_k=20, system=["plain", "expert.md"])

    assert names(settings) == ["T0.6 k20 plain", "T0.6 k20 expert", "T1 k20 plain", "T1 k20 expert"]


def test_the_endpoint_is_named_only_when_there_are_several() -> None:
    settings = SampleSettings(endpoints=["a", "b"], top_p=0.9)

    assert names(settings, "a", "b", "judge") == ["p0.9 a", "p0.9 b"]
    assert names(SampleSettings(endpoints=["a"], top_p=0.9), "a", "b") == ["p0.9"]


def test_without_lists_there_is_one_arm_that_sends_nothing() -> None:
    (arm,) = arms_of(SampleSettings())

    assert (arm.name, arm.endpoint, dict(arm.params), arm.system) == ("default", "student", {}, None)


def test_an_arm_holds_the_personas_text_and_name() -> None:
    (arm,) = arms_of(SampleSettings(system="expert.md"), PERSONAS)

    assert (arm.system, arm.system_name) == ("You are an expert.", "expert.md")


def test_personas_of_one_stem_keep_their_paths() -> None:
    systems = {"old/expert.md": "a", "new/expert.md": "b", "v2.1": "c"}

    assert names(SampleSettings(system=list(systems)), systems=systems) == list(systems)


def test_names_are_unique_even_where_a_persona_is_called_like_another_arm() -> None:
    settings = SampleSettings.model_validate(
        {"arms": [{"name": "terse", "temperature": 1}, {"system": "terse"}, {"system": "given"}]}
    )

    assert names(settings, systems={"terse": "a", "given": "b"}) == ["terse", "terse (2)", "given (2)"]


def test_equal_arms_are_merged_whatever_their_names() -> None:
    settings = SampleSettings.model_validate(
        {"arms": [{"name": "x", "temperature": 1}, {"name": "y", "temperature": 1.0, "system": "plain"}]}
    )

    assert names(settings) == ["x"]


def test_endpoints_of_one_identity_that_send_different_bodies_are_two_arms() -> None:
    known = endpoints("a", "b", identity="one")
    thinking = {**known, **endpoints("b", identity="one", reasoning="off")}
    settings = SampleSettings(endpoints=["a", "b"])

    assert len(build_arms(settings, known, {})) == 1
    assert len(build_arms(settings, thinking, {})) == 2


def test_a_table_without_endpoint_takes_the_only_one() -> None:
    settings = SampleSettings.model_validate({"endpoints": ["b"], "arms": [{}, {"endpoint": "a"}]})

    assert names(settings, "a", "b") == ["b", "a"]


@pytest.mark.parametrize(
    ("fields", "known", "sentence"),
    [
        ({}, ("a", "b"), r"\[sample\] names no endpoint, and there are 2: name one of a, b"),
        ({"endpoints": "c"}, ("a", "b"), "names the endpoint 'c', which is not there: name one of a, b"),
        ({"arms": [{"endpoint": "a"}, {}]}, ("a", "b"), r"table 2 of \[\[sample.arms\]\] names no endpoint"),
        ({"system": "wizard"}, ("a",), "'wizard', which is neither bundled nor a file"),
    ],
)
def test_what_is_unknown_or_left_open_is_said_with_the_way_out(
    fields: dict[str, object], known: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(RecipeError, match=sentence):
        build_arms(SampleSettings.model_validate(fields), endpoints(*known), PERSONAS)


def test_a_recipe_without_endpoints_is_told_what_to_add() -> None:
    with pytest.raises(RecipeError, match=r"there are 0: name one after adding an \[endpoints.NAME\] table"):
        build_arms(SampleSettings(), {}, {})


@pytest.mark.parametrize("key", ["temperature", "max_tokens", "n", "seed", "messages"])
def test_an_extra_that_would_make_the_arms_a_fiction_is_refused(key: str) -> None:
    with pytest.raises(RecipeError, match=f"extra sets {key}, which sampling writes itself"):
        arms_of(SampleSettings(temperature=[0.5, 1]), extra={key: 1})


def test_an_extra_that_no_arm_touches_is_welcome() -> None:
    assert len(arms_of(SampleSettings(top_k=20), extra={"temperature": 1, "min_p": 0.1})) == 1


@pytest.mark.parametrize(("asked", "recorded"), [([20], 20), ([20, 50], [20, 50])])
def test_what_is_dropped_is_recorded_as_asked_for_and_not_as_what_held(asked: list[int], recorded: object) -> None:
    student = EndpointName("student")
    known = {student: Capabilities(student, "m", "", 0.0, findings={"top_k": Finding(Support.IGNORED)})}
    settings = SampleSettings(temperature=0.6, top_k=asked, on_unsupported="omit")

    (arm,) = build_arms(settings, endpoints(), {}, known)

    assert requested(arm) == {"temperature": 0.6, "top_k": recorded}
    assert effective(arm, endpoints()[student])["top_k"] == "server default"
    assert effective(arm, endpoints()[student])["temperature"] == 0.6
