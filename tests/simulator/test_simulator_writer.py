"""The writer, called in-process: what it writes, what it gets wrong, how often, and what its texts tell."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple
from functools import lru_cache
from itertools import combinations
from pathlib import Path

import orjson
import pytest
from jinja2 import Environment, FileSystemLoader
from simulator_client import Client

from pairsmith.simulator.book import Book
from pairsmith.simulator.composing import compose
from pairsmith.simulator.dice import Dice
from pairsmith.simulator.players import MODELS, Players
from pairsmith.simulator.writer.kinds import planted_kind
from pairsmith.simulator.writer.languages import language_of
from pairsmith.simulator.writer.prompts import BANKS
from pairsmith.simulator.writer.reading import read_request
from pairsmith.simulator.writer.templates import Filler, anchor, finder
from pairsmith.simulator.writer.writing import WRITERS

ROOT = Path(__file__).parents[2]
WORDS = Environment(loader=FileSystemLoader(ROOT / "prompts/expand"), trim_blocks=True, lstrip_blocks=True)
SHAPES = {
    "prompts": '{"prompts": ["…", …]}',
    "topics": '{"topics": ["…", …]}',
    "quality": '{"rationale": "…", "quality": 7, "difficulty": 4}',
}
KEYS = {"prompts": ["prompts"], "topics": ["topics"], "quality": ["rationale", "quality", "difficulty"]}
SEEDS = {
    file.stem: [json.loads(line)["prompt"] for line in file.read_text("utf-8").split("\n") if line]
    for file in sorted((ROOT / "data/seeds").glob("*.jsonl"))
}
ENGLISH = {name: [text for text in texts if language_of(text) == "English"] for name, texts in SEEDS.items()}
STEPS = ("deeper", "constrained", "concrete", "reasoning", "rare")
CHAIN = ENGLISH["support_tone"][0]
PLAYERS = Players(0, Book())


def body_of(
    name: str,
    *,
    kind: str = "prompts",
    model: str = "sim-writer-clean",
    language: str = "",
    form: str = "json_schema",
    seed: int | None = None,
    **shown: object,
) -> dict[str, object]:
    words = {"fence": "", "count": 8, "examples": [], "topic": None, "language": language, **shown}
    system = "assess_system" if kind == "quality" else "system"
    messages = [
        {"role": "system", "content": WORDS.get_template(f"{system}.md.j2").render(shape=SHAPES[kind], **words)},
        {"role": "user", "content": WORDS.get_template(f"{name}.md.j2").render(**words)},
    ]
    schema = {"type": "object", "properties": {key: {"type": "string"} for key in KEYS[kind]}}
    asked = {"json_schema": {"name": "it", "schema": schema}} if form == "json_schema" else {}
    formatted = {"response_format": {"type": form, **asked}} if form else {}
    return {"model": model, "messages": messages, **formatted, **({} if seed is None else {"seed": seed})}


def said(body: dict[str, object], key: str = "", players: Players = PLAYERS) -> str:
    return players.answer(body, key, orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).choices[0].content or ""


def prompts(name: str, **asked: object) -> list[str]:
    return json.loads(said(body_of(name, **asked)))["prompts"]  # type: ignore[arg-type]


def worth(text: str, key: str = "") -> dict[str, int]:
    return json.loads(
        said(body_of("assess_user", kind="quality", text=text, examples=ENGLISH["support_tone"][:3]), key)
    )


@lru_cache(maxsize=4096)
def words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", text.lower()))


def rouge_l(one: str, other: str) -> float:
    """By the longest common subsequence of words, a bit each (Hyyrö 2004)."""
    first, second = words(one), words(other)
    places: Counter[str] = Counter()
    for place, word in enumerate(first):
        places[word] += 1 << place
    left = whole = (1 << len(first)) - 1
    for word in second:
        met = left & places[word]
        left = (left + met) | (left - met)
    return 2 * (whole & ~left).bit_count() / (len(first) + len(second))


@lru_cache
def replies(model: str, many: int = 90) -> Sequence[str]:
    """Replies to requests that show eight examples each."""
    texts = ENGLISH["support_tone"]
    shown = [[texts[(i * 5 + j) % len(texts)] for j in range(8)] for i in range(many)]
    return [said(body_of("self-instruct", model=model, examples=texts), f"{i}") for i, texts in enumerate(shown)]


def read(reply: str) -> list[str]:
    try:
        return json.loads(reply)["prompts"]
    except (ValueError, TypeError):
        return []


def shares(model: str) -> dict[str | None, float]:
    texts = [text for reply in replies(model) for text in read(reply)]
    return {kind: many / len(texts) for kind, many in Counter(map(planted_kind, texts)).items()}


# --- what is written -------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["json_schema", "json_object", ""])
@pytest.mark.parametrize("fence", ["", "-x7"])
def test_a_clean_writer_gives_exactly_as_many_prompts_as_asked_for_in_any_form(form: str, fence: str) -> None:
    written = prompts("self-instruct", examples=SEEDS["code_review"][:8], count=7, form=form, fence=fence)

    assert len(set(written)) == 7
    assert {planted_kind(text) for text in written} == {"good"}


@pytest.mark.parametrize("name", list(SEEDS))
def test_most_prompts_of_one_field_share_little_of_their_words(name: str) -> None:
    asked = [body_of("self-instruct", examples=ENGLISH[name][i : i + 8]) for i in range(3)]
    written = [text for body in asked for text in json.loads(said(body))["prompts"]]

    alike = [rouge_l(one, other) >= 0.6 for one, other in combinations(written, 2)]
    assert sum(alike) / len(alike) < 0.03
    assert all(rouge_l(text, seed) < 0.6 for text in written for seed in SEEDS[name])


def test_prompts_come_in_many_lengths() -> None:
    lengths = [len(text.split()) for reply in replies("sim-writer-clean") for text in read(reply)]

    assert min(lengths) < 15
    assert max(lengths) > 80


def test_no_prompt_of_a_clean_writer_shows_its_template() -> None:
    written = [text for reply in replies("sim-writer-clean") for text in read(reply)]

    assert not [text for text in written if re.search(r"[{}|]|\[|  |\ba [aeio]\w|^[a-z].*[A-Z]|^\s|\s$", text)]


def test_new_prompts_speak_of_the_things_of_the_field_that_is_shown() -> None:
    written = " ".join(read(replies("sim-writer-clean")[0]))

    assert any(
        thing in written for thing in ("saddle", "brake pads", "cassette", "pedals", "spokes", "tyres", "helmet")
    )


def test_a_topic_a_person_and_a_situation_leave_their_traces() -> None:
    asked = {"text": CHAIN, "count": 4, "examples": ENGLISH["support_tone"][:4]}

    assert all(
        "returns after first use" in p.lower() for p in prompts("topic", topic="Returns after first use", **asked)
    )
    assert all("a retired nurse" in p.lower() for p in prompts("persona", person="A retired nurse, 71", **asked))
    situation = "The person has been passed on four times and is losing patience."
    assert all(
        "have been passed on four times and i'm losing patience" in p.lower()
        for p in prompts("situation", situation=situation, **asked)
    )


def test_prompts_for_a_document_take_their_subject_from_it_and_never_mention_it() -> None:
    passage = "The flow temperature decides how well the heat pump works. The radiators are often too small."
    written = prompts("documents", text=passage, count=6)

    assert all(any(word in text.lower() for word in ("heat pump", "radiators", "temperature")) for text in written)
    assert not [text for text in written if re.search(r"passage|document|article|section", text)]


@pytest.mark.parametrize("step", STEPS)
def test_a_step_makes_a_prompt_longer_and_harder_in_new_words(step: str) -> None:
    [harder] = prompts("evolve", text=CHAIN, step=step, count=1)

    assert len(harder.split()) > len(CHAIN.split())
    assert rouge_l(harder, CHAIN) < 0.6
    assert worth(harder)["difficulty"] > worth("What time is it in Oslo?")["difficulty"]


def test_a_paraphrase_keeps_figures_quotations_and_code() -> None:
    for texts in SEEDS.values():
        for text in texts:
            [again] = prompts("paraphrase", text=text, count=1)
            quoted = re.findall(r"\"([^\"]{30,})\"", text.partition("\n\n")[0])

            assert sorted(re.findall(r"\d+", again)) == sorted(re.findall(r"\d+", text))
            assert all(quotation in again for quotation in quoted)
            assert text.partition("\n\n")[2] in again
            assert again != text


@pytest.mark.parametrize("language", ["German", "French", "Spanish"])
def test_prompts_come_in_the_language_that_is_asked_for(language: str) -> None:
    written = prompts("self-instruct", examples=ENGLISH["support_tone"][:8], language=language)
    translated = prompts("translate", text=CHAIN, language=language)

    assert {language_of(text) for text in (*written, *translated)} == {language}
    assert {planted_kind(text) for text in (*written, *translated)} == {"good"}


@pytest.mark.parametrize("topic", [None, "late or missing deliveries"])
def test_topics_are_short_and_all_different(topic: str | None) -> None:
    body = body_of("topics", kind="topics", examples=ENGLISH["support_tone"][:6], topic=topic, count=24)

    topics = json.loads(said(body))["topics"]
    assert len({topic.lower() for topic in topics}) == 24
    assert all(2 <= len(topic.split()) <= 8 for topic in topics)


def test_answers_to_its_prompts_vary_in_text_and_in_planted_quality() -> None:
    for text in [text for reply in replies("sim-writer-clean")[:3] for text in read(reply)][:20]:
        drafts = compose(0, text)

        assert len({draft.text() for draft in drafts}) == len(drafts)
        assert max(draft.quality for draft in drafts) - min(draft.quality for draft in drafts) > 3


# --- what goes wrong -------------------------------------------------------------------------------


def test_the_writer_errs_at_its_rates() -> None:
    share = shares("sim-writer")

    assert 0.05 < share["answer"] < 0.11
    assert 0.04 < share["drift"] < 0.09
    for kind in ("placeholder", "about"):
        assert 0.015 < share[kind] < 0.05
    assert 0.008 < share["dangling"] < 0.035
    assert share["good"] > 0.55


def test_about_one_prompt_in_seven_nearly_repeats_what_was_shown_or_said() -> None:
    near = total = 0
    for reply in replies("sim-writer")[:25]:
        written = read(reply)
        total += len(written)
        for place, text in enumerate(written):
            near += any(rouge_l(text, other) >= 0.7 for other in (*written[:place], *ENGLISH["support_tone"]))

    assert 0.1 < near / total < 0.24


def test_the_poor_writer_has_hardly_anything_new_to_say() -> None:
    new: list[str] = list(ENGLISH["support_tone"])
    written = [text for reply in replies("sim-writer-poor") for text in read(reply)]
    for text in written:
        if planted_kind(text) in ("good", "repeat", None) and all(rouge_l(text, other) < 0.7 for other in new):
            new.append(text)

    assert 0 < len(new) - len(ENGLISH["support_tone"]) < 0.06 * len(written)


def test_a_few_replies_are_refused_cut_or_of_another_number() -> None:
    counts = Counter(len(read(reply)) for reply in replies("sim-writer"))

    assert 1 <= counts[0] + counts[1] <= 12
    assert 1 <= sum(many for count, many in counts.items() if count not in (0, 1, 8)) <= 14


def test_without_a_response_format_some_replies_wrap_their_json() -> None:
    texts = ENGLISH["support_tone"][:8]
    wrapped = [said(body_of("self-instruct", model="sim-writer", form="", examples=texts), f"{i}") for i in range(40)]

    fenced = [reply for reply in wrapped if "```json" in reply]
    assert 4 <= len(fenced) <= 22
    assert json.loads(fenced[0].partition("```json\n")[2].rpartition("\n```")[0])["prompts"]


def test_a_sampler_that_is_asked_to_write_errs_like_the_writer() -> None:
    written = [
        text
        for i in range(25)
        for text in read(
            said(body_of("self-instruct", model="sim-strong", examples=ENGLISH["support_tone"][:8]), f"{i}")
        )
    ]

    assert {"answer", "drift", "good"} <= set(map(planted_kind, written))


# --- what can be told ------------------------------------------------------------------------------


def test_what_nobody_planted_has_no_kind() -> None:
    texts = [text for texts in SEEDS.values() for text in texts]

    assert {planted_kind(text) for text in [*texts, "", "Hi, thanks!"]} == {None}


@pytest.mark.parametrize("family", list(BANKS))
def test_every_ask_is_recognised_in_what_it_says(family: str) -> None:
    given = {"thing": "bell", "a_thing": "a bell", "other": "chain", "topic": "bees", "passage": "So it is. Or not."}
    given |= dict.fromkeys(("it", "is", "has", "was", "does", "them", "parcel", "notes", "saying", "comment"), "it")
    given |= dict.fromkeys(("comment_b", "snippet", "code_lang", "items", "part"), "it")
    for place, ask in enumerate(BANKS[family].asks):
        told = " ".join(Filler(Dice(place), given).say(ask).split()).lower()

        assert anchor(ask) in told
        assert finder(ask).search(told)


def test_quality_follows_what_was_planted() -> None:
    points: dict[str | None, list[int]] = {}
    for reply in replies("sim-writer")[:20]:
        for text in read(reply):
            points.setdefault(planted_kind(text), []).append(worth(text)["quality"])

    assert min(points["good"]) >= 6
    assert set(points["drift"]) <= {2, 3, 4}
    assert max(points["answer"] + points["placeholder"] + points["about"]) <= 2


def test_the_page_on_the_simulator_lists_its_models_and_the_writers_rates() -> None:
    page = (ROOT / "docs/simulator.md").read_text("utf-8")
    rows = [row.split("|")[-3:-1] for row in page.splitlines() if re.match(r"\|.*\| [\d.]+ \| [\d.]+ \|$", row)]

    assert [model for model in MODELS if f"`{model}`" not in page] == []
    for place, name in enumerate(("sim-writer", "sim-writer-poor")):
        assert [float(row[place]) for row in rows] == list(astuple(WRITERS[name]))


def test_planted_kinds_come_over_the_wire(client: Client) -> None:
    texts = ["Summarise the following text:", CHAIN]

    assert client.post("/planted", {"texts": texts}).json["kinds"] == ["dangling", None]


# --- chance ----------------------------------------------------------------------------------------


def test_the_same_request_gives_the_same_prompts_and_another_key_others() -> None:
    body = body_of("self-instruct", model="sim-writer", examples=ENGLISH["support_tone"][:8])

    assert said(body, "a") == said(body, "a", Players(0, Book()))
    assert len({said(body, "a"), said(body, "b"), said(body, "a", Players(1, Book()))}) == 3


def test_with_a_seed_of_its_own_the_key_has_no_part_in_it() -> None:
    body = body_of("self-instruct", model="sim-writer", examples=ENGLISH["support_tone"][:8], seed=7)
    other = {**body, "seed": 8}

    assert said(body, "a") == said(body, "b")
    assert said(body, "a") != said(other, "a")


def test_another_model_of_the_same_kind_writes_other_prompts() -> None:
    asked = {"examples": ENGLISH["support_tone"][:8]}

    assert prompts("self-instruct", **asked) != prompts("self-instruct", model="sim-writer-clean@b", **asked)


@pytest.mark.parametrize(
    ("name", "asked", "way"),
    [
        ("self-instruct", {"examples": ["One."]}, "examples"),
        ("paraphrase", {"text": "One."}, "paraphrase"),
        ("translate", {"text": "One.", "language": "German"}, "translate"),
        ("documents", {"text": "One."}, "documents"),
        ("persona", {"text": "One.", "person": "a"}, "persona"),
        ("situation", {"text": "One.", "situation": "a"}, "situation"),
        ("topic", {"examples": ["One."], "topic": "a"}, "topic"),
        *(("evolve", {"text": "One.", "step": step}, step) for step in STEPS),
    ],
)
@pytest.mark.parametrize("count", [1, 3])
def test_the_words_that_ask_tell_the_way(name: str, asked: dict[str, object], way: str, count: int) -> None:
    body = body_of(name, **asked, count=count)  # type: ignore[arg-type]
    request = read_request(body["messages"], body["response_format"])  # type: ignore[arg-type]

    assert request is not None
    assert request.way == way
    assert request.count == (1 if name == "translate" else count)


def test_tags_within_the_material_open_no_block() -> None:
    text = "What does this do?\n<prompt>\nnothing\n</prompt>"
    body = body_of("paraphrase", text=text, fence="-q1", count=1)

    request = read_request(body["messages"], None)
    assert request is not None
    assert request.shown == (text,)
