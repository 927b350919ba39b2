"""The token sheet: complete in both themes, readable, and the only place with colours."""

import re
from pathlib import Path

import pytest

from components.figures import tokens
from tests.unit.assets.sheets import ASSETS, ROOT, THEMES, TOKENS, colours, contrast

NAMES = set(
    """
    bg-0 bg-1 bg-2 bg-3 inp line line-2 ctl fg-0 fg-1 fg-2 acc acc-fill acc-bg on-acc ok fatal
    fatal-fill fatal-on fatal-bg error error-fill error-on error-bg warn warn-fill warn-edge warn-on
    warn-bg danger-fill on-danger s-info s-log s-debug c1 c2 c3 c4
    """.split()  # noqa: SIM905 - thirty-eight names read better in lines
)
GROUNDS = ("bg-0", "bg-1", "bg-2", "bg-3")
TEXTS = ("fg-0", "fg-1", "fg-2", "acc", "fatal", "error", "warn", "c1", "c2", "c3", "c4")
ON_FILL = {
    "on-acc": "acc-fill",
    "fatal-on": "fatal-fill",
    "error-on": "error-fill",
    "warn-on": "warn-fill",
    "on-danger": "danger-fill",
}
ON_TINT = {"acc-bg": "acc", "error-bg": "error", "fatal-bg": "fatal", "warn-bg": "warn"}
AREAS = ("ctl", "acc", "acc-fill", "ok", "fatal-fill", "error-fill", "warn-edge", "danger-fill", "s-info")
SOURCES = [
    *ASSETS.glob("*.css"),
    *ASSETS.glob("*.js"),
    *(ROOT / "components").rglob("*.py"),
    *(ROOT / "pages").rglob("*.py"),
    *(ROOT / "templates").glob("*.html"),
]


@pytest.mark.parametrize("theme", THEMES)
def test_every_token_stands_in_both_themes(theme: str) -> None:
    assert set(colours(theme)) == NAMES


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("text", TEXTS)
def test_text_is_readable_on_every_ground(theme: str, text: str) -> None:
    found = colours(theme)
    # Series colours are lines and their labels stand on panels, never on the pressed ground.
    grounds = GROUNDS[:3] if text.startswith("c") else GROUNDS
    assert min(contrast(found[text], found[ground]) for ground in grounds) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("text", "fill"), ON_FILL.items())
def test_text_is_readable_on_fills(theme: str, text: str, fill: str) -> None:
    assert contrast(colours(theme)[text], colours(theme)[fill]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("tint", "own"), ON_TINT.items())
def test_text_is_readable_on_tints(theme: str, tint: str, own: str) -> None:
    found = colours(theme)
    assert min(contrast(found[text], found[tint]) for text in ("fg-0", "fg-1", "fg-2", own)) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("area", AREAS)
def test_areas_stand_out(theme: str, area: str) -> None:
    found = colours(theme)
    assert min(contrast(found[area], found[ground]) for ground in GROUNDS[:3]) >= 3


def test_the_measure_itself() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_colour_outside_the_token_sheet(source: Path) -> None:
    if source == TOKENS:
        return
    found = re.findall(r"(?::|,|\(|\s|'|\")(#[0-9a-fA-F]{3}(?:[0-9a-fA-F]{3})?)(?=[;\s,)'\"])", source.read_text())
    # "#add" could be an id: only what is a colour in a declaration counts in style sheets.
    assert found == []


def test_every_variable_that_is_used_is_defined() -> None:
    sheets = "\n".join(sheet.read_text() for sheet in ASSETS.glob("*.css"))
    used = set(re.findall(r"var\((--[a-z0-9-]+)", sheets))
    defined = set(re.findall(r"(--[a-z0-9-]+):", sheets))
    # Some are set on the element by the component that needs them.
    components = "\n".join(source.read_text() for source in (ROOT / "components").rglob("*.py"))
    defined |= set(re.findall(r"\"(--[a-z0-9-]+)\"", components))
    assert used - defined == set()


@pytest.mark.parametrize("theme", THEMES)
def test_plots_take_their_colours_from_the_sheet(theme: str) -> None:
    assert tokens(theme) == colours(theme)


def test_motion_can_be_reduced() -> None:
    reduced = TOKENS.read_text().split("prefers-reduced-motion: reduce", 1)[1]
    moving = re.findall(r"(--d-[a-z]+): [1-9]", TOKENS.read_text())
    assert {f"{name}: 0ms" for name in moving} <= set(re.findall(r"--d-[a-z]+: 0ms", reduced))
