"""What a trainer's configuration has to say of a file: an entry of LLaMA-Factory's dataset_info.json, Axolotl's YAML.

Pure: takes names and what a file says today, gives texts. Called by running/written.py, which writes them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from pairsmith.errors import UserError

_COLUMNS = {"messages": "conversations", "chosen": "chosen", "rejected": "rejected", "tools": "tools"}


@dataclass(frozen=True, slots=True)
class Companion:
    """A file beside a dataset. `text`: of what it says today ("" where it is not there) the new text.

    Raises (of `text`):
        UserError: what it says today is not of its kind.
    """

    name: str
    text: Callable[[str], str]


def _dataset_info(name: str, validation: str | None) -> Companion:
    """The entries of these files; entries of others stay."""

    def text(today: str) -> str:
        try:
            entries: Any = json.loads(today or "{}")
        except json.JSONDecodeError:
            entries = None
        if not isinstance(entries, dict):
            raise UserError("dataset_info.json beside the file is no JSON object: mend it, or export elsewhere")
        for file in filter(None, (name, validation)):
            entry = {"file_name": file, "formatting": "sharegpt", "ranking": True, "columns": _COLUMNS}
            entries[PurePath(file).stem.replace(".", "_")] = entry
        return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"

    return Companion("dataset_info.json", text)


def _stanza(name: str, validation: str | None) -> Companion:
    """The part of a config that names the dataset; the rest is the user's."""

    def entry(file: str) -> str:
        lines = {
            "path": json.dumps(file),  # JSON strings are YAML
            "ds_type": "json",
            "split": "train",
            "type": "chat_template.default",
            "field_messages": "messages",
            "field_chosen": "chosen",
            "field_rejected": "rejected",
        }
        first, *others = [f"{key}: {value}" for key, value in lines.items()]
        return "\n".join([f"  - {first}", *(f"    {line}" for line in others)])

    def text(_: str) -> str:
        parts = [
            "# The dataset's part of an Axolotl config: axolotl train CONFIG.",
            "rl: dpo",
            "datasets:",
            entry(name),
        ]
        return "\n".join([*parts, *(["test_datasets:", entry(validation)] if validation else [])]) + "\n"

    return Companion(f"{PurePath(name).stem}.yaml", text)


COMPANIONS: Mapping[str, Callable[[str, str | None], Companion]] = {
    "llama-factory": _dataset_info,
    "axolotl": _stanza,
}
