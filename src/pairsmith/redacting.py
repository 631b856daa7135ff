"""Takes e-mail addresses, telephone numbers and keys out of prompts and answers that come from logs.

Phones are found by phonenumbers, keys by kingfisher: the extra `redact`. Names and addresses are not found. Called by
the command line (`collect`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

from pairsmith.errors import UserError
from pairsmith.records import Candidate, CompletionId, Json, Preference, Prompt, PromptId, candidate_id, prompt_id

KINDS = ("email", "phone", "key")
MARKS = {"email": "[EMAIL]", "phone": "[PHONE]", "key": "[KEY]"}

# Letters of Latin, Greek and Cyrillic: scripts that set no space between words may stand right beside an address. No
# dot at either end, a top-level domain of letters; icon@2x.png and react@18.2.0 are a file and a package.
_L = "A-Za-z\u00c0-\u024f\u0370-\u052f"
_LABEL = rf"[{_L}0-9](?:[{_L}0-9-]{{0,62}}[{_L}0-9])?"
_EMAIL = re.compile(
    rf"(?<![{_L}0-9])[{_L}0-9_](?:[{_L}0-9._%+-]{{0,62}}[{_L}0-9_%+-])?@(?!\d+x\.|\d+\.\d)"
    rf"(?:{_LABEL}\.)+(?:xn--[A-Za-z0-9-]{{1,59}}|[{_L}]{{2,24}})(?![{_L}0-9])"
)
# Shapes of keys as their providers give them out, each behind a word that it cannot be without. Kingfisher asks for
# randomness besides, and for both halves of a pair; but a key in a log may look like an example, and stand alone. A
# group is the part that goes.
_SHAPES = {
    "AKIA": r"\bAKIA[A-Z0-9]{16}\b",
    "ASIA": r"\bASIA[A-Z0-9]{16}\b",
    "ecret": r"(?i:aws_?secret_?access_?key)\W{1,8}([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])",
    "ECRET": r"AWS_SECRET_ACCESS_KEY\W{1,8}([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])",
    "gh": r"\bgh[opusr]_[A-Za-z0-9]{36,}",
    "github_pat_": r"\bgithub_pat_[A-Za-z0-9_]{22,}",
    "glpat-": r"\bglpat-[A-Za-z0-9_-]{20,}",
    "AIza": r"\bAIza[A-Za-z0-9_-]{35}",
    "ya29.": r"\bya29\.[A-Za-z0-9_-]{20,}",
    "xox": r"\bxox[abceoprs]-[A-Za-z0-9-]{10,}",
    "sk-": r"\bsk-(?=[A-Za-z_-]*[0-9])(?=[\w-]*?[A-Za-z0-9]{16})[A-Za-z0-9_-]{16,}",
    "k_": r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}",
    "hf_": r"\bhf_[A-Za-z0-9]{30,}",
    "npm_": r"\bnpm_[A-Za-z0-9]{36}",
    "SG.": r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{32,}",
    "eyJ": r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",  # a JSON Web Token
    "earer ": r"(?<=[Bb]earer )(?=[A-Za-z._~+/-]*[0-9])[A-Za-z0-9._~+/-]{20,}=*",
    "://": r"://[^\s/:@]+:([^\s/:@\[\]]+)@",  # the password in a URL
}
_KEYS = {word: re.compile(shape) for word, shape in _SHAPES.items()}
# With its end, or as far as lines look like one. A line break may be written as \n, as in the arguments of a call.
_PRIVATE_KEY = re.compile(
    r"-----BEGIN (?P<kind>[A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?)-----"
    r"(?:(?:(?!-----BEGIN).)*?-----END (?P=kind)-----|(?:(?:\\[nr]|\s)+[A-Za-z0-9+/=]{16,})*)",
    re.DOTALL,
)
# North American numbers without +1, in their usual form alone: (415) 555-2671, 415-555-2671.
_NORTH_AMERICAN = re.compile(r"(?<![\w.+-])(?:1-)?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}-)\d{3}-\d{4}(?![\w-])")
_ABROAD = re.compile(r"\(?\b00[1-9]")  # 0049 …: a country code as most of the world dials it
_DIALS_00 = "DE"  # any region that does
_SHORTEST = 6  # characters of what is looked for at all: a@b.de
_SHORTEST_KEY = 10

Span = tuple[int, int]
Find = Callable[[str], Iterator[Span]]


class Redactor:
    """Replaces what it finds by [EMAIL], [PHONE] and [KEY], and counts it.

    Args:
        kinds: of KINDS, what is looked for.
        region: of telephone numbers without a country code, as "DE"; None: only those with one are found.

    Raises:
        UserError: there is no such kind, or the extra is not installed.
    """

    def __init__(self, kinds: Sequence[str], region: str | None = None) -> None:
        if unknown := [kind for kind in kinds if kind not in KINDS]:
            raise UserError(f"--redact takes {', '.join(KINDS)}, not {unknown[0]!r}")
        self.counts: Counter[str] = Counter({kind: 0 for kind in KINDS if kind in kinds})
        makers: Mapping[str, Callable[[], Find]] = {
            "key": _keys,
            "email": lambda: _emails,
            "phone": lambda: _phones(region),
        }
        self._find = {kind: make() for kind, make in makers.items() if kind in kinds}
        self.lost_verdicts = 0  # whose answers have become the same
        self._people: dict[str, str] = {}  # who gave verdicts -> what each is called instead

    def text(self, text: str) -> str:
        """The text without them."""
        if len(text) < _SHORTEST:
            return text
        for kind, find in self._find.items():
            spans = _apart(find(text))
            self.counts[kind] += len(spans)
            for start, end in reversed(spans):
                text = f"{text[:start]}{MARKS[kind]}{text[end:]}"
        return text

    def value(self, value: Json) -> Json:
        """The same for every text of a value, names of keys too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        return self.object(value) if isinstance(value, dict) else value

    def object(self, value: Mapping[str, Json]) -> dict[str, Json]:
        """The same for an object; keys that become the same are numbered."""
        clean: dict[str, Json] = {}
        for key, item in value.items():
            name = mark = self.text(key)
            while name in clean:
                name = f"{mark} {len(clean) + 1}"
            clean[name] = self.value(item)
        return clean

    def prompt(self, prompt: Prompt) -> Prompt:
        """A prompt without them, in any of its texts; under the id of what is left, verdicts kept."""
        messages = tuple(self._message(message) for message in prompt.messages)
        tools = tuple(self.value(tool) for tool in prompt.tools)
        reference, system = (None if text is None else self.text(text) for text in (prompt.reference, prompt.system))
        ident = prompt_id(messages, tools, reference, system)
        candidates: dict[str, Candidate] = {}
        renamed: dict[CompletionId, CompletionId] = {}
        for one in prompt.candidates:
            content = self.text(one.content)
            candidates.setdefault(content, Candidate(content, self.object(one.meta)))
            renamed[candidate_id(prompt.id, one.content)] = candidate_id(ident, content)
        return replace(
            prompt,
            id=ident,
            messages=messages,
            tools=tools,
            reference=reference,
            system=system,
            meta=self.object(prompt.meta),
            source_id=self._own_id(prompt.source_id, ident),
            candidates=tuple(candidates.values()),
            preferences=tuple(filter(None, (self._said(one, renamed) for one in prompt.preferences))),
        )

    def _own_id(self, source_id: str | None, ident: PromptId) -> str | None:
        """A row's own id; one that held something goes on with the prompt's, so that no two become the same."""
        left = None if source_id is None else self.text(source_id)
        return left if left == source_id else f"{left} {ident[:8]}"

    def _said(self, said: Preference, renamed: Mapping[CompletionId, CompletionId]) -> Preference | None:
        """A verdict on the answers as they are now, by the same person; None, and counted, where they are the same."""
        by = self.text(said.by)
        if by != said.by:
            by = self._people.setdefault(said.by, f"{by} {len(self._people) + 1}")
        preferred = None if said.preferred is None else renamed[said.preferred]
        others = tuple(dict.fromkeys(renamed[other] for other in said.others if renamed[other] != preferred))
        if len(others) < (2 if preferred is None else 1):
            self.lost_verdicts += 1
            return None
        return replace(said, preferred=preferred, others=others, by=by)

    def _message(self, message: Mapping[str, Json]) -> dict[str, Json]:
        return {key: value if key == "role" else self.value(value) for key, value in message.items()}


# --- finding ------------------------------------------------------------------------------------------


def _apart(spans: Iterable[Span]) -> list[Span]:
    """In order, those that overlap as one."""
    apart: list[Span] = []
    for start, end in sorted(spans):
        if apart and start < apart[-1][1]:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
        elif start < end:
            apart.append((start, end))
    return apart


def _emails(text: str) -> Iterator[Span]:
    return (found.span() for found in _EMAIL.finditer(text)) if "@" in text else iter(())


def _phones(region: str | None) -> Find:
    phonenumbers = _library("phonenumbers")
    if region is not None and region not in phonenumbers.SUPPORTED_REGIONS:
        raise UserError(f"--region {region}: write it as two capital letters, such as DE or US")

    possible = phonenumbers.Leniency.POSSIBLE

    def among(text: str, region: str | None, meant: Callable[[str], bool], *leniency: int) -> Iterator[Span]:
        matches = phonenumbers.PhoneNumberMatcher(text, region, *leniency)
        return ((match.start, match.end) for match in matches if meant(match.raw_string))

    def find(text: str) -> Iterator[Span]:
        if sum(map(str.isdigit, text)) < 6:
            return
        yield from (found.span() for found in _NORTH_AMERICAN.finditer(text))
        yield from among(text, region, lambda raw: raw.startswith("+") or _grouped(raw))
        if "+" in text:  # with a country code also numbers that nobody has, as they stand in examples
            yield from among(text, None, lambda raw: raw.startswith("+"), possible)
        if _ABROAD.search(text):
            yield from among(text, _DIALS_00, lambda raw: _ABROAD.match(raw) is not None and _grouped(raw))

    return find


def _grouped(raw: str) -> bool:
    """Whether it is written as a number that is dialled: bare digits are an order number as well."""
    return not raw.strip("(").isdigit()


def _keys() -> Find:
    kingfisher = _library("kingfisher_sdk")
    scanner = kingfisher.Scanner(kingfisher.Rules(), base64=False)

    def find(text: str) -> Iterator[Span]:
        if len(text) < _SHORTEST_KEY:
            return
        yield from (found.span() for found in _PRIVATE_KEY.finditer(text))
        for shape in (shape for word, shape in _KEYS.items() if word in text):
            yield from (found.span(shape.groups) for found in shape.finditer(text))
        for secret in {found.secret for found in scanner.scan(text) if found.visible and found.secret}:
            yield from (found.span() for found in re.finditer(re.escape(secret), text))

    return find


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError:
        raise UserError(f"--redact needs an extra ({name}): pip install 'pairsmith[redact]'") from None
