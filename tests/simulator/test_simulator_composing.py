from collections import Counter
from statistics import correlation, mean, stdev

from hypothesis import given
from hypothesis import strategies as st

from pairsmith.simulator.composing import compose, planted_quality
from pairsmith.simulator.sentences import BANKS, OPENINGS

PROMPTS = [f"How should our small shop handle the late parcel number {i} of a customer?" for i in range(200)]


@given(st.integers(0, 5), st.text(max_size=300))
def test_the_quality_of_a_composed_text_can_be_read_from_it_whatever_the_prompt(seed: int, prompt: str) -> None:
    drafts = compose(seed, prompt)
    texts = [draft.text() for draft in drafts]

    assert len(set(texts)) == len(texts) == 16
    assert [planted_quality(f" {text}\n") for text in texts] == [draft.quality for draft in drafts]


@given(st.text(max_size=200))
def test_a_text_that_nobody_composed_has_no_planted_quality(text: str) -> None:
    assert planted_quality(text) is None


def test_one_foreign_sentence_makes_a_text_unknown() -> None:
    text = compose(0, PROMPTS[0])[0].text()

    assert planted_quality(f"{text} I added this.") is None


def test_a_cut_off_text_is_worth_less() -> None:
    draft = compose(0, PROMPTS[0])[0]
    cut = planted_quality(draft.text()[:-10])

    assert cut is not None
    assert cut < draft.quality


def test_qualities_of_one_prompt_spread_by_about_two_points() -> None:
    spreads = [stdev(draft.quality for draft in compose(0, prompt)) for prompt in PROMPTS]
    means = [mean(draft.quality for draft in compose(0, prompt)) for prompt in PROMPTS]

    assert 1.8 < mean(spreads) < 2.5
    assert 5.0 < mean(means) < 6.2


def test_longer_drafts_are_only_a_little_better() -> None:
    drafts = [draft for prompt in PROMPTS for draft in compose(0, prompt)]

    assert 0.2 < correlation([len(d.text()) for d in drafts], [d.quality for d in drafts]) < 0.4


def test_no_two_prompts_share_a_text() -> None:
    texts = [draft.text() for prompt in PROMPTS for draft in compose(0, prompt)]

    assert len(set(texts)) > 0.98 * len(texts)


def test_the_text_names_words_of_the_prompt() -> None:
    text = " ".join(
        draft.text() for draft in compose(0, "Write a polite email asking my landlord to repair the heating")
    )

    assert "your landlord" in text
    assert "the heating" in text
    assert "{" not in text


def test_every_sentence_of_the_banks_can_be_told_from_the_others() -> None:
    sentences = [s for bank in (*BANKS.values(), *OPENINGS.values()) for s in bank]
    heads = Counter(tuple(s.partition("{")[0].split()[:3]) for s in sentences)

    assert [head for head, many in heads.items() if many > 1] == []
    assert all(heads)
    assert all(len(bank) >= 20 for bank in BANKS.values())
