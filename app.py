"""Gatehouse. `python app.py serve` runs everything; a WSGI server takes `app:app`."""

import os
import sys

from portal.settings import Settings, UnsafeSettings

if __name__ == "__main__":
    from portal.supervisor import main

    raise SystemExit(main() if sys.argv[1:] == ["serve"] else "Use: python app.py serve")

from portal.wiring import make_app

try:
    app = make_app(Settings.from_env(os.environ))
except UnsafeSettings as refusal:
    raise SystemExit("\n".join(refusal.problems)) from refusal
