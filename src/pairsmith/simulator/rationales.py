"""The short sentences with which a simulated judge explains a verdict: they fit what it saw, and vary."""

from collections.abc import Sequence

from pairsmith.simulator.dice import Dice

_SHORT_CHARS, _LONG_CHARS = 160, 700

# From the best to the poorest: the lowest quality that still gets these sentences.
_PRAISE: tuple[tuple[float, tuple[str, ...]], ...] = (
    (8.5, (
        "It is specific, gives reasons and says what to do first.",
        "Concrete advice with an example and a clear limit; little is missing.",
        "It answers the question directly and names the exception that matters.",
        "Every sentence adds something that the reader can use.",
    )),
    (6.5, (
        "It is helpful and correct, though it could be more concrete.",
        "A solid answer in a sensible order; one example more would help.",
        "Most of what is needed is there, and nothing misleads.",
        "Useful steps, but the reasons behind them stay short.",
    )),
    (4.5, (
        "It stays general and leaves the decision to the reader.",
        "Nothing in it is wrong, yet little of it helps.",
        "It touches the subject but gives no concrete step.",
        "An average answer: polite, vague, without an example.",
    )),
    (2.5, (
        "It is mostly filler and hardly speaks to the question.",
        "Commonplaces take the place of advice.",
        "The wording sounds confident, but there is no substance behind it.",
    )),
    (-99.0, (
        "It does not answer the question.",
        "It dismisses the reader and makes claims that are wrong.",
        "What it says is careless and of no use.",
    )),
)  # fmt: skip

_CLOSE = (
    "Both are close; {w} is slightly more specific.",
    "There is little between them, but {w} answers a bit more directly.",
    "{w} is marginally better organised.",
)
_CLEAR = (
    "{w} gives concrete steps where the other stays vague.",
    "{w} answers what was asked; the other drifts away from it.",
    "{w} is more accurate and more useful to the reader.",
    "The other one repeats commonplaces, while {w} gives reasons.",
)
_TIE = (
    "Both say much the same and are equally useful.",
    "I see no difference that would matter to the reader.",
    "Their strengths and weaknesses balance out.",
)
_ORDER = (
    "{best} is the most specific; {worst} adds the least.",
    "{best} answers directly and gives reasons, {worst} hardly speaks to the question.",
    "The most useful one is {best}; {worst} is mostly filler.",
)


def praising(seen: float, text: str, dice: Dice) -> str:
    """Why one answer gets its score: what the seen quality suggests, and its length if that stands out."""
    sentence = next(_one_of(bank, dice) for lowest, bank in _PRAISE if seen >= lowest)
    if len(text) < _SHORT_CHARS:
        return f"{sentence} It is very short."
    if len(text) > _LONG_CHARS:
        return f"{sentence} It is rather long."
    return sentence


def comparing(winner: str, ahead: float, dice: Dice) -> str:
    """Why one of two answers wins; ahead is the seen difference in points."""
    if winner == "tie":
        return _one_of(_TIE, dice)
    return _one_of(_CLEAR if abs(ahead) > 1.0 else _CLOSE, dice).format(w=winner)


def ordering(ranking: Sequence[str], dice: Dice) -> str:
    """What puts the first before the last."""
    return _one_of(_ORDER, dice).format(best=ranking[0], worst=ranking[-1])


def _one_of(bank: Sequence[str], dice: Dice) -> str:
    return bank[dice.below(len(bank))]
