import asyncio
import contextlib

import pairsmith


async def main() -> None:
    recipe = pairsmith.load_recipe("runs/tone", {"pair.min_gap": 2})
    prompts = [f"Explain {what} to a child." for what in ("rain", "debt", "magnets", "sleep", "taxes", "echoes")]
    stream = pairsmith.stream_pairs(recipe, prompts, run_dir="runs/explained")
    async with contextlib.aclosing(stream):
        async for pair in stream:
            print(pair.prompt.messages[-1]["content"], "→", pair.chosen.arm, "over", pair.rejected.arm)
    if stream.result:
        print(stream.result.counts.abstained, stream.result.stopped)


asyncio.run(main())
