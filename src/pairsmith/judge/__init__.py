"""judge: which verdicts there are on the completions of a prompt, and which are still owed. Pure."""

from pairsmith.judge.asking import JudgeWords, Structured
from pairsmith.judge.panel import Asked, JudgeState, Panel, Settle, owed
from pairsmith.judge.settings import JudgeSettings

__all__ = ["Asked", "JudgeSettings", "JudgeState", "JudgeWords", "Panel", "Settle", "Structured", "owed"]
