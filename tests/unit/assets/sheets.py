"""What the style sheets say, for tests."""

import re
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[3]
ASSETS = ROOT / "assets"
TOKENS = ASSETS / "00-tokens.css"
THEMES = ("dark", "light")


def colours(theme: str) -> Mapping[str, str]:
    """Return the colour tokens of a theme, without their prefix."""
    block = re.search(rf"\[data-bs-theme={theme}\]\s*\{{(.*?)\}}", TOKENS.read_text(), re.DOTALL)
    assert block is not None
    return dict(re.findall(r"--c-([a-z0-9-]+): (#[0-9A-F]{6});", block[1]))


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2)."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2)."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)
