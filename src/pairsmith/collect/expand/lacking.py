"""What a prompt lacks: what should be filled into a blank, the text that it speaks of, its end. Called by gates.py.

In doubt nothing is lacking: brackets also stand in code, logs and exercises, and "above" may be a neighbour.
"""

from __future__ import annotations

import re

from pairsmith.collect.expand.answering import any_of, tells_to_work

LEAST_TEXT_CHARS = 250  # a prompt of more may hold the text it speaks of, wherever that is
LEAST_BEFORE_CHARS = 80  # so much before "the code above" may be it
LABEL_WORDS = 3  # a last line of so few before a colon is to be completed: "Answer:"

# --- blanks ---

_FILL = (
    r"insert|your|my|add|enter|fill|name|company|product|topic|subject|date|city|country|author|url|email|number|amount"
    r"|position|role|placeholder|specific|recipient|customer|client|destination|location|time|price|reason|order"
    r"|(?:first|last|full|company|customer|product|client|user)[ _]?name|hier|ihre?|deine?|votre|nom|tu|nombre"
)
_HTML = r"title|address|link|text|time|date|url|email"  # that are something else to browsers
# What stands in brackets and is meant so: marks of transcripts, forums and tokenizers.
_MARKS = (
    r"sic|edit\w*|deleted|removed|redacted|unclear|inaudible|laugh\w*|music|applause|spoilers?|solved|help|update\w*"
    r"|optional|options?|flags?|args|arguments?|citation needed|emphasis \w+|image|video|pdf|nsfw|meta"
    r"|serious|mask|eos|bos|pad|unk|sep|cls|x|y/n|yes/no"
)
_WORDS = r"[^\W\d_](?:[^\W_]|[ '/_-]){0,58}"
_LOWER = r"[A-Z]?[^A-Z\]\n]*(?: [A-Z][^A-Z\]\n]*)*"  # or Title Case; no [ERROR], [INFO] or [EOS]
# Behind a space or a quotation mark; at the start of a line a bracket may be a tag, as in [Java] or [Solved].
_BRACKET = re.compile(
    rf"(?:(?<=[ (\"'“„])|(?:(?<=\n)|\A)(?=\[(?i:{_FILL})\b))(?<!- )(?<!\] )"
    rf"\[(?!(?i:{_MARKS})\]|(?:the|an?|his|her|their|its|who) )"
    rf"(?=(?:{_LOWER}|(?i:{_FILL})\b[^\]\n]*)\]){_WORDS}\](?![\[(:\w]| \[)"
    r"|(?<= )\[[XYN]\](?= [a-z])|\((?i:insert) (?:your|the|an?|name|here)\b|\blorem ipsum dolor\b"
)
_OF_BRACKETS = any_of(r"\b(?:(?:square|in|the|these) brackets|placeholders?|tokens?|tokenizers?|regex)\b")
# Angles, braces, per cent signs; these are also HTML and the languages of templates.
_BRACE = re.compile(
    rf"(?<![\w<])<(?i:{_FILL})(?:[ _][a-z_ ]{{0,40}})?>|(?<!\S)\{{(?i:{_FILL}|{_HTML})[a-z_ ]*\}}"
    rf"|(?<!\$)\{{\{{[^}}\n]{{0,40}}\}}\}}|%(?i:{_FILL})[A-Z_]*%"
)
_OF_BRACES = any_of(
    r"\b(?:curly|braces?|(?:square|angle) brackets|placeholders?|templates?|variables?|literally|f-strings?|tokens?)\b",
    r"\b(?:jinja|handlebars|mustache|liquid|twig|django|vue|angular|helm|ansible|html|xml|jsx|svg|tags?|elements?)\b|</\w",
)
# Lines and crosses behind a word that wants something, at the end of a sentence; case counts, for the kisses of xxx.
_LINE = re.compile(
    r"\b(?:is|to|at|for|from|by|in|on|of|about|[Dd]ear|[Hh]i|[Hh]ello),? (?:_{3,}|X{3,})(?=[.,;!]|\s*\Z)"
)
_OF_LINES = any_of(
    r"\b(?:fill|gaps?|blanks?|cloze|exercise|grammar|tense|underscores?|complete|missing (?:words?|verbs?|letters?)"
    r"|lückentext|complète|completa)\b"
)
_CODE_LINE = re.compile(
    r"^\s*(?:def |class |import |from \S+ import|SELECT |INSERT |UPDATE |#include|const |let |var |function |public "
    r"|private |return |(?:for|if|while) ?\(|@\w|</?[a-z!?][^ ]*>|>>> |\$ |- (?:run|name|uses): ).*$"
    r"|^.*(?:[;{}]|\(\)|=>|\$\{\{.*)\s*$",
    re.MULTILINE,
)

# --- texts that are not there ---

_TEXT = (
    r"(?:text|passage|excerpt|document|article|section|paragraph|sentence|code|function|script|snippet|query|table"
    r"|image|e-?mail|letter|file|screenshot|essay|poem|message|list|story|notes?|comment|data|transcript"
    r"|conversation)s?"
)
_PROSE = r"(?:passage|text|excerpt|document|article|section|paragraph)"
_SPEAKS_OF_A_TEXT = any_of(
    rf"\b(?:the|this|these) {_TEXT} (?:above|attached)\b(?! (?:the|my|an?|your|our|his|her|its?)\b)",
    rf"\b(?:the|this|these) {_TEXT} provided(?=[.,?!:;]|$)|\b(?:above|attached|aforementioned|preceding) {_TEXT}\b",
    rf"\baccording to the {_PROSE}\b(?! (?:i|by|from|in|on|of|that)\b)|\bin the screenshot\b",
    rf"\b(?:mentioned|described|stated) in the {_PROSE}\b(?! (?:i|by|from|on|of)\b)",
    r"\bim (?:obigen|vorliegenden) (?:text|abschnitt)\b|\ble texte ci-dessus\b|\bel texto anterior\b",
)
_BELOW = any_of(
    rf"\b{_TEXT} below\b(?! (?:the|an?|\d))|(?<!\ball )\b(?:the|this|these) following (?:[\w-]+ )?{_TEXT}\b",
    r"\bim folgenden\b|\bci-dessous\b|\ba continuación\b",
)
# Verbs for texts. What stands behind the text ends the order, or says what becomes of it; "of" and "about" name it.
_HANDLES = (
    r"(?:summari[sz]e|translate|proofread|re-?write|fix|correct|review|edit|shorten|improve|analy[sz]e|check|paraphrase"
    r"|debug|refactor|optimi[sz]e|simplify|continue|classify|condense|rephrase)"
)
_LOOKS = r"(?:explain|find|spot|read|look at)"
_POLITELY = r"(?:(?:hello|hi|hey)\b[^.!?\n]{0,20}[,.!]\s*)?(?:please |can you |could you |kindly )?"
_ENDS = r"(?=\s*(?:[.!?,;]|$)| (?:into|to|so|for (?:me|clarity|grammar)|and|as|please|in \w+ (?:words|sentences))\b)"
_TEXTE = r"(?:text|artikel|absatz|abschnitt|satz|code|brief|aufsatz)"
_SHOWS = any_of(
    rf"\A\W*{_POLITELY}(?:{_HANDLES}|{_LOOKS})\b(?: [\w-]+){{0,4}}? (?:this|my|these) {_TEXT}{_ENDS}",
    rf"\A\W*{_POLITELY}{_HANDLES} the {_TEXT}(?=\s*(?:[.!?]|\Z)| (?:into|in \w+ (?:words|sentences))\b)",
    rf"\A.{{0,20}}\bwrong (?:with|in) (?:this|my|the) {_TEXT}\s*[?.]?$",
    rf"\b{_TEXT} (?:that )?(?:i|i've|i have) (?:just )?(?:pasted|attached|provided)\b",
    rf"\A\W*based on (?:the|this) {_PROSE}\b(?! (?:of|by|about|from|on)\b)|\A\W*in (?:the|this) {_PROSE},",
    rf"\A.{{0,40}}\b(?:the|these) (?:given|provided|underlined) (?:{_TEXT}|words?|phrase|information|statement)\b",
    r"\A\W*what does the (?:author|narrator|speaker) (?:mean|say|want)\b(?![^.?]* (?:of|in) )",
    r"\A\W*(?:bitte )?(?:fass|übersetz|korrigier|prüf|kürz|überarbeit|erklär|analysier)\w* (?:mir )?(?:bitte )?"
    rf"(?:diese\w*|den|meine\w*) {_TEXTE}\b(?! (?:von|aus|über|der|des)\b)",
    r"\A\W*(?:résume[rz]?|tradui\w+|corrige[rz]?|explique[rz]?|analyse[rz]?) (?:ce (?:texte|passage|paragraphe|code)"
    r"|cet article)\b",
    r"\A\W*(?:resum\w+|traduc\w+|corrige|analiza|explica) este (?:texto|artículo|párrafo|pasaje|código)\b",
)
_SET_APART = re.compile(r"[\n\"“„«»`‘]|:\s+\S|\d, ?\d|, .*\b(?:or|oder|ou|o) |(?<!\w)'\w[^']* ")
_THANKS = re.compile(r"\s*\b(?:thanks|thank you|cheers|danke|merci|gracias)\b[^.!?\n]{0,30}[.!]*\s*\Z", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?]\s+(?=\S)")

# --- ends that are none ---

# Lower case only: vitamin A is whole. No "das", "la", "an" or "a": sentences do end with them.
_OPEN_WORDS = {
    "en": r"and|or|the|of|with",
    "de": r"und|oder|der|eine|einen|dem",
    "fr": r"et|ou|les|des|une|du",
    "es": r"y|los|una|el",
}
_OPEN = {code: re.compile(rf"(?<![\w'-])(?:{words})\s*\Z") for code, words in _OPEN_WORDS.items()}
_OPEN_MARK = re.compile(r"[,\[]\s*\Z|(?<![:;=xX8-])\(\s*\Z|[:：]\s*\Z")


def has_blanks(prose: str) -> bool:
    """Whether something is left to be filled in.

    Args:
        prose: without code that is marked as such.
    """
    told = _CODE_LINE.sub(" ", prose)
    blanks = ((_BRACKET, told, _OF_BRACKETS), (_BRACE, told, _OF_BRACES), (_LINE, prose, _OF_LINES))
    return any(blank.search(where) and not about.search(prose) for blank, where, about in blanks)


def speaks_of_a_text(text: str) -> bool:
    """Whether a text is pointed at, as above or attached, that cannot be meant: nothing stands there."""
    found = _SPEAKS_OF_A_TEXT.search(text)
    if found is None or found.start() > LEAST_BEFORE_CHARS or "\n" in text[: found.start()].strip():
        return False
    return len(text) <= 2 * LEAST_TEXT_CHARS and not _SET_APART.search(text[found.end() :])


def breaks_off(text: str, language: str | None) -> bool:
    """Whether a text ends in the middle, or wants something done with a text that is not there."""
    if _OPEN.get(language or "en", _OPEN["en"]).search(text):
        return True
    text = _THANKS.sub("", text)
    if _OPEN_MARK.search(text):
        lines = text.strip().split("\n")
        return len(lines) == 1 or len(lines[-1].split()) > LABEL_WORDS
    return _wants_a_text(text)


def _wants_a_text(text: str) -> bool:
    """Whether a text is announced, or handled as if it were shown, and nothing is set apart or long enough to be it."""
    if len(text) > LEAST_TEXT_CHARS:
        return False
    if announced := _BELOW.search(text):
        return not _SET_APART.search(text[announced.start() :])
    found = _SHOWS.search(text)
    return found is not None and not _SET_APART.search(text.strip()) and not _goes_on(text[found.end() :])


def _goes_on(rest: str) -> bool:
    """Whether more follows than what shall be done: that may be the text."""
    sentences = _SENTENCE_END.split(rest)[1:]
    return any(len(one.split()) > LABEL_WORDS and not tells_to_work(one) for one in sentences)
