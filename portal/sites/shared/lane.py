"""How many requests of a process may wait for the store of files at the same time: never all of its threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import BoundedSemaphore
from typing import TypeVar

from flask import current_app
from flask.typing import ResponseReturnValue

from portal.kernel.errors import Unavailable
from portal.kernel.words import said
from portal.sites.shared.pages import house

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])

BUSY = said("Many files are on their way at the moment. Nothing was lost. Try again in a few seconds")
RETRY_AFTER = 2


class Lane:
    """The places of one process (security.md R9): a slow store fills them, and pages, answers and the gate go on.

    One thread is always left to what needs no file. Where there is more than one place, sending in does not take
    them all either, so that a reviewer can read while vendors upload. A process with one thread cannot keep it free.
    """

    def __init__(self, threads: int) -> None:
        """Take the number of the process's threads."""
        places = max(1, threads - 1)
        self.inward = max(1, places - 1)
        self._all = BoundedSemaphore(places)
        self._inward = BoundedSemaphore(self.inward)

    @contextmanager
    def place(self, *, inward: bool = False) -> Iterator[None]:
        """Lend a place.

        :raises Unavailable: at once, if none is free.
        """
        taken = []
        try:
            for each in [self._inward, self._all] if inward else [self._all]:
                if not each.acquire(blocking=False):
                    raise Unavailable(BUSY, retry_after=RETRY_AFTER)
                taken.append(each)
            yield
        finally:
            for each in taken:
                each.release()


def lane() -> Lane:
    """Return the lane of this process."""
    made = current_app.extensions.get("store_lane")
    if made is None:
        made = current_app.extensions.setdefault("store_lane", Lane(house().settings.web_threads))
    assert isinstance(made, Lane)  # noqa: S101 - narrows what Flask keeps untyped
    return made


def through_store(*, inward: bool = False) -> Callable[[View], View]:
    """Give a view that moves files its place, or refuse at once with words and Retry-After.

    :param inward: the view takes files in.
    """

    def wrap(view: View) -> View:
        @wraps(view)
        def placed(*args: object, **kwargs: object) -> ResponseReturnValue:
            with lane().place(inward=inward):
                return view(*args, **kwargs)

        return placed  # type: ignore[return-value]

    return wrap
