"""What needs a real spreadsheet program: run by `make test-office`, on a machine that has LibreOffice Calc."""

from __future__ import annotations

import os

PROGRAM = "GATEHOUSE_TEST_OFFICE"
"""The command that starts LibreOffice."""

collect_ignore = [] if os.environ.get(PROGRAM) else ["test_libreoffice.py"]
