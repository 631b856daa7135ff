"""Composes one prompt: a family's ask, with more told around it, and the traces of what it grew from."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from pairsmith.simulator.dice import Dice
from pairsmith.simulator.writer.banks import ADVICE, CREATIVE, SUPPORT, Bank
from pairsmith.simulator.writer.growing import (
    PERSONS,
    PERSONS_OTHERWISE,
    SITUATIONS,
    SITUATIONS_OTHERWISE,
    TOPICAL,
)
from pairsmith.simulator.writer.languages import COLUMNS, LANGUAGES, NOUNS, NOUNS_AT_HAND, SLOTS_OF, language_of
from pairsmith.simulator.writer.material import family_of, field_of, subject, subjects_of
from pairsmith.simulator.writer.reading import Request
from pairsmith.simulator.writer.services import SERVICE
from pairsmith.simulator.writer.snippets import CODE, NAMES, SNIPPETS
from pairsmith.simulator.writer.steps import STEPS, STEPS_OF
from pairsmith.simulator.writer.tasks import OTHER, REASONING
from pairsmith.simulator.writer.templates import Filler, capital, forms
from pairsmith.simulator.writer.texts import COMMENTS, MODERATION, NOTES, PASSAGES, SAYINGS, SUMMARISATION, TRANSLATION
from pairsmith.simulator.writer.things import FIELDS, SLOTS

BANKS: dict[str, Bank] = {
    "support": SUPPORT, "service": SERVICE, "advice": ADVICE, "creative": CREATIVE, "reasoning": REASONING,
    "other": OTHER, "summarisation": SUMMARISATION, "translation": TRANSLATION, "moderation": MODERATION, "code": CODE,
}  # fmt: skip
# How a prompt is built: t tells, a asks, w wants; the first are the most frequent.
_SHAPES = ("a", "aw", "ta", "at", "taw", "atw", "a", "tatw", "ttaw", "tatww", "aw", "ttatww")
_LONG_SHAPES = ("taw", "atw", "tatw", "ttaw", "tatww")
_STEPS = frozenset(STEPS)
_OWN_SUBJECT = {"creative": 0.5, "other": 0.4}
_LOWERED = 0.07
_TOPICAL = 0.7
# Families whose own sentences may stand around an ask on a topic.
_TOPICS_OWN = frozenset({"support", "service", "advice", "code"})
# Families whose prompts are pieces of work: which steps make them harder.
_WORK = {
    "code": "code", "creative": "creative", "summarisation": "texts", "translation": "texts", "moderation": "texts",
}  # fmt: skip
# A family that fewer than one in so many of the material have is taken for a mistake.
_A_FEW = 4
_TEXT_BEHIND = "\n\n{snippet}"
_NUMBERS = re.compile(r"\d+(?:[.,]\d+)?")


@dataclass(slots=True)
class Written:
    """What has been used in ONE reply, so that the next prompt takes something else."""

    asks: set[str] = field(default_factory=set)
    things: set[str] = field(default_factory=set)


def compose_prompt(request: Request, dice: Dice, written: Written) -> str:
    """One prompt that grows from the material, by the way that is asked for."""
    model = request.shown[dice.below(len(request.shown))] if request.shown else request.given
    language = request.language or language_of(model)
    if language in LANGUAGES:
        return _foreign(language, request, model, dice, written)
    family = "other" if request.way == "documents" else _family(request.shown, model)
    matter = field_of((*request.shown, request.given)) or list(FIELDS)[dice.below(len(FIELDS))]
    if family == "support" and matter == "services":
        family = "service"
    filler = _filler(request, family, model, dice, _things(matter, dice, written))
    return _built(request, family, filler, dice, written)


def _family(shown: Sequence[str], model: str) -> str:
    """The model's family, if others of the material are of it, too; else that of most."""
    families = Counter(map(family_of, shown))
    own, most = family_of(model), families.most_common(1)
    return own if not most or _A_FEW * families[own] >= len(shown) else most[0][0]


def _built(request: Request, family: str, filler: Filler, dice: Dice, written: Written) -> str:
    asks, bank = _asks(request, family, dice)
    ask = _unused(asks, dice, written.asks)
    shapes = _LONG_SHAPES if request.way in _STEPS else _SHAPES
    shape = shapes[dice.below(len(shapes))]
    snippet = ask.endswith(_TEXT_BEHIND)
    told = capital(filler.say(ask.removesuffix(_TEXT_BEHIND)))
    before, behind = _around(shape, bank, filler, dice)
    if request.way in _STEPS or request.way in ("persona", "situation"):
        trace = capital(_trace(request, family, filler, dice))
        behind, before = ([trace, *behind], before) if _follows(request.way, dice) else (behind, [trace, *before])
    if snippet:
        told = f"{told}\n\n{filler['snippet']}"
        return _joined([" ".join([*before, told]), " ".join(behind)], "\n\n")
    text = _joined([*before, told, *behind], " ")
    return text.lower().removesuffix(".") if shape in ("a", "aw") and dice.uniform() < _LOWERED else text


def _asks(request: Request, family: str, dice: Dice) -> tuple[Sequence[str], Bank]:
    """What may be asked, and the bank of what may stand around it."""
    bank = BANKS[family]
    if request.way != "topic":
        return bank.asks, bank
    if family in TOPICAL and dice.uniform() < _TOPICAL:
        return TOPICAL[family], bank if family in _TOPICS_OWN else OTHER
    if family == "creative":
        return [ask for ask in bank.asks if "{topic}" in ask], bank
    return OTHER.asks, OTHER


def _follows(way: str, dice: Dice) -> bool:
    """Whether the trace stands behind the ask: a step always does, since it goes on from there."""
    return way in _STEPS or dice.uniform() < 0.4


def _around(shape: str, bank: Bank, filler: Filler, dice: Dice) -> tuple[list[str], list[str]]:
    """What stands before the ask and behind it, in the order of the shape; nothing is said twice."""
    tells, wants = _shuffled(bank.tells, dice), _shuffled(bank.wants, dice)
    adds = _shuffled((*bank.adds, *tells[3:]), dice)
    first, last = shape.split("a")
    before = [tells.pop(0) for _ in first]
    behind = [wants.pop() if piece == "w" else adds.pop() for piece in last]
    return [capital(filler.say(one)) for one in before], [capital(filler.say(one)) for one in behind]


def _joined(parts: Sequence[str], between: str) -> str:
    """The parts one after the other, each but the last with a full stop if it has no end of its own."""
    ended = [f"{part}." if part[-1:].isalnum() and between == " " else part for part in parts[:-1]]
    return between.join(part for part in [*ended, parts[-1]] if part)


def _several(bank: Sequence[str], many: int, filler: Filler, dice: Dice) -> list[str]:
    return [filler.say(template) for template in _shuffled(bank, dice)[:many]]


def _shuffled(bank: Sequence[str], dice: Dice) -> list[str]:
    return sorted(bank, key=lambda _: dice.uniform())


def _unused(bank: Sequence[str], dice: Dice, used: set[str]) -> str:
    """A template that this reply has not used; any once all are."""
    left = [template for template in bank if template not in used] or list(bank)
    chosen = left[dice.below(len(left))]
    used.add(chosen)
    return chosen


# --- what fills the slots -------------------------------------------------------------------------


def _things(matter: str, dice: Dice, written: Written) -> dict[str, str]:
    """A thing of the field that the reply has not spoken of, and another one beside it."""
    thing, other = _unused(FIELDS[matter], dice, written.things), _unused(FIELDS[matter], dice, written.things)
    return {**forms(thing), "other": other}


def _filler(request: Request, family: str, model: str, dice: Dice, things: dict[str, str]) -> Filler:
    given = {
        **things,
        "topic": _topic(request, family, model, dice),
        "who": SLOTS["who"][dice.below(len(SLOTS["who"]))],
    }
    filler = Filler(dice, given)
    _give_texts(family, filler, dice)
    return filler


def _topic(request: Request, family: str, model: str, dice: Dice) -> str:
    if request.way == "topic":
        return request.given[:1].lower() + request.given[1:] if not request.given[:2].isupper() else request.given
    if request.way == "documents":
        return subject([request.given], dice, own=0.0)
    return subject([model], dice, own=_OWN_SUBJECT.get(family, 0.5))


def _give_texts(family: str, filler: Filler, dice: Dice) -> None:
    """Fill the slots of whole texts, as far as the family has them."""
    if family == "summarisation":
        matter = list(PASSAGES.values())[dice.below(len(PASSAGES))]
        filler.give("passage", " ".join(_several(matter, 2 + (dice.uniform() < 0.3), filler, dice)))
        filler.give("notes", " ".join(capital(note) for note in _several(NOTES, 2 + dice.below(3), filler, dice)))
    elif family == "translation":
        filler.give("saying", " ".join(_several(SAYINGS, 1 + (dice.uniform() < 0.4), filler, dice)))
    elif family == "moderation":
        comment, comment_b = _several(COMMENTS, 2, filler, dice)
        filler.give("comment", comment)
        filler.give("comment_b", comment_b)
    elif family == "code":
        language, snippet = SNIPPETS[dice.below(len(SNIPPETS))]
        names = {name: bank[dice.below(len(bank))] for name, bank in NAMES.items()}
        filler.give("code_lang", language)
        filler.give("snippet", _named(snippet, names))
        filler.give("items", names["item"] + "s")
        filler.give("part", names["part"])


def _named(snippet: str, names: dict[str, str]) -> str:
    """The snippet with its names: $item becomes order, $Item Order, $STORE CACHE."""
    forms_of: dict[str, str] = {}
    for name, word in names.items():
        forms_of |= {name: word, name.capitalize(): capital(word), name.upper(): word.upper()}
    longest_first = sorted(forms_of, key=len, reverse=True)
    return re.sub(r"\$(" + "|".join(longest_first) + ")", lambda match: forms_of[match[1]], snippet)


# --- traces of the material ------------------------------------------------------------------------


def _trace(request: Request, family: str, filler: Filler, dice: Dice) -> str:
    bank: Sequence[str]
    if request.way in _STEPS:
        bank = STEPS_OF.get(_WORK.get(family, ""), STEPS)[request.way]
    else:
        bank = _person(request, filler) if request.way == "persona" else _situation(request, filler)
    return filler.say(bank[dice.below(len(bank))])


def _person(request: Request, filler: Filler) -> Sequence[str]:
    first = re.split(r"[,;.:]", request.given, maxsplit=1)[0].strip()
    if re.match(r"(?:a|an|the|some(?:one|body)) \w", first, re.IGNORECASE):
        filler.give("person", first[:1].lower() + first[1:])
        return PERSONS
    found = subjects_of(request.given) or [first[:60].lower() or "time"]
    filler.give("trait", found[0])
    return PERSONS_OTHERWISE


_PERSON = r"\bthe (?:person|user|customer)"
# What is told of the person, as that person would tell it; the last ones only where there is one.
_AS_I = (
    (rf"{_PERSON} is\b", "I'm"),
    (rf"{_PERSON} has\b", "I have"),
    (rf"{_PERSON} does\b", "I do"),
    (rf"{_PERSON} (\w+?)s\b", r"I \1"),
    (rf"{_PERSON}\b", "I"),
    (r"\band (?:is|are)\b", "and I'm"),
    (r"\band has\b", "and I have"),
    (r"\band does not\b", "and don't"),
    (r"\band (want|know|need|think|like|live)s\b", r"and \1"),
    (r"\b(?:their|his|her)\b", "my"),
)
_WHEN = re.compile(
    r"(?:in|on|at|before|after|during|while|with|without|late|the (?:night|day|morning|evening|week)|just|between|under"
    r"|from|an hour|two|three|minutes|shortly|right)\b", re.IGNORECASE)  # fmt: skip


def _situation(request: Request, filler: Filler) -> Sequence[str]:
    first = re.split(r"[.;!?]", request.given, maxsplit=1)[0].strip()
    if re.search(_PERSON, first, re.IGNORECASE):
        for words, own in _AS_I:
            first = re.sub(words, own, first, flags=re.IGNORECASE)
    filler.give("situation", first if first.startswith(("I ", "I'")) else first[:1].lower() + first[1:])
    return SITUATIONS_OTHERWISE if _WHEN.match(first) else SITUATIONS


# --- other languages -------------------------------------------------------------------------------


def _foreign(language: str, request: Request, model: str, dice: Dice, written: Written) -> str:
    """A prompt in one of LANGUAGES: the noun and the numbers of the material, in sentences of that language."""
    bank = LANGUAGES[language]
    given = {"noun": _noun(language, f"{model} {request.given}", dice)}
    numbers = _NUMBERS.findall(model)
    given |= dict(zip(("price", "num"), sorted(numbers, key=len, reverse=True), strict=False))
    filler = Filler(dice, given, {**SLOTS, **SLOTS_OF[language]})
    shape = _SHAPES[dice.below(len(_SHAPES))]
    ask = capital(filler.say(_unused(bank.asks, dice, written.asks)))
    before, behind = _around(shape, bank, filler, dice)
    return " ".join([*before, ask, *behind])


def _noun(language: str, text: str, dice: Dice) -> str:
    words = set(re.findall(r"[a-zà-ÿ]+", text.lower()))
    found = [nouns[COLUMNS[language]] for word, nouns in NOUNS.items() if word in words]
    found += [noun for nouns in NOUNS.values() if (noun := nouns[COLUMNS[language]]).lower() in words]
    bank = found if found and dice.uniform() < 0.8 else NOUNS_AT_HAND[language]
    return bank[dice.below(len(bank))]
