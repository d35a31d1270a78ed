"""Behind a proxy the visitor's address is what our own proxies wrote; nobody else is believed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import request

from portal.settings import Settings
from portal.wiring import House, make_app

FORGED = {
    "X-Forwarded-For": "203.0.113.9, 198.51.100.7, 192.0.2.1",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "https",
}


@pytest.mark.parametrize(("proxies", "address"), [(0, "127.0.0.1"), (1, "192.0.2.1"), (2, "198.51.100.7")])
def test_the_address_is_counted_from_the_last_proxy_of_ours(
    settings: Settings, house: House, proxies: int, address: str
) -> None:
    app = make_app(replace(settings, trusted_proxies=proxies), house)
    seen: list[tuple[str | None, str, str]] = []
    app.before_request(lambda: seen.append((request.remote_addr, request.host, request.scheme)))

    app.test_client().get("/health/live", headers=FORGED)

    assert seen == [(address, "localhost", "http")]
