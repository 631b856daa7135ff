"""`python -m pairsmith`."""

from pairsmith.cli import main

main()
