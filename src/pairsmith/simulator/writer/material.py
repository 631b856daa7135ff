"""What material is about: its family, its field, its subjects. By words alone, as a model that skims would."""

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from pairsmith.simulator.dice import Dice
from pairsmith.simulator.sentences import STOPWORDS
from pairsmith.simulator.writer.things import FIELD_WORDS, FIELDS, SUBJECTS

# Texts remembered: the same examples are shown again and again within seconds.
_REMEMBERED = 1024
_WORD = re.compile(r"[A-Za-zÀ-ÿ'’-]+")
_QUOTED = re.compile(r"[\"“„«][^\"”“»]{40,}[\"”“»]", re.DOTALL)
# Words that speak for a family; the first one that has most of them wins.
_SPEAKS_FOR: dict[str, str] = {
    "code": r"function|regex|sql|python|rust|javascript|git|api|script|code review|json|bug|css|docker|query|unit test",
    "translation": r"translat\w*|subtitles?|(?:into|in|auf|to|ins) (?:german|french|spanish|italian|dutch|polish"
    r"|danish|latin|english|portuguese|swedish|chinese|englische)",
    "moderation": r"moderat\w+|comments?|forum|banned?|reported|delete|insult|posted|allowed|posts?|rules?|members?"
    r"|thread|spam|remove|group|harass\w*|hate|flag\w*|community|censor\w*",
    "summarisation": r"summar\w+|mean|plain|simply|simple|normal words|shorten|sentences|notice|decisions|headline"
    r"|explain the last|einfacher sprache|significa|shrink|bullet points|short version|key points",
    "support": r"order\w*|parcel|refund|return|deliver\w*|bought|invoice|subscription|discount|guarantee|paid|sell"
    r"|your (?:page|shop|man|site|app)|you sent|shipp?\w*|cancel|price|colis|rembours\w+|customer|charged|warranty",
    "creative": r"poem|story|stories|novel|rhyme|lyrics|toast|scene|limerick|characters?|dialogue|fairy|invent|slogan"
    r"|villain|haiku|monologue|funny|narrator|chapter",
    "reasoning": r"how many|how old|how long does|probab\w+|average|percent|cheaper|calculate|logic\w*|puzzle|argument"
    r"|suspects?|per (?:hour|day|month)|litres|km/h|odds|chance",
    "advice": r"should i|how do i (?:say|tell|get|ask)|friend|ideas|worr\w+|feel|afraid|ashamed|i don't want to"
    r"|i can't (?:stand|say)|my (?:boss|wife|husband|mother|father|brother|sister|colleague|uncle|partner|neighbour"
    r"|son|daughter|in-laws)",
}
_MARKS = {family: re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for family, words in _SPEAKS_FOR.items()}
_CODE = re.compile(r"[;{}]\s*$|^\s*(?:def|class|func|fn) \w+|=>|\w\(\)|^\s*\w+ = \w+|^#!/", re.M)
_DETERMINERS = frozenset("the a an my our your his her their".split())  # noqa: SIM905
_AFTER_NOUN = frozenset(
    """of for with in on at is was are were has have had and or to from by that which who when if but will can
    would""".split()  # noqa: SIM905
)
_NO_SUBJECT = frozenset(
    """same last first next whole other text prompt example question answer way lot bit day week month year time thing
    things person people someone rest middle left right end beginning point number kind sort case son daughter mother
    father man woman wife husband uncle aunt sister brother friend boss neighbour colleague grandfather grandmother
    doctor word sentence thread member author post board company page one ones party front back own itself
    cost price""".split()  # noqa: SIM905
)
_FIGURE = re.compile(r"\d+")
_MANY_FIGURES = 4
_TOKEN = re.compile(r"[\w'’-]+|[^\w\s]")


@lru_cache(maxsize=_REMEMBERED)
def family_of(text: str) -> str:
    """The family of one prompt; "other" where nothing tells."""
    if _CODE.search(text):
        return "code"
    votes = {family: len(marks.findall(text)) for family, marks in _MARKS.items()}
    if _QUOTED.search(text):
        votes = {family: votes[family] + (votes[family] > 0) for family in ("translation", "moderation")} | {
            "summarisation": votes["summarisation"] + 2
        }
    elif len(_FIGURE.findall(text)) >= _MANY_FIGURES:
        votes["reasoning"] += 2
    best = max(votes, key=votes.__getitem__)
    return best if votes[best] else "other"


@lru_cache(maxsize=_REMEMBERED)
def field_of(texts: tuple[str, ...]) -> str:
    """The field whose words the texts hold most of; "" where none is found."""
    words = Counter(word.lower() for text in texts for word in _WORD.findall(text))
    scores = {field: sum(words[word] for word in vocabulary) for field, vocabulary in _VOCABULARIES.items()}
    best = max(scores, key=scores.__getitem__)
    return best if scores[best] else ""


@lru_cache(maxsize=_REMEMBERED)
def subjects_of(text: str) -> list[str]:
    """What a text speaks of, as phrases with their article, the most frequent first."""
    tokens = _TOKEN.findall(text)
    found: Counter[str] = Counter()
    for i, token in enumerate(tokens[:-2]):
        if token.lower() in _DETERMINERS:
            found.update(_nouns(tokens[i + 1 : i + 4]))
    return [f"the {nouns}" for nouns, _ in found.most_common(12)]


def subject(texts: Sequence[str], dice: Dice, own: float) -> str:
    """One subject of the texts; or, with a chance of `own` and where they have none, one that comes to mind."""
    found = subjects_of("\n".join(texts)) if dice.uniform() >= own else []
    bank = found or SUBJECTS
    return bank[dice.below(len(bank))]


def _nouns(tokens: Sequence[str]) -> list[str]:
    """The one or two words between an article and what can only stand behind a noun."""
    for many in (1, 2):
        words, behind = tokens[:many], tokens[many] if len(tokens) > many else ""
        if not all(_can_be_noun(word) for word in words):
            return []
        if behind.lower() in _AFTER_NOUN or behind in (".", ",", "?", "!", ":", ";"):
            return [" ".join(words).lower()]
    return []


def _can_be_noun(word: str) -> bool:
    low = word.lower()
    return 2 < len(word) < 20 and word.isalpha() and low not in STOPWORDS and low not in _NO_SUBJECT and not (
        low.endswith(("ed", "ly", "ing")))  # fmt: skip


_VOCABULARIES = {
    field: frozenset(words.split()) | frozenset(thing.split()[-1] for thing in FIELDS[field])
    for field, words in FIELD_WORDS.items()
}
