"""Make texts from outside storable on both engines, and remember what had to be changed."""

from collections.abc import Iterable, Mapping
from typing import Any

# What stands in for the NUL character, which PostgreSQL refuses in text and JSON: visible, and nobody writes it.
NUL_SIGN = "\N{SYMBOL FOR NULL}"

# Room for all texts of a message's detail together, bytes of UTF-8. The feed hands details to browsers.
DETAIL_LIMIT_BYTES = 256 * 1024

# What one text costs beside its bytes (quotes, commas, keys), so that a million empty texts end too.
_OVERHEAD_BYTES = 16
_UTF8_MAX_BYTES = 4


def storable(text: str) -> str:
    """Return the text without what a database refuses: NUL becomes its visible sign, lone surrogates ``?``."""
    if "\0" in text:
        text = text.replace("\0", NUL_SIGN)
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def cut(text: str, limit_bytes: int) -> str:
    """Return the longest beginning of a storable text that fits into ``limit_bytes`` bytes of UTF-8."""
    if len(text) * _UTF8_MAX_BYTES <= limit_bytes:
        return text
    encoded = text.encode()
    return text if len(encoded) <= limit_bytes else encoded[:limit_bytes].decode("utf-8", "ignore")


class Cleaner:
    """Cleans the texts of one message; ``marks`` tells what was changed, for the message's detail.

    Marks are ``nul_replaced`` (how many NULs), ``cut`` (field name to its full size in bytes) and ``detail_cut``
    (the detail was larger than `DETAIL_LIMIT_BYTES`, so it is not whole).
    """

    __slots__ = ("_left", "marks")

    def __init__(self) -> None:
        """Start with a full budget for the detail."""
        self.marks: dict[str, Any] = {}
        self._left = DETAIL_LIMIT_BYTES

    @property
    def is_exhausted(self) -> bool:
        """Whether the detail is full; asking marks it, because then something is left out."""
        if self._left <= 0:
            self.marks["detail_cut"] = True
        return self._left <= 0

    def column(self, name: str, text: str, limit_bytes: int) -> str:
        """Clean the text of a column of its own, cut where it is too long."""
        # Most are stored as they are, and need no more than this look.
        if text.isascii() and len(text) <= limit_bytes and "\0" not in text:
            return text
        clean = self._clean(text)
        kept = cut(clean, limit_bytes)
        if len(kept) != len(clean):
            self.marks.setdefault("cut", {})[name] = len(clean.encode())
        return kept

    def part(self, text: str) -> str:
        """Clean a text of the detail, cut to what is left of the budget."""
        if text.isascii() and len(text) <= self._left and "\0" not in text:
            self._left -= len(text) + _OVERHEAD_BYTES
            return text
        clean = self._clean(text)
        kept = cut(clean, max(self._left, 0))
        if len(kept) != len(clean):
            self.marks["detail_cut"] = True
        self._left -= len(kept.encode()) + _OVERHEAD_BYTES
        return kept

    def parts(self, texts: Iterable[str]) -> list[str]:
        """Clean a list of the detail; it ends where the budget does."""
        return [self.part(text) for text in texts if not self.is_exhausted]

    def mapping(self, texts: Mapping[str, str]) -> dict[str, str]:
        """Clean a mapping of the detail, keys sorted; it ends where the budget does."""
        return {self.part(key): self.part(texts[key]) for key in sorted(texts) if not self.is_exhausted}

    def _clean(self, text: str) -> str:
        nuls = text.count("\0")
        if nuls:
            self.marks["nul_replaced"] = self.marks.get("nul_replaced", 0) + nuls
        return storable(text)
