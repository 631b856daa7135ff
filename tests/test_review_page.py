"""The review page in a real browser: judging by keys, undo, edits, reloads, tabs, people, and hostile answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from pairsmith.records import Prompt
from review_runs import Served, asked, everyday_prompts, reviewing

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

Serve: TypeAlias = "Callable[[Sequence[Prompt]], Served]"
WIDE, NARROW = (1280, 860), (390, 844)
LONG = 200_000

HOSTILE = [
    "<script>window.owned = 1; alert(1)</script>\n\n<img src=x onerror='window.owned = 1; alert(2)'>",
    "[a](javascript:alert(3)) <a href=javascript:alert(4)>b</a> [c](data:text/html,<script>alert(5)</script>)",
    '![p](https://tracker.example/p.png) ![q](x"onerror=alert(6)) <iframe src=https://tracker.example></iframe>',
    "```html\n</code></pre><script>window.owned = 1</script>\n```\n<style>body { display: none }</style>",
    "\x1b[31mred\x1b[0m \x1b]8;;https://tracker.example\x07link \u202egnorw si siht\u202c \x00 end",
    "x" * LONG,
    "```\n" + "y" * LONG + "\n```",
    "זה טקסט בעברית, עם **הדגשה** ו-`code`.\n\nوهذا بالعربية: 1, 2, 3.",
    "|" + "wide cell |" * 60 + "\n|" + "---|" * 60 + "\n|" + "z" * 300 + "|" * 60,
    "<svg onload=alert(7)><math><mi xlink:href=javascript:alert(8)>\n\n<form action=https://tracker.example>",
]


@dataclass
class Watched:
    """A page, and all that it should not do."""

    page: Page
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        here = self.page
        here.on("dialog", lambda dialog: (self.wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        here.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        here.on("console", lambda said: self.wrong.append(f"console: {said.text}"))
        here.on("popup", lambda _: self.wrong.append("popup"))
        here.on("request", lambda asked: self.wrong.append(f"asks {asked.url}") if not self._own(asked.url) else None)

    def _own(self, url: str) -> bool:
        return url.startswith(("http://127.0.0.1:", "data:"))

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def says(self, words: str) -> None:
        """What is announced, once it is."""
        from playwright.sync_api import expect

        expect(self.page.locator("#said")).to_contain_text(words)

    def judges(self, *keys: str) -> None:
        """Press keys one after the other, each when what the one before did is done."""
        from playwright.sync_api import expect

        for key in keys:
            before = self.count
            self.press(key)
            expect(self.page.locator("#count")).not_to_have_text(before)

    @property
    def count(self) -> str:
        return self.page.locator("#count").inner_text()

    def answer(self, side: int) -> str:
        return self.page.locator(f"[data-side='{side}'] .read").inner_text()

    @property
    def prompt(self) -> str:
        return self.page.locator(".prompt .read").first.inner_text().strip()

    def side(self, word: str) -> str:
        """Under which number an answer stands that says this."""
        return "1" if word in self.answer(1) else "2"

    @property
    def sideways(self) -> int:
        """By how many pixels the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@contextmanager
def opened(browser: Browser, size: tuple[int, int] = WIDE, **options: Any) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
    context.set_default_timeout(10_000)
    try:
        yield context
    finally:
        context.close()


def visit(context: BrowserContext, url: str) -> Watched:
    watched = Watched(context.new_page())
    watched.page.goto(url)
    watched.page.wait_for_selector("#prompt-title")
    return watched


@pytest.fixture
def reviewed(tmp_path: Path) -> Iterator[Serve]:
    """Serves the page of a run of its own."""
    with ExitStack() as stack:
        yield lambda prompts: stack.enter_context(reviewing(tmp_path, prompts))


def test_a_whole_review_by_keys_alone(browser: Browser, reviewed: Serve) -> None:
    served = reviewed(everyday_prompts(6))
    with opened(browser) as context:
        one = visit(context, served.url)
        assert one.prompt == "Question 0?"

        one.judges(one.side("better"))
        one.press("c")
        one.page.keyboard.type("12 x u e: all of it a note")
        one.press("Escape")
        one.judges("0", "x")
        assert served.said == [
            ("ann", "preferred", "The better answer 0."), ("ann", "tie", ""), ("ann", "bad_prompt", "")
        ]  # fmt: skip
        assert [review.note for review in served.reviews] == ["", "12 x u e: all of it a note", ""]

        one.judges("u", "u")
        one.says("Taken back. 1 of 6.")
        assert (one.prompt, one.page.input_value("#note")) == ("Question 1?", "12 x u e: all of it a note")
        one.judges(one.side("worse"))
        assert served.said[1:] == [("ann", "preferred", "The worse answer 1.")]
        assert served.reviews[1].note == "12 x u e: all of it a note"

        assert one.prompt == "Question 2?"
        one.press("n")
        one.says("Put at the end.")
        side = one.side("worse")
        one.press("e", side)
        one.page.wait_for_selector("#edited:focus")
        one.press("Control+Enter")
        one.says("Nothing was changed.")
        one.press("Control+A", "Delete", "Control+Enter")
        one.says("An empty answer cannot be saved.")
        one.page.keyboard.type("A mended <b>answer</b>.\nWith 1 and 2.")
        one.press("Control+Enter")
        one.says(f"Stored: your edit of {side} is better. 3 of 6.")
        assert served.said[2:] == [("ann", "edit", "A mended <b>answer</b>.\nWith 1 and 2.")]

        one.judges("1")
        one.press("?")
        assert one.page.locator("#help").is_visible()
        one.press("1", "Escape")
        assert one.count == "4 of 6"
        one.press("Control+1", "r")
        assert one.page.locator(".written").first.is_visible()
        one.press("d")
        marked = [mark.inner_text().strip() for mark in one.page.locator("mark:visible").all()]
        assert sorted(marked) == ["better", "worse"]
        one.judges("2")
        assert one.prompt == "Question 2?"
        one.judges("1")
        assert one.page.locator("h2").first.inner_text().upper() == "ALL DONE"
        one.judges("u")
        assert (one.prompt, len(served.reviews)) == ("Question 2?", 5)
        assert one.wrong == []


def test_a_reload_in_the_middle_loses_nothing(browser: Browser, reviewed: Serve) -> None:
    served = reviewed(everyday_prompts(3))
    with opened(browser) as context:
        one = visit(context, served.url)
        one.judges("1")
        shown = one.answer(1)
        one.page.fill("#note", "half a thou")
        one.press("Escape", "e", "1")
        one.page.wait_for_selector("#edited:focus")
        one.page.keyboard.type("Half an edit. ")
        one.page.reload()
        one.page.wait_for_selector("#edited:focus")

        assert one.page.input_value("#edited") == f"Half an edit. {shown}"
        assert one.page.input_value("#note") == "half a thou"
        one.press("Escape")
        one.says("your text is kept")
        assert one.answer(1) == shown
        one.press("e", "1", "Control+Enter")
        one.says("Stored: your edit of 1")
        assert (served.reviews[1].edited, served.reviews[1].note) == (f"Half an edit. {shown}", "half a thou")
        assert one.page.input_value("#note") == ""
        assert one.wrong == []


def test_two_tabs_and_two_people(browser: Browser, reviewed: Serve) -> None:
    served = reviewed(everyday_prompts(3))
    with opened(browser) as context:
        one, other = visit(context, served.url), visit(context, served.url)
        assert (one.prompt, other.prompt) == ("Question 0?", "Question 1?")

        one.judges("1")
        assert one.prompt == "Question 2?"
        other.judges("1")
        assert other.prompt == "Question 2?"  # there is no other any more
        one.judges("1")
        other.press("0")
        other.says("This pair was judged meanwhile")
        assert other.count == "3 of 3"

        one.page.fill("#who", " bob ")
        one.press("Enter")
        one.says("Reviewing as bob. 0 of 3.")
        assert "?reviewer=bob" in one.page.url
        one.page.reload()
        one.judges("2")
        assert [review.reviewer for review in served.reviews] == ["ann", "ann", "ann", "bob"]
        other.press("u")
        other.says("Taken back. 2 of 3.")
        assert [review.reviewer for review in served.reviews] == ["ann", "ann", "bob"]
        assert other.wrong == ["console: Failed to load resource: the server responded with a status of 409 (Conflict)"]


def test_a_verdict_that_cannot_be_sent_is_kept_and_sent_again(browser: Browser, reviewed: Serve) -> None:
    served = reviewed(everyday_prompts(3))
    with opened(browser) as context:
        one = visit(context, served.url)
        context.set_offline(True)
        one.press("1")
        one.page.wait_for_selector("#trouble:visible")
        assert "Your verdict (1 is better) is kept here" in one.page.inner_text("#trouble")
        one.press("2")
        one.page.wait_for_timeout(1)
        assert served.reviews == []
        context.set_offline(False)
        one.page.reload()
        one.page.wait_for_selector("#trouble:visible")
        one.page.click("#again")
        one.says("Stored: 1 is better. 1 of 3.")

        assert [review.said.value for review in served.reviews] == ["preferred"]
        assert not one.page.locator("#trouble").is_visible()


def test_a_verdict_that_is_refused_as_the_token_is_another_is_kept_for_the_page_with_the_right_one(
    browser: Browser, reviewed: Serve
) -> None:
    served = reviewed(everyday_prompts(3))
    with opened(browser) as context:
        refusing = {
            "status": 403,
            "body": "<p>Not for you</p>",
        }  # from before the page is there: later it may be too late
        context.route("**/verdict", lambda route: route.fulfill(**refusing) if refusing else route.continue_())
        one = visit(context, served.url)
        one.press("1")
        one.page.wait_for_selector("#trouble:visible")
        assert "Your verdict (1 is better) is kept here" in one.page.inner_text("#trouble")
        assert "open the address that pairsmith review has printed last" in one.page.inner_text("#trouble")
        refusing.clear()
        one.page.reload()
        one.page.click("#again")
        one.says("Stored: 1 is better. 1 of 3.")


def test_nothing_of_a_hostile_answer_runs_loads_or_pushes_the_page_about(browser: Browser, reviewed: Serve) -> None:
    prompts = [
        asked(text[:3000] or "?", text, f"{text} ", reference=text, system=f"Speak. {text[:3000]}") for text in HOSTILE
    ]
    served = reviewed(prompts)
    with opened(browser, NARROW, color_scheme="dark") as context:
        one = visit(context, served.url)
        for place in range(len(HOSTILE)):
            one.page.wait_for_selector(f"#count:text('{place} of')")
            one.page.locator("summary").first.click()
            for _ in range(2):
                assert one.sideways == 0, HOSTILE[place][:80]
                one.press("r")
            for wild in ("script", "iframe", "img", "form", "style", "svg", "[onerror]", "[onload]", "[style]"):
                assert one.page.locator(f"main {wild}").count() == 0, wild
            one.judges("1")
        assert one.page.evaluate("window.owned") is None
        assert one.wrong == []
        assert len(served.reviews) == len(HOSTILE)


def test_keyboard_and_screen_reader_find_everything(browser: Browser, reviewed: Serve) -> None:
    served = reviewed(everyday_prompts(2))
    with opened(browser) as context:
        one = visit(context, served.url)
        reached = []
        one.page.evaluate("document.activeElement.blur()")
        for _ in range(20):
            one.press("Tab")
            reached.append(one.page.evaluate(FOCUSED))
        names = [name for name, _ in reached]

        for name in ("To the pair", "Reviewer", "Keys", "Note", "1 is better", "Tie", "2 is better", "Edit", "Undo"):
            assert any(said.startswith(name) for said in names), name
        assert all(outline != "none" for name, outline in reached if name)
        one.page.focus("[data-act='1']")
        one.press("Enter")
        one.says("Stored: 1 is better. 1 of 2.")
        assert one.page.evaluate("document.activeElement.dataset.act") == "1"
        for scheme in ("light", "dark"):
            one.page.emulate_media(color_scheme=scheme)
            assert one.page.evaluate(PROBLEMS) == []
        one.press("?")
        one.page.uncheck("#keys-act")
        one.press("Escape", "1")
        assert one.count == "1 of 2"
    with opened(browser, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(served.url)

        assert "This page needs JavaScript" in page.inner_text("body")


FOCUSED = """() => {
  const one = document.activeElement;
  if (one === document.body) return ["", "none"];
  const label = one.labels && one.labels[0];
  return [(label || one).textContent.trim().replace(/\\s+/g, " "), getComputedStyle(one).outlineStyle];
}"""

# By hand what usual checkers look for: names, landmarks, headings, labels, contrast of what is text.
PROBLEMS = """() => {
  const all = (what) => [...document.querySelectorAll(what)];
  const found = [];
  const wrong = (what, one) => found.push(`${what}: ${one.outerHTML.slice(0, 80)}`);
  if (document.documentElement.lang !== "en" || !document.title) found.push("no language or title");
  if (all("main").length !== 1 || all("h1").length !== 1) found.push("not one main and one h1");
  for (const one of all("button, summary, a")) if (!one.textContent.trim()) wrong("no name", one);
  for (const one of all("input, textarea")) if (!one.labels.length) wrong("no label", one);
  for (const one of all("section, article, dialog"))
    if (!one.ariaLabel && !document.getElementById(one.getAttribute("aria-labelledby"))) wrong("no name", one);
  const ids = all("[id]").map((one) => one.id);
  if (new Set(ids).size !== ids.length) found.push("an id twice");
  const linear = (part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const light = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).map((part) => linear(part / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  const behind = (one) => {
    const color = getComputedStyle(one).backgroundColor;
    return /^rgb\\(/.test(color) ? color : one.parentElement ? behind(one.parentElement) : "rgb(255, 255, 255)";
  };
  for (const one of all("button, p, h1, h2, label, summary, kbd, span")) {
    if (!one.checkVisibility() || !one.textContent.trim()) continue;
    const [a, b] = [light(getComputedStyle(one).color), light(behind(one))];
    if (Math.max(a, b) / Math.min(a, b) < 4.5) wrong("contrast", one);
  }
  return found;
}"""
