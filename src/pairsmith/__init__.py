"""pairsmith: synthetic preference pairs that are right, cheap and provable."""

__version__ = "0.1.0"
