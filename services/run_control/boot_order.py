"""Orders to boot processes: from text that people write, JSON or YAML, to and from the command row."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from services.errors import InvalidInputError
from services.run_control.process_types import BootOrder
from services.texts import is_storable
from wire.yaml_text import YamlDocument, YamlError, read_yaml

FIELD = "order"
# More than a whole session of the largest example has.
MAX_ORDERS = 100
MAX_CHARACTERS = 200_000
MAX_PROCESSES = 50
MAX_SLEEPS = 1000
MAX_SLEEP_S = 3600
# Columns of the process table are so wide.
WIDTH = 255


def _sendable(text: str) -> str:
    if not is_storable(text):
        raise ValueError("holds a character that cannot be sent")
    return text


_Text = Annotated[str, AfterValidator(_sendable)]
_Name = Annotated[str, Field(min_length=1, max_length=WIDTH), AfterValidator(_sendable)]
_Program = Annotated[list[_Text], Field(min_length=1)]


class _BootText(BaseModel):
    """One process as people write it; the fields are those of `BootOrder`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: _Name
    session: _Name
    user: _Name | None = None
    commands: Annotated[list[_Program], Field(min_length=1)]
    environment: dict[_Name, _Text] = {}
    directory: _Text = ""
    log_path: _Text = ""
    hosts: Annotated[list[_Name], Field(min_length=1)] = ["localhost"]
    tree_id: Annotated[str, Field(pattern=r"^\d+(\.\d+)*$", max_length=64)] | None = None

    def order(self, user: str) -> BootOrder:
        return BootOrder(
            name=self.name,
            session=self.session,
            user=self.user or user,
            commands=tuple(tuple(program) for program in self.commands),
            environment=self.environment,
            directory=self.directory,
            log_path=self.log_path,
            hosts=tuple(self.hosts),
            tree_id=self.tree_id,
        )


_ORDERS = TypeAdapter(Annotated[list[_BootText], Field(min_length=1, max_length=MAX_ORDERS)])


def parse_boot_orders(text: str, user: str) -> tuple[BootOrder, ...]:
    """Return the orders in a text, JSON or YAML: one process, or a list of them.

    Where no user is told, ``user`` runs it.

    Raises:
        InvalidInputError: It is neither, or fields are wrong; the message names every one of them, in YAML by line.
    """
    if len(text) > MAX_CHARACTERS:
        raise InvalidInputError(f"The text is longer than {MAX_CHARACTERS} characters.", field=FIELD)
    given, document = _read(text)
    try:
        wanted = _ORDERS.validate_python(given if isinstance(given, list) else [given])
    except ValidationError as error:
        problems = _problems(error, document, is_list=isinstance(given, list))
        raise InvalidInputError(problems, field=FIELD, next_step="Correct the fields.") from error
    return tuple(order.order(user) for order in wanted)


def _read(text: str) -> tuple[Any, YamlDocument | None]:
    """Return what a text holds; of YAML also where everything stands."""
    looks_like_json = text.lstrip()[:1] in ("{", "[")
    try:
        return json.loads(text), None
    except (ValueError, RecursionError) as error:
        # YAML has lists and mappings in brackets, too, but who begins with one means JSON.
        if looks_like_json:
            raise InvalidInputError(f"This is no JSON: {error}.", field=FIELD) from error
    try:
        document = read_yaml(text)
    except YamlError as error:
        raise InvalidInputError(f"This is no YAML: {error}.", field=FIELD) from error
    return document.value, document


def _problems(error: ValidationError, document: YamlDocument | None, *, is_list: bool) -> str:
    found = []
    for problem in error.errors(include_url=False):
        location = problem["loc"]
        line = "" if document is None else f"line {document.line_of(location if is_list else location[1:])}, "
        found.append(f"{line}{_place(location)}: {problem['msg']}")
    return "The order cannot be booted. " + "; ".join(found) + "."


def _place(location: tuple[int | str, ...]) -> str:
    """Return where a problem is, e.g. ``process 1, commands.0``."""
    first, *rest = location or ("",)
    process = f"process {first + 1}" if isinstance(first, int) else "the text"
    return f"{process}, {'.'.join(map(str, rest))}" if rest else process


def dummy_orders(session: str, user: str, processes: int, sleeps: int, sleep_s: int) -> tuple[BootOrder, ...]:
    """Return what a dummy boot boots (contract 9.3): processes that say how long they have slept.

    Raises:
        InvalidInputError: A number is out of range, or a name cannot be used; ``field`` names it.
    """
    for name, value, most in (
        ("processes", processes, MAX_PROCESSES),
        ("sleeps", sleeps, MAX_SLEEPS),
        ("sleep_s", sleep_s, MAX_SLEEP_S),
    ):
        if not 1 <= value <= most:
            raise InvalidInputError(f"{name} must be from 1 to {most}.", field=name)
    for name, text in (("session", session), ("user", user)):
        if not text or len(text) > WIDTH or not is_storable(text):
            raise InvalidInputError(f"This is no {name} for a process.", field=name)
    naps = [
        program for nap in range(1, sleeps + 1) for program in (("sleep", f"{sleep_s}s"), ("echo", f"{sleep_s * nap}s"))
    ]
    commands = (("echo", "Starting dummy_boot."), *naps, ("echo", "Exiting."))
    return tuple(
        BootOrder(
            name=f"dummy_boot_{number}",
            session=session,
            user=user,
            commands=commands,
            log_path=f"log_{user}_{session}_dummy-boot_{number}.log",
        )
        for number in range(processes)
    )


def order_to_json(order: BootOrder) -> dict[str, Any]:
    """Return an order as the command row stores it."""
    return asdict(order)


def order_from_json(stored: Mapping[str, Any]) -> BootOrder:
    """Return an order as the command row stores it."""
    values = dict(stored)
    values["commands"] = tuple(tuple(program) for program in stored["commands"])
    values["hosts"] = tuple(stored["hosts"])
    return BootOrder(**values)
