import pytest
from sample_makers import completion

from pairsmith.records import Completion, Flag
from pairsmith.sample.screen import screened_too_much
from pairsmith.sample.settings import SampleSettings

SETTINGS = SampleSettings(max_tokens=256)


def first(*groups: tuple[int, tuple[Flag, ...]]) -> list[Completion]:
    """Completions by (how many, their flags), filled up to 20 with good ones."""
    flags = [each for count, each in groups for _ in range(count)]
    flags += [()] * (20 - len(flags))
    return [completion(ident=str(number), flags=each) for number, each in enumerate(flags)]


def test_nothing_is_said_before_20_completions_or_up_to_the_share() -> None:
    assert screened_too_much(first((20, (Flag.EMPTY,)))[:19], SETTINGS) is None
    assert screened_too_much(first((10, (Flag.EMPTY,))), SETTINGS) is None


def test_only_the_first_20_count() -> None:
    late = [completion(ident=f"late {number}", flags=(Flag.EMPTY,)) for number in range(40)]

    assert screened_too_much(first() + late, SETTINGS) is None


@pytest.mark.parametrize("flag", Flag)
def test_whatever_screens_completions_has_a_remedy(flag: Flag) -> None:
    stop = screened_too_much(first((20, (flag,))), SETTINGS)

    assert stop is not None
    assert stop.cause is flag


def test_a_share_of_1_never_stops_and_one_of_0_stops_at_the_first() -> None:
    assert screened_too_much(first((20, (Flag.EMPTY,))), SampleSettings(max_screened=1)) is None
    assert screened_too_much(first((1, (Flag.EMPTY,))), SampleSettings(max_screened=0)) is not None


@pytest.mark.parametrize(
    ("flags", "cause", "said"),
    [
        ((Flag.CUT_OFF,), Flag.CUT_OFF, "were cut off by max_tokens = 256: raise [sample] max_tokens, or ask for"),
        (
            (Flag.EMPTY, Flag.CUT_OFF),
            Flag.CUT_OFF,
            "were cut off by max_tokens = 256 while the model was still thinking:"
            ' raise [sample] max_tokens, or set reasoning = "off"',
        ),
        ((Flag.EMPTY, Flag.REFUSAL), Flag.REFUSAL, "are refusals: change the prompts"),
        ((Flag.EMPTY, Flag.TOOL_CALL), Flag.TOOL_CALL, "call a tool instead of answering: take tools out"),
        ((Flag.EMPTY, Flag.REASONING), Flag.REASONING, 'reasoning = "strip"'),
        ((Flag.EMPTY,), Flag.EMPTY, "are empty: look at what the endpoint sends"),
        ((Flag.DUPLICATE,), Flag.DUPLICATE, "the arms give the same text: raise temperature or add arms"),
    ],
)
def test_the_sentence_names_the_cause_and_its_remedy(flags: tuple[Flag, ...], cause: Flag, said: str) -> None:
    stop = screened_too_much(first((11, flags)), SETTINGS)

    assert stop is not None
    assert (stop.cause, stop.screened) == (cause, 11)
    assert stop.sentence.startswith("11 of the first 20 completions cannot be used: 11 ")
    assert said in stop.sentence
    assert stop.sentence.endswith("(sample.max_screened = 1 goes on all the same)")


def test_the_most_frequent_cause_is_named_with_its_own_count() -> None:
    stop = screened_too_much(first((4, (Flag.CUT_OFF,)), (9, (Flag.DUPLICATE,))), SETTINGS)

    assert stop is not None
    assert stop.sentence.startswith("13 of the first 20 completions cannot be used: 9 repeat a sibling")


def test_of_equally_frequent_causes_the_one_that_explains_more_is_named() -> None:
    stop = screened_too_much(first((6, (Flag.DUPLICATE,)), (6, (Flag.CUT_OFF,))), SETTINGS)

    assert stop is not None
    assert stop.cause is Flag.CUT_OFF
