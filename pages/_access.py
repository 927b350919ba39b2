"""Register callbacks so that each says which permission it needs, and has it checked on the server.

Use `callback` and `clientside_callback` of this module instead of Dash's: the app does not start with a server-side
callback that was registered any other way.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import dash

from pages._context import identity
from services.accounts.types import Permission
from services.errors import NotPermittedError

Params = ParamSpec("Params")
Result = TypeVar("Result")

_ATTRIBUTE = "console_permission"
# Dash's own callback that puts a page into the container. Layouts hold no data, so a log-in is enough.
_DASHS_OWN = ("_pages_content.children",)


class UndeclaredCallbackError(Exception):
    """Callbacks do not say which permission they need. The program must not start."""


@dataclass(frozen=True, slots=True)
class _ServerSide:
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def register(self, app: dash.Dash) -> None:
        app.callback(*self.args, **self.kwargs)(self.function)


@dataclass(frozen=True, slots=True)
class _ClientSide:
    source: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def register(self, app: dash.Dash) -> None:
        app.clientside_callback(self.source, *self.args, **self.kwargs)


class CallbackRegistry:
    """All callbacks of the pages, waiting for an app.

    Like Dash's own registry it fills up when modules are imported. Unlike Dash's it is not emptied by the first app, so
    that several apps can be made in one process. Dash executes page modules anew for each app: a callback of the same
    place takes the place of the one before.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self._found: dict[tuple[object, ...], _ServerSide | _ClientSide] = {}

    def __iter__(self) -> Iterator[_ServerSide | _ClientSide]:
        """Go through the declarations in the order of the modules."""
        return iter(tuple(self._found.values()))

    def add(self, key: tuple[object, ...], declaration: _ServerSide | _ClientSide) -> None:
        """Keep a declaration; one with the same key is replaced."""
        self._found[key] = declaration

    def register(self, app: dash.Dash) -> None:
        """Give all callbacks to an app."""
        for declaration in self:
            declaration.register(app)


# The one object at module level that changes: Dash finds pages by importing them, so there is nobody to pass it in.
CALLBACKS = CallbackRegistry()


def callback(
    *args: Any, permission: Permission, **kwargs: Any
) -> Callable[[Callable[Params, Result]], Callable[Params, Result]]:
    """Declare a server-side callback, as with ``dash.callback``, that needs a permission.

    Returns the function unchanged, so that tests can call it directly. When Dash calls it and the person's role does
    not include the permission, nothing is executed and a `NotPermittedError` goes to the app's error handler.
    """

    def declare(function: Callable[Params, Result]) -> Callable[Params, Result]:
        place = (function.__module__, function.__qualname__, function.__code__.co_firstlineno)
        CALLBACKS.add(place, _ServerSide(_guarded(function, permission), args, kwargs))
        return function

    return declare


def clientside_callback(source: str | dash.ClientsideFunction, *args: Any, **kwargs: Any) -> None:
    """Declare a callback that runs in the browser only; it reaches nothing on the server, so it needs no permission."""
    CALLBACKS.add(("clientside", str(source), repr(args), repr(kwargs)), _ClientSide(source, args, kwargs))


def verify_callbacks(app: dash.Dash) -> None:
    """Check that every server-side callback of an app declares a permission. Call it after Dash's own set-up.

    Raises:
        UndeclaredCallbackError: With the outputs of all that do not.
    """
    missing = [
        outputs
        for outputs, entry in app.callback_map.items()
        if "callback" in entry and not _declares(entry["callback"]) and not _is_dashs_own(outputs)
    ]
    if missing:
        raise UndeclaredCallbackError(f"Callbacks without a declared permission: {', '.join(sorted(missing))}")


def _guarded(function: Callable[..., Any], permission: Permission) -> Callable[..., Any]:
    @wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        person = identity()
        if not person.may(permission):
            raise NotPermittedError(
                f"{person.name} ({person.role.value}) may not do this; it needs {permission.value}.",
                next_step="Ask an administrator for another role.",
            )
        return function(*args, **kwargs)

    setattr(guarded, _ATTRIBUTE, permission)
    return guarded


def _declares(registered: Callable[..., Any]) -> bool:
    """Tell whether Dash's wrapper (which carries over attributes) holds one of our guarded functions."""
    return isinstance(getattr(registered, _ATTRIBUTE, None), Permission)


def _is_dashs_own(outputs: str) -> bool:
    return any(own in outputs for own in _DASHS_OWN)
