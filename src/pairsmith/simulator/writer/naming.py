"""Names topics: of a field, and of a part of it."""

from pairsmith.simulator.dice import Dice
from pairsmith.simulator.writer.material import family_of, field_of
from pairsmith.simulator.writer.reading import Request
from pairsmith.simulator.writer.things import FIELDS, SLOTS, SUBJECTS
from pairsmith.simulator.writer.topics import ASPECTS, PARTS, TOPICS

# Share of the topics that are about a thing of the field, where the field has things.
_OF_THINGS = 0.4
_LONGEST_WORDS = 4


def name_topics(request: Request, dice: Dice) -> list[str]:
    """As many topics as asked for, all different."""
    named: dict[str, None] = {}
    ready = _shuffled(_ready(request), dice)
    for tries in range(20 * request.count):
        if len(named) == request.count:
            break
        of_things = not request.given and dice.uniform() < _OF_THINGS
        topic = ready.pop() if ready and not of_things else _aspect(request, dice)
        named.setdefault(topic if tries < 10 * request.count else f"{topic} {tries}")
    return list(named)


def _ready(request: Request) -> list[str]:
    """Topics that need no making: those of the families shown; or the parts of the topic given."""
    if request.given:
        words = request.given.split()
        topic = " ".join(words[-_LONGEST_WORDS:]) if len(words) > _LONGEST_WORDS else request.given
        return [part.format(t=topic[:1].lower() + topic[1:]) for part in PARTS]
    families = dict.fromkeys(map(family_of, request.shown)) or {"other": None}
    return list(dict.fromkeys(topic for family in families for topic in TOPICS[family]))


def _aspect(request: Request, dice: Dice) -> str:
    if request.given:
        return f"{request.given} in {_one(SLOTS['town'], dice)}"
    field = field_of(request.shown)
    if not field:
        return _one(SUBJECTS, dice)
    thing = _one(FIELDS[field], dice)
    many = thing if thing.endswith("s") and not thing.endswith("ss") else f"{thing}s"
    return _one(ASPECTS, dice).format(a=many)


def _one(bank: tuple[str, ...], dice: Dice) -> str:
    return bank[dice.below(len(bank))]


def _shuffled(topics: list[str], dice: Dice) -> list[str]:
    return sorted(topics, key=lambda _: dice.uniform())
