"""Every kind of input through the command line, and what is said about the bad ones."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cli_runs import Dripping, Project, accounted, bought, everyday, pairsmith, sides, started, until, write_rows

PLAIN = ["How do I fold a map?", "Why is the sky, at noon, blue?", 'Explain "irony" to a child.', "Wie geht's? – gut!"]


def write_prompts(folder: Path, suffix: str) -> Path:
    path = folder / f"given.{suffix}"
    rows = [{"prompt": text} for text in PLAIN]
    if suffix == "txt":
        path.write_text("\n".join(PLAIN) + "\n\n", "utf-8")
    elif suffix == "json":
        path.write_text(json.dumps(rows, indent=1), "utf-8")
    elif suffix == "jsonl":
        write_rows(path, rows)
    elif suffix == "parquet":
        pd.DataFrame(rows).to_parquet(path)
    else:
        pd.DataFrame(rows).to_csv(path, index=False, sep="\t" if suffix == "tsv" else ",")
    return path


@pytest.mark.parametrize("suffix", ["txt", "csv", "tsv", "jsonl", "json", "parquet"])
def test_a_file_of_this_kind_gives_its_prompts_as_they_are_written(project: Project, suffix: str) -> None:
    path = write_prompts(project.folder, suffix)

    said = project.run("--set", f"prompts.path={path}", "--set", "pair.min_gap=1", "--set", "pair.chosen_floor=1")

    assert said["prompts"] == 4 == accounted(said)
    assert {row["input"]["messages"][0]["content"] for row in project.pairs} <= set(PLAIN)
    assert project.pairs


def test_all_kinds_of_files_give_the_same_bytes_for_nothing_more(project: Project) -> None:
    datasets = set()
    for suffix in ("txt", "csv", "tsv", "jsonl", "json", "parquet"):
        project.run("--set", f"prompts.path={write_prompts(project.folder, suffix)}")
        datasets.add(project.dataset)

    assert len(datasets) == 1
    assert max(project.server.keys.values()) == 1


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_a_prompt(project: Project, bom: str, end: str) -> None:
    path = project.folder / "given.txt"
    path.write_bytes((bom + end.join(PLAIN) + end).encode())

    said = project.run("--set", f"prompts.path={path}", "--set", "pair.min_gap=1", "--set", "pair.chosen_floor=1")

    assert said["prompts"] == 4
    assert {row["input"]["messages"][0]["content"] for row in project.pairs} <= set(PLAIN)


def test_standard_input_is_read_and_need_not_be_given_again(project: Project) -> None:
    words = project.words("--set", "prompts.path=-")
    first = pairsmith(*words, stdin="\n".join(PLAIN).encode())
    again = pairsmith("run", project.run_dir, "--json", "-q")

    assert first.json["prompts"] == 4 == again.json["prompts"]
    assert again.json["calls"] == {}


def test_standard_input_of_json_lines_is_recognised(project: Project) -> None:
    rows = "".join(json.dumps({"prompt": text}) + "\n" for text in PLAIN)

    said = pairsmith(*project.words("--set", "prompts.path=-"), stdin=rows.encode()).json

    assert said["prompts"] == 4


def test_a_pipe_into_a_process_of_its_own_is_read(project: Project) -> None:
    with started(*project.words("--set", "prompts.path=-"), pipe=True) as process:
        out, _ = process.communicate("\n".join(PLAIN).encode(), timeout=30)

    assert json.loads(out)["prompts"] == 4


def test_messages_keep_their_turns_and_their_own_system_message(project: Project) -> None:
    turns = [
        {"role": "system", "content": "You work for a bakery."},
        {"role": "user", "content": "My cake arrived flat."},
        {"role": "assistant", "content": "Oh no. When did it arrive?"},
        {"role": "user", "content": "This morning, and the party is tonight."},
    ]
    rows = [{"messages": turns}, {"prompt": "Do you deliver?", "system": "You work for a bakery."}]
    changes = ("--set", "pair.min_gap=1", "--set", "pair.chosen_floor=1", "--set", "sample.system=expert")
    project.prompts(rows).run(*changes)

    assert next(row["input"]["messages"] for row in project.pairs) == turns
    assert all("bakery" in row["input"]["messages"][0]["content"] for row in project.pairs)


def test_the_persona_leaves_the_exported_row_stays_or_is_replaced(project: Project) -> None:
    persona = project.folder / "persona.md"
    persona.write_text("You are a lighthouse keeper.\n")
    (project.folder / "other.md").write_text("You are kind.\n")
    project.save(sample={**project.table["sample"], "system": ["persona.md"]})
    project.run()
    systems = {}
    for what in ("strip", "keep", project.folder / "other.md"):
        project.run("--set", f"export.system={what}")
        systems[str(what)] = {row["input"]["messages"][0]["content"] for row in project.pairs}

    assert not any("lighthouse" in text for text in systems["strip"])
    assert all(text.startswith("You are a lighthouse keeper.") for text in systems["keep"])
    assert all(text.startswith("You are kind.") for text in systems[str(project.folder / "other.md")])


def test_instruction_rows_and_their_input_become_one_message(project: Project) -> None:
    rows = [{"instruction": "Summarise.", "input": f"Text number {n} about rivers."} for n in range(8)]
    project.prompts(rows).run("--set", "pair.min_gap=1", "--set", "pair.chosen_floor=1")

    assert project.pairs[0]["input"]["messages"][0]["content"].startswith("Summarise.\n\nText number")


# --- given candidates ----------------------------------------------------------------------------


def answers(project: Project, prompts: int) -> list[dict[str, Any]]:
    """Rows with four candidates each, of planted quality."""
    project.run()
    rows: dict[str, list[str]] = {}
    for prompt, raw in project.sql(
        "SELECT r.prompt, r.raw FROM replies r JOIN attempts a ON a.request = r.request AND a.purpose = 'sample'"
    ):
        rows.setdefault(prompt, []).append(json.loads(raw)["choices"][0]["message"]["content"])
    texts = list(rows.values())
    shutil.rmtree(project.run_dir)
    project.server.forget()
    project.save(sample=None)
    return [{"prompt": f"Case {n}?", "candidates": texts[n % len(texts)]} for n in range(prompts)]


def test_given_candidates_are_judged_without_a_sample_section(project: Project) -> None:
    rows = answers(project, 12)
    said = project.prompts(rows).run()
    held = {text for row in rows for text in row["candidates"]}

    assert set(said["calls"]) == {"judge"}
    assert said["pairs"] > 0
    assert all(set(sides(row)) <= held for row in project.pairs)


def test_given_candidates_and_samples_compete(project: Project) -> None:
    sample = project.table["sample"]
    rows = answers(project, 6)
    project.save(sample=sample)
    said = project.prompts(rows).run("--set", "sample.completions=2")

    assert said["calls"]["student"] == 12
    assert said["completions"] >= 6 * 5


def test_duplicates_are_one_prompt_counted_and_their_candidates_are_united(project: Project) -> None:
    row = answers(project, 1)[0]
    a, b, *_ = sorted(set(row["candidates"]))
    rows = [{"prompt": "One?", "candidates": [a]}, {"prompt": "Two?"}, {"prompt": "One?", "candidates": [b, a]}]

    said = project.prompts(rows).run()

    assert (said["prompts"], said["duplicates"]) == (2, 1)
    assert said["completions"] == 2


def test_a_duplicate_much_later_in_a_big_file_still_brings_its_candidates(project: Project) -> None:
    row = answers(project, 1)[0]
    a, b, c, *_ = [*sorted(set(row["candidates"])), "A third answer, much shorter."]
    head = [{"prompt": "First?", "candidates": [a, b]}]
    middle = [{"prompt": f"Case {n}?", "candidates": [f"only one answer to {n}"]} for n in range(3000)]

    said = project.prompts([*head, *middle, {"prompt": "First?", "candidates": [c]}]).run(
        "--set", "pair.min_gap=1", "--set", "pair.chosen_floor=1"
    )

    assert (said["prompts"], said["duplicates"]) == (3001, 1)
    assert said["completions"] == 3003
    assert said["calls"] == {"judge": said["verdicts"]} or said["verdicts"] >= 3


def late_duplicate(project: Project, first: dict[str, Any], late: dict[str, Any], calls: int, *more: object) -> Any:
    """A prompt at the front of a slow stream, and again at its end, once the work on it has begun."""
    fill = [{"prompt": f"Case {n}?", "candidates": ["alone"]} for n in range(254)]
    words = project.words("--set", "prompts.path=-", "--set", "prompts.format=jsonl", *more)
    rows = [*fill, first, {"prompt": "Another?", "candidates": ["alone"]}]

    def slowly() -> Iterator[bytes]:
        yield "".join(json.dumps(row) + "\n" for row in rows).encode()
        until(lambda: project.server.calls >= calls, "calls for the first of two equal prompts")
        yield (json.dumps(late) + "\n").encode()

    ran = pairsmith(*words, stdin=Dripping(slowly()))
    assert ran.code == 0, ran.err
    return ran.json


def test_a_duplicate_that_comes_after_its_prompt_was_settled_brings_its_candidates(project: Project) -> None:
    row = answers(project, 1)[0]
    a, b, c, *_ = [*sorted(set(row["candidates"])), "A third answer, much shorter."]

    said = late_duplicate(
        project, {"prompt": "First?", "candidates": [a, b]}, {"prompt": "First?", "candidates": [c]}, calls=2
    )

    assert said["duplicates"] == 1
    assert said["completions"] == 255 + 3
    assert max(project.server.keys.values()) == 1


def test_a_duplicate_that_comes_while_its_prompt_is_in_work_buys_nothing_twice(project: Project) -> None:
    row = answers(project, 1)[0]
    a, b, c, *_ = [*sorted(set(row["candidates"])), "A third answer, much shorter."]
    project.server.latency(0.4)

    said = late_duplicate(
        project, {"prompt": "First?", "candidates": [a, b]}, {"prompt": "First?", "candidates": [c]}, calls=2
    )

    assert max(project.server.keys.values()) == 1
    assert said["completions"] == 255 + 3


def test_a_prompt_that_was_in_work_when_its_duplicate_came_is_settled_with_all_candidates(project: Project) -> None:
    """Without the late candidate a duel is needed, with it none: the first settlement comes after the second."""
    texts = sorted({text for row in answers(project, 12) for text in row["candidates"]})
    quality = dict(zip(texts, project.server.truth(texts), strict=True))

    def nearest(points: float) -> str:
        return min(texts, key=lambda text: abs((quality[text] or 0) - points))

    best, good, poor = nearest(9.0), nearest(6.5), nearest(2.0)
    first, late = {"prompt": "First?", "candidates": [best, good]}, {"prompt": "First?", "candidates": [poor]}
    project.server.latency(0.5)

    said = late_duplicate(project, first, late, 2, "--set", "pair.min_gap=5")

    assert bought(said, "judge") in (3, 5)  # three scores, and the duels if they were asked before the late row came
    assert max(project.server.keys.values()) == 1
    assert said["completions"] == 255 + 3
    assert sides(project.pairs[0])[1] == poor


def test_the_same_input_with_a_late_duplicate_makes_no_call_the_next_time(project: Project) -> None:
    row = answers(project, 1)[0]
    a, b, c, *_ = [*sorted(set(row["candidates"])), "A third answer, much shorter."]
    rows = [{"prompt": "First?", "candidates": [a, b]}, {"prompt": "First?", "candidates": [c]}]
    project.prompts(rows).run()
    before = project.dataset
    project.server.forget()

    project.run()

    assert project.server.calls == 0
    assert project.dataset == before


# --- bad input -----------------------------------------------------------------------------------


def bad_rows(project: Project) -> Path:
    path = project.folder / "prompts.jsonl"
    path.write_bytes(b'{"prompt": "One?"}\n{"prompt": ""}\n{"prompt": "Two?"}\nnot json\n{"prompt": 7}\n')
    return path


def test_a_bad_row_is_named_with_file_line_and_field_and_costs_nothing(project: Project) -> None:
    path = bad_rows(project)

    sentence = project.fails()

    assert f'{path}, line 2, field "prompt"' in sentence
    assert project.server.calls == 0


def test_bad_rows_can_be_skipped_and_are_counted(project: Project) -> None:
    bad_rows(project)

    said = project.run("--skip-bad")

    assert (said["prompts"], said["skipped"]) == (2, 3)


def test_a_bad_row_that_comes_late_stops_the_run_with_what_was_answered_stored(project: Project) -> None:
    words = project.words("--set", "prompts.path=-", "--set", "prompts.format=jsonl")

    def slowly() -> Iterator[bytes]:
        yield b"".join(b'{"prompt": "What is %d squared?"}\n' % n for n in range(256))
        until(lambda: project.server.calls >= 40, "calls")
        yield b'{"prompt": []}\n'

    ran = pairsmith(*words, stdin=Dripping(slowly()))

    assert ran.code == 2
    assert 'standard input, line 257, field "prompt"' in ran.json["error"]
    assert project.sql("SELECT count(*) FROM replies")[0][0] > 0


@pytest.mark.parametrize("content", [b"", b"\n\n  \n", b"\xef\xbb\xbf"])
def test_a_file_without_prompts_is_a_mistake(project: Project, content: bytes) -> None:
    (project.folder / "prompts.jsonl").write_bytes(content)

    assert "no prompts in it" in project.fails()


def test_a_file_that_is_not_utf_8_is_named_with_its_line(project: Project) -> None:
    (project.folder / "prompts.jsonl").write_bytes(b'{"prompt": "One?"}\n{"prompt": "caf\xe9?"}\n')

    assert "line 2: byte" in project.fails()


def test_two_prompts_of_one_id_are_a_mistake_that_names_the_second(project: Project) -> None:
    project.prompts([{"id": "a", "prompt": "One?"}, {"id": "a", "prompt": "Two?"}])

    assert 'line 2, field "id"' in project.fails()


def test_several_files_are_read_in_their_order(project: Project) -> None:
    for place in (1, 2):
        write_rows(project.folder / f"part{place}.jsonl", everyday(4, start=4 * place))
    said = project.run("--set", f"prompts.path={project.folder}/part2.jsonl,{project.folder}/part1.jsonl")
    wanted = [row["id"] for row in [*everyday(4, start=8), *everyday(4, start=4)]]

    assert said["prompts"] == 8
    assert [proof["id"] for proof in project.proofs] == [i for i in wanted if i in {p["id"] for p in project.proofs}]


def test_a_shuffled_sample_of_matching_rows_is_the_same_on_a_second_run_and_buys_nothing(project: Project) -> None:
    rows = [{"question": f"What is {number} and {number}?", "n": number} for number in range(12)]
    write_rows(project.folder / "odd, even.jsonl", rows)
    prompts = {"path": "odd*.jsonl", "shuffle": True, "seed": 3, "limit": 4}
    project.save(prompts=prompts, pair={"min_gap": 1.0, "chosen_floor": 1.0})
    words = ("--column", "question", "--where", "n > 2 and n not in [5, 7]")

    first, calls = project.run(*words), project.server.calls
    dataset = project.dataset
    again = pairsmith("run", project.run_dir, "--json", "--quiet").json

    assert (first["prompts"], first["not_matching"], again["prompts"]) == (4, 5, 4)
    assert (project.server.calls, project.dataset) == (calls, dataset)
    assert [row["input"]["messages"][0]["content"][8] for row in project.pairs] != ["3", "4", "6", "8"]


def test_a_limit_takes_no_more_prompts_than_asked_duplicates_not_counted(project: Project) -> None:
    project.prompts([{"prompt": "One?"}, {"prompt": "One?"}, {"prompt": "Two?"}, {"prompt": "Three?"}])

    said = project.run("--limit", 2)

    assert (said["prompts"], said["duplicates"]) == (2, 1)
    assert bought(said, "student") == 8


def test_u2028_in_a_prompt_and_in_candidates_cuts_no_line(project: Project) -> None:
    rows = [
        {"prompt": f"One\u2028two {n}?", "candidates": [f"{text}\u2028" for text in row["candidates"]]}
        for n, row in enumerate(answers(project, 6))
    ]
    said = project.prompts(rows).run("--set", "pair.min_gap=1", "--set", "pair.chosen_floor=1")

    assert said["prompts"] == 6
    assert len(project.pairs) == said["pairs"] > 0
    assert pairsmith("check", project.run_dir / "pairs.jsonl", "--target", "together").code == 0
