"""Ask the gate and fail closed: whatever goes wrong, the decision is no."""

from __future__ import annotations

import hashlib
import json
import os
import random
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from pathlib import Path
from typing import Any

from gatehouse_gate.verify import TYPE, Unverified, verified

Key = Mapping[str, str]
Clock = Callable[[], datetime]
LARGEST = 1_000_000
"""Bytes of an answer that are read at most."""
PASSING = frozenset({429, 500, 502, 503, 504})
"""Statuses after which asking again may help."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What may be relied on. Act on ``allow`` alone.

    ``kept`` says that the gate was out of reach and an unexpired statement of before was used. ``trouble`` says in
    words why there is no verified answer; then ``allow`` is False and ``statement`` is None.
    """

    allow: bool
    reasons: tuple[str, ...] = ()
    expires_at: datetime | None = None
    kept: bool = False
    trouble: str | None = None
    statement: Mapping[str, Any] | None = None


class Away(Exception):
    """The gate could not be asked."""

    def __init__(self, words: str, *, again: bool, after: float = 0.0) -> None:
        super().__init__(words)
        self.again, self.after = again, after


class Statements:
    """Statements kept by question, and the highest sequence seen of each vendor; in a folder where one is given.

    What is read back is verified anew by the caller, so a changed file opens nothing. A folder is used by one client.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        self._folder = Path(folder) if folder is not None else None
        self._kept: dict[str, Mapping[str, Any]] = {}
        self._highest: dict[str, int] = {}
        if self._folder is not None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._highest = {str(k): int(v) for k, v in (self._read("sequences") or {}).items()}

    def keep(self, question: Mapping[str, Any], envelope: Mapping[str, Any]) -> None:
        """Keep the newest statement about a question."""
        self._kept[_name(question)] = envelope
        self._write(_name(question), envelope)

    def forget(self, question: Mapping[str, Any]) -> None:
        """Forget what was kept about a question."""
        self._kept.pop(_name(question), None)
        if self._folder is not None:
            (self._folder / f"{_name(question)}.json").unlink(missing_ok=True)

    def kept(self, question: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the envelope kept about a question."""
        return self._kept.get(_name(question)) or self._read(_name(question))

    def highest(self, vendor: str) -> int:
        """Return the highest sequence seen of a vendor, 0 if none."""
        return self._highest.get(vendor, 0)

    def saw(self, vendor: str, sequence: int) -> None:
        """Note a sequence of a vendor."""
        if sequence > self.highest(vendor):
            self._highest[vendor] = sequence
            self._write("sequences", self._highest)

    def _read(self, name: str) -> Any:
        if self._folder is None:
            return None
        try:
            return json.loads((self._folder / f"{name}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def _write(self, name: str, value: Any) -> None:
        if self._folder is None:
            return
        handle, half = tempfile.mkstemp(dir=self._folder, suffix=".half")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(value, file)
        os.replace(half, self._folder / f"{name}.json")


class Gate:
    """One service client's view of the gate. Safe to share between threads.

    :param base_url: where Gatehouse is, such as ``https://gatehouse.example``.
    :param audience: the id of the service client, shown beside its secret.
    :param keys: our own copy of the ``keys`` of ``/api/v1/gate/keys``; None fetches them from there once, and again
        when a signature fits none of them.
    :param folder: where statements are kept over a restart; None keeps them in memory.
    :param fresh_for: how long a statement answers without asking again; a pause may take as long to be seen here.
    :param patience: seconds in which a question is answered, tries included.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: str,
        audience: str,
        keys: Sequence[Key] | None = None,
        folder: str | os.PathLike[str] | None = None,
        fresh_for: timedelta = timedelta(0),
        patience: float = 5.0,
        tries: int = 3,
        kind: str = TYPE,
        clock: Clock = lambda: datetime.now(UTC),
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base, self._token, self._audience, self._kind = base_url.rstrip("/"), token, audience, kind
        self._keys, self._pinned = list(keys or ()), keys is not None
        self._statements = Statements(folder)
        self._fresh_for, self._patience, self._tries = fresh_for, patience, max(1, tries)
        self._clock, self._wait = clock, wait
        self._lock = threading.Lock()

    def may(
        self, vendor: str, *, data_class: str, access_mode: str, purpose: str, engagement: str | None = None
    ) -> Decision:
        """Return whether this vendor may work on this class of data, in this way. Never raises: in doubt it is no."""
        question = {
            "vendor": vendor,
            "data_class": data_class.upper(),
            "access_mode": access_mode.upper(),
            "purpose": purpose,
            "engagement": engagement or None,
        }
        try:
            fresh = self._from_kept(question)
            if fresh is not None and fresh.statement is not None:
                issued = datetime.fromisoformat(fresh.statement["issued_at"])
                if timedelta(0) <= self._clock() - issued < self._fresh_for:
                    return fresh
            try:
                return self._asked(question)
            except Away as away:
                kept = self._from_kept(question)
                return kept or Decision(False, ("gate_unreachable",), trouble=str(away))
        except Unverified as problem:
            return Decision(False, ("statement_unverified",), trouble=str(problem))
        except Exception as problem:  # Fail closed: a defect of ours, a full disk or an odd answer is a no as well.
            return Decision(False, ("client_failed",), trouble=f"{type(problem).__name__}: {problem}")

    def _asked(self, question: Mapping[str, Any]) -> Decision:
        asked = urllib.parse.urlencode({name: value for name, value in question.items() if value is not None})
        answer = self._fetch(f"/api/v1/gate?{asked}", token=True)
        envelope = answer["statement"]
        try:
            said = self._checked(envelope, question)
        except Unverified:
            if self._pinned or not self._renew_keys():
                raise
            said = self._checked(envelope, question)
        with self._lock:
            if said["decision"] == "allow":
                self._statements.keep(question, envelope)
            else:
                self._statements.forget(question)
        return self._decision(said, kept=False)

    def _from_kept(self, question: Mapping[str, Any]) -> Decision | None:
        """Return what a kept statement still allows; a pause seen since, by its higher sequence, ended it."""
        with self._lock:
            envelope = self._statements.kept(question)
        if envelope is None:
            return None
        try:
            return self._decision(self._checked(envelope, question), kept=True)
        except Unverified:
            return None

    def _checked(self, envelope: Mapping[str, Any], question: Mapping[str, Any]) -> dict[str, Any]:
        if not self._keys and not self._pinned:
            self._renew_keys()
        said = verified(envelope, self._keys, audience=self._audience, now=self._clock(), kind=self._kind)
        if said.get("question") != dict(question):
            raise Unverified("an answer to another question")
        with self._lock:
            sequence = said.get("sequence") or 0
            if sequence < self._statements.highest(question["vendor"]):
                raise Unverified("older than what was seen before")
            self._statements.saw(question["vendor"], sequence)
        return said

    def _decision(self, said: Mapping[str, Any], *, kept: bool) -> Decision:
        return Decision(
            allow=said["decision"] == "allow",
            reasons=tuple(said["reasons"]),
            expires_at=datetime.fromisoformat(said["expires_at"]),
            kept=kept,
            statement=said,
        )

    def _renew_keys(self) -> bool:
        """Fetch the keys; return whether there are others than before."""
        found = self._fetch("/api/v1/gate/keys", token=False)["keys"]
        changed: bool = found != self._keys
        self._keys = found
        return changed

    def _fetch(self, path: str, *, token: bool) -> Any:
        """Return the JSON of an address, asked a few times within our patience.

        :raises Away: when no try gave an answer.
        """
        end = time.monotonic() + self._patience
        for turn in range(self._tries):
            left = end - time.monotonic()
            try:
                return self._once(path, token=token, timeout=max(0.05, left))
            except Away as away:
                pause = max(away.after, random.uniform(0, 0.1 * 2**turn))  # noqa: S311 - spreads tries, hides nothing
                if not away.again or turn + 1 == self._tries or time.monotonic() + pause >= end:
                    raise
                self._wait(pause)
        raise AssertionError("the last try returns or raises")

    def _once(self, path: str, *, token: bool, timeout: float) -> Any:
        headers = {"Accept": "application/json", **({"Authorization": f"Bearer {self._token}"} if token else {})}
        request = urllib.request.Request(self._base + path, headers=headers)  # noqa: S310 - the base is the caller's own
        try:
            with _OPENER.open(request, timeout=timeout) as answer:
                body = answer.read(LARGEST + 1)
        except urllib.error.HTTPError as problem:
            with problem:
                after = problem.headers.get("Retry-After") or ""
            raise Away(
                f"the gate answered {problem.code}",
                again=problem.code in PASSING,
                after=float(after) if after.isdigit() else 0.0,
            ) from problem
        except (OSError, HTTPException) as problem:
            raise Away(f"the gate is out of reach: {problem}", again=True) from problem
        if len(body) > LARGEST:
            raise Away("the answer is too long", again=False)
        try:
            return json.loads(body)
        except ValueError as problem:
            raise Away("the answer is not JSON", again=False) from problem


class _Stays(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the token is for one host."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_Stays)


def _name(question: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()
