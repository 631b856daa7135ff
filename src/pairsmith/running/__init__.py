"""What the command line and the library share: assembling a run, carrying it out, writing what came of it.

Makes the clock, the client and the ledger that the pipeline is given. Prints nothing and handles no signal: whoever
calls it is told what there is to say. Called by cli/ and library/.
"""
