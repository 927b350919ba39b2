"""``aria-…`` and ``data-…`` attributes for Dash components."""

from typing import TypeVar

from dash.development.base_component import Component

AnyComponent = TypeVar("AnyComponent", bound=Component)


def marked(component: AnyComponent, **attributes: str | None) -> AnyComponent:
    """Set wildcard attributes, written with underscores (``aria_label``, ``data_at_ms``), and return the component.

    Dash takes them as keywords with a hyphen, which its own type hints do not allow for. None means: do not set.
    """
    for name, value in attributes.items():
        if value is not None:
            setattr(component, name.replace("_", "-"), value)
    return component
