"""The forms of pages, as a browser without scripts would send them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

from werkzeug.test import TestResponse


@dataclass
class FoundForm:
    """One form of a page: where it goes, and what it would send untouched."""

    action: str
    multipart: bool
    values: dict[str, list[str]] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    typed: set[str] = field(default_factory=set)

    @property
    def shape(self) -> frozenset[str]:
        """The names of its fields."""
        return frozenset(self.values) | self.files


class _Reader(HTMLParser):
    def __init__(self, path: str) -> None:
        super().__init__(convert_charrefs=True)
        self.path, self.forms = path, []
        self._form: FoundForm | None = None
        self._area: str | None = None
        self._text = ""
        self._select: str | None = None
        self._outside: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and given.get("method", "get").lower() == "post":
            self._form = FoundForm(given.get("action") or self.path, "multipart" in given.get("enctype", ""))
            self.forms.append(self._form)
        form, name = self._form, given.get("name", "")
        if form is None or (not name and tag != "option"):
            return
        if tag == "input":
            self._input(form, name, given)
        elif tag == "button" and name:
            form.values.setdefault(name, [given.get("value", "")])
        elif tag == "textarea":
            self._area, self._text = name, ""
            form.typed.add(name)
        elif tag == "select":
            self._select = name
            form.values.setdefault(name, [])
        elif tag == "option" and self._select:
            chosen = form.values[self._select]
            if "selected" in given or not chosen:
                form.values[self._select] = [given.get("value", "")]

    def _input(self, form: FoundForm, name: str, given: dict[str, str]) -> None:
        kind = given.get("type", "text")
        if kind == "file":
            form.files.add(name)
        elif kind in {"radio", "checkbox"}:
            now = form.values.setdefault(name, [])
            if "checked" in given or not now:
                now[:] = [given.get("value", "on")] if kind == "radio" else [*now, given.get("value", "on")]
        else:
            form.values.setdefault(name, []).append(given.get("value", ""))
            if kind != "hidden":
                form.typed.add(name)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea" and self._area and self._form:
            self._form.values.setdefault(self._area, []).append(self._text)
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._area:
            self._text += data


def forms_of(answer: TestResponse) -> list[FoundForm]:
    """Return the posting forms of a page."""
    if answer.mimetype != "text/html":
        return []
    query = answer.request.query_string.decode()
    reader = _Reader(answer.request.path + (f"?{query}" if query else ""))
    reader.feed(answer.get_data(as_text=True))
    return reader.forms
