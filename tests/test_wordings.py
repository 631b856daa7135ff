"""Texts measured by a tokenizer and a detector of languages, and the language that a prompt asks for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pairsmith import wordings
from pairsmith.errors import UserError
from pairsmith.records import Json, Prompt, PromptId

# --- tokens ---------------------------------------------------------------------------------------


def written(path: Path) -> Path:
    """A tokenizer that knows a few words, and was saved as one that cuts after 2 tokens and fills up to 8."""
    tokenizers = pytest.importorskip("tokenizers")
    words = {"[UNK]": 0, "one": 1, "two": 2, "three": 3, "[PAD]": 4}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="[UNK]"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.enable_truncation(2)
    made.enable_padding(length=8, pad_id=4, pad_token="[PAD]")
    made.save(str(path))
    return path


def test_tokens_are_those_of_the_models_own_tokenizer(tmp_path: Path) -> None:
    tokens, _ = wordings.tokenizer(written(tmp_path / "tokenizer.json"))

    assert [tokens(text) for text in ("", "one", "one two, three")] == [0, 1, 4]


def test_a_text_is_cut_where_its_nth_token_ends(tmp_path: Path) -> None:
    _, cut = wordings.tokenizer(written(tmp_path / "tokenizer.json"))

    assert cut("one  two three two", 3) == "one  two three"
    assert cut("one  two ", 3) == "one  two "


def test_what_the_file_says_of_batches_counts_for_nothing(tmp_path: Path) -> None:
    tokens, cut = wordings.tokenizer(written(tmp_path / "tokenizer.json"))

    assert (tokens("one two three"), cut("one two three", 2)) == (3, "one two")


def test_a_tokenizer_is_named_by_what_the_file_holds(tmp_path: Path) -> None:
    for name, content in (("a", "1"), ("b", "1"), ("c", "2")):
        (tmp_path / name).write_text(content, "utf-8")

    assert wordings.digest(tmp_path / "a") == wordings.digest(tmp_path / "b") != wordings.digest(tmp_path / "c")


def test_a_file_that_is_not_there_or_is_no_tokenizer_is_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "wrong.json").write_text("{}", "utf-8")

    assert "cannot be read (No such file or directory): name a tokenizer.json" in problem(
        lambda: wordings.tokenizer(tmp_path / "missing.json")
    )
    pytest.importorskip("tokenizers")
    assert "wrong.json is no tokenizer.json" in problem(lambda: wordings.tokenizer(tmp_path / "wrong.json"))


def problem(what: Callable[[], object]) -> str:
    with pytest.raises(UserError) as caught:
        what()
    return str(caught.value)


def test_a_missing_extra_is_named_with_the_way_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tokenizer.json").write_text("{}", "utf-8")
    monkeypatch.setitem(sys.modules, "tokenizers", None)

    assert "pip install 'pairsmith[tokens]'" in problem(lambda: wordings.tokenizer(tmp_path / "tokenizer.json"))


# --- languages ------------------------------------------------------------------------------------

ANSWERS = {
    "en": "Soak the beans overnight in cold water, and rinse them before you cook them.",
    "de": "Lassen Sie die Bohnen über Nacht in kaltem Wasser quellen und spülen Sie sie ab.",
    "fr": "Faites tremper les haricots toute la nuit dans de l'eau froide, puis rincez-les.",
    "es": "Deje los frijoles en agua fría toda la noche y enjuáguelos bien antes de cocinarlos.",
    "it": "Lasciate i fagioli a mollo tutta la notte in acqua fredda e sciacquateli bene.",
    "pt": "Deixe o feijão de molho em água fria durante a noite e lave bem antes de cozinhar.",
    "zh": "先把豆子在冷水里泡一夜，煮之前冲洗干净，然后用小火煮大约一个小时。",
    "ja": "豆は一晩冷たい水に浸しておき、煮る前によく洗ってから、弱火で一時間ほど煮てください。",
}


@pytest.fixture(scope="module")
def detect() -> Callable[[str], str | None]:
    pytest.importorskip("py3langid")
    return wordings.detector()


@pytest.mark.parametrize("language", ANSWERS)
def test_the_language_of_a_sentence_is_told(language: str, detect: Callable[[str], str | None]) -> None:
    assert detect(ANSWERS[language]) == language


@pytest.mark.parametrize("text", ["", "42", "Yes.", "$x^2 + y^2 = z^2$", "😀" * 30, "def f(x):\n    return x + 1\n"])
def test_of_what_has_too_few_words_no_language_is_told(text: str, detect: Callable[[str], str | None]) -> None:
    assert detect(text) is None


def test_code_in_an_answer_does_not_decide_its_language(detect: Callable[[str], str | None]) -> None:
    code = "```python\n" + "for item in the_list_of_all_items: print(item, 'is in the list')\n" * 5 + "```"

    assert detect(f"{code}\nSo wird jede Zeile der Liste der Reihe nach ausgegeben.") == "de"
    assert detect(code) is None


@pytest.mark.parametrize(
    ("text", "foreign"), [("cancel my subscription please", False), ("Podes ajudar-me hoje, por favor?", True)]
)
def test_a_text_that_is_hardly_in_a_language_is_foreign(text: str, foreign: bool) -> None:
    assert wordings.is_foreign(text, "en") == foreign


def test_a_language_that_cannot_be_told_is_refused_at_once() -> None:
    pytest.importorskip("py3langid")

    assert '"xx" is none that can be told: take one of af, am, an, ar' in problem(lambda: wordings.detector("xx"))


# --- what a prompt asks for -----------------------------------------------------------------------


def prompt(said: Json, **meta: Json) -> Prompt:
    turns: list[dict[str, Json]] = [
        {"role": "user", "content": "Bonjour !"},
        {"role": "assistant", "content": "…"},
        {"role": "user", "content": said},
        {"role": "tool", "content": "de"},
    ]
    return Prompt(PromptId("p"), tuple(turns), meta=meta)


def wanted(said: Json, **meta: Json) -> str | None:
    """With a detector that says the language is the last word."""
    return wordings.wanted_language(prompt(said, **meta), lambda text: text.split()[-1] if text else None)


def test_an_answer_should_be_in_the_language_of_the_users_last_words() -> None:
    assert wanted("Was ist das? de") == "de"
    assert wanted([{"type": "text", "text": "Qu'est-ce ?"}, {"type": "text", "text": "fr"}]) == "fr"
    assert wanted(None) is None


@pytest.mark.parametrize(
    ("said", "code"),
    [("fr", "fr"), ("pt-BR", "pt"), ("zh_Hant", "zh"), ("German", "de"), (" mandarin ", "zh"), ("nb", "no")],
)  # fmt: skip
def test_the_row_may_say_it_by_code_or_by_name(said: str, code: str) -> None:
    assert wanted("What is this? en", language=said) == code


@pytest.mark.parametrize("said", ["python", "go", "js", "c++", "", 7, None])
def test_a_language_of_computers_is_none_of_people(said: Json) -> None:
    assert wanted("What does this do? en", language=said) == "en"


def test_of_a_translation_nothing_is_known() -> None:
    assert wanted("Good morning. en", family="translation") is None
    assert wanted("Good morning. en", family="translation", language="de") == "de"


@pytest.mark.parametrize(
    "said",
    ["Write a haiku in Japanese. en", "Translate this letter: en", "Übersetze das bitte: de", "Auf Englisch! de",
     "Écris une lettre en anglais. fr", "Escríbelo en inglés. es", "Come si dice in tedesco? it", "请用英语回答 zh"],
)  # fmt: skip
def test_where_the_user_names_a_language_nothing_is_known(said: str) -> None:
    assert wanted(said) is None
