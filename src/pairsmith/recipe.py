"""The recipe: a TOML file, checked to the last key, or the same from command-line flags.

Assembles the settings that each stage declares and the endpoints. Reads the recipe's own file; the files it
names are read by whoever needs them. Called by the command line; the pipeline gets the finished `Recipe`.
"""

from __future__ import annotations

import difflib
import glob
import re
import tomllib
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal, TypeAlias, get_args
from urllib.parse import urlsplit

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from pairsmith.assets import asset
from pairsmith.collect.settings import HUB, PromptSettings
from pairsmith.dialects import DIALECTS, Dialect, of_host, speaking
from pairsmith.errors import RecipeError
from pairsmith.export.settings import ExportSettings
from pairsmith.judge.settings import BY_FAMILY, CHECK, JudgeSettings
from pairsmith.pair.settings import DELTA, SEAM, PairSettings
from pairsmith.pair.sides import ANY
from pairsmith.records import Endpoint, EndpointName, Json, Price
from pairsmith.sample.settings import SampleSettings

OPENAI_URL = "https://api.openai.com/v1"
STANDARD_INPUT = "-"
AUTO = "auto"
UNNAMED = "pairs"  # what a recipe is called that was built without a name

# Hosts that count the longest answer a request allows against their limit of tokens (their own pages, November 2026).
COUNT_BOUNDS = (".openai.com", ".openai.azure.com", ".services.ai.azure.com")
TIMEOUT_S = 600.0
FLEX_TIMEOUT_S = 1800.0  # OpenAI, guide to flex processing: "significantly slower", raise the default of 10 minutes

MAY_HOLD_A_KEY = ("api_key_env", "base_url")  # by mistake: what was found there is not shown
TOML_WORDS = {"valid tuple": "list", "valid list": "list", "valid dictionary": "table"}

Table: TypeAlias = "dict[str, Any]"  # parsed TOML, before it is checked


class PriceSettings(BaseModel):
    """USD per million tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached_input: float | None = Field(None, ge=0)


class EndpointSettings(BaseModel):
    """One `[endpoints.NAME]` table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(min_length=1)
    server: str = AUTO  # what answers there, a name of dialects.py; auto: told by the host, or asked
    kind: Literal["chat", "reward"] = "chat"
    reward_path: Literal["classify", "pooling"] = "classify"
    base_url: str | list[str] | None = None  # None: $OPENAI_BASE_URL, else OpenAI's
    api_key_env: str | None = None
    auth: Literal["key", "azure", "bedrock"] = "key"
    identity: str | None = None
    reasoning: Literal["off", "strip", "keep"] = "strip"
    concurrency: int = Field(64, ge=1, le=4096)
    requests_per_minute: float | None = Field(None, gt=0)
    tokens_per_minute: float | None = Field(None, gt=0)
    price: PriceSettings | None = None
    json_mode: Literal["auto", "schema", "object", "text"] = "auto"
    length_parameter: Literal["auto", "max_tokens", "max_completion_tokens"] = "auto"
    seed: bool | None = None  # None: sent, but to hosts known to refuse it
    timeout_s: float | None = Field(None, gt=0)  # None: 600, and 1800 with service_tier "flex"
    service_tier: Literal["auto", "default", "flex", "priority", "scale"] | None = None
    extra: dict[str, Any] = {}

    @field_validator("base_url")
    @classmethod
    def _plain_url(cls, value: str | list[str] | None) -> str | list[str] | None:
        if not isinstance(value, list):
            return None if value is None else _checked_url(value)
        urls = [_checked_url(url) for url in value]
        if not urls or len(set(urls)) < len(urls):
            raise ValueError("give each replica's URL once, and at least one")
        return urls

    @field_validator("server")
    @classmethod
    def _known_server(cls, value: str) -> str:
        if value not in (AUTO, *DIALECTS):
            raise ValueError(f"{value!r} is no server whose habits are known: it takes {AUTO}, {', '.join(DIALECTS)}")
        return value

    @model_validator(mode="after")
    def _own_credentials(self) -> EndpointSettings:
        if self.auth != "key" and (self.base_url is None or self.api_key_env is not None):
            raise ValueError(f'auth = "{self.auth}" needs base_url, and takes no api_key_env')
        return self

    @field_validator("extra")
    @classmethod
    def _no_tier(cls, value: dict[str, Any]) -> dict[str, Any]:
        if "service_tier" in value:
            raise ValueError("service_tier has a key of its own, so that another tier buys nothing anew")
        return value

    @field_validator("api_key_env")
    @classmethod
    def _variable_name(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
            raise ValueError("it takes the NAME of a variable, such as STUDENT_KEY, never the key itself")
        return value


def _checked_url(value: str) -> str:
    parts = urlsplit(value)
    if "@" in (parts.netloc or value) or parts.query:
        raise ValueError("keys do not belong in a URL: put the key in a variable and name it in api_key_env")
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError(f"{value!r} is no URL: write it like http://localhost:8000/v1")
    return value.rstrip("/")


class Recipe(BaseModel):
    """A whole recipe; relative paths have been made absolute."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[\w][\w .-]*$")]
    prompts: PromptSettings
    endpoints: dict[str, EndpointSettings] = {}  # none are needed where nothing is sampled or judged
    sample: SampleSettings | None = None  # None: nothing is sampled, the prompts' own candidates are judged
    judge: JudgeSettings
    pair: PairSettings = PairSettings()
    export: ExportSettings = ExportSettings()

    @model_validator(mode="after")
    def _names_known(self) -> Recipe:
        named = [("judge", "panel", str(name)) for name in self.judge.panel if not name.startswith(CHECK)]
        named += [("judge", "family_judge", str(self.judge.family_judge))] if self.judge.family_judge else []
        if self.sample is not None:
            named += [("sample", "arms", arm.endpoint) for arm in self.sample.arms if arm.endpoint]
            named += [("sample", "endpoints", name) for name in self.sampled_endpoints or self.endpoints]
            named += [("sample", "weights", name) for name in self.sample.weights]
        if (expand := self.prompts.expand) is not None:
            named += [("prompts.expand", "endpoint", self.writer)]
            named += [("prompts.expand", "judge", expand.judge)] if expand.judge else []
        for table, key, name in named:
            if name not in self.endpoints:
                known = ", ".join(self.endpoints)
                raise ValueError(f"[{table}] {key} names {name!r}, but the endpoints are: {known}")
            if table in ("sample", "prompts.expand") and self.endpoints[name].kind == "reward":
                raise ValueError(f"[{table}] {key} names {name!r}, a reward model: it scores answers, and gives none")
        return self

    @model_validator(mode="after")
    def _families_pick_words(self) -> Recipe:
        """A family that is asked for picks the words of chat models, and one of these says it."""
        named = self.judge.family_judge
        if named is not None and self.endpoints[named].kind == "reward":
            raise ValueError(f"[judge] family_judge names {named!r}, a reward model: name one that answers")
        chat = [name for name in self.judge.panel if name in self.endpoints and self.endpoints[name].kind == "chat"]
        if self.judge.families == "ask" and not chat:
            raise ValueError(
                '[judge] families = "ask" picks the words that chat models are sent, and panel has none: leave it out'
            )
        return self

    @model_validator(mode="after")
    def _somebody_decides(self) -> Recipe:
        if self.sample is not None and not self.endpoints:
            raise ValueError("[sample] needs an endpoint that answers: describe one in [endpoints.NAME]")
        if self.sample is not None and not self.judge.panel and self.pair.strategy != DELTA:
            raise ValueError(
                "[judge] panel is empty, and nobody else knows which sampled answers are better: name a judge, or "
                f'set [pair] strategy = "{DELTA}" to prefer one arm to another'
            )
        return self

    @model_validator(mode="after")
    def _gates_need_points(self) -> Recipe:
        protocol, judges = self.judge.protocol, self.judge.panel
        if protocol != "score":
            points = (
                "min_gap",
                "verify_gap",
                "chosen_floor",
                "strategy",
                "pairs_per_prompt",
                "disjoint",
                "rejected_ceiling",
            )
            if given := [key for key in points if key in self.pair.model_fields_set]:
                raise ValueError(f"[pair] {given[0]} is in points, and protocol = {protocol} knows none: leave it out")
            if reward := [name for name in judges if self.endpoints[name].kind == "reward"]:
                raise ValueError(f"[judge] panel names {reward[0]}, a reward model: it scores, so use protocol = score")
        return self

    @model_validator(mode="after")
    def _couples_need_points(self) -> Recipe:
        """What goes by the scores of some completions, or by each further one, needs each to be scored alone."""
        if self.judge.protocol == "score":
            return self
        other = f"protocol = {self.judge.protocol} compares them all at once: use protocol = score, or"
        if self.pair.sides != ANY:
            raise ValueError(f"[pair] sides picks among the scored completions, and {other} leave sides out")
        if self.sample is not None and self.sample.most_completions > self.sample.first_completions:
            raise ValueError(f"[sample] completions draws one more at a time, and {other} give one number")
        return self

    @model_validator(mode="after")
    def _one_place_one_limit(self) -> Recipe:
        for (first, one), (second, other) in combinations(self.endpoints.items(), 2):
            places, others = _places(one), _places(other)
            if one.model != other.model or not places & others:
                continue
            if places != others:
                raise ValueError(
                    f"endpoints {first} and {second} are one model at some of the same URLs: give both all"
                )
            if _limits(one) != _limits(other):
                raise ValueError(
                    f"endpoints {first} and {second} are one model at one URL with different limits: "
                    "give both the same kind, concurrency, requests_per_minute and tokens_per_minute"
                )
        return self

    @property
    def asked_to_judge(self) -> tuple[str, ...]:
        """The endpoints that judge, and the one that is asked for task families."""
        judges = [str(name) for name in self.judge.panel if not name.startswith(CHECK)]
        placing = [str(self.judge.family_judge)] if self.judge.family_judge else []
        return tuple(dict.fromkeys((*judges, *placing)))

    @property
    def writer(self) -> str:
        """The endpoint that writes new prompts: the one that is named, else the last judge that can, the strongest."""
        named = self.prompts.expand.endpoint if self.prompts.expand else None
        chat = [name for name in self.judge.panel if name in self.endpoints and self.endpoints[name].kind == "chat"]
        if named or chat:
            return named or chat[-1]
        raise ValueError("[prompts.expand] needs endpoint, the model that writes: no judge of the panel can")

    @property
    def grown_by(self) -> tuple[str, ...]:
        """The endpoints that write new prompts or judge them."""
        expand = self.prompts.expand
        return () if expand is None else (self.writer, *([expand.judge] if expand.judge else []))

    @property
    def sampled_endpoints(self) -> tuple[str, ...]:
        """The endpoints that sample: those named; where none is, those that have nothing else to do, else all."""
        if self.sample is None:
            return ()
        able = tuple(name for name, e in self.endpoints.items() if e.kind == "chat")
        others = tuple(name for name in able if name not in (*self.asked_to_judge, *self.grown_by)) or able
        named = tuple(arm.endpoint for arm in self.sample.arms if arm.endpoint)
        unnamed = not self.sample.arms or len(named) < len(self.sample.arms)
        return self.sample.endpoints or tuple(dict.fromkeys(named + (others if unnamed else ())))


def _places(endpoint: EndpointSettings) -> set[str | None]:
    urls = endpoint.base_url
    return set(urls) if isinstance(urls, list) else {urls}


def _limits(e: EndpointSettings) -> tuple[object, ...]:
    return e.kind, e.reward_path, e.requests_per_minute, e.tokens_per_minute, e.concurrency


def endpoints(recipe: Recipe, environ: Mapping[str, str]) -> dict[EndpointName, Endpoint]:
    """The recipe's endpoints that are used, with every default filled in."""
    used = dict.fromkeys((*recipe.sampled_endpoints, *recipe.asked_to_judge, *recipe.grown_by))
    return {EndpointName(name): _endpoint(name, _tiered(recipe, name), environ) for name in used}


def _tiered(recipe: Recipe, name: str) -> EndpointSettings:
    """The endpoint's settings; one that only judges takes the service tier of [judge], if it has none of its own."""
    settings = recipe.endpoints[name]
    if name in recipe.sampled_endpoints or settings.service_tier or not recipe.judge.service_tier:
        return settings
    return (
        settings
        if settings.kind == "reward"
        else settings.model_copy(update={"service_tier": recipe.judge.service_tier})
    )


def _endpoint(name: str, e: EndpointSettings, environ: Mapping[str, str]) -> Endpoint:
    urls = e.base_url or environ.get("OPENAI_BASE_URL") or OPENAI_URL
    base_urls = tuple(url.rstrip("/") for url in ([urls] if isinstance(urls, str) else urls))
    host = urlsplit(base_urls[0]).hostname or ""
    server = of_host(host) if e.server == AUTO else e.server
    dialect = DIALECTS.get(server, Dialect())
    length = dialect.names.get("max_tokens", "max_tokens")
    key = e.api_key_env or ("OPENAI_API_KEY" if e.base_url is None else None)
    price = None if e.price is None else Price(e.price.input, e.price.output, e.price.cached_input)
    endpoint = Endpoint(
        name=EndpointName(name),
        model=e.model,
        base_urls=base_urls,
        identity=e.identity or f"{name} {e.model}",
        kind=e.kind,
        reward_path=e.reward_path,
        api_key_env=key,
        auth=e.auth,
        reasoning=e.reasoning,
        concurrency=e.concurrency,
        requests_per_minute=e.requests_per_minute,
        tokens_per_minute=e.tokens_per_minute,
        price=price,
        json_mode=e.json_mode,
        length_parameter=length if e.length_parameter == "auto" else e.length_parameter,
        seed=dialect.seed if e.seed is None else e.seed,
        timeout_s=e.timeout_s or (FLEX_TIMEOUT_S if e.service_tier == "flex" else TIMEOUT_S),
        service_tier=e.service_tier,
        counts_bounds=any(f".{host}".endswith(known) for known in COUNT_BOUNDS),
        extra=e.extra,
    )
    return speaking(endpoint, server)


def api_key(endpoint: Endpoint, environ: Mapping[str, str]) -> str | None:
    """The endpoint's key, or None if it takes none.

    Raises:
        RecipeError: the variable it names is not set.
    """
    if endpoint.api_key_env is None:
        return None
    key = environ.get(endpoint.api_key_env, "").strip()
    if not key:
        raise RecipeError(
            f"endpoint {endpoint.name} ({endpoint.model}) needs a key in ${endpoint.api_key_env}, which is not set: "
            f"export {endpoint.api_key_env}=…, or set base_url to a server that needs none"
        )
    if not (key.isascii() and key.isprintable()):
        raise RecipeError(f"the key in ${endpoint.api_key_env} holds characters that no key has: set it again")
    return key


# --- reading -------------------------------------------------------------------------------------


def load_recipe(path: Path, overrides: Sequence[str] = (), working_dir: Path | None = None) -> Recipe:
    """Read a recipe file, apply `--set table.key=value` overrides, and check everything.

    Raises:
        RecipeError: it cannot be read or is not as it must be; one sentence with the way out.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as exc:
        raise RecipeError(f"{path} cannot be read ({exc.strerror}); write a recipe with: pairsmith init") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise RecipeError(f"{path} is not TOML: {exc}") from None
    table.setdefault("name", run_name(path.resolve().parent.name if path.stem == "recipe" else path.stem))
    _make_absolute(table, path.resolve().parent)
    return recipe_of(table, str(path), overrides, working_dir)


def with_pair(recipe: Recipe, changes: Mapping[str, str], where: str) -> Recipe:
    """The recipe with these keys of its [pair] table changed; values are written as for --set.

    Raises:
        RecipeError: the table takes no such key or value. `where` begins the sentence.
    """
    table = {"pair": {key: _toml_value(value) for key, value in changes.items()}}
    _make_absolute(table, Path.cwd())
    whole = recipe.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    _merge(whole, table)
    return recipe_of(whole, where)


def built_recipe(table: Mapping[str, Any], overrides: Sequence[str] = ()) -> Recipe:
    """A recipe that was built in Python, as the same tables; its relative paths start at the working directory.

    Raises:
        RecipeError: it holds what TOML cannot, or is not as it must be.
    """
    try:
        plain: Table = orjson.loads(orjson.dumps(dict(table), default=_path_text))
    except TypeError as exc:
        raise RecipeError(f"the recipe holds what no TOML file can ({exc}): write it as a string") from None
    plain.setdefault("name", UNNAMED)
    plain.setdefault("prompts", {"path": STANDARD_INPUT})
    _make_absolute(plain, Path.cwd())
    return recipe_of(plain, "the recipe", overrides)


def _path_text(value: object) -> str:
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError(f"{type(value).__name__} {value!r}")


def run_name(text: str) -> str:
    """A name for a run that a folder can have, made of a file's or a folder's name."""
    return re.sub(r"[^\w .-]", "-", text).lstrip(" .-") or "run"


def recipe_of(table: Table, where: str, overrides: Sequence[str] = (), working_dir: Path | None = None) -> Recipe:
    """Check a parsed recipe. `where` begins every message; relative paths of overrides start at `working_dir`."""
    if overrides:
        changes: Table = {}
        for override in overrides:
            _set(changes, override)
        _make_absolute(changes, working_dir or Path.cwd())
        _merge(table, changes)
    try:
        return Recipe.model_validate(table)
    except ValidationError as exc:
        raise RecipeError(f"{where}: {_sentence(exc)}") from None


def _set(table: Table, override: str) -> None:
    key, equals, value = override.partition("=")
    if not equals or not key.strip():
        raise RecipeError(f"--set {override}: write it as table.key=value, for example --set pair.min_gap=2")
    *parents, last = key.strip().split(".")
    for parent in parents:
        table = table.setdefault(parent, {})
        if not isinstance(table, dict):
            raise RecipeError(f"--set {key.strip()}: {parent} was given a value of its own before; keep one of the two")
    table[last] = _toml_value(value.strip())


def _toml_value(text: str) -> Json:
    for attempt in (text, f"[{text}]"):
        try:
            value: Json = tomllib.loads(f"v = {attempt}")["v"]
            return value
        except tomllib.TOMLDecodeError:
            continue
    return [part.strip() for part in text.split(",")] if "," in text else text


def _merge(table: Table, changes: Table) -> None:
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(table.get(key), dict):
            _merge(table[key], value)
        else:
            table[key] = value


def _make_absolute(table: Table, base: Path) -> None:
    """Paths start at `base`; bundled names and the words that stand for no file stay as they are."""

    def prompts(path: str) -> str:
        if path == STANDARD_INPUT or path.startswith(HUB):
            return path
        return str((Path(glob.escape(str(base))) if glob.has_magic(path) else base) / path)

    def named(kind: str) -> Any:
        return lambda name: name if asset("prompts", kind, f"{name}.md").is_file() else str(base / name)

    def file(path: str) -> str:
        return path if path in ("strip", "keep") else str(base / path)

    def function(spec: str) -> str:
        return str(base / spec) if SEAM.fullmatch(spec) else spec

    def judge(name: str) -> str:
        return CHECK + function(name.removeprefix(CHECK)) if name.startswith(CHECK) else name

    _each(table, "prompts", "path", prompts)
    _each(table, "prompts", "exclude", lambda path: str(base / path))
    _each(table.get("prompts"), "expand", "seeds", prompts)
    _each(table.get("prompts"), "expand", "docs", lambda path: str(base / path))
    _each(table, "prompts", "against", lambda path: str(base / path))
    _each(table, "sample", "system", named("system"))
    _each(table, "judge", "rubric", lambda name: name if name == BY_FAMILY else named("rubrics")(name))
    _each(table, "judge", "panel", judge)
    _each(table, "sample", "screens", function)
    _each(table, "pair", "strategy", function)
    _each(table, "pair", "tokenizer", lambda path: str(base / path))
    _each(table, "export", "path", lambda path: str(base / path))
    _each(table, "export", "system", file)
    arms = table.get("sample", {}).get("arms", []) if isinstance(table.get("sample"), dict) else []
    for arm in arms if isinstance(arms, list) else []:
        _each({"arm": arm}, "arm", "system", named("system"))


def _each(table: Any, section: str, key: str, change: Any) -> None:
    values = table.get(section) if isinstance(table, dict) else None
    if not isinstance(values, dict) or key not in values:
        return
    value = values[key]
    if isinstance(value, str):
        values[key] = change(value)
    elif isinstance(value, list):
        values[key] = [change(v) if isinstance(v, str) else v for v in value]


def to_toml(recipe: Recipe) -> str:
    """The recipe as a file: what was set, with paths absolute and no keys."""
    import tomli_w

    return tomli_w.dumps(recipe.model_dump(mode="json", exclude_unset=True, exclude_none=True))


# --- saying what is wrong ------------------------------------------------------------------------


def _sentence(exc: ValidationError) -> str:
    """The first thing that is wrong, with the way out, and how many more there are."""
    errors = exc.errors()
    error = next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])
    where = [str(part) for part in error["loc"] if not re.search(r"[\[(]", str(part))]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    if error["type"] == "extra_forbidden":
        return _unknown_key(where) + more
    message = error["msg"].removeprefix("Value error, ")
    for python, toml in TOML_WORDS.items():
        message = message.replace(python, toml)
    if error["type"] == "missing":
        return f"{_place(where[:-1])} needs {where[-1]}{more}"
    if not where:
        return message + more
    if error["type"] == "value_error" and len(where) == 1:  # about a whole table: the message names the key
        return f"{_place(where)} {message}{more}"
    key = where[-1] if not where[-1].isdigit() else where[-2]
    at = _place(where[: where.index(key)]) if key in where else ""
    shown = key not in MAY_HOLD_A_KEY and isinstance(error["input"], str | int | float | bool)
    found = f" (found {error['input']!r})" if shown else ""
    return f"{at} {key}: {message[0].lower() + message[1:]}{found if found not in message else ''}{more}"


def _place(path: Sequence[str]) -> str:
    return f"[{'.'.join(p for p in path if not p.isdigit())}]" if path else "the recipe"


def _unknown_key(where: Sequence[str]) -> str:
    known = _known_keys(where[:-1])
    close = difflib.get_close_matches(where[-1], known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]}?" if close else f"it takes {', '.join(known)}"
    return f"{_place(where[:-1])} has no key {where[-1]!r}; {hint}"


def _known_keys(path: Sequence[str]) -> list[str]:
    model: type[BaseModel] = Recipe
    for part in path:
        if part.isdigit() or part not in model.model_fields:
            continue
        inner = _model_in(model.model_fields[part].annotation)
        model = inner or model
    return sorted(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _model_in(arg))), None)
