"""judge: which verdicts there are on the completions of a prompt, and which are still owed. Pure."""

from pairsmith.judge.asking import JudgeWords, Structured
from pairsmith.judge.case import Asked, Check, Panel, Settle
from pairsmith.judge.escalate import Gates
from pairsmith.judge.panel import JudgeState, SettleOrders, owed
from pairsmith.judge.settings import JudgeSettings
from pairsmith.judge.tasks import family_asked, with_family

__all__ = [
    "Asked",
    "Check",
    "Gates",
    "JudgeSettings",
    "JudgeState",
    "JudgeWords",
    "Panel",
    "Settle",
    "SettleOrders",
    "Structured",
    "family_asked",
    "owed",
    "with_family",
]
