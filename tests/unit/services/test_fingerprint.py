"""A fingerprint changes with everything a page is made of, and with nothing else."""

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from services.fingerprint import DIGITS, fingerprint

PACKAGES = ("dash", "flask")


def installed(root: Path) -> Path:
    """A small installation in a folder of its own."""
    folder = root / "assets"
    (folder / "deeper").mkdir(parents=True)
    (folder / "a.js").write_text("let a;")
    (folder / "b.css").write_text("b {}")
    (folder / "deeper" / "c.py").write_text("c = 1")
    return folder


def test_it_is_the_same_wherever_the_same_is_installed(tmp_path: Path) -> None:
    one, other = installed(tmp_path / "one"), installed(tmp_path / "other")
    (other / "a.js").touch()
    (other / "__pycache__").mkdir()
    (other / "__pycache__" / "c.pyc").write_bytes(b"made here")
    assert fingerprint([one], PACKAGES) == fingerprint([other], PACKAGES)
    assert len(fingerprint([one], PACKAGES)) == DIGITS


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "a.js").write_text("let b;"),
        lambda folder: (folder / "deeper" / "c.py").write_text("c = 2"),
        lambda folder: (folder / "d.css").write_text(""),
        lambda folder: (folder / "b.css").unlink(),
        lambda folder: (folder / "a.js").rename(folder / "aa.js"),
        lambda folder: ((folder / "a.js").write_text("let a;b"), (folder / "b.css").write_text(" {}")),
    ],
    ids=["script", "source below", "new sheet", "sheet gone", "renamed", "moved from file to file"],
)
def test_it_changes_with_every_file(tmp_path: Path, change: Callable[[Path], object]) -> None:
    folder = installed(tmp_path)
    before = fingerprint([folder], PACKAGES)
    change(folder)
    assert fingerprint([folder], PACKAGES) != before


def test_it_changes_with_the_version_of_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = installed(tmp_path)
    before = fingerprint([folder], PACKAGES)
    monkeypatch.setattr("services.fingerprint.version", lambda _package: "another")
    assert fingerprint([folder], PACKAGES) != before


def test_a_package_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(PackageNotFoundError, match="no-such-package"):
        fingerprint([installed(tmp_path)], ["no-such-package"])
