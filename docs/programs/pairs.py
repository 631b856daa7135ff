import pairsmith

recipe = {
    "name": "tone",
    "endpoints": {"student": {"model": "sim-student"}, "teacher": {"model": "sim-judge"}},
    "sample": {"endpoints": ["student"], "completions": 4, "temperature": [0.6, 1.0]},
    "judge": {"panel": ["teacher"]},
}
prompts = [
    {"id": "parcel", "prompt": "My parcel says delivered, but I have nothing. What now?"},
    {"id": "vat", "prompt": "What is VAT?", "system": "You answer in two sentences."},
    {"id": "tea", "prompt": "How do I make iced tea for eight?", "topic": "kitchen"},
]

result = pairsmith.run(recipe, prompts, max_calls=500, on_message=print)

for pair in result.each_pair():
    print(pair.prompt.source_id, pair.gap, pair.chosen.text[:40], "|", pair.rejected.text[:40])
print(f"{result.counts.pairs} pairs in {result.out}")
if result.stopped:
    print(f"stopped early, run it again to continue: {result.stopped.sentence}")
