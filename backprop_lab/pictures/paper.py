"""Pictures for what is printed by LaTeX, which knows neither HTML nor SVG.

``jupyter nbconvert --to pdf --Exporter.preprocessors=backprop_lab.pictures.paper.as_png mine.ipynb`` draws
the pictures of a saved notebook as PNG; the notebook itself keeps one copy of each, the SVG in its HTML.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from backprop_lab.pictures.raster import png

_IMAGE = re.compile(r'<img src="data:image/svg\+xml;charset=utf-8,([^"]*)"')
_NOTHING_ELSE = re.compile(r"<div[^>]*><img[^>]*>(<style>[^<]*</style>)?</div>")


def as_png(notebook: Any, resources: Any) -> tuple[Any, Any]:
    """The notebook with a PNG for each picture in its outputs: a preprocessor of nbconvert.

    What an output shows besides, such as the table of a step-through, stays below its pictures. Raises
    ImportError, and says what to install, where resvg_py is missing.
    """
    files, folder = resources.setdefault("outputs", {}), resources.get("output_files_dir", ".")
    for cell in notebook.cells:
        outputs = []
        for output in cell.get("outputs", []):
            html = "".join(output.get("data", {}).get("text/html", ""))
            for data in _IMAGE.findall(html):  # where it has single quotes for double ones
                name = f"{folder}/picture-{len(files)}.png"
                files[name] = png(unquote(data).replace("'", '"'))
                outputs.append(_picture(name))
            if not _NOTHING_ELSE.fullmatch(html):
                outputs.append(output)
        if outputs:
            cell.outputs = outputs
    return notebook, resources


def _picture(name: str) -> Any:
    """An output that is a picture in a file, as nbconvert's own preprocessor writes it."""
    from nbformat.v4 import new_output

    return new_output("display_data", {"image/png": ""}, metadata={"filenames": {"image/png": name}})
