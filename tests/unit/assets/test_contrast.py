"""Contrast of what the sheets put together: the text and ground of every rule, the words of alarms and states."""

import re
from collections.abc import Iterator, Mapping

import pytest

from tests.unit.assets.sheets import ASSETS, THEMES, colours, contrast

# WCAG 2.2 AA, 1.4.3: text below 18 pt.
READABLE = 4.5
GROUNDS = ("bg-0", "bg-1", "bg-2", "bg-3")
TINTS = ("acc-bg", "warn-bg", "error-bg", "fatal-bg")
# What says by its colour how things are: it stands on panels, in tinted rows and cells, and in what is selected.
WORDS = re.compile(r"\.(?:alarm|state|severity|text|rate)-[a-z-]+")
RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")


def rules() -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield each selector of all sheets with what its rule declares."""
    for sheet in sorted(ASSETS.glob("*.css")):
        text = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
        for selectors, body in RULE.findall(text):
            declared = dict(re.findall(r"(?:^|;|\s)([a-z-]+):\s*([^;]+)", body))
            for selector in selectors.split(","):
                yield selector.strip(), declared


def token(value: str | None) -> str | None:
    """Return the colour token that a value consists of."""
    found = re.fullmatch(r"var\(--c-([a-z0-9-]+)\)", (value or "").strip())
    return found[1] if found else None


def pairs() -> Mapping[str, tuple[str, str]]:
    """Return text and ground of each selector whose rule sets both."""
    found = {
        selector: (token(declared.get("color")), token(declared.get("background-color") or declared.get("background")))
        for selector, declared in rules()
    }
    return {selector: (text, ground) for selector, (text, ground) in found.items() if text and ground}


def words() -> Mapping[str, str]:
    """Return the colour of each class that says how things are, where its rule sets no ground."""
    return {
        selector: text
        for selector, declared in rules()
        if WORDS.fullmatch(selector) and (text := token(declared.get("color"))) and "background" not in declared
    }


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("selector", "pair"), pairs().items())
def test_text_is_readable_on_the_ground_of_its_own_rule(theme: str, selector: str, pair: tuple[str, str]) -> None:
    found = colours(theme)
    assert contrast(found[pair[0]], found[pair[1]]) >= READABLE, selector


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("selector", "text"), words().items())
def test_words_of_alarms_and_states_are_readable_wherever_they_stand(theme: str, selector: str, text: str) -> None:
    found = colours(theme)
    ratios = {ground: contrast(found[text], found[ground]) for ground in (*GROUNDS, *TINTS)}
    assert min(ratios.values()) >= READABLE, (selector, ratios)


def test_the_sheets_are_read() -> None:
    assert {".alarm-high", ".alarm-medium", ".alarm-low", ".state-dead", ".state-degraded"} <= set(words())
    assert pairs()[".severity-error"] == ("error", "error-bg")
