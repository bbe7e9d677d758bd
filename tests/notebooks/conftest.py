"""A kernel for the tests that ask for one by name: one for all of them."""

from __future__ import annotations

import kernels
import pytest


@pytest.fixture(scope="session")
def kernel(tmp_path_factory):
    """The function that runs cells, each time as if nothing had run before."""
    folder = tmp_path_factory.mktemp("empty")
    with kernels.started(folder) as run:
        yield run
    assert list(folder.iterdir()) == []
