"""Texts that strangers wrote, as HTML that cannot run, hide or turn anything around.

Markdown is read with HTML switched off; what comes out passes an allow-list once more. Pure. Called by pages.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from html import escape
from typing import Any, NamedTuple

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]
from pygments.token import STANDARD_TYPES  # type: ignore[import-untyped]

from pairsmith.show.unseen import visible

# Beyond these a text is shown plain: a stranger may have written it to keep the page busy. Measured: 20,000 characters
# take markdown-it-py 0.5 s at most, but 1.3 s if all of them open links.
MOST_MARKDOWN = 20_000  # characters
MOST_BRACKETS = 500  # that open a link
MOST_COLOURED = 6_000  # characters of one code block
MOST_COLOURED_LINES = 150
HEADING_SHIFT = 2  # an answer's own headings stand below those of the page

# Languages that are coloured: a lexer is regular expressions over what a stranger wrote, so only those of everyday.
# Java's and C#'s are left out: they take a minute for 10,000 characters that are written for that (pygments 2.21).
_LANGUAGES = frozenset(
    (
        "bash", "c", "c++", "console", "cpp", "css", "diff", "docker", "dockerfile", "go", "golang", "html", "ini",
        "javascript", "js", "json", "jsx", "julia", "kotlin", "lua", "make", "makefile", "perl", "php", "powershell",
        "py", "pycon", "python", "python3", "r", "rb", "rs", "ruby", "rust", "scss", "sh", "shell", "sql", "swift",
        "toml", "ts", "tsx", "typescript", "xml", "yaml", "yml", "zsh",
    )
)  # fmt: skip

_TEXT_BLOCKS = ("paragraph", "heading", "list_item", "blockquote", "th", "td")
_CODE_CLASSES = {name for name in STANDARD_TYPES.values() if name}
_ALIGNED = {"left": "to-left", "center": "to-centre", "right": "to-right"}
_HEADINGS = {f"h{level}" for level in range(1 + HEADING_SHIFT, 7)}
_TAGS = _HEADINGS | {
    "p", "br", "hr", "em", "strong", "s", "code", "pre", "ul", "ol", "li", "blockquote", "div", "span", "a",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href", "target", "dir"}, "ol": {"start"}} | {
    tag: {"dir"} for tag in (*_HEADINGS, "p", "li", "blockquote", "pre", "code")
}
_ATTRIBUTES |= {"th": {"dir"}, "td": {"dir"}}
_CLASSES = {
    "span": {*_CODE_CLASSES, "address", "image"},
    "pre": {"code", "plain"},
    "div": {"wide"},
    "th": set(_ALIGNED.values()),
    "td": set(_ALIGNED.values()),
}
_ADDRESSES = re.compile("(?:https?|mailto):", re.IGNORECASE)
_REL = "noopener noreferrer nofollow"


class Rendered(NamedTuple):
    """One text, twice: as Markdown and as it was written. `long`: the first is plain too, as it is too much."""

    html: str
    raw: str
    long: bool


def rendered(text: str, plain: bool = False) -> Rendered:
    """A text as HTML: only what stands in an allow-list, links to addresses that are shown, no picture, no script.

    Args:
        text: as somebody wrote it.
        plain: leave Markdown alone.
    """
    seen = visible(text)
    raw = f'<pre class="plain" dir="auto">{escape(seen)}</pre>'
    if plain or len(seen) > MOST_MARKDOWN or seen.count("[") > MOST_BRACKETS:
        return Rendered(raw, raw, long=True)
    html = _clean(_markdown().render(seen))
    return Rendered(visible(html), raw, long=False)  # once more: Markdown decodes &#x202e; and what addresses hold


def _clean(html: str) -> str:
    """The second wall: should the first one have a hole."""
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        allowed_classes=_CLASSES,
        url_schemes={"http", "https", "mailto"},
        link_rel=_REL,
    )


# --- Markdown ---------------------------------------------------------------------------------------


@cache
def _markdown() -> MarkdownIt:
    """CommonMark with tables; a line break is one, as answers are written for chats."""
    made = MarkdownIt("commonmark", {"html": False, "breaks": True}, renderer_cls=_Renderer)
    made.enable(["table", "strikethrough"])
    made.validateLink = _may_be_linked  # type: ignore[method-assign,assignment]
    made.core.ruler.push("facing", _facing)
    return made


def _may_be_linked(address: str) -> bool:
    """Of anything else the source is shown: also of what would lead to somewhere in this page."""
    return _ADDRESSES.match(address.strip()) is not None


def _facing(state: StateCore) -> None:
    """Each block finds its own direction, headings step down, and columns are aligned by a class."""
    for token in state.tokens:
        if token.type.removesuffix("_open") in _TEXT_BLOCKS and token.nesting == 1:
            token.attrSet("dir", "auto")
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1:]) + HEADING_SHIFT, 6)}"
        if style := token.attrs.pop("style", None):
            token.attrSet("class", _ALIGNED.get(str(style).rpartition(":")[2], ""))


class _Renderer(RendererHTML):
    """markdown-it-py's own, but for links, pictures, code and tables."""

    def link_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """A link opens elsewhere, and tells nobody where it was followed."""
        href = str(tokens[idx].attrGet("href") or "")
        env.setdefault("links", []).append(href)
        return f'<a href="{escape(href)}" target="_blank">'

    def link_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Where it leads is read before it is followed."""
        href = env["links"].pop()
        said = tokens[idx - 1].content if idx else ""
        address = "" if said == href else f' <span class="address">({escape(href)})</span>'
        return f"</a>{address}"

    def image(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Nothing is fetched: what the picture is said to show, and where it is."""
        alt = self.renderInlineAsText(tokens[idx].children, options, env)
        source = str(tokens[idx].attrGet("src") or "")
        return f'<span class="image">[picture: {escape(alt or "no description")}, {escape(source)}]</span>'

    def fence(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """A code block in the colours of its language."""
        language = (tokens[idx].info.split() or [""])[0].lower()
        return f'<pre class="code" dir="ltr"><code>{_coloured(tokens[idx].content, language)}</code></pre>\n'

    def code_block(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """The same of an indented one, which names no language."""
        return self.fence(tokens, idx, options, env)

    def table_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """A wide table scrolls in a frame of its own."""
        return '<div class="wide"><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """The end of the frame."""
        return "</table></div>\n"


def _coloured(code: str, language: str) -> str:
    long = len(code) > MOST_COLOURED or code.count("\n") > MOST_COLOURED_LINES
    if long or language not in _LANGUAGES:
        return escape(code)
    lexer = get_lexer_by_name(language, stripnl=False)
    return str(highlight(code, lexer, HtmlFormatter(nowrap=True)))
