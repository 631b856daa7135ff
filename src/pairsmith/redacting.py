"""Takes e-mail addresses, telephone numbers and keys out of prompts and answers that come from logs.

Phones are found by phonenumbers, keys by kingfisher: the extra `redact`. Names and addresses are not found. Called by
the command line (`collect`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

from pairsmith.errors import UserError
from pairsmith.records import Candidate, CompletionId, Json, Preference, Prompt, candidate_id, prompt_id

KINDS = ("email", "phone", "key")
MARKS = {"email": "[EMAIL]", "phone": "[PHONE]", "key": "[KEY]"}

# Local part and domain as mail servers take them; no dot at either end, a top-level domain of letters.
_EMAIL = re.compile(
    r"(?<![\w.+-])[A-Za-z0-9](?:[A-Za-z0-9._%+-]{0,62}[A-Za-z0-9_%+-])?@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+"
    r"[A-Za-z]{2,24}(?![\w-])"
)
# What kingfisher leaves alone, as it is half of a pair or says no provider: AWS key ids, bearer tokens, short sk- keys.
_FURTHER_KEYS = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|(?<=[Bb]earer )[A-Za-z0-9._~+/-]{20,}=*|\bsk-[A-Za-z0-9_-]{16,}"
)
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)


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
        makers: Mapping[str, Callable[[], Callable[[str], Iterator[str]]]] = {
            "key": _keys,
            "email": lambda: _emails,
            "phone": lambda: _phones(region),
        }
        self._find = {kind: make() for kind, make in makers.items() if kind in kinds}

    def text(self, text: str) -> str:
        """The text without them."""
        for kind, find in self._find.items():
            for found in sorted(set(find(text)), key=len, reverse=True):
                self.counts[kind] += text.count(found)
                text = text.replace(found, MARKS[kind])
        return text

    def value(self, value: Json) -> Json:
        """The same for every text of a value; keys of objects stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return {key: self.value(item) for key, item in value.items()}
        return value

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
            meta = {key: self.value(value) for key, value in one.meta.items()}
            candidates.setdefault(content, Candidate(content, meta))
            renamed[candidate_id(prompt.id, one.content)] = candidate_id(ident, content)
        return replace(
            prompt,
            id=ident,
            messages=messages,
            tools=tools,
            reference=reference,
            system=system,
            meta={key: self.value(value) for key, value in prompt.meta.items()},
            candidates=tuple(candidates.values()),
            preferences=tuple(filter(None, (_renamed(one, renamed) for one in prompt.preferences))),
        )

    def _message(self, message: Mapping[str, Json]) -> dict[str, Json]:
        return {key: value if key == "role" else self.value(value) for key, value in message.items()}


def _renamed(said: Preference, renamed: Mapping[CompletionId, CompletionId]) -> Preference | None:
    """A verdict on the answers as they are now; None where they have become the same."""
    preferred = None if said.preferred is None else renamed[said.preferred]
    others = tuple(dict.fromkeys(renamed[other] for other in said.others if renamed[other] != preferred))
    enough = len(others) > 1 if preferred is None else bool(others)
    return replace(said, preferred=preferred, others=others) if enough else None


# --- finding ------------------------------------------------------------------------------------------


def _emails(text: str) -> Iterator[str]:
    return (found[0] for found in _EMAIL.finditer(text)) if "@" in text else iter(())


def _phones(region: str | None) -> Callable[[str], Iterator[str]]:
    phonenumbers = _library("phonenumbers")
    if region is not None and region not in phonenumbers.SUPPORTED_REGIONS:
        raise UserError(f"--region {region}: write it as two capital letters, such as DE or US")

    def find(text: str) -> Iterator[str]:
        if sum(map(str.isdigit, text)) < 6:
            return
        for match in phonenumbers.PhoneNumberMatcher(text, region):
            raw = str(match.raw_string)
            if raw.startswith("+") or not raw.strip("(").isdigit():  # bare digits are an order number as well
                yield raw

    return find


def _keys() -> Callable[[str], Iterator[str]]:
    kingfisher = _library("kingfisher_sdk")
    scanner = kingfisher.Scanner(kingfisher.Rules(), base64=False)

    def find(text: str) -> Iterator[str]:
        yield from (found[0] for found in _PRIVATE_KEY.finditer(text))
        yield from (found[0] for found in _FURTHER_KEYS.finditer(text))
        yield from (str(found.secret) for found in scanner.scan(text) if found.visible and found.secret)

    return find


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError:
        raise UserError(f"--redact needs an extra ({name}): pip install 'pairsmith[redact]'") from None
