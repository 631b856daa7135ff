import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from simulator_client import Client

from pairsmith.simulator import Settings
from pairsmith.simulator.__main__ import read_settings
from pairsmith.simulator.book import Book

SRC = str(Path(__file__).parents[2] / "src")


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-m", "pairsmith.simulator", *arguments]
    environment = {**os.environ, "PYTHONPATH": SRC}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_command_announces_itself_serves_and_ends_cleanly(ending: signal.Signals) -> None:
    process = start("--port", "0", "--seed", "3", "--fault", "hang=0")
    assert process.stdout is not None
    announced = process.stdout.readline()
    with Client(announced.split()[-1]) as client:
        got = client.chat("How do I fold a map?")
    process.send_signal(ending)
    _, errors = process.communicate(timeout=10)

    assert announced.startswith("simulating on http://127.0.0.1:")
    assert announced.endswith("/v1\n")
    assert got.status == 200
    assert (process.returncode, errors) == (0, "")


def test_a_taken_port_is_said_in_one_line() -> None:
    first = start("--port", "0")
    assert first.stdout is not None
    port = first.stdout.readline().rsplit(":", 1)[1].removesuffix("/v1\n")
    second = start("--port", port)
    _, errors = second.communicate(timeout=10)
    first.terminate()
    first.communicate(timeout=10)

    assert second.returncode == 2
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1


def test_every_option_reaches_the_settings(tmp_path: Path) -> None:
    line = (
        f"--port 1 --seed 2 --latency 0.3 --latency-sigma 0.4 --fault 500=0.1 --fault reset=0.2 --like vllm"
        f" --book {tmp_path} --requests-per-minute 5 --tokens-per-minute 6 --no-limit-headers"
        " --limit-window 7 --max-concurrent 8 --retry-after 0.7 --require-key sk-x"
    )

    assert read_settings(line.split()) == Settings(
        port=1,
        seed=2,
        latency_s=0.3,
        latency_sigma=0.4,
        faults={"500": 0.1, "reset": 0.2},
        like="vllm",
        book=tmp_path,
        requests_per_minute=5,
        tokens_per_minute=6,
        limit_headers=False,
        window_s=7.0,
        max_concurrent=8,
        retry_after_s=0.7,
        require_key="sk-x",
    )


def test_help_names_the_platforms_and_what_models_honour(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_settings(["--help"])

    said = " ".join(capsys.readouterr().out.split())
    assert [word for word in ("sglang", "min_p", "verbosity", "Idempotency-Key") if word not in said] == []


@pytest.mark.parametrize("wrong", ["nothing=0.1", "500=often", "500"])
def test_a_wrong_fault_is_explained(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        read_settings(["--fault", wrong])

    assert ended.value.code == 2
    assert wrong.partition("=")[0] in capsys.readouterr().err


def test_a_book_without_files_or_with_a_broken_line_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no \*.jsonl"):
        Book.read(tmp_path)
    (tmp_path / "a.jsonl").write_text('{"prompt": "p", "answers": []}\n{oops\n')
    with pytest.raises(ValueError, match="line 2"):
        Book.read(tmp_path)


def test_settings_come_without_loading_the_server() -> None:
    script = "import sys, pairsmith.simulator as s; s.Settings(); sys.exit('aiohttp' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": SRC}

    assert subprocess.run([sys.executable, "-c", script], env=environment, check=False).returncode == 0


def test_the_package_imports_nothing_else_of_ours() -> None:
    script = (
        "import sys, pairsmith.simulator.__main__\n"
        "print(*(m for m in sys.modules if m.startswith('pairsmith') and not m.startswith('pairsmith.simulator')))"
    )
    environment = {**os.environ, "PYTHONPATH": SRC}
    loaded = subprocess.run([sys.executable, "-c", script], env=environment, check=True, capture_output=True, text=True)

    assert loaded.stdout.split() == ["pairsmith"]
