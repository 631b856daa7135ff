"""Measures texts by what the user names: a model's own tokenizer, and a detector of languages.

Both are optional extras and work offline. Called by pairing.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from pathlib import Path

from pairsmith.errors import UserError
from pairsmith.records import Prompt

LEAST_CHARS = 20  # letters: of a shorter text no detector is sure
LEAST_SURE = 0.8
TRANSLATION = "translation"  # the family of prompts whose answers are in another language than they are


def digest(path: Path) -> str:
    """What a file's content is named by.

    Raises:
        UserError: it cannot be read.
    """
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as exc:
        raise UserError(f"[pair] tokenizer: {path} cannot be read ({exc.strerror}): name a tokenizer.json") from None


def tokenizer(path: Path) -> tuple[Callable[[str], int], Callable[[str, int], str]]:
    """How many tokens a text has, and its first n of them, by the tokenizer.json of a model.

    Raises:
        UserError: the extra is not installed, or the file is no tokenizer.
    """
    digest(path)
    try:
        loaded = import_module("tokenizers").Tokenizer.from_file(str(path))
    except ModuleNotFoundError:
        raise UserError("[pair] tokenizer needs an extra: pip install 'pairsmith[tokens]', or leave it out") from None
    except Exception as exc:  # noqa: BLE001 — the library raises a plain Exception
        raise UserError(f"[pair] tokenizer: {path} is no tokenizer.json ({exc})") from None

    def ends(text: str) -> list[tuple[int, int]]:
        return list(loaded.encode(text, add_special_tokens=False).offsets)

    def cut(text: str, tokens: int) -> str:
        offsets = ends(text)
        return text if len(offsets) <= tokens else text[: offsets[tokens - 1][1]]

    return lambda text: len(ends(text)), cut


def detector() -> Callable[[str], str | None]:
    """The ISO 639-1 code of a text's language; None where it cannot be told.

    Raises:
        UserError: the extra is not installed.
    """
    try:
        langid = import_module("py3langid.langid")
    except ModuleNotFoundError:
        raise UserError("[pair] language needs an extra: pip install 'pairsmith[language]', or set it to any") from None
    identifier = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)

    @lru_cache(maxsize=1024)
    def language(text: str) -> str | None:
        if sum(map(str.isalpha, text)) < LEAST_CHARS:
            return None
        found, sure = identifier.classify(text)
        return str(found) if sure >= LEAST_SURE else None

    return language


def wanted_language(prompt: Prompt, detect: Callable[[str], str | None]) -> str | None:
    """The language that an answer should be in: the row's own `language`, else that of the user's last words.

    None where neither tells, and of a translation, whose answer is in another one.
    """
    said = prompt.meta.get("language")
    if isinstance(said, str) and len(said) == 2:
        return said.lower()
    if prompt.meta.get("family") == TRANSLATION:
        return None
    asked = next((turn["content"] for turn in reversed(prompt.messages) if turn.get("role") == "user"), None)
    return detect(asked) if isinstance(asked, str) else None
