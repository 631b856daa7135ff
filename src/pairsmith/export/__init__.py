"""export: DATASETS. Settled pairs become the rows of a training platform, and any such file is checked."""
