"""Proves dataset files from a run's ledger: which rows there have to be, and what is wrong with each that differs.

Verdicts are re-read from the judges' replies, prompts settled again (evidence.py), rows made again and held against the
files (auditor.py); a row that is equal to one that there has to be is proven, every other is examined (examining.py).
"""

from pairsmith.auditing.auditor import Auditor, layout_target, part_of
from pairsmith.auditing.findings import Audit, Problem

__all__ = ["Audit", "Auditor", "Problem", "layout_target", "part_of"]
