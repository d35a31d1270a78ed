"""The viewer of a file: which page, how large, what is searched for; the same for the lab and for the vendor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from flask import Response, request, url_for

from portal.evidence import parking, service, viewing
from portal.evidence.queries import LibraryLine
from portal.evidence.rules import looking
from portal.evidence.rules.looking import Shape
from portal.evidence.viewing import Contents, Found, Picture
from portal.kernel import words
from portal.kernel.errors import Conflict, TooMany, Unavailable
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.sites.shared.evidence import SANDBOX
from portal.sites.shared.pages import actor, begin, house, ledger

MOST_LISTED = 240
"""Pages that are listed one by one; of longer files a number is typed."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for; nonsense is the first page at its usual size."""

    page: int | None
    zoom: int
    words: str
    sheet: int


@dataclass(frozen=True, slots=True)
class Place:
    """The page that a viewer stands on: its endpoint with what names it, and what else stands in its address.

    ``first`` is the page shown where none is asked for.
    """

    endpoint: str
    names: Mapping[str, Any]
    keep: Mapping[str, str] = field(default_factory=dict)
    anchor: str = "pages"
    first: int = 1

    def address(self, given: Mapping[str, Any]) -> str:
        """Return its address with these parameters too."""
        kept = {name: value for name, value in self.keep.items() if value}
        return url_for(self.endpoint, **{**self.names, **kept, **given}, _anchor=self.anchor)

    @property
    def plain(self) -> str:
        """Its address without any parameter, for a form that brings its own."""
        return url_for(self.endpoint, **dict(self.names), _anchor=self.anchor)


@dataclass(frozen=True, slots=True)
class Viewer:
    """What the viewer shows. ``refusal`` says why there is nothing to see; ``picture`` is the address of the page."""

    shape: Shape | None
    pages: int
    number: int
    asked: Asked
    place: Place
    picture: str = ""
    refusal: str = ""
    contents: Contents | None = None
    found: Found | None = None

    @property
    def zoom_in(self) -> int | None:
        """The next larger step."""
        return looking.zoom_in(self.asked.zoom)

    @property
    def zoom_out(self) -> int | None:
        """The next smaller step."""
        return looking.zoom_out(self.asked.zoom)

    @property
    def can_search(self) -> bool:
        """Whether there may be a text to search."""
        return self.shape is Shape.PAGES

    @property
    def listed(self) -> range:
        """The pages to list one by one."""
        return range(1, self.pages + 1) if 1 < self.pages <= MOST_LISTED else range(0)

    def address(self, **changed: Any) -> str:
        """Return the address of this viewer with something changed; what is as usual is left out."""
        now: dict[str, Any] = {
            "page": self.number,
            "zoom": self.asked.zoom,
            "find": self.asked.words,
            "sheet": self.asked.sheet,
        }
        usual = {"page": self.place.first, "zoom": 100, "find": "", "sheet": 1}
        wanted = now | changed
        given: dict[str, Any] = {name: value for name, value in wanted.items() if value != usual[name]}
        if self.found is not None and wanted["find"]:
            given["page"] = wanted["page"]  # without it, a search leads to its first hit
        return self.place.address(given)

    @property
    def kept(self) -> Mapping[str, str]:
        """What a form on the viewer sends along."""
        return {name: value for name, value in self.place.keep.items() if value}


def asked() -> Asked:
    """Read what the address asks for."""
    zoom = _number("zoom", 100)
    return Asked(
        page=_number("page", 0) or None,
        zoom=zoom if zoom in looking.ZOOMS else 100,
        words=" ".join(request.args.get("find", "").split())[: looking.MOST_WORDS],
        sheet=max(1, _number("sheet", 1)),
    )


def _number(name: str, otherwise: int) -> int:
    given = request.args.get(name, "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 6 else otherwise


def viewer(
    line: LibraryLine,
    place: Place,
    *,
    picture: str,
    quote: str = "",
    aside: bool = True,
    rests: Mapping[int, str] | None = None,
) -> Viewer:
    """Return the viewer of a file that the actor may read; call it between transactions.

    :param picture: the endpoint of one page as a picture.
    :param quote: a passage to mark on the page while nothing is searched for.
    :param aside: whether tables and texts are read at once; else the page links to where they are.
    :param rests: what ``resting`` said of the page that the address asks for, where it was asked before.
    """
    want, shape = asked(), looking.shape_of(line.mime)
    pages = looking.pages_of(line.mime, line.page_count)
    found, refusal = (None, "")
    if want.words and shape is Shape.PAGES and line.can_open:
        try:
            found = viewing.search(
                ledger(), actor(), evidence_id=line.id, words=want.words, scanned_only=scanned_only()
            )
        except (Conflict, TooMany) as refused:
            refusal = refused.message
    first = found.hits[0].page if found is not None and found.hits and want.page is None else place.first
    number = min(max(1, want.page or first), max(1, pages))
    base = Viewer(
        shape=shape if line.can_open else None,
        pages=pages,
        number=number,
        asked=want,
        place=place,
        found=found,
    )
    if not line.can_open or refusal:
        return replace(base, refusal=refusal)
    if shape in {Shape.TABLE, Shape.TEXT}:
        return _with_contents(base, line.id) if aside else base
    if not pages:
        return base
    if rests is not None and number in rests:
        refusal = rests[number]
    else:
        with begin() as tx:
            refusal = _resting(tx, line.id, number)
    if refusal:
        return replace(base, refusal=refusal)
    given: dict[str, Any] = {"zoom": want.zoom} if want.zoom > 100 else {}
    if marked := want.words or " ".join(quote.split())[: looking.MOST_WORDS]:
        given["find"] = marked
    return replace(base, picture=url_for(picture, evidence_id=line.id, number=number, **given))


def _with_contents(base: Viewer, evidence_id: UUID) -> Viewer:
    try:
        read = viewing.contents(
            ledger(),
            actor(),
            store=house().store,
            evidence_id=evidence_id,
            sheet=base.asked.sheet,
            scanned_only=scanned_only(),
        )
    except (Conflict, TooMany, Unavailable) as refused:
        return replace(base, refusal=refused.message)
    return replace(base, contents=read)


def resting(tx: Tx, line: LibraryLine, place: Place) -> Mapping[int, str]:
    """Return why the page that the address asks for is not drawn now, for ``viewer``; "" where it is.

    Nothing where that is not known before a search, or there is nothing to draw.
    """
    want, pages = asked(), looking.pages_of(line.mime, line.page_count)
    if want.words or not line.can_open or not pages or looking.shape_of(line.mime) is not Shape.PAGES:
        return {}
    number = min(max(1, want.page or place.first), pages)
    return {number: _resting(tx, line.id, number)}


def _resting(tx: Tx, evidence_id: UUID, page: int) -> str:
    """Return why a page is not drawn now: it failed before, or the actor has seen as much as one person may."""
    row = service.get(tx, evidence_id, Action.EVIDENCE_READ)
    try:
        service.may_open(tx, evidence=row, page=page, scanned_only=scanned_only())
    except (Conflict, TooMany) as refused:
        return refused.message
    return parking.parked(tx, evidence_id).get(page, "")


def scanned_only() -> bool:
    """Whether this installation lets the lab open only what a scanner found clean."""
    return house().settings.scanner_required


def drawn(evidence_id: UUID, number: int) -> Response:
    """Return one page as a picture that can do nothing, marked with who looks and when where that is wanted.

    :raises Conflict: as ``viewing.page_picture``.
    """
    with begin() as tx:
        moment = tx.now
    who = looking.plain_name(actor().name, f"person {str(actor().id)[-8:]}")
    want = asked()
    picture = viewing.page_picture(
        ledger(),
        actor(),
        store=house().store,
        evidence_id=evidence_id,
        page=number,
        mark=f"{who}, {words.day(moment)}, {moment:%H:%M} UTC",
        words=want.words,
        zoom=want.zoom,
        scanned_only=scanned_only(),
    )
    return as_picture(picture)


def as_picture(picture: Picture) -> Response:
    """Return a picture of our own making, under a policy that lets nothing run."""
    answer = Response(picture.data, content_type=picture.mime)
    answer.headers["Content-Security-Policy"] = SANDBOX
    answer.headers["Cache-Control"] = "no-store"
    return answer
