"""Printed documents: a template of ours and data in, a PDF out; the same input gives the same bytes.

A template lies in ``templates/`` and begins with ``#import "house.typ": *`` and ``#show: sheet``; the data is
``data`` there. Whatever people wrote is data and never markup. Letters that the fonts lack are shown as their code
points, such as [U+4E2D], so that nothing vanishes.
"""

from portal.kernel.paper.printing import BREAK_AFTER as BREAK_AFTER
from portal.kernel.paper.printing import TooLong as TooLong
from portal.kernel.paper.printing import press_mark as press_mark
from portal.kernel.paper.printing import printable as printable
from portal.kernel.paper.printing import render as render
