"""Makes the pictures of the pages in docs/ anew: `python docs/screenshots/make.py [PAGE…]`.

Each page is a function that gets a browser and the folder of a demo run. Needs chromium and the extra `dev`.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from pairsmith.assets import asset

HERE = Path(__file__).parent
COLOURS = 96  # of a picture: text stays sharp, and a file small


def report(browser: Browser, run: Path) -> None:
    """The report: light, dark, narrow, and a pair."""
    pairsmith("report", str(run))
    address = (run / "report.html").as_uri()
    light = opened(browser, address, 1280, 1500)
    keep(light.screenshot(), "report-light")
    light.set_viewport_size({"width": 1280, "height": 900})
    light.locator(".filter .close").click()
    light.locator(".pair:not(.unlike) summary").first.click()
    light.locator(".pair:not(.unlike)").first.evaluate("pair => pair.scrollIntoView()")
    keep(light.screenshot(), "report-pairs")
    dark = opened(browser, address, 1280, 1100, dark=True)
    dark.locator("#scores").evaluate("part => part.scrollIntoView()")
    keep(dark.screenshot(), "report-dark")
    keep(opened(browser, address, 390, 1400).screenshot(), "report-narrow")


def review(browser: Browser, run: Path) -> None:
    """The review page: light, dark, narrow, and what it says of agreement once somebody has judged."""
    with reviewing(run) as address:
        page = opened(browser, address, 1280, 860)
        page.wait_for_selector("#prompt-title")
        for verdict in range(1, 37):
            if verdict == 5:
                keep(page.screenshot(), "review-light")
                dark, narrow = opened(browser, address, 1280, 860, dark=True), opened(browser, address, 390, 844)
                for other, name in ((dark, "review-dark"), (narrow, "review-narrow")):
                    other.wait_for_selector("#prompt-title")
                    keep(other.screenshot(), name)
                    other.close()
            page.keyboard.press(better(page, errs=verdict % 7 == 0))
            page.wait_for_selector(f"#count:text('{verdict} of')")
        page.set_viewport_size({"width": 1000, "height": 860})
        page.click("#agreement summary")
        page.wait_for_selector(".finding")
        page.locator("#agreement").evaluate("part => part.scrollIntoView()")
        page.locator(".note, .bar, .top, main").evaluate_all("parts => parts.forEach(part => { part.hidden = true; })")
        keep(page.screenshot(), "review-agreement")


PAGES: dict[str, Callable[[Browser, Path], None]] = {"report": report, "review": review}


@contextmanager
def reviewing(run: Path) -> Iterator[str]:
    """The address of its review page."""
    words = [sys.executable, "-m", "pairsmith", "review", run.name, "--no-open", "--reviewer", "ann"]
    with subprocess.Popen(
        words, cwd=run.parent, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as served:
        assert served.stdout
        yield served.stdout.readline().removeprefix("reviewing on ").strip()
        served.terminate()


def better(page: Page, errs: bool) -> str:
    """The key of somebody who sees how good answers are, by the demo's book, and errs at times."""
    first, second = (quality(page.locator(f"[data-side='{side}'] .written").text_content() or "") for side in "12")
    return "0" if abs(first - second) < 3 else "1" if (first > second) != errs else "2"


@cache
def book() -> dict[str, float]:
    """How good each answer of the demo's book is."""
    lines = [line for path in asset("data", "demo", "book").glob("*.jsonl") for line in path.read_text().splitlines()]
    return {one["text"].strip(): one["quality"] for line in lines for one in json.loads(line)["answers"]}


def quality(text: str) -> float:
    """Of an answer as it stands on the page."""
    return book().get(text.strip(), 5.0)


def opened(browser: Browser, address: str, width: int, height: int, dark: bool = False) -> Page:
    """A page of that size."""
    scheme = "dark" if dark else "light"
    page = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme).new_page()
    page.goto(address)
    return page


def keep(picture: bytes, name: str) -> None:
    """A picture with few colours beside this script."""
    with Image.open(io.BytesIO(picture)) as whole:
        whole.convert("RGB").quantize(COLOURS).save(HERE / f"{name}.png", optimize=True)


def pairsmith(*words: str) -> None:
    """A command, which has to end well."""
    subprocess.run([sys.executable, "-m", "pairsmith", *words], check=True, capture_output=True)


def main() -> None:
    """Every page that is named, or all of them."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        demo = Path(folder) / "demo"
        pairsmith("demo", str(demo))
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name in sys.argv[1:] or PAGES:
            PAGES[name](browser, demo / "run")
        browser.close()


if __name__ == "__main__":
    main()
