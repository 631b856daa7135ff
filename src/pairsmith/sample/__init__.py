"""sample: which completions of a prompt are owed, and which of those that came can be used."""
