"""Text from outside, made fit for every database."""


def clean(text: str, width: int | None = None) -> str:
    """Return text without what cannot be stored (NUL, lone surrogates), cut to ``width`` characters."""
    # Nearly all of it is plain, and there are tens of thousands of them a second.
    is_plain = text.isascii() and "\x00" not in text
    kept = text if is_plain else text.encode("utf-8", "replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return kept if width is None or len(kept) <= width else kept[: width - 1] + "…"


def is_storable(text: str) -> bool:
    """Tell whether a database can hold ``text`` as it is; what it cannot hold it cannot look for either."""
    return clean(text) == text
