"""What a platform limits: requests and tokens in a true sliding window, and how many are served at a time."""

from collections import Counter, deque


class Window:
    """The sum of amounts within the last window_s seconds; the caller brings the clock."""

    def __init__(self, window_s: float = 60.0) -> None:
        """Look back this many seconds."""
        self._window_s = window_s
        self._entries: deque[tuple[float, int]] = deque()
        self.used = 0
        self.largest = 0

    def add(self, now_s: float, amount: int = 1) -> None:
        """Take in an amount; remembers the largest sum ever seen."""
        self._forget(now_s)
        self._entries.append((now_s, amount))
        self.used += amount
        self.largest = max(self.largest, self.used)

    def wait_s(self, now_s: float, amount: int, limit: int) -> float:
        """Seconds until the amount fits under the limit; 0 when it fits now. An empty window takes anything."""
        self._forget(now_s)
        excess = self.used + amount - limit
        if excess <= 0:
            return 0.0
        for at_s, entry in self._entries:
            excess -= entry
            if excess <= 0:
                return max(0.001, at_s + self._window_s - now_s)
        # Larger than the limit: let it in alone, else it could never be served.
        return max(0.001, self._entries[-1][0] + self._window_s - now_s) if self._entries else 0.0

    def clear_s(self, now_s: float) -> float:
        """Seconds until the window is empty."""
        self._forget(now_s)
        return self._entries[-1][0] + self._window_s - now_s if self._entries else 0.0

    def _forget(self, now_s: float) -> None:
        while self._entries and self._entries[0][0] <= now_s - self._window_s:
            self.used -= self._entries.popleft()[1]


class Limits:
    """Requests and tokens a minute, counted for each model on its own."""

    def __init__(self, requests: int | None, tokens: int | None, window_s: float) -> None:
        """None means no limit."""
        self._limits = {"requests": requests, "tokens": tokens}
        self._window_s = window_s
        self._windows: dict[str, dict[str, Window]] = {}

    def change(self, requests: int | None, tokens: int | None) -> None:
        """Set other limits; what was admitted under the old ones still counts."""
        self._limits = {"requests": requests, "tokens": tokens}

    def admit(self, model: str, tokens: int, now_s: float) -> float:
        """Take a request in and return 0; or leave it out and return how many seconds it should wait."""
        if not any(self._limits.values()):
            return 0.0
        windows = self._windows_of(model)
        amounts = {"requests": 1, "tokens": tokens}
        waits = [windows[name].wait_s(now_s, amounts[name], limit) for name, limit in self._limits.items() if limit]
        if max(waits) > 0:
            return max(waits)
        for name, window in windows.items():
            window.add(now_s, amounts[name])
        return 0.0

    def headers(self, model: str, now_s: float) -> dict[str, str]:
        """x-ratelimit-{limit,remaining,reset}-{requests,tokens}, as far as there are limits."""
        headers = {}
        for name, limit in self._limits.items():
            if limit:
                window = self._windows_of(model)[name]
                reset_s = window.clear_s(now_s)
                headers[f"x-ratelimit-limit-{name}"] = str(limit)
                headers[f"x-ratelimit-remaining-{name}"] = str(max(0, limit - window.used))
                headers[f"x-ratelimit-reset-{name}"] = duration(reset_s)
        return headers

    def _windows_of(self, model: str) -> dict[str, Window]:
        if model not in self._windows:
            self._windows[model] = {name: Window(self._window_s) for name in self._limits}
        return self._windows[model]


class Seats:
    """How many requests of each model are being served; the caller brings the limit."""

    def __init__(self) -> None:
        """Nobody is served yet."""
        self._taken: Counter[str] = Counter()

    def take(self, model: str, limit: int | None) -> bool:
        """Take a seat; False where all are taken. A limit of None means any number of seats."""
        if limit is not None and self._taken[model] >= limit:
            return False
        self._taken[model] += 1
        return True

    def leave(self, model: str) -> None:
        """Free a seat that was taken."""
        self._taken[model] -= 1


def duration(seconds: float) -> str:
    """Seconds as OpenAI's headers write them: "6ms", "1.5s", "1m0s"."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    if seconds < 60:
        return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"
    return f"{int(seconds // 60)}m{round(seconds % 60)}s"
