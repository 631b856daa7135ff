"""The report as a reader has it: in a browser, light and dark, wide and narrow, on paper, with hostile answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cli_runs import Project, pairsmith, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HOSTILE = [
    "<script>window.hacked = 1</script>",
    "</div></details></article><img src=x onerror='window.hacked = 1'>",
    '[a link](javascript:window.hacked=1) <a href="javascript:window.hacked=1">another</a>',
    "\x1b[31mred\x1b[0m \x1b]8;;http://127.0.0.1:9/\x07link\x1b]8;;\x07",
    "\u202eright to left\u202c and \u2066isolated; one line\u2028another",
    "مرحبا بالعالم، هذا نص من اليمين إلى اليسار",
    "<style>body { display: none }</style><iframe src='http://127.0.0.1:9/'></iframe>",
    "&lt;script&gt; &amp; ${window.hacked = 1} {{ 7 * 7 }}",
]
FAMILIES = ["plain", '"><script>window.hacked = 1</script>']


def rows() -> Iterator[dict[str, Any]]:
    """Prompts that attack in every field, each with two answers; and one whose answer is one line of 200 kB."""
    for at, text in enumerate(HOSTILE):
        yield {
            "prompt": f"{text} ({at})",
            "id": f"{at}{text}",
            "family": FAMILIES[at % 2],
            "system": text,
            "candidates": [text, {"content": f"{text} and some words more that say why", "model": text}],
        }
    yield {"prompt": "Long.", "family": "plain", "candidates": ["x" * 200_000, "word " * 40_000]}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file, made before there is a browser."""
    with serving() as server:
        project = Project(tmp_path_factory.mktemp("hostile"), server).prompts(rows())
        project.save(sample=None, pair={"min_gap": 0.5, "verify_gap": 0.5, "chosen_floor": 1.0})
        project.run()
        ran = pairsmith("report", project.run_dir, "--json")
    assert ran.code == 0, ran.err
    return Path(ran.json["out"])


@pytest.fixture
def opened(report: Path, browser: Browser) -> Iterator[Page]:
    """The page at a wide screen; whatever it says, asks for, runs or loads besides itself fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    noise: list[str] = []
    page.on("console", lambda message: noise.append(message.text))
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.on("dialog", lambda dialog: noise.append(dialog.message))
    page.on("request", lambda request: noise.append(request.url))
    page.goto(report.as_uri())
    yield page
    assert noise == [report.as_uri()]
    assert page.evaluate("window.hacked") is None
    context.close()


def test_a_reader_can_look_at_hostile_answers_filter_by_keyboard_and_print(opened: Page) -> None:
    nothing_of_a_text_is_more_than_text(opened)
    pairs_are_filtered_and_opened_by_the_keyboard_alone(opened)
    the_page_goes_with_the_reader_into_the_dark_and_onto_paper(opened)


def nothing_of_a_text_is_more_than_text(page: Page) -> None:
    page.locator(".filter .open").click()
    written = page.locator("#pairs").inner_text()

    assert "<script>window.hacked = 1</script>" in written
    assert "␛[31mred" in written
    assert "⟨U+202E⟩right to left" in written
    assert "it goes on to 200,000 characters" in written
    assert page.locator("#pairs").locator("a, img, script, style, iframe").count() == 0
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def pairs_are_filtered_and_opened_by_the_keyboard_alone(page: Page) -> None:
    every = shown(page)
    page.locator(".filter .close").click()
    page.locator("select[name=kind]").focus()
    press(page, "Tab", 5)
    page.keyboard.type("red")

    assert 0 < shown(page) < every
    assert page.locator("output").inner_text() == f"{shown(page)} of {every} shown"
    press(page, "Tab", 4)
    page.keyboard.press("Enter")
    page.wait_for_function(f"document.querySelectorAll('.pair:not([hidden])').length === {every}")
    press(page, "Shift+Tab", 8)
    page.keyboard.type("plain")
    assert 0 < shown(page) < every
    press(page, "Tab", 9)
    page.keyboard.press("Enter")
    assert page.locator(".pair:visible details").first.get_attribute("open") is not None


def the_page_goes_with_the_reader_into_the_dark_and_onto_paper(page: Page) -> None:
    bar = "getComputedStyle(document.querySelector('#panel-stages svg [style*=\"--accent\"]')).fill"
    colours = f"getComputedStyle(document.body).backgroundColor + {bar}"
    light = page.evaluate(colours)
    page.emulate_media(color_scheme="dark")

    assert page.evaluate(colours) != light
    assert page.pdf().count(b"/Type /Page\n") > 2
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 718, "height": 900})  # A4 with margins of a centimetre
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert (
        page.evaluate(
            "[...document.querySelectorAll('figure')].filter(one => one.scrollWidth > one.clientWidth).length"
        )
        == 0
    )


def shown(page: Page) -> int:
    return page.locator(".pair:visible").count()


def press(page: Page, key: str, times: int) -> None:
    for _ in range(times):
        page.keyboard.press(key)
