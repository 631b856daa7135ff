"""Whether a text answers instead of asking, as far as its words tell. Called by gates.py.

Whoever asks does so with a question, a wish or an order; all of these are looked for first. A text without any is an
answer only if it also opens as answers do, gives advice, or goes through steps.
"""

from __future__ import annotations

import re

LEAST_STEP_WORDS = 4  # on average, of steps that say what is to be done: shorter ones are a list
TO_YOU_WORDS = 30  # a text of more that speaks to somebody, and of nobody else, explains
END = 2  # sentences in which an answer's opening is taken back: "No, not that one. How do I cancel?"


def any_of(*patterns: str) -> re.Pattern[str]:
    """One pattern out of several; case does not count."""
    return re.compile("|".join(patterns), re.IGNORECASE | re.MULTILINE)


# What assistants are told to do, at the start of a sentence. Verbs of which answers are full (use, keep, check, start)
# count only with an object at hand: "check this", "take me through".
_VERBS = (
    r"write|re-?write|draft|explain|summari[sz]e|translate|describe|compare|list|review|outline|analy[sz]e"
    r"|brainstorm|suggest|recommend|classify|rate|proofread|correct|shorten|expand|imagine|act as|generate|identify"
    r"|refactor|debug|implement|optimi[sz]e|label|moderate|convert|calculate|compute|prove|solve|design|create|name"
    r"|decide|judge|say|complete|continue|answer|compose|extract|condense|tag|reply|turn|plan"
    r"|boil (?:this|it|these) down|paraphrase|simplify|improve|critique|assess|evaluate|propose|estimate|find"
    r"|develop|discuss|transform|provide|rank|invent|tell|sing|guess|role-?play|pretend|come up with|categori[sz]e"
    r"|format|fix|edit|detect|predict|determine|verify|define|elaborate|illustrate|interpret|investigate|justify"
    r"|argue|contrast|demonstrate|construct|devise|formulate|produce|prepare|simulate|sketch|sort"
    r"|order (?:by|this|these)|group|match|rephrase|reformat|reword|parse|count|give|help|show|teach|quiz|interview"
    r"|debate|roast|recite|narrate|script|code|program|craft|curate|customi[sz]e|derive|differentiate|integrate"
    r"|factor|highlight|modify|adapt|add comments|replace|choose|select|pick"
    r"|make (?:an?|up|the|some|\w+ \w+ (?:list|table))|do (?:an?|the|some)|build|infer|speak|talk|respond|link|spot"
    r"|state|cite|quote|annotate|invite|welcome|compile|present|mention|share|arrange|assume|suppose|consider|pair"
    r"|output|return|print|gather|research|search|solving|pull|take (?:the|an?)|read"
    r"|use (?:an?|the) (?!same\b)\w+(?: \w+)? (?:to|as)|try (?:to|coming)|decode|encode|encrypt|spell|capitali[sz]e"
)
_AT_HAND = (
    r"(?:let's|walk|get|make|put|check|point|look|take|clean|cut|work) (?:me|us|this|these|it|the following|out|up"
    r"|through|over|at|to this)"
)
_GERMAN = (
    r"(?:be)?schreib\w*|erklär\w*|hilf|nenne?|übersetz\w*|fass\w*|(?:um)?formulier\w*|vergleich\w*|erstell\w*|zeig\w*"
    r"|prüf\w*|entwi(?:ckel|ckl|rf)\w*|berechne\w*|verfass\w*|gib|geben sie|mach\w*|erzähl\w*|empfiehl|korrigier\w*"
    r"|verbesser\w*|kürz\w*|ordne\w*|sortier\w*|bewerte\w*|diskutier\w*|skizzier\w*|erläuter\w*|begründe\w*|löse?"
    r"|sag|antworte\w*|spiel\w*|stell\w* (?:dir|mir|eine?)|denk\w* dir|dichte|schlag\w*|such\w*|analysier\w*|liste"
    r"|finde?|plane?|ergänz\w*|definier\w*|wandle|simulier\w*|beantworte\w*|überarbeite\w*|unterscheid\w*"
    r"|du (?:bist|antwortest|hilfst|schreibst)|sie (?:sind|beantworten|antworten|helfen|schreiben)"
)
_FRENCH = (
    r"écri\w*|décri\w*|expliqu\w*|aide\w*|tradui\w*|résum\w*|compar\w*|propos\w*|rédige\w*|corrige\w*|donne\w*|fais"
    r"|faites|liste\w*|imagine\w*|raconte\w*|calcule\w*|analyse\w*|crée\w*|invente\w*|trouve\w*|dis|dites|montre\w*"
    r"|élabore\w*|prépare\w*|conçois|développe\w*|présente\w*|définis\w*|classe\w*|cite\w*|génère\w*|reformule\w*"
    r"|simplifie\w*|suggère\w*|planifie\w*|réponds|répondez|transforme\w*|évalue\w*|discute\w*|tu es|vous êtes"
)
_SPANISH = (
    r"escrib\w*|describ\w*|explíc\w*|explica\w*|explique\w*|ayúd\w*|traduc\w*|traduz\w*|resum\w*|redact\w*|correg\w*"
    r"|corrige\w*|dame|dime|haz\w*|haga\w*|crea|calcul\w*|analiz\w*|enumer\w*|cuéntame|propón\w*|sugiere\w*"
    r"|recomiénd\w*|invent\w*|diseña\w*|desarrolla\w*|elabora\w*|planific\w*|prepara\w*|identifica\w*|clasifica\w*"
    r"|convierte\w*|ordena\w*|evalúa\w*|muéstra\w*|enséña\w*|mejora\w*|simplifica\w*|busca\w*|genera\w*|resuelve\w*"
    r"|define|compón\w*|actúa|eres|transforma\w*|responde\w*"
)
_WORK = rf"(?:{_VERBS}|{_AT_HAND}|{_GERMAN}|{_FRENCH}|{_SPANISH})\b(?!['’])"
_LEAD_IN = r"(?:(?:then|and|but|now|just|so|next|also|please|dann|bitte|et|y|hello|hi|hey)\b\W*)?"
_TELLS = any_of(
    rf"^\W*{_LEAD_IN}{_WORK}",
    r"\A\W*you (?:have (?!to\b)|meet|see|stand|wake|own)",
    r"^\W*(?:given|you (?:are|will be|have been|answer|help|work|write)|in this task|your (?:task|job)|as an? )\b",
    rf"\byou(?:'ll| will)? (?:need to|should|must|have to|are to|will) {_WORK}",
)
# The order behind a condition or a purpose, or behind what is told of oneself.
_TELLS_LATER = any_of(
    rf"^\W*(?:to|in order to|if|using|based on|considering|as|for|with|um|pour|para)\b[^.!?\n]*,\s*{_LEAD_IN}{_WORK}"
)
_TELLS_AFTER_I = any_of(rf"\b(?:i|my|me|we|our|us|mine)\b[^.!?\n]*[,;:–—]\s*{_LEAD_IN}{_WORK}")
# What is written for somebody, and not advice to write: an order wherever it stands at the end.
_FOR_ME = any_of(
    r"^\W*(?:write (?!down)|(?:re-?write|draft|summari[sz]e|translate|compose|rephrase)\b|(?:give|tell|help|show) me\b"
    r"|schreib\w*|formulier\w*|erklär\w* mir|écri\w*|rédige\w*|escrib\w*|redact\w*)"
)
_QUESTION = re.compile(r"[?？؟]")
# Questions that end without a question mark, as many are typed.
_ASKS = any_of(
    r"^\W*(?:how|why|where|who|which|what|when)(?:'?s| is| are| do| does| did| can| could| should| would| will| much"
    r"| many| long| was| were)\b",
    r"^\W*(?:is|are|do|does|did|can|could|should|would|will) (?:i|it|there|this|that|these|you|we|my|the|an?)\b"
    r"(?![^.!?\n]{1,40},)",
    r"\b(?:can|could|would|will) (?:you|u|someone|somebody|anyone|anybody)\b",
    r"^\W*(?:wie|warum|wieso|weshalb|was|wo|wer|wann) (?:ist|sind|kann|könnte|soll|sollte|muss|mache?|heißt|geht"
    r"|funktioniert|viel|lange|oft)\b|^\W*(?:kann|darf|soll|muss) (?:ich|man|mir)\b"
    r"|\b(?:kannst du|können sie) (?:mir|uns)",
    r"^\W*(?:comment|pourquoi|combien|est-ce|qu'est-ce|quelle?s? (?:est|sont))\b|\bpou(?:vez|rriez)-vous\b",
    r"¿|^\W*(?:cómo|por qué|cuánt\w+|cuál\w*)\b|\b(?:puede[sn]?|podría[sn]?) \w+(?:me|nos)\b",
)
_WISHES = any_of(
    r"\bplease\b|\bpls\b|\bplz\b|\bif you could\b|\bbitte\b|\bs'il (?:te|vous) plaît\b|\bpor favor\b"
    r"|\bwould be (?:greatly )?appreciated",
    r"\b(?:i|we)(?:'d| would)? (?:really |just |also |only )?(?:need|want|like|am looking|are looking|have to|must)\b",
    r"^\W*(?:need|needed|wanted|looking for|searching for|seeking|trying to)\b",
    r"\b(?:should|must|needs to) be (?:(?:re)?written|translated|summari[sz]ed|classified|corrected|carried out)\b",
    r"\bi wonder\b|\bi'm (?:looking|trying|wondering|not sure|stuck|struggling)\b|\bany (?:idea|advice|tips|help)\b",
    r"\b(?:ich|wir) (?:brauche|möchte|will|suche|wollen|suchen)\w*|\bj'ai besoin\b|\bje (?:voudrais|cherche|veux)\b",
    r"\bnecesit\w+\b|\bquier\w+\b|\bquisiera\b|\bbusco\b",
)
_OFFERS = any_of(
    r"\b(?:would you like|do you want me|shall i|can i help|anything else|does (?:that|this) help)\b[^?]*\?"
)

# How answers open. Those that agree may as well be a person's: what comes at the end decides.
_AGREES = any_of(
    r"\A\W*(?:sure|certainly|absolutely|of course|gladly|great (?:question|choice)|good (?:question|news)"
    r"|happy to help|no (?:problem|worries)|short answer|answer|yes|no|perfect indeed"
    r"|thank(?:s| you) for (?:your|contacting|reaching out|asking))\b\s*[,.!:;—–]",
    r"\A\W*thank(?:s| you) for (?:asking|your question|contacting|reaching out)\b",
    r"\A\W*what a (?:good|great|lovely|interesting) (?:question|idea|choice)\b",
    r"\A\W*(?:selbstverständlich|natürlich|gerne?|aber klar|kurz gesagt|bien sûr|certainement|avec plaisir"
    r"|por supuesto|claro que sí|con gusto|aquí tienes)\s*[,.!:;—–]",
    r"\A\W*here(?:'s| is| are) (?!.{0,80}\b(?:my|our)\b)(?:an?|the|some|how|what|your|one|two|three) [^.?!\n]{0,80}"
    r"(?:you (?:asked|can|wanted|need)|for you|:\s*\n)",
    r"\A\W*i(?:'m| am) (?:very |so |really )?sorry to hear\b",
)
# Those that recommend, feel or hand over: any question or order behind them makes them a person's.
_HANDS_OVER = any_of(
    r"\A\W*i(?:'d| would) (?:be (?:happy|glad) to|recommend|suggest|start (?:by|with)|advise)\b",
    r"\A\W*i understand (?:your (?:frustration|concerns?|situation|worr\w+)|how (?:frustrating|annoying|you)"
    r"|that [^.!?]*\b(?:let us|let's|we))\b",
    r"\A\W*(?:here|these) (?:are|is) (?![^.!?\n]{0,80}\b(?:my|our|i|we)\b)"
    r"(?:the|some|a few|two|three|four|five|your)\b",
    r"\A\W*(?:regarding|concerning|as to) your (?:question|request|message)\b|\A\W*let me answer\b",
    r"\A\W*(?:(?:the )?short version|only the essentials|the professional answer|speaking as an?|in short, about)\b",
    r"\A\W*this is (?:what i can|how it)\b|\A\W*step by step,"
    r"|\A\W*(?:from|in) (?:my|professional) (?:practice|experience)\b",
    r"\A\W*hier (?:sind|ist|kommen) (?:einige|ein paar|deine?|ihre?|zwei|drei|vier|fünf)\b|\A\W*voici (?:quelques"
    r"|deux|trois)|\A\W*aquí (?:tienes?|hay|van)\b",
)
_ADVISES = any_of(
    r"\byou(?:'ll| will)? (?:can|could|should|must|need|have to|may|might|want)\b|\byour best\b",
    r"(?:^|[.]\s*)(?:first|next|then|finally),|(?:^|[.]\s*)(?:start|begin) (?:by|with)\b",
    r"\bin (?:summary|conclusion)\b|\b(?<!if )the answer is\b|\bhere's (?:how|why|what)\b|\bto sum up\b",
    r"\bi (?:recommend|suggest|hope this)\b|\blet me know\b|\bin your case\b|\bas we all know\b",
    r"\bthere are (?:two|three|four|five|several|a few) (?:things|ways|reasons|options|steps|points)\b",
    r"\b(?:an?|the|one) (?:good|best|easy|easiest|simple|first|safest|main) (?:way|step|thing|option|difference)\b"
    r"[^.?!]*\b(?:is|lies)\b|\bfor most people\b|\bin (?:general,|(?:most|many) cases\b)",
    r"\b(?:as a rule|generally speaking|most people (?:find|think)|it pays to|it is a good idea to|experience shows)\b"
    r"|\bit goes without saying\b|\bat the end of the day\b|\bto be taken into account\b|\bworth a second look\b",
    r"\bwe(?:'ll| will| have) (?:send|sent|refund|replace|contact)\w*\b|\bwe apologi[sz]e\b",
    r"\b(?:sie|du) (?:können|sollten|müssen|kannst|solltest|musst)\b|\bum [^.?!]{3,80} zu \w+, \w+ (?:du|sie)\b",
    r"\bvous (?:pouvez|devez|devriez)\b|\bil (?:faut d'abord|suffit de)\b",
    r"\b(?:puedes|deberías|te recomiendo|le recomiendo|basta con)\b",
)
_OWN = any_of(
    r"\b(?:my|mine|me|i've|i am|ich|mein\w*|mir|je|mon|ma|mes|yo|mi|mis)\b|\bj'",
    # What a customer calls the other side's.
    r"\byour (?:web)?(?:site|page|app|company|shop|store|drivers?|support|service|team|colleagues?|hotline|agents?"
    r"|policy)\b",
)
_YOU = any_of(r"\byou(?:r|'re|'ve|'ll|'d)?\b")
_WE = any_of(r"\b(?:i|i'm|i'd|i'll|we|our|us|we're|we've)\b")
_SENTENCE = re.compile(r"(?<=[.!?:])\s+|\n+")
_STEP = re.compile(r"^\s*(?:\d+[.)]|[-*•])\s+(\S.*)", re.MULTILINE)
_SAYS = re.compile(r"[^a-z].*[.!?]\W*\Z")  # a whole sentence, and not one of several things
_BOLD = re.compile(r"\*\*[^*\n]+\*\*|^##+ ", re.MULTILINE)
_STEPS_IN_LINE = re.compile(r"\b1[.)] .+ 2[.)] ")


def tells_to_work(sentence: str) -> bool:
    """Whether a sentence orders a piece of work."""
    return _TELLS.search(sentence) is not None or _TELLS_LATER.search(sentence) is not None


def is_answer(prose: str) -> bool:
    """Whether a text answers: it asks for nothing, and opens as an answer, gives advice, or goes through steps.

    Args:
        prose: without code and quotations.
    """
    sentences = [one for one in _SENTENCE.split(prose.strip()) if any(map(str.isalpha, one))]
    if not sentences:
        return False
    if _AGREES.search(prose):
        return not _asks_at_the_end(prose, sentences)
    if _asks(prose, sentences):
        return False
    if _HANDS_OVER.search(prose):
        return not _orders_at_the_end(prose, sentences)
    return not _orders(prose, sentences) and (_goes_through_steps(prose) or _advises(prose))


def _asks(prose: str, sentences: list[str]) -> bool:
    return bool(_QUESTION.search(prose) or _WISHES.search(prose) or any(map(_ASKS.search, sentences)))


def _asks_at_the_end(prose: str, sentences: list[str]) -> bool:
    """Whether the last sentences ask, and not only whether anything else is wanted."""
    end = _OFFERS.sub(" ", "\n".join(sentences[-END:]))
    return _QUESTION.search(end) is not None or _orders_at_the_end(prose, sentences)


def _orders_at_the_end(prose: str, sentences: list[str]) -> bool:
    """Whether an order follows right upon the opening, or stands on a line of its own; others are advice."""
    apart = prose.rstrip().rsplit("\n", 1)[-1].strip() == sentences[-1].strip()
    if len(sentences) == 1 or not tells_to_work(sentences[-1]):
        return False
    return len(sentences) == END or apart or _FOR_ME.search(sentences[-1]) is not None


def _orders(prose: str, sentences: list[str]) -> bool:
    """Whether a piece of work is ordered where people do so; in steps every sentence looks like an order."""
    steps = len(_STEP.findall(prose)) > 1
    looked_at = sentences[:2] if steps else [*sentences[:2], sentences[-1]]
    return any(map(tells_to_work, looked_at)) or (not steps and _TELLS_AFTER_I.search(prose) is not None)


def _goes_through_steps(prose: str) -> bool:
    """Whether it is a list of steps to its end; one with something behind it is what the last line is about."""
    if _STEPS_IN_LINE.search(prose) or len(_BOLD.findall(prose)) > 1:
        return True
    steps, last = _STEP.findall(prose), prose.rstrip().rsplit("\n", 1)[-1]
    words = sum(len(step.split()) for step in steps)
    return (
        len(steps) > 1
        and words >= LEAST_STEP_WORDS * len(steps)
        and _STEP.match(last) is not None
        and all(map(_SAYS.match, steps))
    )


def _advises(prose: str) -> bool:
    if _OWN.search(prose):
        return False
    to_you = len(prose.split()) > TO_YOU_WORDS and _YOU.search(prose) is not None and _WE.search(prose) is None
    return to_you or _ADVISES.search(prose) is not None
