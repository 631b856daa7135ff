import pairsmith

run = pairsmith.open_run("runs/tone")
print(f"{run.counts.settled} of {run.counts.prompts} prompts gave a pair, {run.spent.calls} calls were paid")

completions, verdicts, pairs = run.completions(), run.verdicts(), run.pairs()
scores = verdicts[verdicts["kind"] == "score"].merge(completions, on="completion")
print(scores.groupby("arm")["value"].agg(["mean", "count"]))
print(completions["flags"].value_counts())

longer = pairs["chosen"].str.len() > pairs["rejected"].str.len()
print(f"the longer answer is the chosen one in {longer.mean():.0%} of the pairs")
print(pairs.loc[pairs["gap"] < 4, ["prompt", "chosen", "rejected", "gap", "rule"]].to_string(max_colwidth=30))
