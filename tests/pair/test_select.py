from hypothesis import given
from pair_makers import SETTINGS, Evidence, completion, evidence, score

from pairsmith.pair.select import Couple, choose, standings
from pairsmith.pair.settings import PairSettings


def chosen(texts: dict[str, tuple[str, float]], verify_gap: float = 1.0, min_gap: float = 3.0) -> tuple[str, str]:
    """(chosen, rejected) among completions of these texts and points."""
    ranked = standings(
        [completion(ident, text) for ident, (text, _) in texts.items()],
        [score(ident, points) for ident, (_, points) in texts.items()],
    )
    couple = choose(ranked, verify_gap, min_gap)
    assert couple is not None
    return couple.chosen.completion.id, couple.rejected.completion.id


def test_among_rejects_near_the_worst_the_one_closest_in_length_is_taken() -> None:
    texts = {"best": ("x" * 100, 9.0), "worst": ("y" * 10, 2.0), "near": ("z" * 90, 2.5), "far": ("w" * 100, 2.6)}

    assert chosen(texts) == ("best", "near")


def test_a_reject_is_not_taken_for_its_length_when_that_would_cost_a_duel() -> None:
    texts = {"best": ("x" * 100, 8.0), "worst": ("y" * 10, 5.0), "near": ("z" * 100, 5.4)}

    assert chosen(texts) == ("best", "worst")
    assert chosen(texts, min_gap=4.0) == ("best", "near")


def test_among_equally_good_best_the_one_closest_in_length_to_the_reject_is_taken() -> None:
    texts = {"a": ("x" * 100, 9.0), "b": ("y" * 30, 9.0), "worst": ("z" * 20, 2.0)}

    assert chosen(texts) == ("b", "worst")


def test_of_rejects_equally_close_the_lower_is_taken_and_then_the_smaller_id() -> None:
    best = ("x" * 20, 9.0)

    assert chosen({"best": best, "r1": ("y" * 10, 2.4), "r2": ("z" * 10, 2.0)}) == ("best", "r2")
    assert chosen({"best": best, "r2": ("y" * 10, 2.0), "r1": ("z" * 30, 2.0)}) == ("best", "r1")


@given(evidence(), SETTINGS)
def test_the_chosen_is_a_best_and_the_rejected_lies_near_the_worst(
    given_evidence: Evidence, settings: PairSettings
) -> None:
    ranked = standings(*given_evidence[:2])
    couple = choose(ranked, settings.verify_gap, settings.min_gap) if len(ranked) > 1 else None

    assert couple is None or _fits(couple, ranked[0].mean, ranked[-1].mean)


def _fits(couple: Couple, best: float, worst: float) -> bool:
    return abs(couple.chosen.mean - best) < 1e-9 and couple.rejected.mean <= worst + 0.5 + 1e-9 and couple.gap > 0
