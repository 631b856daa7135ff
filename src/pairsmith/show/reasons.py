"""What the words of the ledger mean: why an answer is screened, why a prompt is no pair, why calls failed.

Called by the command line (explain) and by the report.
"""

from __future__ import annotations

from http import HTTPStatus

FLAGS = {
    "empty": "it is empty",
    "cut_off": "it was cut off",
    "refusal": "it refuses",
    "reasoning_left": "reasoning is left in it",
    "tool_call": "it calls a tool",
    "mended": "it held broken characters",
    "unfinished": "it stops in mid-sentence",
    "duplicate": "a sibling says the same",
    "check": "a screen of the recipe's refused it",
}
# Why there is no pair. What would change it is said by cli/reasoned.py, with numbers.
REASONS = {
    "too_few_completions": "fewer than two completions can be used",
    "too_few_scored": "fewer than two usable completions have a score",
    "tie": "all completions are equally good, and a tie is no preference",
    "gap_too_small": "the couple is not far enough apart",
    "chosen_below_floor": "no chosen answer would be good enough",
    "equal_sides": "both sides would be the same text",
    "order_conflict": "the two orders of a comparison contradict each other: the judge goes by position, or by a hair",
    "duel_tie": "compared side by side, neither is better in either order",
    "judges_disagree": "compared side by side, the one with the higher score did not win",
    "no_verdict": "a verdict that was needed was lost",
    "too_long_to_rank": "the answers together are too long for one listwise prompt",
    "strategy_declined": "the recipe's own strategy picks no pair",
    "sides_missing": "no couple that `sides` allows passes the gates",
    "refusal_side": "a refusal may not stand on that side",
    "cut_off_side": "an answer that was cut off may not stand on that side",
    "unfinished_side": "an unfinished answer may not stand on that side",
    "rejected_above_ceiling": "the rejected answer would be too good",
    "length_ratio": "the lengths differ too much",
    "token_ratio": "the lengths in tokens differ too much",
    "near_duplicates": "the two use nearly the same words",
    "equal_after_cut": "cut to the trainer's length the two are the same",
    "other_language": "an answer is in another language than was asked for",
    "human_tie": "people prefer neither of the answers to the other",
}
# Why calls failed; a word that is not here speaks for itself.
FAILURES = {
    "context_length": "the prompt is longer than the model takes",
    "content_filter": "the server's content filter refused it",
    "timeout": "no answer came in time",
    "unreachable": "the server could not be reached",
    "reset": "the connection broke off",
    "bad_request": "the server refused the request as it was put",
    "too_large": "the request is larger than the server takes",
    "not_json": "what came was no JSON",
    "html": "what came was a web page",
    "no_choices": "the reply held no answer",
    "error_in_200": "the server sent an error and called it an answer",
    "over_token_limit": "it takes more tokens than the limit a minute allows",
    "open": "under way, or lost with its process",
}


def meaning(word: str) -> str:
    """What a reason says in words; "" where its word is all there is."""
    return REASONS.get(word) or FAILURES.get(word) or _of_status(word)


def _of_status(word: str) -> str:
    """Of http_429 and the like."""
    number = word.removeprefix("http_")
    try:
        return f"the server said: {HTTPStatus(int(number)).phrase}" if number != word else ""
    except ValueError:  # a number that stands in no list
        return ""
