"""The loops that pairsmith is compared with, each a process of its own.

    python benchmarks/loops.py bare|openai|openai-aiohttp URL BODIES CALLS CONCURRENCY

`bare` is what aiohttp and orjson cost: workers that post bytes and parse the answer. `openai` is what a user
writes: AsyncOpenAI as it comes, a semaphore, gather. `openai-aiohttp` is that on openai's own aiohttp transport.
None of them stores, judges, pairs or retries anything. With 0 calls it only starts, imports and reads the bodies.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from pathlib import Path
from typing import Any

import orjson


async def bare(url: str, bodies: list[bytes], concurrency: int) -> int:
    """Post the bytes, parse the answer."""
    import aiohttp

    left = iter(bodies)
    headers = {"Content-Type": "application/json", "Authorization": "Bearer none"}
    connector = aiohttp.TCPConnector(limit=concurrency)
    timeout = aiohttp.ClientTimeout(total=None)
    answered = 0
    async with aiohttp.ClientSession(connector=connector, headers=headers, timeout=timeout) as session:

        async def work() -> None:
            nonlocal answered
            for body in left:
                async with session.post(f"{url}/chat/completions", data=body) as response:
                    answer = orjson.loads(await response.read())
                    answered += bool(answer["choices"][0]["message"]["content"])

        await asyncio.gather(*[work() for _ in range(concurrency)])
    return answered


async def openai(url: str, bodies: list[bytes], concurrency: int, http_client: Any = None) -> int:
    """What the README of the openai package shows, many at a time."""
    from openai import AsyncOpenAI

    client = AsyncOpenAI(base_url=url, api_key="none", http_client=http_client)
    semaphore = asyncio.Semaphore(concurrency)

    async def ask(body: dict[str, Any]) -> bool:
        async with semaphore:
            answer = await client.chat.completions.create(**body)
        return bool(answer.choices[0].message.content)

    answers = await asyncio.gather(*[ask(orjson.loads(body)) for body in bodies])
    await client.close()
    return sum(answers)


async def openai_aiohttp(url: str, bodies: list[bytes], concurrency: int) -> int:
    """The same, on openai's aiohttp transport."""
    from openai import DefaultAioHttpClient

    return await openai(url, bodies, concurrency, DefaultAioHttpClient())


LOOPS = {"bare": bare, "openai": openai, "openai-aiohttp": openai_aiohttp}


def main() -> None:
    name, url, path, calls, concurrency = sys.argv[1:]
    with Path(path).open("rb") as file:
        bodies = list(itertools.islice((line for line in file), int(calls)))
    print(asyncio.run(LOOPS[name](url, bodies, int(concurrency))))


if __name__ == "__main__":
    main()
