"""The review page: pairs shown blind, people's verdicts into the ledger. Called by the command line."""
