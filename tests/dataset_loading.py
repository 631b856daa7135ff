"""Loads a dataset folder with the real `datasets`, in a process of its own, as it reads its settings on import."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

needs_datasets = pytest.mark.skipif(
    importlib.util.find_spec("datasets") is None and "CI" not in os.environ, reason="datasets is not installed"
)

LOADING = """
import json, sys
import datasets
datasets.disable_progress_bars()
told = {}
folder = sys.argv[1]
for config in [*datasets.get_dataset_config_names(folder), None]:
    loaded = datasets.load_dataset(folder, config)
    told[config or "default"] = {split: list(loaded[split]) for split in loaded}
print(json.dumps(told))
"""


def loaded(folder: Path, cache: Path) -> dict[str, dict[str, list[Any]]]:
    """By config, and for "default", the rows of each split."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": str(cache), "HF_HOME": str(cache)}
    command = [sys.executable, "-c", LOADING, str(folder)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    told: dict[str, dict[str, list[Any]]] = json.loads(ran.stdout)
    return told
