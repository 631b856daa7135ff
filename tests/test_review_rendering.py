"""Texts of strangers as HTML: what they say survives, and nothing of it runs, loads, hides or turns around."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairsmith.show.review.rendering import _ATTRIBUTES, _TAGS, MOST_MARKDOWN, rendered
from pairsmith.show.unseen import visible
from review_runs import Read

PIECES = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[a](javascript:alert(1))", "<a href='data:,'>", "`",
    "```html\n<b>", "\n\n", "| a | b |\n|---|---|\n", "![x](http://a/b.png)", "[x](http://a\"onclick=b)", "<!--",
    "# ", "- ", "> ", "**", "<http://a>", "\x1b[31m", "\u202e", "\x00", "\u2028", "\ud800", "\r\n", "\t", "a", "'>",
    "<svg/onload=1>", "[x]: http://a 'b'\n", "~~", "](", "<style>*{}</style>", "\r", "&lt;", '"',
]  # fmt: skip


def html(text: str) -> str:
    return rendered(text).html


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=14).map("".join))
def test_whatever_is_written_only_tags_of_the_allow_list_come_out(text: str) -> None:
    for tag, attributes in Read("".join(rendered(text)[:2])).tags:
        assert tag in _TAGS
        assert set(attributes) <= {*_ATTRIBUTES.get(tag, ()), "class", "rel"}
        assert re.match("(https?|mailto):", attributes.get("href") or "http:", re.IGNORECASE)


@given(st.text(max_size=60))
def test_a_text_as_it_was_written_survives_with_signs_for_what_cannot_be_seen(text: str) -> None:
    assert Read(rendered(text).raw).text == visible(text)


@given(st.text(st.characters(whitelist_categories=["L", "N"]), min_size=1, max_size=30))
def test_plain_words_survive_as_markdown(text: str) -> None:
    assert Read(html(text)).text.strip() == visible(text)


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))", "[x](undo)"]
)
def test_what_could_run_or_lead_back_into_the_page_is_shown_as_it_was_written(text: str) -> None:
    assert Read(html(text)).text.strip() == text
    assert {tag for tag, _ in Read(html(text)).tags} == {"p"}


def test_a_link_says_where_it_leads_and_tells_nobody_where_it_was_followed() -> None:
    read = Read(html("[my bank](https://evil.example/?a=1)"))

    assert read.text.strip() == "my bank (https://evil.example/?a=1)"
    assert read.tags[1] == (
        "a",
        {"href": "https://evil.example/?a=1", "target": "_blank", "rel": "noopener noreferrer nofollow"},
    )


def test_a_picture_is_told_of_and_not_loaded() -> None:
    read = Read(html("![a <b>cat</b>](https://tracker.example/cat.png)"))

    assert read.text.strip() == "[picture: a <b>cat</b>, https://tracker.example/cat.png]"
    assert "img" not in {tag for tag, _ in read.tags}


def test_signs_stand_for_what_a_browser_would_act_on_or_hide() -> None:
    assert visible("\x1b[31mred\x7f \u202eabc\u202c a\u2028b \x00 \x85 \ud800 \u200f one\r\ntwo\rthree") == (
        "␛[31mred␡ ⟨U+202E⟩abc⟨U+202C⟩ a⟨U+2028⟩b ␀ ⟨U+0085⟩ ⟨U+D800⟩ ⟨U+200F⟩ one\ntwo␍three"
    )


@pytest.mark.parametrize(
    "text",
    [
        "a &#x202e;b",
        "a&#8203;b &shy; &ZeroWidthSpace; &lrm;",
        "![a&#x202e;b](https://e.example)",
        "<https://e.example/%E2%80%AEb>",
    ],
)
def test_signs_stand_also_for_what_only_markdown_makes_of_a_text(text: str) -> None:
    found = html(text)

    assert visible(found) == found
    assert "⟨U+" in found


def test_letters_and_emoji_keep_what_joins_them() -> None:
    assert visible("👩\u200d🚀 می\u200cخواهم") == "👩\u200d🚀 می\u200cخواهم"


def test_each_block_finds_its_own_direction_and_headings_stand_below_those_of_the_page() -> None:
    found = html("# שלום\n\nhello\n\n- سلام\n")

    assert re.findall("<(h3|p|li) dir=.auto.>", found) == ["h3", "p", "li"]


def test_code_is_coloured_by_classes_and_stays_what_it_was() -> None:
    code = "def f(x):\n    return '<b>'\n\n\n"
    read = Read(html(f"```python\n{code}```"))

    assert read.text.removesuffix("\n") == code
    assert ("span", {"class": "k"}) in read.tags


def test_code_of_unknown_languages_and_code_without_end_are_plain() -> None:
    assert "span" not in html('```x"onload=1\nif\n```')
    assert "span" not in html("```python\n" + "if x: y\n" * 900)


def test_columns_are_aligned_without_styles() -> None:
    found = html("| a | b |\n|--:|:-:|\n| 1 | 2 |\n")

    assert 'class="to-right"' in found
    assert "style" not in found


@pytest.mark.parametrize("text", ["x" * 200_000, "![" * 100_000, "a\n" * 100_000, "> " * 100_000, "*_" * 9_000])
def test_a_text_made_to_keep_the_page_busy_does_not(text: str) -> None:
    began = time.process_time()
    found = rendered(text)

    assert time.process_time() - began < 2
    assert found.long == (len(text) > MOST_MARKDOWN)
