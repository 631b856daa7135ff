"""pair: settles a prompt whose evidence is complete, into a pair or an abstention with its reason."""
