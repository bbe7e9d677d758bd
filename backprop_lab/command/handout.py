"""Lays the notebooks out in a learner's folder, and marks them as trusted there.

A hidden record in the folder keeps the SHA-256 of every file as it was laid. What must hold: a file that the
learner has changed, or that was not laid from here, is not overwritten, moved or deleted; with a lost or
broken record more files count as changed, never fewer; a file is written whole or not at all.
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain, count
from pathlib import Path

RECORD = ".backprop-lab.json"


@dataclass
class Handout:
    """``ours``: the files that now hold the package's own bytes. ``news``: what to tell the learner."""

    ours: list[Path] = field(default_factory=list)
    news: list[str] = field(default_factory=list)


def lay_out(source: Path, folder: Path, version: str) -> Handout:
    """Bring the notebooks of ``source`` into ``folder`` without touching the learner's work.

    A notebook that is missing is laid; one that is still as it was laid is brought up to date. One
    that the learner has changed stays, and a newer one is laid beside it, once, under a name with
    the version. Raises OSError when the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handout, done = Handout(), {"laid": 0, "updated": 0}
    record = _read_record(folder / RECORD)
    before = json.dumps(record)
    for fresh in sorted(source.glob("*.ipynb")):
        content = fresh.read_bytes()
        path = folder / fresh.name
        outcome = _place(path, content, record["laid"])
        if outcome in done:
            done[outcome] += 1
        elif outcome == "kept" and record["offered"].get(fresh.name) != _digest(content):
            path, outcome = _place_beside(path, content, record["laid"], version)
            if outcome != "same":
                handout.news.append(
                    f"{fresh.name} stays as you have it; {version} is beside it as {path.name}"
                )
        # Offered once is enough: whoever deletes the newer version does not want it again.
        record["offered"][fresh.name] = _digest(content)
        if outcome != "kept":
            handout.ours.append(path)
    if json.dumps(record) != before:
        _write_whole(folder / RECORD, json.dumps(record, indent=1).encode())
    handout.news[:0] = [
        f"{number} notebook{'s' if number > 1 else ''} {'laid out' if what == 'laid' else what}"
        for what, number in done.items()
        if number
    ]
    return handout


def trust(notebooks: Iterable[Path]) -> bool:
    """Sign notebooks, so that Jupyter shows the outputs they came with; say whether it worked.

    Only for files that hold our own bytes: the learner chose to run this package, nothing else.
    """
    try:
        import nbformat
        from jupyter_core.paths import jupyter_data_dir
        from nbformat.sign import NotebookNotary
    except ImportError:
        return False
    try:
        os.makedirs(jupyter_data_dir(), mode=0o700, exist_ok=True)
        notary = NotebookNotary(data_dir=jupyter_data_dir())
        try:
            for notebook in notebooks:
                notary.sign(nbformat.read(notebook, as_version=4))
        finally:
            notary.store.close()
    except (OSError, ValueError, sqlite3.Error, nbformat.ValidationError):
        return False  # that costs a click on "Trust", not the lab
    return True


def _place(path: Path, content: bytes, laid: dict[str, str]) -> str:
    """Put ``content`` at ``path`` if nothing of the learner's is lost: laid, updated, same or kept."""
    # A broken link counts as a file: it is the learner's.
    if not os.path.lexists(path):
        outcome = "laid"
    else:
        found = _digest_of_file(path)
        if found is None or found not in (_digest(content), laid.get(path.name)):
            return "kept"
        outcome = "same" if found == _digest(content) else "updated"
    if outcome != "same":
        _write_whole(path, content)
    laid[path.name] = _digest(content)
    return outcome


def _place_beside(path: Path, content: bytes, laid: dict[str, str], version: str) -> tuple[Path, str]:
    """Put ``content`` near ``path`` under the first name that is free or still as we laid it."""
    labels = chain([version], (f"{version}, {number}" for number in count(2)))
    places = (path.with_name(f"{path.stem} ({label}){path.suffix}") for label in labels)
    tried = ((place, _place(place, content, laid)) for place in places)
    return next((place, outcome) for place, outcome in tried if outcome != "kept")


def _read_record(path: Path) -> dict[str, dict[str, str]]:
    """Read what was laid and offered; what makes no sense counts as missing."""
    try:
        stored = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        stored = None
    record = {}
    for part in ("laid", "offered"):
        entries = stored.get(part) if isinstance(stored, dict) else None
        entries = entries if isinstance(entries, dict) else {}
        record[part] = {name: value for name, value in entries.items() if isinstance(value, str)}
    return record


def _write_whole(path: Path, content: bytes) -> None:
    """Write by renaming a finished file, so that nobody ever finds half of one."""
    unfinished = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        unfinished.write_bytes(content)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def _digest(content: bytes) -> str:
    """The SHA-256 of a notebook but for its kernel, which JupyterLab writes into one that is only opened."""
    try:
        book = json.loads(content)
        for name in ("kernelspec", "language_info"):
            book["metadata"].pop(name, None)
        content = json.dumps(book, sort_keys=True).encode()
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        pass  # no notebook: its bytes
    return sha256(content).hexdigest()


def _digest_of_file(path: Path) -> str | None:
    """The file's digest; None for what cannot be read as a file (a folder, a pipe)."""
    try:
        return _digest(path.read_bytes()) if path.is_file() else None
    except OSError:
        return None
