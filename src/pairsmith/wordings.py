"""Measures texts: by a model's own tokenizer, an optional extra, and by a detector of languages. Both work offline.

Called by pairing.py and by whoever tells languages.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import cache, lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from pairsmith.errors import UserError
from pairsmith.records import Json, Prompt

# Of 781 cuttings of 20 to 300 characters, in nine languages, none that was told at this confidence was told wrongly;
# from 100 characters on all were told (py3langid 0.4.0 on sentences of our own, November 2026).
LEAST_SURE = 0.8
LEAST_LETTERS = 20
FOREIGN = 0.01  # of 283 English prompts of our own none had a smaller share of English (November 2026)
MOST_CHARS = 200  # that are looked at: more say nothing new, and cost a microsecond each
KEPT = 1024  # texts, or their tokens, of which what was found is kept: one answer meets several others
TRANSLATION = "translation"  # the family of prompts whose answers are in another language than they are

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+", re.DOTALL)  # in no language that people speak
_VARIETIES = {"wuu": "zh", "yue": "zh", "nn": "no", "nb": "no", "arz": "ar", "ary": "ar", "uzs": "uz"}
_LANGUAGES = {
    "afrikaans": "af", "arabic": "ar", "bengali": "bn", "bulgarian": "bg", "catalan": "ca", "chinese": "zh",
    "croatian": "hr", "czech": "cs", "danish": "da", "dutch": "nl", "english": "en", "estonian": "et",
    "finnish": "fi", "french": "fr", "german": "de", "greek": "el", "hebrew": "he", "hindi": "hi",
    "hungarian": "hu", "indonesian": "id", "italian": "it", "japanese": "ja", "korean": "ko", "latin": "la",
    "latvian": "lv", "lithuanian": "lt", "malay": "ms", "mandarin": "zh", "norwegian": "no", "persian": "fa",
    "polish": "pl", "portuguese": "pt", "romanian": "ro", "russian": "ru", "serbian": "sr", "slovak": "sk",
    "slovenian": "sl", "spanish": "es", "swahili": "sw", "swedish": "sv", "tamil": "ta", "thai": "th",
    "turkish": "tr", "ukrainian": "uk", "urdu": "ur", "vietnamese": "vi", "welsh": "cy",
}  # fmt: skip
# Whoever names a language may well want the answer in it: then nothing is known. English names, and those that the
# most frequent languages have for each other.
_NAMED = re.compile(
    rf"\b(?:{'|'.join(_LANGUAGES)}|translat\w*|[üu]berset\w*|tradu\w*|(?:engli|deut|franzö|spani|italieni|japani)sch\w*"
    r"|chinesisch\w*|anglais\w*|allemand\w*|français\w*|espagnol\w*|italien\w*|japonais\w*|chinois\w*"
    r"|ingl[eé]s\w*|alem[aá]n\w*|franc[eé]s\w*|español\w*|tedesc\w*|spagnol\w*)\b|[英德法俄中日韩韓汉漢]语|[英独仏中日]語|翻[译訳]",
    re.IGNORECASE,
)


def digest(path: Path) -> str:
    """What a file's content is named by.

    Raises:
        UserError: it cannot be read.
    """
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as exc:
        raise UserError(f"the tokenizer {path} cannot be read ({exc.strerror}): name a tokenizer.json") from None


def tokenizer(path: Path) -> tuple[Callable[[str], int], Callable[[str, int], str]]:
    """How many tokens a text has, and its first n of them, by the tokenizer.json of a model.

    Raises:
        UserError: the extra is not installed, or the file is no tokenizer.
    """
    digest(path)
    try:
        loaded = import_module("tokenizers").Tokenizer.from_file(str(path))
        loaded.no_truncation()  # what the file may say of a batch is not asked here
        loaded.no_padding()
    except ModuleNotFoundError:
        raise UserError("[pair] tokenizer needs an extra: pip install 'pairsmith[tokens]', or leave it out") from None
    except Exception as exc:  # noqa: BLE001 — the library raises a plain Exception
        raise UserError(f"[pair] tokenizer: {path} is no tokenizer.json ({exc})") from None

    @lru_cache(maxsize=KEPT)
    def tokens(text: str) -> int:
        return len(loaded.encode(text, add_special_tokens=False).ids)

    @lru_cache(maxsize=KEPT)
    def cut(text: str, most: int) -> str:
        offsets = loaded.encode(text, add_special_tokens=False).offsets
        return text if len(offsets) <= most else text[: offsets[most - 1][1]]

    return tokens, cut


def detector(asked: str = "", where: str = "[pair] language") -> Callable[[str], str | None]:
    """The ISO 639-1 code of a text's language; None where it cannot be told. Code in the text is passed over.

    Args:
        asked: a code that it has to know; "": none.
        where: who asks for it, for messages.

    Raises:
        UserError: it does not know that language.
    """
    identifier = _identifier()
    if asked and asked not in set(identifier.labels) - _VARIETIES.keys():
        known = ", ".join(sorted(code for code in identifier.labels if len(code) == 2 and code not in _VARIETIES))
        raise UserError(f'{where} = "{asked}" is none that can be told: take one of {known}')

    @lru_cache(maxsize=KEPT)
    def language(text: str) -> str | None:
        words = _CODE.sub(" ", text[: 10 * MOST_CHARS])[:MOST_CHARS]
        if sum(map(str.isalpha, words)) < LEAST_LETTERS:
            return None
        found, sure = identifier.classify(words)
        code = _VARIETIES.get(found, str(found))
        if sure < LEAST_SURE and code in _VARIETIES.values():  # its varieties share what is sure
            sure = sum(share for one, share in identifier.rank(words) if _VARIETIES.get(one, one) == code)
        return code if sure >= LEAST_SURE else None

    return language


def is_foreign(text: str, code: str) -> bool:
    """Whether a text is hardly in this language, even where it cannot be told in which one it is."""
    words = _CODE.sub(" ", text[: 10 * MOST_CHARS])[:MOST_CHARS]
    if sum(map(str.isalpha, words)) < LEAST_LETTERS:
        return False
    shares = [share for one, share in _identifier().rank(words) if _VARIETIES.get(one, one) == code]
    return bool(shares) and sum(shares) < FOREIGN


@cache
def _identifier() -> Any:
    """The model of py3langid, which ships no types; it takes a fifth of a second to load."""
    langid = import_module("py3langid.langid")
    return langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)


def wanted_language(prompt: Prompt, detect: Callable[[str], str | None]) -> str | None:
    """The language that an answer should be in: the row's own `language`, else that of the user's last words.

    The row may have a code, such as "de" or "pt-BR", or an English name. None where neither tells, of a translation,
    and where the user names a language: the answer may be in that one.
    """
    said = prompt.meta.get("language")
    if isinstance(said, str) and (code := _code(said)):
        return code
    if prompt.meta.get("family") == TRANSLATION:
        return None
    asked = next((_text(turn["content"]) for turn in reversed(prompt.messages) if turn.get("role") == "user"), "")
    return None if _NAMED.search(asked) else detect(asked)


def language_names() -> dict[str, str]:
    """English names of languages by their codes."""
    return {code: name.capitalize() for name, code in _LANGUAGES.items() if name != "mandarin"}


def _code(said: str) -> str | None:
    """A language's code, of a code with or without region, or of an English name; None: it may be one of computers."""
    word = said.strip().lower()
    code = re.split("[-_]", word)[0]
    code = _VARIETIES.get(code, code)
    return _LANGUAGES.get(word) or (code if code in _LANGUAGES.values() else None)


def _text(content: Json) -> str:
    """The text of a message, which may come in parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return " ".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))
