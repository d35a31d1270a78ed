"""The press itself. Only ever run by :func:`portal.kernel.paper.render`, in a process of its own."""

from __future__ import annotations

import base64
import os
from pathlib import Path

HERE = Path(__file__).resolve().parent


def press(path: str, template: str, seconds: int) -> dict[str, str]:
    """Return the document as ``{"pdf": base64}``.

    :param path: the data, as JSON.
    :param seconds: the instant that the document is dated with, counted from 1970.
    """
    # As many threads as there are processors would each ask for address space, which is limited here.
    os.environ["RAYON_NUM_THREADS"] = "1"
    import typst

    data = Path(path).read_text("utf-8")
    compiler = typst.Compiler(
        root=str(HERE / "templates"),
        font_paths=[str(HERE / "fonts")],
        ignore_system_fonts=True,
        sys_inputs={"data": data},
        package_path=str(HERE / "no-packages"),
        package_cache_path=str(HERE / "no-packages"),
    )
    made = compiler.compile(
        str(HERE / "templates" / f"{template}.typ"), format="pdf", pdf_standards=["ua-1"], timestamp=seconds
    )
    if not isinstance(made, bytes):
        raise TypeError("not one document")
    return {"pdf": base64.b64encode(made).decode("ascii")}
