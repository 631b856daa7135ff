"""The simulator knows anchors: what their answers are worth, and which judges fall for how the bad ones look."""

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import mean

import pytest
from simulator_client import Client

from pairsmith.simulator import Settings, running
from pairsmith.simulator.__main__ import read_settings
from pairsmith.simulator.book import Book, appearance

PLAIN = {"id": "p", "kind": "plain", "prompt": "Is 91 a prime?", "good": "No: it is 7 times 13.", "bad": "Yes, it is."}
TRAP = {**PLAIN, "id": "t", "kind": "adversarial", "bad": "It most certainly is a prime, as anyone can see."}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "anchors.jsonl").write_text("".join(json.dumps(row) + "\n" for row in (PLAIN, TRAP)))
    return tmp_path


@pytest.fixture
def asked(folder: Path, book_folder: Path) -> Iterator[Client]:
    with running(Settings(book=(book_folder, folder))) as simulator, Client(simulator.base_url) as client:
        yield client


def scores(client: Client, model: str, text: str) -> float:
    """The mean of many calls."""
    said = [client.judge("score", [text], model=model, key=str(key)).text for key in range(60)]
    return mean(json.loads(text)["score"] for text in said if text.startswith('{"rationale"') and text.endswith("}"))


def test_both_answers_of_an_anchor_have_their_worth(asked: Client) -> None:
    assert asked.truth([PLAIN["good"], PLAIN["bad"], TRAP["bad"]]) == [8.5, 3.0, 3.0]


def test_a_model_may_answer_an_anchor(asked: Client) -> None:
    assert asked.chat(PLAIN["prompt"]).text in (PLAIN["good"], PLAIN["bad"], TRAP["bad"])


def test_only_the_bad_answer_of_an_adversarial_anchor_looks_better_than_it_is(folder: Path) -> None:
    book = Book.read(folder)

    assert [book.quality(appearance(text)) for text in (PLAIN["good"], PLAIN["bad"], TRAP["bad"])] == [None, None, 9.0]


@pytest.mark.parametrize(("model", "low", "high"), [("sim-judge", 3, 4.5), ("sim-judge-middle", 4.5, 7)])
def test_a_better_judge_falls_less_for_looks(asked: Client, model: str, low: float, high: float) -> None:
    assert low < scores(asked, model, TRAP["bad"]) < high


def test_a_weak_judge_takes_looks_for_worth(asked: Client) -> None:
    assert scores(asked, "sim-judge-noisy@a", TRAP["bad"]) > scores(asked, "sim-judge-noisy@a", PLAIN["bad"]) + 3


def test_a_book_may_lie_in_several_folders(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"

    assert read_settings(["--book", str(one), "--book", str(other)]).book == (one, other)
    assert read_settings(["--book", str(one)]).book == one
    assert read_settings([]).book is None


def test_judging_is_what_it_was_where_no_anchor_is_shown(asked: Client, book_folder: Path) -> None:
    texts = ["An answer that nobody planted.", "Another one of unknown worth."]
    with running(Settings(book=book_folder)) as plain, Client(plain.base_url) as without:
        for model in ("sim-judge", "sim-judge-middle", "sim-judge-noisy"):
            assert asked.judge("winner", texts, model=model).raw == without.judge("winner", texts, model=model).raw
