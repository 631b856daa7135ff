"""Strangers' preference data into rows for a target: files, dataset folders and hub datasets in, counted rows out."""
