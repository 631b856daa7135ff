"""`import pairsmith`: runs, their results and their tables for programs in Python.

Prints nothing, handles no signal and leaves the event loop as it is. The public names are those of pairsmith itself
(src/pairsmith/__init__.py), described in docs/library.md. Beside cli/, and not called by it.
"""
