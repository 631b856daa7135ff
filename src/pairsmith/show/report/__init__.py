"""The report: one HTML file about one run, or about two side by side. Asks nobody; reads the ledger alone."""
