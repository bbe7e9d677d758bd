"""Write down the project's public address: ``python -m tools.address OWNER/NAME``.

Badges in README.md (the state of CI; Binder, Colab and the browser for each notebook), the links in
pyproject.toml and the address in CITATION.cff, for a repository on GitHub. Run it once when the project, or
your copy of it, goes public: then the badges start your notebooks.

What must hold: giving an address twice changes nothing; a new one leaves nothing of the old one.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).parent.parent
ROW = re.compile(r"^(\| \[\d\d [^\]]+\]\(notebooks/([\w-]+\.ipynb)\) \|[^|]*\| \d+ \|).*$", re.M)
HEAD = re.compile(r"^(\| \| The question it answers \| Minutes \|).*\n(\|---\|---\|---\|).*$", re.M)
STATE = re.compile(r"^\[!\[CI\].*\n\n", re.M)


def readme(text: str, repository: str) -> str:
    """README.md with the badges of the repository ``OWNER/NAME``."""
    workflow = f"https://github.com/{repository}/actions/workflows/ci.yml"
    state = f"[![CI]({workflow}/badge.svg)]({workflow}) {browser(repository, '00-start-here.ipynb')}\n\n"
    text = STATE.sub("", text).replace("# backprop_lab\n\n", f"# backprop_lab\n\n{state}", 1)
    text = HEAD.sub(r"\1 Open |\n\2---|", text)
    return ROW.sub(lambda row: f"{row[1]} {badges(repository, row[2])} |", text)


def badges(repository: str, notebook: str) -> str:
    """The badges that start a notebook: in Binder, in Colab, in the browser alone."""
    path = f"notebooks/{notebook}"
    binder = f"https://mybinder.org/v2/gh/{repository}/HEAD?labpath={quote(path, safe='')}"
    colab = f"https://colab.research.google.com/github/{repository}/blob/HEAD/{path}"
    return (
        f"[![Binder](https://mybinder.org/badge_logo.svg)]({binder}) "
        f"[![Colab](https://colab.research.google.com/assets/colab-badge.svg)]({colab}) "
        f"{browser(repository, notebook)}"
    )


def browser(repository: str, notebook: str) -> str:
    """The notebook in the site that the workflow “Pages” publishes."""
    page = f"{site(repository)}/lab/index.html?path={notebook}"
    return f"[![in the browser](https://jupyterlite.rtfd.io/en/latest/_static/badge.svg)]({page})"


def site(repository: str) -> str:
    """The address of the repository's pages."""
    owner, _, name = repository.partition("/")
    return f"https://{owner.lower()}.github.io/{name}"


def project(text: str, repository: str) -> str:
    """pyproject.toml with the links that a package index shows."""
    text = re.sub(r"\[project\.urls\]\n(?:\w+ = .*\n)*\n", "", text)
    links = {
        "Source": f"https://github.com/{repository}",
        "Documentation": f"{site(repository)}/reference/",
        "Notebooks": f"{site(repository)}/",
    }
    block = "".join(f'{title} = "{link}"\n' for title, link in links.items())
    return text.replace("[project.scripts]", f"[project.urls]\n{block}\n[project.scripts]", 1)


def citation(text: str, repository: str) -> str:
    """CITATION.cff with the repository's address."""
    text = re.sub(r"^repository-code: .*\n", "", text, flags=re.M)
    return re.sub(
        r"^license: ", f'repository-code: "https://github.com/{repository}"\nlicense: ', text, flags=re.M
    )


FILES = {"README.md": readme, "pyproject.toml": project, "CITATION.cff": citation}


def main(arguments=None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.address", description=__doc__.splitlines()[0])
    parser.add_argument("repository", metavar="OWNER/NAME", help="the repository on GitHub")
    repository = parser.parse_args(arguments).repository
    if not re.fullmatch(r"[A-Za-z0-9-]+/[\w.-]+", repository):
        parser.error(f"{repository!r} is not OWNER/NAME, such as ada/backprop_lab")
    for name, written in FILES.items():
        path = root / name
        before = path.read_text("utf-8")
        after = written(before, repository)
        path.write_text(after, "utf-8")
        print(f"{name}: {'changed' if after != before else 'unchanged'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
