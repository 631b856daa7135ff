"""What people look at: a report on a run, and a page on which they judge its pairs. Called by the command line."""
