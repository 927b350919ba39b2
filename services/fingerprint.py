"""What an installation's pages are made of, in a few letters: by it an open page hears of an upgrade."""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

# Kinds of files a page is made of: what the browser loads, and what declares elements and callbacks.
SUFFIXES = frozenset({".css", ".html", ".ico", ".js", ".py"})
DIGITS = 16


def fingerprint(folders: Iterable[Path], packages: Iterable[str]) -> str:
    """Return the fingerprint of all files in ``folders`` (by place and content) and of the versions of ``packages``.

    It is equal in every process and on every host that serves the same, whenever and wherever that was installed.

    Raises:
        PackageNotFoundError: One of the packages is not installed.
    """
    found = sha256()
    for part in _parts(folders, packages):
        # Of one length each, or the end of one could be the beginning of the next.
        found.update(sha256(part).digest())
    return found.hexdigest()[:DIGITS]


def _parts(folders: Iterable[Path], packages: Iterable[str]) -> Iterator[bytes]:
    for folder in folders:
        for file in sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES):
            yield f"{folder.name}/{file.relative_to(folder).as_posix()}".encode()
            yield file.read_bytes()
    for package in packages:
        yield f"{package} {version(package)}".encode()
