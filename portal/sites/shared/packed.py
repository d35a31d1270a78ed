"""Static files, packed for who can unpack them: the same bytes every time, made once in a process.

Pages are not packed here. They hold secrets beside words of the reader's, and their packed length would tell of both
(BREACH); a proxy in front that packs pages too is a decision of who runs it.
"""

from __future__ import annotations

import gzip

from flask import Flask, request
from werkzeug.wrappers import Response

from portal.kernel.memo import Memo

WORTH = frozenset({"text/css", "text/javascript", "application/javascript", "image/svg+xml"})
"""Types that become much smaller; fonts are packed as they are."""


def register(app: Flask) -> None:
    """Pack what never changes under its address, where the browser takes gzip."""
    known: Memo[bytes] = Memo(64)

    @app.after_request
    def pack(response: Response) -> Response:
        if request.endpoint != "static" or "v" not in request.args or response.mimetype not in WORTH:
            return response
        response.headers.add("Vary", "Accept-Encoding")
        plain = response.status_code == 200 and "Content-Encoding" not in response.headers
        if not plain or request.method != "GET" or not request.accept_encodings.best_match(["gzip"]):
            return response
        tag, _ = response.get_etag()
        response.direct_passthrough = False
        body = response.get_data()
        response.set_data(known.of((request.path, tag), lambda: gzip.compress(body, 9, mtime=0)))
        response.headers["Content-Encoding"] = "gzip"
        if tag:
            response.set_etag(f"{tag}-gzip")
        return response
