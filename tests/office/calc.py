"""Drives LibreOffice Calc without a window: opens a workbook, types into cells, saves it as XLSX."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from tests.office.conftest import PROGRAM

MACRO = """\
Sub Run
    Dim hidden(0) As New com.sun.star.beans.PropertyValue
    hidden(0).Name = "Hidden"
    hidden(0).Value = True
    book = StarDesktop.loadComponentFromURL("{source}", "_blank", 0, hidden())
    page = book.Sheets.getByName("Answers")
    Dim anywhere As New com.sun.star.lang.Locale
    days = book.NumberFormats.getStandardFormat(com.sun.star.util.NumberFormat.DATE, anywhere)
    edits = Array({edits})
    For index = LBound(edits) To UBound(edits) Step 3
        For row = 1 To 2000
            If page.getCellByPosition(0, row).String = edits(index) Then
                cell = page.getCellByPosition(8, row)
                If edits(index + 1) = "day" Then cell.NumberFormat = days
                If edits(index + 1) = "text" Then cell.String = edits(index + 2) Else cell.Value = edits(index + 2)
                Exit For
            End If
        Next
    Next
{more}
    Dim saving(0) As New com.sun.star.beans.PropertyValue
    saving(0).Name = "FilterName"
    saving(0).Value = "Calc MS Excel 2007 XML"
    book.storeToURL("{target}", saving())
    book.close(True)
    StarDesktop.terminate
End Sub
"""
MODULE = """\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE script:module PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "module.dtd">
<script:module xmlns:script="http://openoffice.org/2000/script" script:name="Module1" \
script:language="StarBasic">{source}</script:module>
"""
LIBRARY = """\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE library:library PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "library.dtd">
<library:library xmlns:library="http://openoffice.org/2000/library" library:name="Standard" \
library:readonly="false" library:passwordprotected="false">{elements}</library:library>
"""
SORT = """\
    page.unprotect("")
    Dim field(0) As New com.sun.star.table.TableSortField
    field(0).Field = 3
    field(0).IsAscending = False
    Dim how(1) As New com.sun.star.beans.PropertyValue
    how(0).Name = "SortFields"
    how(0).Value = field()
    how(1).Name = "ContainsHeader"
    how(1).Value = True
    cursor = page.createCursor()
    cursor.gotoEndOfUsedArea(False)
    page.getCellRangeByPosition(0, 0, 14, cursor.RangeAddress.EndRow).sort(how())
    page.Rows.removeByIndex(40, 20)
"""
"""Sorts the questions backwards and deletes twenty of the lines."""


def typed(folder: Path, data: bytes, answers: Mapping[str, str | float | date], *, more: str = "") -> bytes:
    """Return a workbook after somebody typed answers into it with LibreOffice."""
    source, target, profile = folder / "in.xlsx", folder / "out.xlsx", folder / "profile"
    source.write_bytes(data)
    edits = ", ".join(f'"{name}", {_basic(value)}' for name, value in answers.items())
    # A first start fills a new profile, and would write over a macro that stood there before.
    _start(profile, "--terminate_after_init")
    _install(profile, MACRO.format(source=source.as_uri(), target=target.as_uri(), edits=edits, more=more))
    _start(profile, "macro:///Standard.Module1.Run")
    return target.read_bytes()


def _start(profile: Path, what: str) -> None:
    place = f"-env:UserInstallation={profile.as_uri()}"
    command = [*shlex.split(os.environ[PROGRAM]), "--headless", "--norestore", place, what]
    subprocess.run(command, check=True, timeout=180, capture_output=True)


def _basic(value: str | float | date) -> str:
    """Return the kind of a cell and its value, as Basic writes them; a day is the number of days since 1899."""
    if isinstance(value, date):
        return f'"day", {(value - date(1899, 12, 30)).days}'
    if isinstance(value, str):
        return '"text", "' + value.replace('"', '""') + '"'
    return f'"number", {value}'


def _install(profile: Path, source: str) -> None:
    """Put the macro where the program looks for a person's own."""
    library = profile / "user" / "basic" / "Standard"
    library.mkdir(parents=True, exist_ok=True)
    escaped = source.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    (library / "Module1.xba").write_text(MODULE.format(source=escaped), encoding="utf-8")
    named = '<library:element library:name="Module1"/>'
    (library / "script.xlb").write_text(LIBRARY.format(elements=named), encoding="utf-8")
