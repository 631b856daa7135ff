"""A dataset handed to a platform: checked, uploaded, trained on, watched; nothing of it twice.

submit.py tells the story, journal.py remembers how far it came, limits.py knows what each platform takes. OpenAI and
Azure are spoken to in wire/finetuning.py, Together and Fireworks here. Called by cli/submit.py.
"""
