"""The dataset card: README.md of a dataset folder, as the Hugging Face Hub and `datasets` read it.

Pure: gets what is known of a run and gives text. What is unknown stays unknown. Texts of others, such as the names of
models, cannot end their place in the YAML or the Markdown. Called by running/folders.py.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pairsmith.records import Json

if TYPE_CHECKING:
    from jinja2 import Template

LONGEST_TEXT = 240  # characters of a text of the example row
LONGEST_LIST = 4  # items of a list of it
YAML_WORDS = frozenset({"yes", "true", "false", "off", "null"})
MARK = "<!-- pairsmith: this page is written anew as long as nobody changes it: "
# What YAML, a terminal or a reader's eye takes for something else than a character: controls, other line ends, bidi.
UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff\ufffe\uffff]"
)


@dataclass(frozen=True, slots=True)
class Part:
    """One split of a format: its files, by their paths in the folder, and the rows of each. loaded: "" without rows."""

    split: str
    rows: int
    file: str
    loaded: str
    provenance: str


@dataclass(frozen=True, slots=True)
class Format:
    """One config of the dataset.

    any_json: it has columns of JSON, which `datasets` knows from 4.7.0 on. left_out: pairs that its target cannot
    take, by reason.
    """

    name: str
    title: str
    parts: Sequence[Part]
    any_json: bool
    left_out: Mapping[str, int]

    @property
    def rows(self) -> int:
        """In all splits."""
        return sum(part.rows for part in self.parts)


@dataclass(frozen=True, slots=True)
class Figure:
    """A share of `n` with its interval, as it is told."""

    label: str
    who: str  # a judge, or two; "" for all together
    told: str
    n: int


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a card says. Tables are rows of cells; a cell in code style is what another program or person named.

    simulated, pairs: pairs of the run that rest on a simulated answer, and all. reviewed: pairs that people were shown,
    by what came of it. prompts: what became of each, as words and counts that add up to `asked`. judging, pairing,
    exporting: the recipe's tables as they hold for this dataset.
    """

    name: str
    run: str
    license: str | None
    language: str | None
    synthetic: bool
    simulated: int
    pairs: int
    reviewed: Mapping[str, int]
    limit: int | None
    asked: int
    prompts: Sequence[tuple[str, str, int]]
    formats: Sequence[Format]
    example: dict[str, Json]
    endpoints: Sequence[Sequence[str]]
    arms: Sequence[Sequence[str]]
    personas: Sequence[tuple[str, str]]
    judges: Sequence[Sequence[str]]
    judging: Mapping[str, Json]
    pairing: Mapping[str, Json]
    exporting: Mapping[str, Json]
    figures: Sequence[Figure]
    arm_figures: Sequence[Sequence[str]]
    warnings: Sequence[str]
    version: str


def card(facts: Facts, template: Template) -> str:
    """The whole page, with a last line by which a later export knows whether it was changed by hand."""
    shown = template.render(
        facts=facts,
        formats=[one for one in facts.formats if one.rows],
        front=_front_matter(facts),
        example=json.dumps(_shortened(facts.example), ensure_ascii=False, indent=2),
        code=code,
        cell=cell,
        plain=plain,
        quoted=json.dumps,
        setting=setting,
    )
    body = "\n".join(UNSEEN.sub(_numbered, line) for line in shown.rstrip().split("\n")) + "\n\n"
    return f"{body}{MARK}{_digest(body)} -->\n"


def is_untouched(text: str) -> bool:
    """Whether a page is one of ours, and as we wrote it."""
    body, mark, rest = text.rpartition(MARK)
    return bool(mark) and rest.strip() == f"{_digest(body)} -->"


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:16]


# --- YAML -------------------------------------------------------------------------------------------------------


def _front_matter(facts: Facts) -> str:
    """JSON is YAML: each value is written as JSON, on lines that people can read."""
    whole: dict[str, Any] = {"pretty_name": facts.name}
    whole |= {"language": [facts.language]} if facts.language else {}
    whole["license"] = facts.license or "other"
    whole |= {} if facts.license else {"license_name": "to-be-filled-in"}
    whole["task_categories"] = ["text-generation"]
    whole["size_categories"] = [_size(facts.formats)]
    tags = ["preference", "dpo", "rlhf", "pairsmith"]
    whole["tags"] = tags + ["synthetic"] * facts.synthetic + ["simulated"] * bool(facts.simulated)
    formats = [one for one in facts.formats if one.rows]
    whole["configs"] = [_config(one, first=one is formats[0]) for one in formats]
    return _yaml(whole)


def _config(one: Format, first: bool) -> dict[str, Any]:
    files = [{"split": part.split, "path": part.loaded} for part in one.parts if part.loaded]
    return {"config_name": one.name, "data_files": files} | ({"default": True} if first else {})


def _size(formats: Sequence[Format]) -> str:
    """The Hub's classes, by the rows of the largest format."""
    rows = max((one.rows for one in formats), default=0)
    names = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M", 10_000_000: "1M<n<10M"}
    return next((name for limit, name in names.items() if rows < limit), "10M<n<100M")


def _yaml(value: Mapping[str, Any], indent: str = "") -> str:
    lines: list[str] = []
    for key, each in value.items():
        if isinstance(each, list):
            lines.append(f"{indent}{key}:")
            lines += [f"{indent}- {_item(one, indent + '  ')}" for one in each]
        else:
            lines.append(f"{indent}{key}: {_scalar(each)}")
    return "\n".join(lines)


def _item(value: Any, indent: str) -> str:
    """One item of a list: a table begins on the line of its dash."""
    return _yaml(value, indent).lstrip() if isinstance(value, Mapping) else _scalar(value)


def _scalar(value: Any) -> str:
    """A value that no reader of YAML takes for another: only plain words go without quotes."""
    if isinstance(value, str) and re.fullmatch(r"[a-z][a-z0-9_/.-]{2,}", value) and value not in YAML_WORDS:
        return value
    return UNSEEN.sub(_numbered, json.dumps(value, ensure_ascii=False))


def _numbered(found: re.Match[str]) -> str:
    """A character that cannot be seen, by its number, as JSON and YAML write it."""
    return f"\\u{ord(found[0]):04x}"


# --- Markdown -----------------------------------------------------------------------------------------------------


def code(text: str) -> str:
    """A foreign name as it is, in code style: nothing in it is Markdown or HTML."""
    line = UNSEEN.sub(_numbered, text) or " "
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    room = " " if line[0] in " `" or line[-1] in " `" else ""
    return f"{fence}{room}{line}{room}{fence}"


def cell(text: str) -> str:
    """The same within a table, where | ends a cell."""
    return code(text).replace("|", "\\|") if text else "unknown"


def plain(text: str) -> str:
    """A foreign text within prose: its signs stand for themselves."""
    return re.sub(r"([\\`*_\[\]<>|#&~$])", r"\\\1", UNSEEN.sub(" ", text))


def setting(value: Json) -> str:
    """A value of the recipe as TOML has it, nearly: in code style."""
    return cell(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _shortened(value: Json) -> Json:
    """A row to look at: long texts cut, of long lists the first items."""
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"{value[:LONGEST_TEXT]} … ({len(value):,} characters)"
    if isinstance(value, Mapping):
        return {key: _shortened(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        more = [f"… ({len(value):,} in all)"] if len(value) > LONGEST_LIST else []
        return [*map(_shortened, value[:LONGEST_LIST]), *more]
    return value
