"""Which texts are no prompts: answers, refusals, templates with blanks, remarks about prompts. By their looks alone.

Precise rather than complete: what looks like a prompt that people send passes, and a judge, if one is asked, decides
on the rest. What is found was tried on the prompts and answers that ship with pairsmith (tests/collect).
"""

from __future__ import annotations

import re
from collections.abc import Callable

TOO_SHORT, TOO_LONG, REFUSAL, ANSWER = "too short", "too long", "a refusal", "an answer"
BLANKS, ABOUT, DANGLING = "blanks left in it", "about a prompt or a text", "breaks off"
LEAST_LETTERS = 6
LEAST_TEXT_CHARS = 250  # up to here an announced text has to be set apart to be seen
FEW_WORDS = 16  # a request of so few may be a mere phrase: "a limerick about a dentist from Cork"
KNOWN = ("en", "de", "fr", "es")  # languages in which it is told whether a text asks for anything

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|„[^“”]*[“”]|«[^»]*»")


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_FILL = (
    r"insert|your|my|add|enter|fill|name|company|product|topic|subject|date|city|country|title|author|url|link|email"
    r"|address|number|amount|position|role|text|here|placeholder|specific|hier|ihre?|deine?|votre|nom|tu|nombre"
)
_BLANKS = _any(
    rf"\[(?:{_FILL})\b[^\]\n]{{0,60}}\](?!\()",
    rf"<(?:{_FILL})\b[^>\n=]{{0,40}}>",
    r"\{\{[^}\n]{0,40}\}\}",
    rf"\B\{{(?:{_FILL})[a-z_ ]*\}}",
    r"(?<!\w)_{3,}(?!\w)|\blorem ipsum\b|\bXXX+\b|\(insert\b",
)
_CAPITALS = re.compile(r"\[[A-Z]{2,}(?:[ _/-][A-Z]+)*\]")
_TEXTS = r"(?:passage|excerpt|document|article|text|section|code|table|image|e-?mail|file|screenshot)"
_ABOUT = _any(
    r"^\W*(?:(?:new|rewritten|evolved|created|generated|given|example|sample|user)\s+)?(?:prompt|task|instruction"
    r"|question|aufgabe|frage|consigne|tarea|pregunta)s?\s*(?:#?\d+)?\W{0,3}:",
    r"\b(?:rewritten|given|created|evolved) prompt\b|\bthe prompt (?:above|below)\b|\bas an ai\b",
    r"\bin this prompt\b|\bwrite (?:an? )?prompts?\b|\bprompts? (?:in which|where|that asks?)\b|\bhere is an? prompt\b",
    r"\bthe user (?:wants|asks|is asking)\b|\bin my (?:last|previous|earlier) message\b",
    r"\bas i (?:said|wrote) (?:above|earlier)\b|\bhere is an answer\b",
    r"^\W*(?:an? )?(?:variation|variant|version|rewording) (?:on|of) the (?:example|prompt)",
    rf"\b(?:the|this) {_TEXTS} (?:above|provided|attached)\b|\b(?:above|attached|aforementioned|preceding) {_TEXTS}\b",
    rf"\baccording to the {_TEXTS}\b|\b(?:mentioned|described|stated) in the {_TEXTS}\b|\bin the screenshot\b",
    r"\bim (?:obigen|vorliegenden) (?:text|abschnitt)\b|\ble texte ci-dessus\b|\bel texto anterior\b",
)
_DANGLING = _any(r"(?:[:,(\[]|\b(?:and|or|the|a|an|of|with|und|oder|der|die|das|et|ou|le|la|los))\s*$")
_BELOW = _any(
    r"\b(?:text|email|e-mail|message|letter|code|function|table|list|sentence|paragraph|article|story|note)s? below\b",
    r"\b(?:the|this|these) following\b|\b(?:the|this|these) \w+ below\b",
    r"\bim folgenden\b|\bci-dessous\b|\ba continuación\b",
)
_OPENS_AS_ANSWER = _any(
    r"\W*(?:sure|certainly|absolutely|of course|gladly|great (?:question|choice)|good (?:question|news)|happy to help"
    r"|no (?:problem|worries)|short answer|answer|in short|yes|no|perfect indeed"
    r"|thank(?:s| you) for (?:your|contacting|reaching out))\b\s*[,.!:;—–]",
    r"\W*thank(?:s| you) for (?:asking|your question)\b",
    r"\W*here(?:'s| is| are) (?:an?|the|some|how|what|your|one|two|three) [^.?!\n]{0,80}"
    r"(?:you (?:asked|can|wanted|need)|for you|:\s*\n)",
    r"\W*i(?:'d| would) (?:be (?:happy|glad) to|recommend|suggest|start (?:by|with)|advise)\b(?![^.\n]{0,120}\?)",
    r"\W*i(?:'m| am) (?:very |so |really )?sorry to hear\b|\W*i understand (?:your|how|that)\b[^?]*\Z",
    r"\W*(?:here|these) (?:are|is) (?:the|some|a few|two|three|four|five|your)\b[^?]*\Z",
    r"\W*what a (?:good|great|lovely|interesting) (?:question|idea|choice)\b",
    r"\W*(?:selbstverständlich|natürlich|gerne?|aber klar|kurz gesagt|bien sûr|certainement|avec plaisir|por supuesto"
    r"|claro que sí|con gusto|aquí tienes)\s*[,.!:;—–]",
)
# What is to be written or said, at the start of a sentence; and what is asked for in the first person.
_WRITES = (
    r"write|re-?write|draft|explain|summari[sz]e|translate|describe|compare|list|review|outline|analy[sz]e|brainstorm"
    r"|suggest|recommend|classify|rate|proofread|correct|shorten|expand|imagine|act as|generate|identify|refactor|debug"
    r"|implement|optimi[sz]e|label|moderate|convert|calculate|compute|prove|solve|design|create|name|decide|judge|say"
    r"|complete|continue|answer|compose|extract|condense|tag|reply|turn|plan|boil|you (?:are|answer|help|work|write)"
    r"|paraphrase|simplify|improve|critique|assess|evaluate|propose|estimate|find"
    r"|(?:give|tell|show|help|walk|talk|teach|get|make|put|turn|fix|check|sort|pick|plan|choose|work|point|come|read|look"
    r"|take|clean|cut|reply|respond) (?:me|us|this|these|it|the following|out|up|through|over|at|to this)"
    r"|schreib\w*|erklär\w*|hilf|nenne?|übersetz\w*|fass\w*|formulier\w*|vergleich\w*|erstell\w*|zeig\w*|prüf\w*"
    r"|écri\w*|expliqu\w*|aide\w*|tradui\w*|résum\w*|compar\w*|propos\w*|rédige\w*|corrige\w*|donne\w*"
    r"|escrib\w*|explíc\w*|explica\w*|ayúd\w*|traduc\w*|traduz\w*|resum\w*|redact\w*|correg\w*|corrige|dame|dime"
)
_ASKS = _any(
    r"[?？؟]",
    r"\bplease\b|\bpls\b|\bplz\b|\bbitte\b|\bs'il (?:te|vous) plaît\b|\bpor favor\b",
    r"\b(?:i|we)(?:'d| would)? (?:really |just |also |only )?(?:need|want|like|am looking|are looking|have to|must)\b",
    r"\bi wonder\b|\bi'm (?:looking|trying|wondering|not sure|stuck|struggling)\b|\bany (?:idea|advice|tips|help)\b",
    r"\b(?:ich|wir) (?:brauche|möchte|will|suche|wollen|suchen)\w*|\bj'ai besoin\b|\bje (?:voudrais|cherche|veux)\b"
    r"|\bnecesit\w+\b|\bquier\w+\b|\bquisiera\b|\bbusco\b",
)
_TELLS_TO_WRITE = _any(
    rf"^\W*(?:(?:then|and|but|now|just|so|dann|et|y|hello|hi)\b\W*)?(?:{_WRITES})\b",
    rf"\b(?:i|my|me|we|our|us|mine)\b[^.!?\n]*[,;:–—]\s*(?:(?:so|and|but|then|now)\s+)?(?:{_WRITES})\b",
)
_SENTENCE = re.compile(r"(?<=[.!?:])\s+|\n+")
_ADVISES = _any(
    r"\byou(?:'ll| will)? (?:can|could|should|must|need|have to|may|might|want)\b|\byour best\b",
    r"(?:^|[.\n]\s*)(?:first|next|then|finally),",
    r"(?:^|[.\n]\s*)(?:start|begin|make sure|remember|don't|do not|avoid|keep|use|try)\b",
    r"\bfor example\b|\bin (?:summary|conclusion)\b|\bthe answer is\b|\bhere's (?:how|why|what)\b",
    r"\bi (?:recommend|suggest|hope this)\b|\blet me know\b|\bin your case\b|\bto sum up\b|\bas we all know\b",
    r"\bthere are (?:two|three|four|five|several|a few) (?:things|ways|reasons|options|steps|points)\b",
    r"\bwe(?:'ll| will| have) (?:send|sent|refund|replace|contact)\w*\b|\bwe apologi[sz]e\b",
    r"\b(?:sie|du) (?:können|sollten|müssen|kannst|solltest|musst)\b|\bvous (?:pouvez|devez|devriez)\b|\bpuede[sn]?\b",
)
_FIRST_PERSON = _any(
    r"\b(?:i|i'm|i've|my|me|we|our|us|ich|mein\w*|wir|uns\w*|je|mon|ma|mes|nous|notre|yo|mi|mis|nuestr\w+)\b|\bj'"
)
_STEP = re.compile(r"^\s*(?:\d+[.)]|[-*•])\s+\S|^#+ ", re.MULTILINE)


def no_prompt(text: str, language: str | None, max_chars: int, refuses: Callable[[str], bool]) -> str | None:
    """Why a text is no prompt that could be sent; None: nothing speaks against it.

    Args:
        text: as it came.
        language: that it is written in, where that is known.
        max_chars: the most that a prompt may have.
        refuses: whether a text declines.
    """
    if sum(map(str.isalpha, text)) < LEAST_LETTERS:
        return TOO_SHORT
    if len(text) > max_chars:
        return TOO_LONG
    if refuses(text):
        return REFUSAL
    prose = _CODE.sub(" ", text)
    if _CAPITALS.search(prose) or (_BLANKS.search(prose) and not _speaks_of_blanks(prose)):
        return BLANKS
    if _ABOUT.search(prose):
        return ABOUT
    if _OPENS_AS_ANSWER.match(prose) or ((language or "en") in KNOWN and _says(prose)):
        return ANSWER
    return DANGLING if _DANGLING.search(text[-40:]) or _wants_a_text(text) else None


def unquoted(text: str) -> str:
    """A text without what it quotes, and without code: what is to be translated is in another language."""
    return _QUOTED.sub(" ", _CODE.sub(" ", text))


def _wants_a_text(text: str) -> bool:
    """Whether a text is announced, and there is none: nothing that is set apart, quoted, or long enough to be it."""
    announced = _BELOW.search(text)
    if announced is None or len(text) > LEAST_TEXT_CHARS:
        return False
    return not re.search(r"[\n\"“„«`]|:\s+\S", text[announced.start() :])


def _speaks_of_blanks(prose: str) -> bool:
    """Whether what looks like a blank is what the prompt is about."""
    return (
        re.search(r"\b(?:curly|braces?|brackets?|placeholders?|template|variables?)\b", prose, re.IGNORECASE)
        is not None
    )


def _says(prose: str) -> bool:
    """Whether a text tells something and asks for nothing: it gives advice or steps, or speaks of nobody at length."""
    prose = _QUOTED.sub(" ", prose)
    if _ASKS.search(prose):
        return False
    sentences = [sentence for sentence in _SENTENCE.split(prose.strip()) if sentence.strip()]
    if not sentences:
        return False
    steps = len(_STEP.findall(prose)) > 1
    opening = sentences[:2] if steps else [*sentences[:2], sentences[-1]]
    speaks = _FIRST_PERSON.search(prose)
    if any(map(_TELLS_TO_WRITE.search, sentences if speaks and not steps else opening)):
        return False
    return bool(_ADVISES.search(prose)) or steps or (len(prose.split()) > FEW_WORDS and not speaks)
