"""Calling people on paper: who must be sent what, and when, written without looking at how the desk does it.

Lena is called at once, Lena and Lou after five minutes, Tom after twelve; all of it twice; then Kira. Whoever
acknowledged and did nothing more for half an hour is called again. Lena has mail at once and an SMS two minutes later.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)
STEPS = [(0, ["lena"]), (5, ["lena", "lou"]), (12, ["tom"])]
LASTS = 19
"""Minutes of one time through: after the last step as long as before it."""

REPEATS = 1
IN_THE_END = ["kira"]
PATIENCE = 30
WAYS = {"lena": {"mail": 0, "sms": 2}}
LADDERS = {"mail": [(1, 1)], "sms": [(1, 1), (5, 15), (11, 60), (21, 180)]}
"""At most so many in so many minutes."""


@dataclass
class OnePage:
    """It is `due` at some instant, and `waits`, is `sent` or `dropped`. `did`: what its person did with it."""

    person: str
    channel: str
    due: datetime
    state: str = "waits"
    sent_at: datetime | None = None
    did: str = ""


@dataclass
class Calling:
    """What one ticket does: `calling`, `acknowledged`, `exhausted` or `ended`."""

    ticket: int
    priority: int
    began: datetime
    state: str = "calling"
    loop: int = 0
    loops_from: int = 0
    step: int = 0
    acked_at: datetime | None = None
    progress_at: datetime | None = None
    pages: dict[tuple[int, int, str, str], OnePage] = field(default_factory=dict)

    @property
    def is_waiting(self) -> bool:
        return self.state in ("calling", "exhausted")

    def due(self) -> datetime | None:
        if self.state == "acknowledged":
            assert self.acked_at is not None
            slept = self.progress_at is None or self.progress_at <= self.acked_at
            return self.acked_at + PATIENCE * MINUTE if slept else None
        if self.state == "calling":
            after = STEPS[self.step][0] if self.step < len(STEPS) else LASTS
            return self.began + after * MINUTE
        return None

    def go_on(self, at: datetime) -> None:
        while (due := self.due()) is not None and due <= at:
            if self.state == "acknowledged":
                self.state, self.loops_from = "calling", self.loop + 1
                self._again(at)
            elif self.step < len(STEPS):
                self._call(STEPS[self.step][1], at)
                self.step += 1
            elif self.loop - self.loops_from < REPEATS:
                self._again(at)
            else:
                self._call(IN_THE_END, at)
                self.state = "exhausted"

    def acknowledge(self, at: datetime) -> None:
        if self.is_waiting:
            self.state, self.acked_at = "acknowledged", at
            self._drop()

    def pass_on(self, key: tuple[int, int, str, str], at: datetime) -> None:
        loop, step, person, _channel = key
        self.pages[key].did = "passed on"
        self._drop(person)
        together = [(k[2], page) for k, page in self.pages.items() if k[:2] == (loop, step)]
        left = {who for who, _ in together} - {who for who, page in together if page.did == "passed on"}
        if self.state == "calling" and (loop, step + 1) == (self.loop, self.step) and not left:
            after = STEPS[self.step][0] if self.step < len(STEPS) else LASTS
            self.began = min(self.began, at - after * MINUTE)

    def end(self) -> None:
        self.state = "ended"
        self._drop()

    def _again(self, at: datetime) -> None:
        self.loop, self.step, self.began = self.loop + 1, 0, at

    def _call(self, people: list[str], at: datetime) -> None:
        for person in people:
            for channel, wait in WAYS.get(person, {"mail": 0}).items():
                key = (self.loop, self.step, person, channel)
                self.pages[key] = OnePage(person, channel, at + wait * MINUTE)

    def _drop(self, person: str = "") -> None:
        for page in self.pages.values():
            if page.state == "waits" and person in ("", page.person):
                page.state = "dropped"


@dataclass
class Paper:
    """All callings, and the messages that left: (person, channel) → [(when, the tickets in it)]."""

    callings: list[Calling] = field(default_factory=list)
    messages: dict[tuple[str, str], list[tuple[datetime, set[int]]]] = field(default_factory=dict)

    def live_until(self, at: datetime) -> None:
        """Everything at its own instant."""
        while (due := self._next()) is not None and due <= at:
            self.wake(due)

    def wake(self, at: datetime) -> None:
        """All that is due at `at`, however long ago it became due."""
        for calling in self.callings:
            calling.go_on(at)
        for line in sorted({(page.person, page.channel) for _, page in self._due(at)}):
            self._send(line, at)

    def _next(self) -> datetime | None:
        due = [when for calling in self.callings if (when := calling.due()) is not None]
        due += [
            page.due for calling in self.callings for page in calling.pages.values() if page.state == "waits"
        ]
        return min(due, default=None)

    def _due(self, at: datetime) -> list[tuple[Calling, OnePage]]:
        every = [(calling, page) for calling in self.callings for page in calling.pages.values()]
        return [(calling, page) for calling, page in every if page.state == "waits" and page.due <= at]

    def _send(self, line: tuple[str, str], at: datetime) -> None:
        together = [(c, page) for c, page in self._due(at) if (page.person, page.channel) == line]
        passes = any(c.priority == 1 and self._is_first(c, line) for c, _ in together)
        free = at if passes else self._free(line, at)
        for _, page in together:
            if free > at:
                page.due = free
            else:
                page.state, page.sent_at = "sent", at
        if free == at:
            self.messages.setdefault(line, []).append((at, {calling.ticket for calling, _ in together}))

    def _is_first(self, calling: Calling, line: tuple[str, str]) -> bool:
        return not any(
            page.state == "sent" and (page.person, page.channel) == line for page in calling.pages.values()
        )

    def _free(self, line: tuple[str, str], at: datetime) -> datetime:
        sent = [when for when, _ in self.messages.get(line, [])]
        frees = [sent[-most] + within * MINUTE for most, within in LADDERS[line[1]] if len(sent) >= most]
        return max([at, *frees])
