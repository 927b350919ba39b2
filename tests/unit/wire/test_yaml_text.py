"""YAML as it is read: plain kinds only, bounded, with lines."""

import pytest

from wire.yaml_text import MAX_CHARACTERS, MAX_DEPTH, MAX_PARTS, YamlError, read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("[1, -2, 1.5, .5, 1., 1.0e3]", [1, -2, 1.5, 0.5, 1.0, 1000.0]),
        ("[true, false, null, ~, ]", [True, False, None, None]),
        ("[no, on, Yes, True]", ["no", "on", "Yes", "True"]),
        ("[2026-01-01, 1:30, 010, 0x10, 1_000]", ["2026-01-01", "1:30", "010", "0x10", "1_000"]),
        ("a: {b: [c, 'd e']}", {"a": {"b": ["c", "d e"]}}),
        ("a:\n  b: |\n    two\n    lines\n", {"a": {"b": "two\nlines\n"}}),
        ("a:", {"a": None}),
    ],
)
def test_values(text: str, value: object) -> None:
    assert read_yaml(text).value == value


def test_lines_of_parts() -> None:
    document = read_yaml("title: x\nsteps:\n  - order: a\n  - order: b\n    with:\n      name: c\n")
    assert document.line_of(()) == 1
    assert document.line_of(("steps",)) == 2
    assert document.line_of(("steps", 1)) == 4
    assert document.line_of(("steps", 1, "with", "name")) == 6
    assert document.line_of(("steps", 1, "missing", "deeper")) == 4


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a: 1\nb: [1, 2\n", 3, "expected ',' or ']'"),
        ("a: &x 1\nb: *x\n", 2, r"aliases \(\*x\) are not allowed"),
        ("a: 1\nb: 2\na: 3\n", 3, "a is there twice"),
        ("? [1, 2]\n: 3\n", 1, "a key must be a word"),
        ("a: !!python/name:os.system ''\n", 1, "could not determine a constructor"),
        ("a: 1\n---\nb: 2\n", 2, "but found another document"),
        ("[" * (MAX_DEPTH + 1), 1, f"more than {MAX_DEPTH}"),
        (f"[{'1,' * MAX_PARTS}]", 1, f"more than {MAX_PARTS} parts"),
        ("\ta: 1", 1, "found character"),
        ("x" * (MAX_CHARACTERS + 1), 0, "longer than"),
        ("a: \x01", 0, "special characters are not allowed"),
    ],
)
def test_what_is_refused(text: str, line: int, reason: str) -> None:
    with pytest.raises(YamlError, match=reason) as caught:
        read_yaml(text)
    assert caught.value.line == line


def test_an_alias_bomb_is_refused_before_it_grows() -> None:
    levels = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    levels += [f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]" for before, name in ("ab", "bc", "cd", "de")]
    with pytest.raises(YamlError, match="line 2: aliases"):
        read_yaml("\n".join(levels))
