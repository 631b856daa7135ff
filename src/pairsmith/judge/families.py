"""Which family a model is of, by its name: judges tend to prefer answers of their own (JUDGING, finding 13)."""

from __future__ import annotations

import re

# Names of model families in common use (November 2026), and what begins or stands in their models' names.
FAMILIES = {
    "GPT": r"gpt|o[1345](-|$)|chatgpt",
    "Claude": r"claude|sonnet|haiku|opus",
    "Gemini": r"gemini|gemma",
    "Llama": r"llama",
    "Qwen": r"qwen|qwq",
    "Mistral": r"mistral|mixtral|ministral|magistral",
    "DeepSeek": r"deepseek",
    "Grok": r"grok",
    "Phi": r"phi-?\d",
    "GLM": r"glm",
    "Kimi": r"kimi|moonshot",
    "Command": r"command-|c4ai|aya",
    "Nova": r"nova-",
    "OLMo": r"olmo|tulu",
    "Granite": r"granite",
}


def family_of(model: str) -> str | None:
    """The family of a model, from the last part of its name ("Qwen/Qwen3-8B"); None when the name does not tell."""
    name = model.rsplit("/", 1)[-1].lower()
    return next((family for family, words in FAMILIES.items() if re.search(rf"(^|[^a-z])({words})", name)), None)
