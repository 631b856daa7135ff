"""Of which task family a prompt is: what a simulated judge says when it is asked that.

The book knows the families of its own prompts; of others the words tell, as far as words do. See judging.py.
"""

import re

LEFT_OVER = "other"

# What tells a family, each with its weight; of families with equal weights, the first named here holds.
_CUES: dict[str, tuple[tuple[int, str], ...]] = {
    "translation": (
        (9, r"(translate|translation|traduce|traduci|traduis|übersetze|ubersetze|przetłumacz)\b|翻译"),
        (4, r"(translat(ed|ing)|subtitles?|what does .{2,80} mean)\b"),
        (4, r"(in|into|to|from) (natural |good |plain |polite |spoken |colloquial )?(english|german|french|spanish|"
            r"italian|japanese|portuguese|dutch|polish|swedish|latin|turkish|chinese|korean|russian|arabic|greek|danish)\b"),
        (3, r"(native speaker|how would an? \w+ say|idioms?|literal(ly)?)\b"),
    ),
    "summarisation": (
        (9, r"(summari[sz]e|résum\w+|fasse .{1,60} zusammen)\b"),
        (5, r"(summary|tl;?dr|boil (this|it) down|condense|shorten|gist)\b"),
        (4, r"(two|three|four|five|six|\d+) (bullets|sentences|lines|words)\b|in (one|a) (sentence|line)\b"),
        (3, r"(key points|main points|takeaways|headline|abstract|action items|what('s| is) (decided|open))\b"),
    ),
    "code": (
        (6, r"```|def \w+\(|select\b.{1,80}\bfrom\b|import \w+"),
        (5, r"(python|javascript|typescript|java|rust|sql|bash|regex|css|html|react|docker|git|golang|pandas|node|"
            r"postgres|yaml|json|api|function|compil\w*|stack trace|unit tests?|linux|shell|script)\b"),
        (3, r"(bug|loop|array|variable|exception|database|query|branch|commit|code)\b"),
    ),
    "moderation": (
        (6, r"moderat\w*|(allow|remove|keep|approve|flag)\b[ ,/]+(or )?(remove|tag|warn|hide|delete|ban|reject)\b"),
        (4, r"(rules?|guidelines?|policy)\b.{0,30}[:\"“]|break (it|the rule|this)\b|violat"),
        (3, r"(forum|comment|post|user|chat|thread|listing|report(ed)?|review|spam|username)\b"),
    ),
    "creative": (
        (6, r"(poem|haiku|limerick|sonnet|story|novel|lyrics|song|verse|fable|monologue|dialogue|scene|toast|slogan|"
            r"riddle|fairy tale|rhym\w*|plot|opening (line|paragraph|sentence)|screenplay|sketch)\b"),
        (4, r"(invent|imagine|make up|characters?|names? for|eulogy|wedding speech|letter from|in the style)\b"),
    ),
    "support": (
        (4, r"(customer|refund(ed)?|parcel|deliver(y|ed)|subscription|warranty|guarantee|invoice|charged|ordered|"
            r"reset|account|log(s|ged)? (me )?(in|out)|shipped?|ship to|return(ed)? (it|them)|booking|help desk)\b"),
        (4, r"(your (app|site|website|store|shop|hotel|company|redesign)|promo code|receipt|from you)\b"),
        (2, r"(reply|order|app|voucher|tickets?|cancel|contract|bill|bought)\b"),
    ),
    "reasoning": (
        (5, r"(how (many|much|long|far|old)|what('s| is) the (chance|probability|odds|largest)|puzzle|prove|logic|"
            r"which is (cheaper|faster|larger|more)|average|liars?|knights?|truth|probability)\b"),
        (3, r"\d+ ?(%|km|m\b|kg|litres?|minutes|hours|euros?|cm|mph)|\d+/\d+"),
        (2, r"(dice|coins?|socks|cards|weigh|clock|train|ladder|boat|is (he|she) right|at least)\b"),
    ),
    "advice": (
        (4, r"(should i|do i|what would you do|am i (wrong|right)|worth it|advice|is it (ok|wrong|too late)|whether to|"
            r"let (her|him|them))\b"),
        (3, r"my (mother|father|sister|brother|boss|friend|partner|husband|wife|son|daughter|neighbour|landlord|"
            r"colleague|flatmate|girlfriend|boyfriend|parents|\d+-year-old|cat|dog)\b"),
        (2, r"(i (feel|hate|want|am torn|can't decide)|i'm|salary|job|move|quit|marriage|exam)\b"),
    ),
}  # fmt: skip
_MOST = 3  # as often does one cue count
_WORDS = {
    family: [(weight, re.compile(rf"(?<!\w)(?:{cue})", re.IGNORECASE | re.DOTALL)) for weight, cue in cues]
    for family, cues in _CUES.items()
}


def family_by_words(text: str) -> str:
    """The family whose words a prompt has the most of; LEFT_OVER where there is none of any."""
    points = {
        family: sum(weight * min(_MOST, len(cue.findall(text))) for weight, cue in cues)
        for family, cues in _WORDS.items()
    }
    best = max(points, key=lambda family: points[family])
    return best if points[best] else LEFT_OVER
