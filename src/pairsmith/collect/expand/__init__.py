"""MORE PROMPTS FROM A FEW: what a model is asked for new ones, and which of them are kept.

Pure: the words, the dice and the judgement of texts come in as arguments, replies are sent in by whoever pays for
them (expanding.py). The story is growth.py; methods.py says what is asked, gates.py what is kept.
"""
