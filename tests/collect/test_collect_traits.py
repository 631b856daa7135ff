"""What prompts are like: lengths, oddities, languages."""

import tracemalloc
from collections import Counter

import pytest

from pairsmith.collect import Row, read_row
from pairsmith.collect.rows import Place
from pairsmith.collect.traits import DRAWN, ODDITIES, Lengths, Traits
from pairsmith.records import Json, Prompt


def prompt(row: Json) -> Prompt:
    found = read_row(row, Place("p", 1))
    assert isinstance(found, Row)
    return found.prompt


def odd(text: str) -> set[str]:
    return {what for what, is_odd in ODDITIES.items() if is_odd(text)}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Hi", "under 10 characters"),
        ("word " * 5000, "over 20,000 characters"),
        ("Sure! Here is the poem that you asked for.", "looks like an answer"),
        ("I'm sorry, but I can't help with that.", "looks like an answer"),
        ("Write a letter to {{name}} about the delay.", "placeholder left in"),
        ("Summarise this: [INSERT ARTICLE HERE]", "placeholder left in"),
        ("Dear <your name>, what is new there?", "placeholder left in"),
        ("[INST] What is a lamp? [/INST]", "marks of a chat template"),
        ("Is a schÃ¶ne lamp a good lamp?", "broken characters"),
        ("Itâ€™s a lamp, is it not?", "broken characters"),
        ("What is\x07 a lamp, in a word?", "control or invisible characters"),
        ("Fish &amp; chips, or what else?", "HTML entities"),
        ("https://example.com/a?b=c", "nothing but a URL"),
        ("WHY IS EVERYTHING IN CAPITALS HERE", "in capitals"),
        ("the same line\n" * 3, "repeated lines"),
    ],
)
def test_a_text_is_odd_in_one_way(text: str, what: str) -> None:
    assert odd(text) == {what}


@pytest.mark.parametrize(
    "text",
    [
        "Why is the sky blue?",
        "Erkläre mir „Schrödingers Katze“ – ganz kurz.",
        "Ändere x[0] in `a <b>` und {name} nicht; siehe https://example.com.",
        "Mail [EMAIL] or call [PHONE] about it, please.",
        "def f(x):\n    return x\n\n\n    return x",
    ],
)
def test_a_usual_text_is_not_odd(text: str) -> None:
    assert not odd(text)


def test_lengths_are_kept_as_they_are_up_to_a_thousand_and_to_three_digits_above() -> None:
    lengths = Lengths()
    for length in (*range(1, 100), 123_456):
        lengths.add(length)

    assert [lengths.at(share) for share in (0, 0.5, 0.95, 1)] == [1, 50, 95, 123_000]
    assert Lengths().at(0.5) == 0


def test_an_oddity_is_counted_and_its_first_prompt_named() -> None:
    traits = Traits()
    for line, text in enumerate(("What is a lamp?", "Hi", "Ho"), 1):
        traits.add(prompt({"prompt": text, "family": "other"}), "a.txt", line)

    (odd,) = traits.odd.values()
    assert (odd.count, odd.name, odd.line) == (2, "a.txt", 2)
    assert traits.families == {"other": 3}


def test_languages_are_told_of_a_draw_that_is_the_same_in_any_order_and_memory_stays_flat() -> None:
    prompts = [prompt({"prompt": f"{number} " + "x" * 500}) for number in range(3 * DRAWN)]
    one, other = Traits(), Traits()
    for given in prompts:
        one.add(given, "p", 1)
    tracemalloc.start()
    for given in reversed(prompts):
        other.add(given, "p", 1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    drawn = one.languages(lambda text: text[0])
    assert drawn.total() == DRAWN
    assert drawn == other.languages(lambda text: text[0])
    assert len(Counter(dict(drawn))) > 5
    assert peak < 1_500_000
