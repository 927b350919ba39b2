"""What an action on processes would hit, and what stands against it."""

import pytest

from components.process_question import question_body, reasons_line, selection_line, typed_hint, typed_label
from components.process_stake import (
    Act,
    Scene,
    boot_obstacle,
    deed,
    has_run,
    label,
    needs_question,
    obstacle,
    phrase,
    question,
    reach,
    targets,
)
from services.accounts.types import Identity, Role
from services.run_control.session_types import RunInfo
from tests.unit.components.reading import words
from tests.unit.components.samples import dead, process, session

OPERATOR = Identity("mkovacs", Role.OPERATOR)
VIEWER = Identity("victor", Role.VIEWER)
ADMINISTRATOR = Identity("ada", Role.ADMINISTRATOR)
HERE, THERE = "local-2x3-config", "other"
PROCESSES = (
    process(uuid="a", name="df-01"),
    process(uuid="b", name="df-02"),
    dead(uuid="c", name="df-03"),
    process(uuid="d", name="mlt", session=THERE),
)
RUN = session(run=RunInfo(number=31427, type="PROD", storage_disabled=False))
IDLE = session(name=THERE, state="configured")


def scene(*chosen: str, person: Identity = OPERATOR, **fields: object) -> Scene:
    values = {"processes": PROCESSES, "sessions": (RUN, IDLE), "chosen": frozenset(chosen)} | fields
    return Scene(person=person, **values)  # type: ignore[arg-type]  # fields of the tests' own choice


def uuids(act: Act, found: Scene) -> list[str]:
    return [target.uuid for target in targets(act, found)]


@pytest.mark.parametrize(
    ("act", "chosen", "expected"),
    [
        (Act.KILL, "ac", "ac"),
        (Act.KILL, "az", "a"),
        (Act.RESTART, "b", "b"),
        (Act.FLUSH, "ac", "c"),
        (Act.FLUSH, "", "c"),
        (Act.FLUSH, "a", ""),
        (Act.END, "a", "abc"),
        (Act.END, "ad", ""),
        (Act.TERMINATE, "", "abcd"),
    ],
)
def test_targets(act: Act, chosen: str, expected: str) -> None:
    assert uuids(act, scene(*chosen)) == list(expected)


def test_the_session_of_the_address_counts_where_nothing_is_selected() -> None:
    assert uuids(Act.END, scene(wanted=THERE)) == ["d"]
    assert uuids(Act.END, scene("a", wanted=THERE)) == ["a", "b", "c"]
    assert uuids(Act.END, scene()) == []


@pytest.mark.parametrize(
    ("act", "chosen", "reason"),
    [
        (Act.RESTART, "", "none is selected"),
        (Act.RESTART, "ab", "2 are selected"),
        (Act.KILL, "", "No process is selected"),
        (Act.FLUSH, "ab", "None of the selected is dead"),
        (Act.END, "", "Select processes of one session"),
        (Act.END, "ad", "several sessions"),
        (Act.TERMINATE, "a", "does not include process.terminate"),
    ],
)
def test_what_stands_against_it(act: Act, chosen: str, reason: str) -> None:
    assert reason in (obstacle(act, scene(*chosen)) or "")


@pytest.mark.parametrize("act", [act for act in Act if act is not Act.TERMINATE])
def test_a_viewer_may_do_nothing(act: Act) -> None:
    assert "role viewer" in (obstacle(act, scene("c", person=VIEWER)) or "")
    assert "role viewer" in (boot_obstacle(VIEWER, answers=True) or "")


@pytest.mark.parametrize("act", Act)
def test_nothing_is_possible_without_the_process_manager(act: Act) -> None:
    lost = scene("c", person=ADMINISTRATOR, answers=False)
    assert obstacle(act, lost) == boot_obstacle(ADMINISTRATOR, answers=False) == "The process manager does not answer."
    assert obstacle(act, scene("c", person=ADMINISTRATOR)) is None


def test_nothing_dead_anywhere() -> None:
    assert obstacle(Act.FLUSH, scene(processes=PROCESSES[:2])) == "No process is dead."
    assert obstacle(Act.TERMINATE, scene(person=ADMINISTRATOR, processes=())) == "There are no processes."


@pytest.mark.parametrize(
    ("state", "number", "expected"),
    [
        ("running", None, True),
        ("ready", None, True),
        ("trigger_sources_stopped", None, True),
        ("configured", None, False),
        ("initial", None, False),
        (None, None, False),
        ("configured", 5, True),
    ],
)
def test_when_a_run_is_on(state: str | None, number: int | None, expected: bool) -> None:
    assert has_run(session(state=state, run=RunInfo(number=number))) is expected


def test_only_what_lives_puts_a_run_at_stake() -> None:
    assert scene().at_stake(PROCESSES[2:3]) == ()
    assert scene().at_stake(PROCESSES) == (RUN,)
    assert phrase((RUN, session(name="s"))) == "31427 s"


@pytest.mark.parametrize(
    ("act", "chosen", "button"),
    [
        (Act.RESTART, "a", "Restart…"),
        (Act.RESTART, "c", "Restart"),
        (Act.FLUSH, "", "Flush 1 dead"),
        (Act.FLUSH, "a", "Flush dead"),
        (Act.KILL, "ab", "Kill 2…"),
        (Act.KILL, "", "Kill…"),
    ],
)
def test_buttons_say_how_many_and_whether_a_question_comes(act: Act, chosen: str, button: str) -> None:
    now = scene(*chosen)
    assert label(act, now) == button
    if targets(act, now):
        assert needs_question(act, targets(act, now)) is button.endswith("…")


def test_tooltips_say_what_labels_do_not() -> None:
    assert reach(Act.END, scene("a")) == f"All processes of {HERE}"
    assert "every session" in reach(Act.FLUSH, scene())
    assert reach(Act.FLUSH, scene("c")) == reach(Act.KILL, scene("c")) == ""


@pytest.mark.parametrize(
    ("act", "chosen", "asked", "button"),
    [
        (Act.KILL, "a", "Kill df-01 while run 31427 is on?", "Kill 1 process"),
        (Act.KILL, "ab", "Kill 2 processes while run 31427 is on?", "Kill 2 processes"),
        (Act.KILL, "d", "Kill mlt?", "Kill 1 process"),
        (Act.RESTART, "d", "Restart mlt?", "Restart it"),
        (Act.END, "d", "Terminate other with its 1 process?", "Terminate the session"),
        (
            Act.TERMINATE,
            "",
            "Terminate every session with its 4 processes while run 31427 is on?",
            "Terminate everything",
        ),
    ],
)
def test_questions_name_what_and_when(act: Act, chosen: str, asked: str, button: str) -> None:
    now = scene(*chosen)
    found = targets(act, now)
    assert question(act, found, now.at_stake(found)) == asked
    assert deed(act, found) == button


def test_the_question_says_what_stops_and_what_cannot_be_undone() -> None:
    now = scene("a", "c")
    said = words(question_body(Act.KILL, now.selection, now))
    assert "df-01 running np04-srv-029" in said
    assert "df-03 dead np04-srv-029 exit code 255, ssh connection lost or killed" in said
    assert "State of local-2x3-config running expected after: the same" in said
    assert "At stake Run 31427, PROD, storage on" in said
    assert "Cannot be undone Killed processes leave the list" in said
    assert "Stop run 31427 first" in said


def test_ending_a_session_says_that_its_run_stops() -> None:
    now = scene(wanted=HERE)
    said = words(question_body(Act.END, targets(Act.END, now), now))
    assert "Run 31427 stops" in said
    assert "the session is gone" in said


def test_two_thousand_targets_are_a_hundred_and_a_count() -> None:
    many = tuple(process(uuid=str(number), name=f"app-{number}") for number in range(2000))
    said = words(question_body(Act.KILL, many, scene(processes=many)))
    assert "app-99 " in said
    assert "app-100 " not in said
    assert "and 1900 more" in said


def test_what_has_to_be_typed() -> None:
    assert words(typed_label((RUN,))) == "Type the run number 31427 to release the button"
    assert words(typed_label((RUN, session(name="s")))) == "Type the names 31427 s to release the button"


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("", "Enter does not confirm."),
        ("3142", "4 of 5 characters. Enter does not confirm."),
        ("9", "This is something else."),
        ("31427", "Released."),
    ],
)
def test_how_far_it_is_typed(typed: str, hint: str) -> None:
    assert typed_hint("31427", typed) == hint


def test_the_line_names_what_is_selected_and_the_run() -> None:
    assert words(selection_line(scene())) == "None selected Select rows to act on them."
    assert "There are no processes" in words(selection_line(scene(processes=())))
    assert words(selection_line(scene("a", "c"))) == "2 selected df-01, df-03 in local-2x3-config, run 31427 is on"
    every = words(selection_line(scene(*"abcd")))
    assert every == "4 selected df-01, df-02, df-03 and 1 more in 2 sessions, run 31427 is on"


def test_reasons_are_said_once_in_words() -> None:
    acts = [(Act.RESTART, "Restart"), (Act.FLUSH, "Flush"), (Act.KILL, "Kill")]
    assert words(reasons_line(scene(person=VIEWER), acts[2:])) == (
        "Kill is off: the role viewer of victor does not include process.kill."
    )
    said = words(reasons_line(scene("a", "b"), acts))
    assert "Restart is off: it works on exactly one process; 2 are selected." in said
    assert "Kill asks for 31427 because a run is on." in said
    assert reasons_line(scene(), acts) == []
    lost = words(reasons_line(scene("c", answers=False), acts))
    assert lost == "Restart and Flush and Kill are off: the process manager does not answer."
