"""YAML that people write, read without surprises.

Nothing but text, numbers, true, false, null, lists and mappings comes out: no aliases, which can grow without bound, no
tags, no dates, and ``no`` or ``on`` is a word. Errors know their line.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

MAX_CHARACTERS = 200_000
MAX_DEPTH = 20
# The parser takes its time: so many parts are about a second's work.
MAX_PARTS = 10_000

Place = tuple[str | int, ...]


class YamlError(Exception):
    """A text that cannot be read; ``str()`` is for people, ``line`` counts from 1, 0 where no line is to blame."""

    def __init__(self, text: str, line: int = 0) -> None:
        """Keep both."""
        super().__init__(f"line {line}: {text}" if line else text)
        self.line = line


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """What was read: the value, and where in the text its parts begin."""

    value: Any
    lines: Mapping[Place, int]

    def line_of(self, place: Sequence[str | int]) -> int:
        """Return the line, from 1, of a part, or of the innermost part around it that is in the text."""
        known = tuple(place)
        while known not in self.lines:
            known = known[:-1]
        return self.lines[known]


class _Loader(yaml.SafeLoader):
    """Knows the kinds of plain words that JSON knows, and neither aliases, deep nesting, nor very many parts."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - the library's way
    _depth = 0
    _parts = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose a node; YamlError for an alias or one too deep."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            raise YamlError(f"aliases (*{event.anchor}) are not allowed", line)
        if self._depth >= MAX_DEPTH:
            raise YamlError(f"more than {MAX_DEPTH} lists and mappings in each other", line)
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise YamlError(f"more than {MAX_PARTS} parts", line)
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


for _tag, _pattern, _first in (
    ("null", r"~|null|", ["~", "n", ""]),
    ("bool", r"true|false", ["t", "f"]),
    ("int", r"[-+]?(?:0|[1-9][0-9]{0,18})", list("-+0123456789")),
    ("float", r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", list("-+.0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first)


def read_yaml(text: str) -> YamlDocument:
    """Return what a text holds.

    Raises:
        YamlError: It is too long, no YAML, or holds what is not allowed.
    """
    if len(text) > MAX_CHARACTERS:
        raise YamlError(f"longer than {MAX_CHARACTERS} characters")
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return YamlDocument(None, {(): 1})
            lines = dict(_places(node, ()))
            return YamlDocument(loader.construct_document(node), lines)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(error.problem or "no YAML", mark.line + 1 if mark else 0) from error
    except (yaml.YAMLError, ValueError) as error:
        raise YamlError(str(error).partition("\n")[0]) from error


def _places(node: yaml.Node, place: Place) -> Iterator[tuple[Place, int]]:
    """Yield the line of every part; YamlError for a key that comes twice or is no word."""
    yield place, node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _places(item, (*place, number))
    elif isinstance(node, yaml.MappingNode):
        known: set[str] = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise YamlError("a key must be a word", line)
            if key.value in known:
                raise YamlError(f"{key.value} is there twice", line)
            known.add(key.value)
            yield from _places(value, (*place, key.value))
            # People look for the key, which may stand a line above its value.
            yield (*place, key.value), line
