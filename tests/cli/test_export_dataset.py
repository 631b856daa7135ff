"""`export --dataset`: a folder that the Hub and `datasets` read, and that says how it was made."""

from __future__ import annotations

import errno
import json
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from cli_runs import Project, pairsmith, read_rows, write_rows
from dataset_loading import loaded, needs_datasets
from pairsmith.cli.export import FORMATS as OFFERED
from pairsmith.running.folders import FORMATS


def exported(project: Project, *words: object) -> Any:
    ran = pairsmith("export", project.run_dir, "--dataset", project.folder / "made", "--json", *words)
    assert ran.code == 0, ran.err
    return ran.json


def refused(*words: object) -> str:
    ran = pairsmith("export", *words)
    assert ran.code == 2
    assert len(ran.err.splitlines()) == 1
    return ran.err


def split(project: Project) -> None:
    """The recipe of the folder, with a validation file."""
    recipe = project.run_dir / "recipe.toml"
    recipe.write_text(recipe.read_text("utf-8") + "\n[export]\nvalidation = 0.3\n", "utf-8")


@pytest.fixture
def made(done: Project) -> Path:
    return done.folder / "made"


def test_the_folder_holds_rows_provenance_recipe_and_card(done: Project, made: Path) -> None:
    said = exported(done)

    assert said["files"] == [
        str(path.relative_to(made)) for path in map(made.joinpath, said["files"]) if path.is_file()
    ]
    assert {path.name for path in made.iterdir()} == {
        "README.md", "recipe.toml", "openai_pft", "trl", "parquet", "provenance",
    }  # fmt: skip
    assert (made / "openai_pft" / "train.jsonl").read_bytes() == done.dataset[0]
    assert len(read_rows(made / "provenance" / "openai_pft" / "train.jsonl")) == len(done.pairs)


def test_the_same_run_gives_the_same_bytes(done: Project, made: Path) -> None:
    files = exported(done)["files"]
    before = [(made / file).read_bytes() for file in files]

    exported(done)

    assert [(made / file).read_bytes() for file in files] == before


@needs_datasets
def test_datasets_loads_every_row_of_every_format_as_it_is(done: Project, made: Path, tmp_path: Path) -> None:
    split(done)
    names = ("openai_pft", "trl", "sft", "kto", "nova", "llama-factory")
    exported(done, *(word for name in names for word in ("--format", name)))

    found = loaded(made, tmp_path / "cache")

    written = {name: {path.stem: read_rows(path) for path in (made / name).glob("*.jsonl")} for name in names}
    assert {name: found[name] for name in names} == {
        name: {part: with_every_key(rows, parts) for part, rows in parts.items()} for name, parts in written.items()
    }
    assert found["default"] == found["openai_pft"]
    assert found["trl"].keys() == {"train", "validation"}


def with_every_key(rows: list[dict[str, Any]], parts: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """A key that only other rows have is null in a table."""
    keys = {key for others in parts.values() for row in others for key in row}
    return [{key: row.get(key) for key in keys} for row in rows]


@pytest.mark.parametrize(
    ("name", "suffix"), [("openai_pft", "jsonl"), ("trl", "jsonl"), ("kto", "jsonl"), ("csv", "csv")]
)
def test_every_file_of_the_folder_can_be_audited(done: Project, made: Path, name: str, suffix: str) -> None:
    split(done)
    exported(done, "--format", name)

    files = [made / name / f"{part}.{suffix}" for part in ("train", "validation")]
    audited = pairsmith("audit", done.run_dir, *files, "--json")

    assert audited.json["problems"] == []
    assert audited.json["rows_proven"] > 0
    assert audited.json["notes"] == []


def test_what_one_format_leaves_out_shifts_no_line_of_another(done: Project, made: Path) -> None:
    said = exported(done, "--format", "openai_pft", "--format", "fireworks")["formats"]

    for name in ("openai_pft", "fireworks"):
        rows = len(read_rows(made / name / "train.jsonl"))
        assert said[name]["rows"] == rows == len(read_rows(made / "provenance" / name / "train.jsonl"))
    assert said["fireworks"]["rows"] + sum(said["fireworks"]["left_out"].values()) == len(done.pairs)


def test_the_card_tells_of_models_prompts_and_the_simulator(done: Project, made: Path) -> None:
    exported(done, "--name", "My | pairs", "--license", "mit")
    card = (made / "README.md").read_text("utf-8")

    assert "# My \\| pairs" in card
    assert "license: mit\n" in card
    assert "Made with a simulator, for trying out, not for training" in card
    assert "`sim-student`" in card
    assert "| `judge` | a chat model | never asked |" in card
    assert f"| became a pair |  | {len(done.pairs)} |" in card
    assert "| **all** | | **16** |" in card


def test_a_limited_export_says_so_and_what_was_simulated(done: Project, made: Path) -> None:
    said = exported(done, "--limit", 2)
    card = (made / "README.md").read_text("utf-8")

    assert said["formats"]["trl"]["rows"] == 2
    assert said["simulated"] == len(done.pairs)
    assert "limited to the first 2 pairs" in card
    assert "Made with a simulator" in card


def test_nothing_in_card_or_recipe_names_this_machine(done: Project, made: Path) -> None:
    exported(done)

    for name in ("README.md", "recipe.toml"):
        text = (made / name).read_text("utf-8")
        assert str(done.folder) not in text
        assert "127.0.0.1" not in text
    assert tomllib.loads((made / "recipe.toml").read_text("utf-8"))["prompts"] == {"path": "prompts.jsonl"}


SECRETS = {
    "api_key": "sk-zzzzzzzzz",
    "user": "me@example.org",
    "trace": "Bearer sk-abcdefgh12345678",
    "session": "hf_abcdefghijkl",
    "note": "see http://u:pw@10.0.0.1/x",
    "route": "corp-gw.internal:8443",
    "dir": "file:/home/me/x",
}


@pytest.fixture
def secretive(project: Project) -> Project:
    """A run whose requests hold what is nobody's business."""
    student = project.table["endpoints"]["student"] | {"extra": {**SECRETS, "top_a": 0.25, "mode": "thorough"}}
    project.save(endpoints=project.table["endpoints"] | {"student": student})
    project.run()
    return project


def test_secrets_persons_and_places_of_requests_stand_nowhere_in_the_folder(secretive: Project) -> None:
    exported(secretive)
    files = [path for path in (secretive.folder / "made").rglob("*") if path.is_file()]

    assert [
        (path, secret) for path in files for secret in SECRETS.values() if secret.encode() in path.read_bytes()
    ] == []
    assert "top_a 0.25, mode thorough" in (secretive.folder / "made" / "README.md").read_text("utf-8")
    proof = read_rows(secretive.folder / "made" / "provenance" / "trl" / "train.jsonl")[0]
    assert (proof["chosen"]["effective"]["top_a"], proof["chosen"]["effective"]["mode"]) == (0.25, "thorough")


def test_a_provenance_that_leaves_out_secrets_is_proven_and_one_that_leaves_out_more_is_not(secretive: Project) -> None:
    exported(secretive)
    data = secretive.folder / "made" / "trl" / "train.jsonl"
    beside = secretive.folder / "made" / "provenance" / "trl" / "train.jsonl"

    assert pairsmith("audit", secretive.run_dir, data, "--json").json["problems"] == []

    proofs = read_rows(beside)
    del proofs[0]["chosen"]["effective"]["top_a"]
    proofs[1]["rejected"]["effective"]["mode"] = "hasty"
    write_rows(beside, proofs)
    found = pairsmith("audit", secretive.run_dir, data, "--json").json["problems"]
    assert [(one["line"], one["found"].rsplit(" ", 1)[1]) for one in found] == [(1, "chosen"), (2, "rejected")]


def test_a_provenance_beside_its_file_leaves_nothing_out(secretive: Project) -> None:
    data, beside = secretive.run_dir / "pairs.jsonl", secretive.run_dir / "pairs.provenance.jsonl"
    proofs = secretive.proofs
    del proofs[0]["chosen"]["effective"]["trace"]
    write_rows(beside, proofs)

    found = pairsmith("audit", secretive.run_dir, data, "--json").json["problems"]

    assert [one["line"] for one in found] == [1]


def test_files_of_others_stay_and_stale_ones_are_named(done: Project, made: Path) -> None:
    split(done)
    exported(done)
    (made / "notes.txt").write_text("mine")
    (done.run_dir / "recipe.toml").write_text(
        (done.run_dir / "recipe.toml").read_text("utf-8").replace("validation = 0.3", ""), "utf-8"
    )

    ran = pairsmith("export", done.run_dir, "--dataset", made, "--format", "trl", "--json")

    stale = ran.json["stale"]
    assert {"trl/validation.jsonl", "parquet/trl/validation.parquet", "openai_pft/train.jsonl"} <= set(stale)
    assert all((made / path).exists() for path in stale)
    assert "delete them: " in ran.err
    assert (made / "notes.txt").read_text() == "mine"


def test_a_card_that_was_changed_by_hand_is_not_written_over(done: Project, made: Path) -> None:
    exported(done)
    (made / "README.md").write_text((made / "README.md").read_text("utf-8") + "\nMy words.\n", "utf-8")

    assert "README.md is not as pairsmith wrote it" in refused(done.run_dir, "--dataset", made)


def test_a_project_folder_with_a_recipe_of_its_own_is_not_written_into(done: Project) -> None:
    before = done.recipe.read_bytes()

    assert "recipe.toml is there without a card of ours" in refused(done.run_dir, "--dataset", done.folder)
    assert done.recipe.read_bytes() == before


def test_the_folder_of_the_run_is_no_place_for_a_dataset(done: Project) -> None:
    assert "is the folder of a run" in refused(done.run_dir, "--dataset", done.run_dir)


def test_a_file_is_no_place_for_a_dataset(done: Project) -> None:
    assert "is a file" in refused(done.run_dir, "--dataset", done.recipe)


@pytest.mark.parametrize("words", [("-o", "x.jsonl"), ("--target", "trl")])
def test_a_folder_goes_without_a_file_and_a_target(done: Project, made: Path, words: tuple[str, ...]) -> None:
    assert "goes without -o and --target" in refused(done.run_dir, "--dataset", made, *words)
    assert not made.exists()


def test_the_command_offers_every_format_that_there_is() -> None:
    assert tuple(FORMATS) == OFFERED


def test_flags_of_a_folder_need_one(done: Project) -> None:
    assert "name it with --dataset DIR" in refused(done.run_dir, "--license", "mit")


def test_a_licence_is_an_id_of_the_hub(done: Project, made: Path) -> None:
    assert "cc-by-4.0" in refused(done.run_dir, "--dataset", made, "--license", "My licence: mine")


def test_a_run_without_pairs_makes_no_dataset(done: Project, made: Path) -> None:
    done.change("DELETE FROM outcomes WHERE kind = 'pair'")

    assert "there is no dataset to make" in refused(done.run_dir, "--dataset", made)
    assert list(made.rglob("*.jsonl")) == []


def test_people_are_told_the_files_and_what_to_type_next(done: Project, made: Path) -> None:
    ran = pairsmith("export", done.run_dir, "--dataset", made)

    assert "openai_pft/train.jsonl" in ran.out
    assert "load_dataset(" in ran.out
    assert ran.out.splitlines()[-1].startswith("  hf upload NAME ")
    assert json.dumps("openai_pft") in ran.out


def test_an_export_that_fails_leaves_the_folder_as_it_was(
    done: Project, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported(done, "--limit", 3)
    before = {path: path.read_bytes() for path in made.rglob("*") if path.is_file()}
    synced, room_for = os.fsync, 7  # of 8 files

    def no_room(file: int) -> None:
        nonlocal room_for
        room_for -= 1
        if room_for < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        synced(file)

    monkeypatch.setattr("os.fsync", no_room)

    assert "cannot be written (No space left on device)" in refused(done.run_dir, "--dataset", made)
    assert {path: path.read_bytes() for path in made.rglob("*") if path.is_file()} == before


def test_a_folder_in_the_cards_place_is_a_mistake_said_in_a_sentence(done: Project, made: Path) -> None:
    (made / "README.md").mkdir(parents=True)

    assert "README.md is a folder" in refused(done.run_dir, "--dataset", made)


def test_a_card_of_peoples_verdicts_tells_of_no_judge_and_no_points(tmp_path: Path) -> None:
    rows = [{"id": "a", "prompt": "Say it.", "candidates": ["One, and more of it.", "Two."], "preferred": 0}]
    recipe = {"name": "votes", "prompts": {"path": "rows.jsonl"}, "judge": {"panel": []}}
    write_rows(tmp_path / "rows.jsonl", rows)
    (tmp_path / "recipe.toml").write_text(tomli_w.dumps(recipe), "utf-8")
    pairsmith("run", tmp_path / "recipe.toml", "--run-dir", tmp_path / "run")

    ran = pairsmith("export", tmp_path / "run", "--dataset", tmp_path / "made")
    card = (tmp_path / "made" / "README.md").read_text("utf-8")

    assert ran.code == 0, ran.err
    assert "The answers came with the prompts" in card
    assert not [
        word for word in ("models named above", "these judges prefer", "min_gap", "chosen_floor") if word in card
    ]


def test_a_gap_that_was_found_out_is_told(done: Project, made: Path) -> None:
    recipe = done.run_dir / "recipe.toml"
    recipe.write_text(recipe.read_text("utf-8").replace("[pair]", '[pair]\nmin_gap = "auto"', 1), "utf-8")
    if "[pair]" not in recipe.read_text("utf-8"):
        recipe.write_text(recipe.read_text("utf-8") + '\n[pair]\nmin_gap = "auto"\n', "utf-8")

    exported(done)

    assert "auto, which was" in (made / "README.md").read_text("utf-8")


def test_a_checks_file_is_no_place_that_the_provenance_names(project: Project) -> None:
    check = project.folder / "checks.py"
    check.write_text("def short(prompt, answer):\n    return 5.0 + len(answer) % 4\n", "utf-8")
    project.save(judge={"panel": [f"check:{check}:short"]})
    project.run()

    ran = pairsmith("export", project.run_dir, "--dataset", project.folder / "made")

    assert ran.code == 0, ran.err
    assert "with its place on this machine" not in ran.err
