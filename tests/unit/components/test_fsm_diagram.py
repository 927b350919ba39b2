from components.fsm_diagram import NARROW, WIDE, Situation, describe, fsm_diagram
from services.run_control import fsm
from tests.unit.components.reading import attribute, with_class, words

ALL = tuple(dict.fromkeys(edge.transition for edge in fsm.EDGES))


def test_both_layouts_have_a_place_for_every_state() -> None:
    assert set(WIDE.boxes) == set(NARROW.boxes) == set(fsm.STATES)


def test_the_present_state_and_the_possible_transitions_stand_out() -> None:
    picture = fsm_diagram(Situation(ALL, ("start", "scrap"), "configured"))
    wide = with_class(picture, "fsm-wide")[0]
    assert [words(box) for box in with_class(wide, "is-now")] == ["configured"]
    assert sorted(words(edge) for edge in with_class(wide, "is-possible")) == ["scrap", "start"]
    assert with_class(wide, "is-next") == []


def test_a_transition_in_progress_is_dashed_and_nothing_else_is_offered() -> None:
    picture = fsm_diagram(Situation(ALL, ("start", "scrap"), "configured", "start", "ready"))
    wide = with_class(picture, "fsm-wide")[0]
    assert [words(edge) for edge in with_class(wide, "is-under-way")] == ["start"]
    assert [words(box) for box in with_class(wide, "is-next")] == ["ready"]
    assert with_class(wide, "is-possible") == []


def test_a_loop_is_offered_only_at_the_present_state() -> None:
    picture = fsm_diagram(Situation(ALL, ("disable_triggers", "change_rate"), "running"))
    loops = with_class(with_class(picture, "fsm-wide")[0], "is-loop")
    assert len(loops) == 2
    assert len(with_class(loops, "is-possible")) == 1


def test_transitions_that_the_server_does_not_list_are_not_drawn() -> None:
    picture = fsm_diagram(Situation(("conf",), ("conf",), "initial"))
    assert [words(edge) for edge in with_class(with_class(picture, "fsm-wide")[0], "fsm-edge")] == ["conf"]
    assert [words(box) for box in with_class(with_class(picture, "fsm-wide")[0], "fsm-state")] == [
        "initial",
        "configured",
    ]


def test_a_state_that_nobody_knows_is_shown_all_the_same() -> None:
    picture = fsm_diagram(Situation(ALL, (), "paused"))
    assert [words(box) for box in with_class(with_class(picture, "fsm-narrow")[0], "is-now")] == ["paused"]


def test_the_picture_has_a_sentence_for_those_who_do_not_see_it() -> None:
    picture = fsm_diagram(Situation(ALL, ("conf",), "initial"))
    assert attribute(picture, "role") == "img"
    assert attribute(picture, "aria-label") == "State machine: state initial. Transitions possible now: conf."
    assert describe(Situation(ALL, (), "initial", "conf", "configured")) == (
        "State machine: conf in progress, from initial to configured."
    )
    assert describe(Situation(ALL, (), None)).endswith("possible now: none.")
