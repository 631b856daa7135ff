"""`pairsmith init`: a recipe with comments for one platform, sample prompts, and the words to edit."""

from __future__ import annotations

import re
import shlex
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import click

from pairsmith.assets import asset, bundled
from pairsmith.cli.common import json_option, relative, show
from pairsmith.errors import UserError

SAMPLE_PROMPTS = 12


@dataclass(frozen=True, slots=True)
class Platform:
    """Where the models run: its name for people, what has to be there first, and the target of its recipe."""

    name: str
    before: tuple[str, ...]  # shell commands


PLATFORMS = {
    "vllm": Platform(
        "vLLM",
        (
            "vllm serve Qwen/Qwen3-8B --port 8000",
            "vllm serve mistralai/Mistral-Small-3.2-24B-Instruct-2506 --port 8001",
        ),
    ),
    "openai": Platform("OpenAI", ("export OPENAI_API_KEY=…",)),
    "together": Platform("Together", ("export TOGETHER_API_KEY=…",)),
    "fireworks": Platform("Fireworks", ("export FIREWORKS_API_KEY=…",)),
    "ollama": Platform("Ollama", ("ollama pull llama3.1:8b", "ollama pull gemma3:27b")),
    "llama-cpp": Platform(
        "llama.cpp",
        (
            "llama-server -m student.gguf --port 8080 --parallel 4",
            "llama-server -m judge.gguf --port 8081 --parallel 4",
        ),
    ),
    "simulator": Platform("the simulator", ("pairsmith simulate --port 8400 &",)),
}


@click.command("init")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@click.option("--for", "platform", type=click.Choice(list(PLATFORMS)), default="vllm", show_default=True)
@click.option("--grow", type=click.IntRange(min=1), metavar="N", help="Have N prompts grown from a few, your seeds.")
@click.option("--force", is_flag=True, help="Write over files that are there.")
@json_option
def command(folder: Path, platform: str, grow: int | None, force: bool, as_json: bool) -> int:
    """Write recipe.toml, prompts.jsonl, rubric.md and system/*.md into DIR, ready to be edited."""
    name = _run_name(folder)
    files = _files(name, platform, grow)
    _write(folder, files, force)
    result = {"dir": str(folder), "for": platform, "name": name, "files": [str(folder / file) for file in files]}
    show(result, as_json, lambda: _text(folder, name, PLATFORMS[platform], grow))
    return 0


def _run_name(folder: Path) -> str:
    """The folder's name, as far as a recipe can have it."""
    return re.sub(r"[^\w .-]", "-", folder.resolve().name).lstrip(" .-") or "pairs"


# --- what is written -------------------------------------------------------------------------------


def _files(name: str, platform: str, grow: int | None) -> dict[str, bytes]:
    """Every file by its path in the folder; the recipe last, so that it never stands there without them."""
    personas = {f"system/{persona}.md": ("system", f"{persona}.md") for persona in bundled("system")}
    words = {"rubric.md": ("rubrics", "general.md"), **personas}
    return {
        "prompts.jsonl": _sample_prompts(),
        **{path: asset("prompts", *source).read_bytes() for path, source in words.items()},
        "recipe.toml": recipe_text(name, platform, grow).encode(),
    }


def recipe_text(name: str, platform: str, grow: int | None = None) -> str:
    """The recipe for one platform, with its comments; `grow`: so many prompts are grown from those beside it."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(asset("data", "init")),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    rubrics = " ".join(bundled("rubrics"))
    return environment.get_template(f"{platform}.toml.j2").render(name=name, rubrics=rubrics, grow=grow)


def _sample_prompts() -> bytes:
    """The first plain prompts of every family in turn: one of each, then the second of each, and so on."""
    import orjson

    families: dict[str, list[bytes]] = defaultdict(list)
    for line in asset("data", "prompts", "everyday.jsonl").read_bytes().split(b"\n"):
        row = orjson.loads(line) if line else {}
        if "prompt" in row:
            families[row["family"]].append(line + b"\n")
    rounds = zip(*families.values(), strict=False)
    return b"".join([line for turn in rounds for line in turn][:SAMPLE_PROMPTS])


def _write(folder: Path, files: dict[str, bytes], force: bool) -> None:
    there = [path for path in files if (folder / path).exists()]
    if there and not force:
        more = f" (and {len(there) - 1} more of these files)" if len(there) > 1 else ""
        raise UserError(f"{relative(folder / there[-1])} is already there{more}: name another folder, or say --force")
    try:
        (folder / "system").mkdir(parents=True, exist_ok=True)
        for path, content in files.items():
            (folder / path).write_bytes(content)
    except OSError as exc:
        raise UserError(f"{exc.filename or folder} cannot be written ({exc.strerror}): name another folder") from None


# --- what is said ----------------------------------------------------------------------------------


def _text(folder: Path, name: str, platform: Platform, grow: int | None) -> str:
    def command(*words: str) -> str:
        return "  " + shlex.join(["pairsmith", *words])

    where = "here" if folder.resolve() == Path.cwd() else relative(folder)
    recipe, run_dir = relative(folder / "recipe.toml"), str(Path("runs") / name)
    return "\n".join(
        [
            f"{where}: a recipe for {platform.name}, and the words to edit",
            "",
            "  recipe.toml    every setting, with comments: begin with the two models",
            f"  prompts.jsonl  {SAMPLE_PROMPTS} sample {'seeds' if grow else 'prompts'}, one a line: put yours there",
            '  rubric.md      what "better" means: the judge goes by it',
            f"  system/        {len(bundled('system'))} personas to sample under, a hasty one among them",
            "",
            "Before the first run:",
            *[f"  {line}" for line in platform.before],
            "",
            *(
                [
                    "Look at the prompts that grow; the run takes the same, and does not pay for them again:",
                    command("expand", recipe, "-o", "grown.jsonl"),
                    "",
                ]
                if grow
                else []
            ),
            "A few prompts first, then all of them; what was answered is never bought again:",
            command("run", recipe, "--limit", "3"),
            command("run", recipe),
            "",
            f"The pairs will stand in {run_dir}/pairs.jsonl. More of them:",
            command("status", run_dir),
            command("export", run_dir, "--target", "trl", "-o", "pairs.trl.jsonl"),
        ]
    )
