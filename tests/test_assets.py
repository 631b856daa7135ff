"""What ships with pairsmith is found, and what does not is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import UndefinedError

from pairsmith import assets
from pairsmith.errors import UserError


def test_the_six_personas_and_the_rubric_of_each_family_ship() -> None:
    assert assets.bundled("system") == ["concise", "expert", "hasty", "plain", "stepwise", "warm"]
    assert {"general", "support", "creative", "translation", "summarisation", "code", "reasoning", "moderation",
            "advice"} <= set(assets.bundled("rubrics"))  # fmt: skip


@pytest.mark.parametrize("kind", ["system", "rubrics"])
def test_every_bundled_text_is_read_without_white_space_around_it(kind: str, tmp_path: Path) -> None:
    for name in assets.bundled(kind):
        text = assets.words(kind, name, tmp_path)
        assert text
        assert text == text.strip()


def test_a_file_is_read_relative_to_its_base(tmp_path: Path) -> None:
    (tmp_path / "mine.md").write_text("\nBe kind.\n\n", "utf-8")

    assert assets.words("system", "mine.md", tmp_path) == "Be kind."


def test_a_name_that_is_neither_bundled_nor_a_file_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"neither a bundled name \(concise, expert"):
        assets.words("system", "nobody", tmp_path)


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.md").write_bytes(b"caf\xe9")

    with pytest.raises(UserError, match="not UTF-8"):
        assets.words("system", "mine.md", tmp_path)


def test_a_template_takes_text_as_it_is_and_refuses_to_leave_a_value_out() -> None:
    template = assets.template("judge", "score_system.md.j2")

    assert "<b> & {{x}}" in template.render(rubric="<b> & {{x}}", shape="S")
    with pytest.raises(UndefinedError):
        template.render()
