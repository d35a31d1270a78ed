"""Applications that are used again: the next test gets one on its own house, unless the last one changed it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from flask import Flask

from portal.settings import Settings
from portal.wiring import House, make_app


class Landlord:
    """Stands for the house of whichever test has the application."""

    tenant: House

    def __getattr__(self, name: str) -> Any:
        """Return what the house has under this name."""
        return getattr(self.tenant, name)


class Shelf:
    """Finished applications by their settings. Making one costs more than most tests do with it."""

    def __init__(self) -> None:
        """Begin empty."""
        self._ready: dict[Settings, tuple[Flask, Landlord, dict[str, Any], dict[str, Any]]] = {}

    def take(self, settings: Settings, house: House) -> Flask:
        """Return an application of these settings, on this house, that has answered nothing yet."""
        key = _shape(settings)
        if key not in self._ready:
            landlord = Landlord()
            landlord.tenant = house
            made = make_app(settings, landlord)  # type: ignore[arg-type]
            self._ready[key] = made, landlord, dict(made.extensions), _looks(made)
        made, landlord, extensions, _ = self._ready[key]
        landlord.tenant = house
        made.extensions = {**extensions, "gatehouse": house}
        made._got_first_request = False
        return made

    def put_back(self, settings: Settings, used: Flask) -> None:
        """Keep the application for the next test if it looks as it did when it was made."""
        _, landlord, _, looked = self._ready[_shape(settings)]
        looks = _looks(used)
        if any(looks.get(name) != value for name, value in looked.items()):
            del self._ready[_shape(settings)]
        del landlord.tenant


def _shape(settings: Settings) -> Settings:
    """Settings without the folder of one test's data, which an application looks up in its house."""
    return replace(settings, var_dir=Path())


def _looks(app: Flask) -> dict[str, Any]:
    """Everything a test could hang onto an application: routes, configuration, hooks, helpers of templates."""
    changing = {"extensions", "_got_first_request", "test_client_class"}
    looks = {name: _still(value) for name, value in vars(app).items() if name not in changing}
    config = {name: value for name, value in app.config.items() if name not in {"TESTING", "PROPAGATE_EXCEPTIONS"}}
    return {
        **looks,
        "config": config,
        "routes": [(rule.rule, rule.endpoint) for rule in app.url_map.iter_rules()],
        "globals": dict(app.jinja_env.globals),
        "filters": dict(app.jinja_env.filters),
    }


def _still(value: Any) -> Any:
    """A copy of nested containers; what is empty counts as not there, as looking something up may leave it."""
    if isinstance(value, dict):
        return {name: still for name, each in value.items() if (still := _still(each)) not in ({}, (), frozenset())}
    if isinstance(value, list | tuple):
        return tuple(_still(each) for each in value)
    return frozenset(value) if isinstance(value, set) else value
