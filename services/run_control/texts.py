"""Text from outside, as this area takes it (see `services.texts`)."""

from services.texts import clean, is_storable

__all__ = ["clean", "is_storable"]
