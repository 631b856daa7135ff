"""Recognises a refusal by its words: precise rather than complete.

A short text whose first words decline the request as such. What answers in part, or says in an apology what
a shop cannot do, is an answer: its judge decides. screen.py asks it where no field of the reply says so.
"""

from __future__ import annotations

import re
import unicodedata

MAX_CHARS = 400  # stock refusals are one to three sentences; a longer text says more than no

_EN_UNABLE = r"(?:i (?:can't|cannot|can not|won't|will not)|(?:i'm|i am) (?:unable|not able) to)"
_EN_THIS = (
    r"(?:(?:that|this|these|those|such|your|it|any such)"
    r"(?: (?:kind|type|sort) of)?(?: (?:request|question|prompt|topic|task|content|material|information|story|one))?)"
)
_EN_END = r"(?=[.,;:!]|$| (?:as|because|since|for you)\b)"

# language → (what may come first, any number of times; how the refusal then begins)
PATTERNS: dict[str, tuple[str, tuple[str, ...]]] = {
    "en": (
        r"(?:i'm|i am)(?: (?:very|really|so|truly))? (?:sorry|afraid)(?: that)?|sorry|apologies|my apologies"
        r"|i apologi[sz]e|unfortunately|as an ai(?: \w+){0,2}|but",
        (
            rf"{_EN_UNABLE} (?:assist|help)(?: you)?(?: further)?{_EN_END}",
            rf"{_EN_UNABLE} assist(?: you)? (?:with|in)\b",
            rf"{_EN_UNABLE} (?:help(?: you)?|comply|engage|continue|proceed) with {_EN_THIS}{_EN_END}",
            rf"{_EN_UNABLE} (?:fulfil|fulfill|answer|discuss|satisfy|provide(?: you with)?) {_EN_THIS}{_EN_END}",
            rf"{_EN_UNABLE} (?:create|generate|write|produce) {_EN_THIS}{_EN_END}",
            rf"{_EN_UNABLE} (?:create|generate|write|produce) (?:content|material|anything) (?:that|which)\b",
            rf"{_EN_UNABLE} provide (?:instructions|(?:guidance|information) (?:on|about)|(?:help|assistance) with)\b",
            r"i (?:must|have to) (?:respectfully )?(?:decline|refuse) (?:this|that|your|to)\b",
        ),
    ),
    "de": (
        r"es tut mir(?: sehr)? leid|tut mir leid|entschuldigung|leider|als ki(?:-\w+)?|aber|doch",
        (
            r"(?:ich kann|kann ich)(?: (?:ihnen|dir|euch))?(?: leider)? (?:dabei|damit|hierbei|hiermit|bei dieser"
            r" anfrage|bei diesem anliegen)(?: leider)? nicht (?:helfen|behilflich sein|weiterhelfen)",
            r"(?:dabei|damit|hierbei) kann ich(?: (?:ihnen|dir|euch))?(?: leider)? nicht"
            r" (?:helfen|behilflich sein|dienen|weiterhelfen)",
            r"(?:ich kann|kann ich)(?: leider)? (?:diese|ihre|deine) (?:anfrage|bitte|frage)(?: leider)? nicht"
            r" (?:erfüllen|beantworten|nachkommen)",
            r"(?:ich kann|kann ich) (?:dieser|ihrer|deiner) (?:anfrage|bitte)(?: leider)? nicht nachkommen",
        ),
    ),
    "fr": (
        r"(?:je suis|je suis vraiment|je suis sincèrement) désolée?|désolée?|je m'excuse|malheureusement|mais"
        r"|en tant qu'ia|en tant que modèle de langage",
        (
            r"je ne (?:peux|puis) (?:pas )?(?:vous |t'|te )?aider (?:avec|à|sur|pour) (?:cela|ça|ce sujet"
            r"|cette demande|votre demande|ta demande|faire cela)",
            r"je ne (?:peux|puis) (?:pas )?(?:répondre|donner suite|accéder) à (?:cette|votre|ta) (?:demande|requête)",
            r"je ne (?:peux|puis) (?:pas )?(?:vous |t')aider[.!]",
            r"je ne suis pas en mesure de (?:vous |t')?(?:aider|répondre à (?:cette|votre|ta) demande)",
        ),
    ),
    "es": (
        r"lo siento(?: mucho)?|lo lamento|disculpa|disculpe|desafortunadamente|lamentablemente|pero"
        r"|como (?:una )?ia|como modelo de lenguaje",
        (
            r"no puedo (?:ayudar|ayudarte|ayudarle|ayudarlo|ayudarla|asistirte|asistirle)"
            r"(?: (?:con|en) (?:eso|esto|ello|esa|esta|ese|este|tu|su)\b|[.!])",
            r"no puedo (?:cumplir(?: con)?|atender(?: a)?|responder(?: a)?|satisfacer)"
            r" (?:esa|esta|tu|su) (?:solicitud|petición|pregunta)",
            r"no me es posible (?:ayudar|ayudarte|ayudarle|atender|cumplir)",
        ),
    ),
}

_REFUSALS = tuple(
    re.compile(rf"(?:(?:{first})[\s,.;:!–—-]*)*(?:{'|'.join(declines)})", re.IGNORECASE)
    for first, declines in PATTERNS.values()
)


def is_refusal(text: str) -> bool:
    """Whether a text is short and opens by declining the request."""
    text = text.strip()
    if len(text) > MAX_CHARS:
        return False
    words = " ".join(unicodedata.normalize("NFC", text.replace("’", "'")).split()).lstrip("*_\"' ")
    return any(pattern.match(words) for pattern in _REFUSALS)
