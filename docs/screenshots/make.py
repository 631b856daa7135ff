"""Makes the pictures of the pages in docs/ anew: `python docs/screenshots/make.py [PAGE…]`.

Each page is a function that gets a browser and the folder of a demo run. Needs chromium and the extra `dev`.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

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


PAGES: dict[str, Callable[[Browser, Path], None]] = {"report": report}


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
