"""The [prompts] table."""

import pytest
from pydantic import ValidationError

from pairsmith.collect.settings import PromptSettings


def test_a_path_is_enough() -> None:
    settings = PromptSettings.model_validate({"path": "prompts.jsonl"})

    assert (settings.skip_bad, settings.limit, settings.format) == (False, None, None)
    assert settings.paths == ("prompts.jsonl",)


def test_several_paths_are_read_in_their_order() -> None:
    assert PromptSettings(path=["b.txt", "a.txt"]).paths == ("b.txt", "a.txt")


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"path": ""},
        {"path": []},
        {"path": ["a", ""]},
        {"path": "a", "limit": 0},
        {"path": "a", "format": "xml"},
        {"path": "a", "skipbad": True},
    ],
)
def test_a_table_that_makes_no_sense_is_refused(table: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PromptSettings.model_validate(table)
