"""Which rows are wanted: a condition on their keys, as pandas' query takes it.

Only what compares is let through to pandas: names, constants, operators, and a few methods that look at values.
`prompt.to_csv(…)` would write a file, and a recipe may come from anywhere. Called by sources.py and settings.py.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from pairsmith.errors import InputError
from pairsmith.records import Json
from pairsmith.streams import Flaw, say_name

if TYPE_CHECKING:
    import pandas as pd

Read: TypeAlias = Iterator[tuple[int, "Json | Flaw"]]
Row: TypeAlias = "dict[str, Json]"

BATCH_ROWS = 256  # looked at together: a call of pandas costs as much as some hundred rows
MOST_CHARS = 10_000
_NODES = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.Invert, ast.USub, ast.BinOp, ast.Add,
    ast.Sub, ast.Mult, ast.Div, ast.Mod, ast.FloorDiv, ast.Compare, ast.cmpop, ast.Name,
    ast.Load, ast.Constant, ast.List, ast.Tuple, ast.Call, ast.Attribute, ast.keyword,
)  # fmt: skip
_METHODS = ("isin", "isna", "isnull", "notna", "notnull", "between")
_OF_TEXTS = ("contains", "endswith", "fullmatch", "len", "lower", "match", "startswith", "strip", "upper")
_NO_TRUTH = "says neither true nor false of a row: compare with something, as in score > 3"
_PARTS = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|`[^`]*`|[#&|]")


class Condition:
    """A condition on the keys of a row.

    Args:
        text: such as `language == 'de' and score > 3`; a key that is no Python name stands in backticks.

    Raises:
        ValueError: it is none, or asks for more than comparing.
    """

    def __init__(self, text: str) -> None:
        self.text = re.sub(r"[\r\n]", " ", text).strip()
        self._quoted: dict[str, str] = {}
        tree = self._parsed(self.text)
        for node in ast.walk(tree):
            _check(node)
        used = {node.id: None for node in ast.walk(tree) if isinstance(node, ast.Name)}
        self.names = tuple(dict.fromkeys(self._key(name) for name in used))
        if not self.names:
            raise ValueError("names no key of a row: write it like language == 'de'")
        self._numbers = {self._key(name) for name in _compared_with_numbers(tree)}

    def _parsed(self, text: str) -> ast.Expression:
        if len(text) > MOST_CHARS:
            raise ValueError(f"is longer than {MOST_CHARS:,} characters")
        if len(text.splitlines()) > 1:  # at which pandas would begin another one
            raise ValueError("holds a line separator: write it in one line")
        try:
            return ast.parse(_PARTS.sub(self._placeholder, text), mode="eval")
        except (SyntaxError, RecursionError, MemoryError) as exc:
            reason = exc.msg if isinstance(exc, SyntaxError) else "nested too deep"
            raise ValueError(f"is no condition ({reason}): write it like language == 'de'") from None

    def _placeholder(self, found: re.Match[str]) -> str:
        """Quoted texts stay, names in backticks become Python names; both may not hold what ends the other.

        & and | bind like `and` and `or`, as in pandas.
        """
        part = found.group()
        if part in ("&", "|"):
            return " and " if part == "&" else " or "
        if part == "#" or (part[0] != "`" and "`" in part) or (part[0] == "`" and set(part) & set("'\"#\n\\")):
            raise ValueError("holds # or a backtick among quotes: leave these out")
        if part[0] != "`":
            return part
        name = f"_quoted_{len(self._quoted)}_"
        self._quoted[name] = part[1:-1]
        return name

    def _key(self, name: str) -> str:
        return self._quoted.get(name, name)

    def holds(self, rows: Sequence[Row]) -> list[bool]:
        """Of which rows it holds; a key that a row has not is null there.

        Raises:
            ValueError: it cannot be asked of such values.
        """
        import pandas as pd

        columns = {name: self._column([row.get(name) for row in rows], name) for name in self.names}
        try:
            met: Any = pd.DataFrame(columns).eval(self.text, engine="python", local_dict={}, global_dict={})
        except Exception as exc:
            raise ValueError(
                f"cannot be asked of these rows ({(str(exc).splitlines() or [type(exc).__name__])[0][:200]})"
            ) from exc
        if not isinstance(met, pd.Series):
            raise ValueError(_NO_TRUTH)
        return [_truth(one) for one in met.tolist()]

    def _column(self, values: list[Json], name: str) -> pd.Series[Any]:
        import pandas as pd

        if name in self._numbers:
            return pd.to_numeric(pd.Series(values, dtype=object), errors="coerce")
        texts = all(value is None or isinstance(value, str) for value in values)
        return pd.Series(values, dtype="str" if texts else None)


def _truth(value: object) -> bool:
    """What was found of one row; null is as good as false."""
    if not isinstance(value, bool) and value is not None and value == value:
        raise ValueError(_NO_TRUTH)
    return value is True


def _check(node: ast.AST) -> None:
    """Raises ValueError where pandas would be asked for more than comparing."""
    if not isinstance(node, _NODES):
        raise ValueError(f"holds a {type(node).__name__}, and only comparing is done here")
    if isinstance(node, ast.Call):
        function = node.func
        if not isinstance(function, ast.Attribute):
            raise ValueError("calls a function, and only methods of keys can be called, such as language.isin(['de'])")
        of_texts = isinstance(function.value, ast.Attribute) and function.value.attr == "str"
        known = _OF_TEXTS if of_texts else _METHODS
        if function.attr not in known:
            raise ValueError(f"calls {function.attr}, and the methods here are {', '.join(known)}")
    elif isinstance(node, ast.Attribute) and node.attr not in ("str", *_METHODS, *_OF_TEXTS):
        raise ValueError(f"asks for .{node.attr}: a key with a dot stands in backticks, as `a.b`")


def _compared_with_numbers(tree: ast.Expression) -> set[str]:
    """The names that are set against numbers, and never against texts: cells of CSV are texts, "7" as well."""
    numbers: set[str] = set()
    texts: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) or (isinstance(node, ast.Call) and _is_range(node)):
            inside = [part for side in _sides(node) for part in _plain(side)]
            names = {part.id for part in inside if isinstance(part, ast.Name)}
            kinds = {type(part.value) for part in inside if isinstance(part, ast.Constant)}
            numbers |= names if kinds & {int, float} else set()
            texts |= names if kinds & {str, bool} else set()
    return numbers - texts


def _is_range(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr in ("isin", "between")


def _sides(node: ast.Compare | ast.Call) -> tuple[ast.expr, ...]:
    if isinstance(node, ast.Compare):
        return (node.left, *node.comparators)
    return (cast(ast.Attribute, node.func).value, *node.args)


def _plain(side: ast.expr) -> Iterator[ast.AST]:
    """The parts of one side of a comparison, without those inside of calls: a length is a number, its text is none."""
    if isinstance(side, ast.Call):
        return
    yield side
    for child in ast.iter_child_nodes(side):
        if isinstance(child, ast.expr):
            yield from _plain(child)


def matching(read: Read, condition: Condition, name: str, alike: bool, passed_over: Callable[[int], None]) -> Read:
    """The rows that meet a condition, and those that cannot be read; how many others there were is told.

    Args:
        read: lines and rows.
        condition: on their keys.
        name: of the file.
        alike: all rows have the same keys, so that the first ones tell which there are.
        passed_over: told how many did not meet it, batch by batch.

    Raises:
        InputError: it names a key that no row has, or cannot be asked of a row.
    """
    unseen, keys = set(condition.names), dict[str, None]()
    while batch := list(islice(read, BATCH_ROWS)):
        rows = [value for _, value in batch if isinstance(value, dict)]
        for row in rows if unseen else ():
            keys.update(dict.fromkeys(islice(row, 200)))
            unseen -= row.keys()
        met = _met(condition, rows, name)
        if unseen and rows and (alike or any(met)):
            raise _unknown(condition, unseen, keys, name)
        passed_over(met.count(False))
        holds = iter(met)
        yield from (one for one in batch if not isinstance(one[1], dict) or next(holds))
    if unseen and keys:
        raise _unknown(condition, unseen, keys, name)


def _met(condition: Condition, rows: Sequence[Row], name: str) -> list[bool]:
    try:
        return condition.holds(rows) if rows else []
    except ValueError as exc:
        raise InputError(f"{say_name(name)}: the condition {condition.text} {exc}") from exc


def _unknown(condition: Condition, unseen: set[str], keys: dict[str, None], name: str) -> InputError:
    found = ", ".join(keys)[:300]
    return InputError(
        f"{say_name(name)}: the condition {condition.text} names {sorted(unseen)[0]}, and the rows have: {found}"
    )
