"""Scripts and sheets: little, our own, asking nobody else, and complete."""

import re
from pathlib import Path

import pytest

from components.icons import Glyph, Icon
from tests.unit.assets.sheets import ASSETS, ROOT

# ADR 0010.
MOST_LINES = 1_000
MOST_LINES_A_SCRIPT = 250
SVG = "http://www.w3.org/2000/svg"
SERVED = [
    *(asset for asset in ASSETS.iterdir() if asset.suffix != ".ico"),
    *(ROOT / "templates").glob("*.html"),
    *(ROOT / "components").rglob("*.py"),
    *(ROOT / "pages").rglob("*.py"),
]


def test_own_script_stays_small() -> None:
    # Comments and blank lines are free: they are not what makes a program hard to carry on.
    code = re.compile(r"^\s*(?!//|/?\*|\s|$)", re.MULTILINE)
    lines = {script.name: len(code.findall(script.read_text())) for script in ASSETS.glob("*.js")}
    assert sum(lines.values()) < MOST_LINES, lines
    assert max(lines.values()) < MOST_LINES_A_SCRIPT, lines


@pytest.mark.parametrize("source", SERVED, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_address_but_our_own(source: Path) -> None:
    text = source.read_text().replace(SVG, "")
    assert re.findall(r"(?:https?:)?//[a-z0-9-]+\.[a-z]{2,}[^\s'\"]*", text, re.IGNORECASE) == []
    assert "@import" not in text
    assert set(re.findall(r"url\(['\"]?([a-z]+:)", text)) <= {"data:"}


@pytest.mark.parametrize("icon", Icon)
def test_every_icon_has_its_shape(icon: Icon) -> None:
    assert f".icon-{icon} {{" in (ASSETS / "20-icons.css").read_text()


@pytest.mark.parametrize("shape", Glyph)
def test_every_glyph_has_its_shape(shape: Glyph) -> None:
    assert f".glyph-{shape} {{ --g:" in (ASSETS / "20-icons.css").read_text()


def test_shapes_differ_from_each_other() -> None:
    shapes = dict(re.findall(r"\.glyph-([a-z_]+) \{ --g: (url\(.*?\"\));", (ASSETS / "20-icons.css").read_text()))
    # A word that the console does not know looks like "none": that is meant.
    same = {name for name, shape in shapes.items() if list(shapes.values()).count(shape) > 1}
    assert same == {"none", "unknown"}


@pytest.mark.parametrize("page", ["index.html", "login.html", "error.html"])
def test_the_theme_is_known_before_anything_is_painted(page: str) -> None:
    text = (ROOT / "templates" / page).read_text()
    sheets = text.index("{%css%}") if "{%css%}" in text else text.index('rel="stylesheet"')
    assert text.index("theme.js") < sheets
    assert 'data-bs-theme="dark"' in text


@pytest.mark.parametrize("page", ["login.html", "error.html"])
def test_pages_without_the_application_load_sheets_that_exist(page: str) -> None:
    text = (ROOT / "templates" / page).read_text()
    names = re.search(r"for sheet in \((.*?)\)", text)
    assert names is not None
    for name in re.findall(r'"([^"]+)"', names[1]):
        assert (ASSETS / f"{name}.css").is_file()
