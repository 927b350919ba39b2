"""Every way in which drunc refuses or fails (contract 7 to 11), in every generation: what the adapters make of it."""

from collections.abc import Callable, Iterator

import grpc
import pytest

from services.errors import (
    BusyError,
    DruncError,
    InvalidInputError,
    NotInControlError,
    NotReachableError,
    NotSupportedError,
    RefusedError,
)
from services.run_control.adapter import ControllerAdapter
from services.run_control.command_types import Action, CommandResult, CommandState
from services.run_control.execution import Order, execute
from services.run_control.fsm_types import Argument, ArgumentType, Transition
from services.run_control.node_types import Target
from services.run_control.support import Deadlines
from tests.contract.run_control.conftest import SESSION
from tests.contract.run_control.servers import aborting, saying, serving
from tests.contract.run_control.sites import (
    DF,
    G1,
    G3,
    G3_FAULTY,
    LATER,
    NODES,
    ROOT,
    VARIANTS,
    Site,
    Variant,
    failures,
    simulated,
)
from tests.waiting import wait_until
from wire.schema import load_g3

EXPERT = '{"id": "x", "data": {"modules": []}, "entry_state": "ANY", "exit_state": "ANY"}'
CONF = Transition("conf")
NO_ARGUMENTS = Transition("start")
WRITES: dict[Action, Callable[[ControllerAdapter, str], CommandResult]] = {
    Action.RELEASE_CONTROL: lambda root, user: root.release_control(user),
    Action.EXECUTE_TRANSITION: lambda root, user: root.execute(user, CONF, {}),
    Action.INCLUDE: lambda root, user: root.include(user),
    Action.EXCLUDE: lambda root, user: root.exclude(user),
    Action.RECOMPUTE_STATUS: lambda root, user: root.recompute_status(user),
    Action.EXPERT_COMMAND: lambda root, user: root.execute_expert_command(user, EXPERT),
    Action.TO_ERROR: lambda root, user: root.to_error(user),
}
PARTLY: dict[Action, Callable[[ControllerAdapter], CommandResult]] = {
    Action.EXECUTE_TRANSITION: lambda root: root.execute("alice", CONF, {}, Target(DF)),
    Action.INCLUDE: lambda root: root.include("alice", Target(DF)),
    Action.EXCLUDE: lambda root: root.exclude("alice", Target(DF)),
}


@pytest.fixture(params=VARIANTS, ids=str)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with simulated(request.param) as made:
        yield made


@pytest.fixture
def held(site: Site) -> Site:
    """The site after alice took control of it."""
    assert site.root.take_control("alice").succeeded
    return site


def test_no_write_without_control(held: Site) -> None:
    held.root.status("bob")
    for action in held.root.actions & WRITES.keys():
        with pytest.raises(NotInControlError, match="bob is not in control"):
            WRITES[action](held.root, "bob")
    assert {(node.state, node.included, node.in_error) for node in held.nodes().values()} == {("initial", True, False)}
    assert held.root.holder("bob") == "alice"


def test_a_part_that_somebody_else_controls_is_named(held: Site) -> None:
    assert held.controller("df-controller").take_control("mallory").succeeded
    result = held.execute("conf")
    part = failures(result)["df-controller"]
    assert not result.succeeded
    assert part.path == DF
    # A faulty refusal is no answer that its parent can read (contract 7.4).
    assert part.flag == ("UNHANDLED_EXCEPTION_THROWN" if held.variant is G3_FAULTY else "NOT_EXECUTED_NOT_IN_CONTROL")
    assert DF in result.text


@pytest.mark.parametrize("site", VARIANTS[:3], ids=str, indirect=True)
def test_what_a_generation_has_not_is_not_sent(held: Site) -> None:
    held.root.status("alice")
    asked = len(held.channels.paths)
    missing = WRITES.keys() - held.root.actions
    for action in missing:
        with pytest.raises(NotSupportedError, match=held.variant.generation):
            WRITES[action](held.root, "alice")
    # Whether a nightly of G2 can put nodes in error only the server knows (contract 5.1).
    assert [path.rpartition("/")[2] for path in held.channels.paths[asked:]] == ["to_error"] * (held.variant is not G1)
    assert len(missing) == (3 if held.variant is G1 else 1)


@pytest.mark.parametrize("site", [G1], ids=str, indirect=True)
@pytest.mark.parametrize("action", PARTLY, ids=str)
def test_g1_has_no_targets(held: Site, action: Action) -> None:
    held.root.status("alice")
    asked = list(held.channels.paths)
    with pytest.raises(NotSupportedError, match="part of the tree"):
        PARTLY[action](held.root)
    assert held.channels.paths == asked


def test_what_the_state_machine_refuses_has_words(held: Site) -> None:
    result = held.execute("stop")
    (root,) = failures(result).values()
    assert "not possible" in root.text
    assert "not possible" in result.text
    if held.variant is G1:
        # It means to refuse, and fails at it (contract 10.5, step 1): the stack is for experts.
        assert (root.flag, root.fsm_flag) == ("UNHANDLED_EXCEPTION_THROWN", None)
        assert "Traceback" in (root.detail or "")
    else:
        assert (root.flag, root.fsm_flag) == ("EXECUTED_SUCCESSFULLY", "FSM_INVALID_TRANSITION")
    assert held.root.status("alice").state == "initial"


def test_a_transition_that_drunc_does_not_know(held: Site) -> None:
    unknown = Transition("no_such_transition")
    if held.variant.generation == "G3":
        with pytest.raises(DruncError, match="no_such_transition") as seen:
            held.root.execute("alice", unknown, {})
        assert ("Traceback" in seen.value.stack) is (held.variant is G3_FAULTY)
        return
    (root,) = failures(held.root.execute("alice", unknown, {})).values()
    assert root.text.startswith("IndexError" if held.variant is G1 else "drunc.")
    assert "Traceback" in (root.detail or "")


@pytest.mark.parametrize(
    ("transition", "given", "words"),
    [
        (NO_ARGUMENTS, {}, 'mandatory argument "run_number" was not provided'),
        (
            Transition("start", (Argument("run_number", ArgumentType.STRING, mandatory=True),)),
            {"run_number": "7"},
            '"run_number" is not of type INT',
        ),
    ],
    ids=["missing", "of another type"],
)
def test_arguments_that_drunc_refuses_are_named(
    held: Site, transition: Transition, given: dict[str, str], words: str
) -> None:
    held.execute("conf")
    if held.variant.generation == "G3":
        with pytest.raises(DruncError, match=words):
            held.root.execute("alice", transition, given)
    else:
        (root,) = failures(held.root.execute("alice", transition, given)).values()
        assert words in root.text
        assert root.flag == "DRUNC_EXCEPTION_THROWN"
    # It can go on (contract 10.5, step 2); what is not declared is left out.
    assert held.execute("start", run_number=1, of_another_generation=True).succeeded


def test_a_node_in_error_takes_no_transition(held: Site) -> None:
    held.installation.fail(SESSION, "conf", "df-01")
    held.execute("conf")
    failed = failures(held.execute("start", run_number=1))
    # In G3 the root is in error, too, and sends nothing down.
    refusing = ROOT if held.variant.generation == "G3" else "df-controller"
    assert set(failed) == {refusing}
    assert failed[refusing].fsm_flag == "FSM_NOT_EXECUTED_IN_ERROR"
    assert "In error" in failed[refusing].text


def test_an_excluded_node_takes_no_transition(held: Site) -> None:
    assert held.root.exclude("alice").succeeded
    result = held.execute("conf")
    (root,) = failures(result).values()
    assert (root.flag, root.fsm_flag) == ("EXECUTED_SUCCESSFULLY", "FSM_NOT_EXECUTED_EXCLUDED")
    assert "Excluded" in result.text


def test_an_excluded_part_fails_its_parent_in_g1_only(held: Site) -> None:
    assert held.set_part_included(included=False).succeeded
    result = held.execute("conf")
    assert result.succeeded is (held.variant is not G1)
    if held.variant is G1:
        assert failures(result)["df-controller"].fsm_flag == "FSM_NOT_EXECUTED_EXCLUDED"
        assert held.root.status("alice").in_error


@pytest.mark.parametrize("include", [True, False])
def test_included_or_excluded_already(held: Site, include: bool) -> None:
    send = held.root.include if include else held.root.exclude
    if not include:
        held.root.exclude("alice")
    result = send("alice")
    assert result.succeeded is (held.variant is not G1)
    (root, *_) = (node for node in result.nodes if node.name == ROOT)
    assert f"already {'included' if include else 'excluded'}" in root.text
    if held.variant is G1:
        assert "Traceback" in (root.detail or "")


def test_both_flags_of_every_node_are_judged(held: Site) -> None:
    """The root reports success for itself in G1 and G2, its segment controller as well (contract 10.5, step 6)."""
    held.installation.fail(SESSION, "conf", "df-01")
    result = held.execute("conf")
    assert (result.succeeded, len(result.nodes)) == (False, NODES)
    assert "df-01" in result.text
    failed = failures(result)
    assert set(failed) == ({"df-01", "df-controller", ROOT} if held.variant.generation == "G3" else {"df-01"})
    application = failed["df-01"]
    assert (application.flag, application.fsm_flag) == ("EXECUTED_SUCCESSFULLY", "FSM_FAILED")
    assert '"success": false' in (application.detail or "")
    # The state advanced whatever the application said (contract 22.12).
    assert (held.nodes()[ROOT].state, held.nodes()["df-01"].state) == ("configured", "initial")


def test_an_application_that_does_not_answer_in_time() -> None:
    for variant in VARIANTS:
        with simulated(variant, reply_timeout_s=0.2) as site:
            site.root.take_control("alice")
            site.installation.silence(SESSION, "df-01")
            result = site.execute("conf")
            application = failures(result)["df-01"]
            assert not result.succeeded
            assert application.flag in ("DRUNC_EXCEPTION_THROWN", "UNHANDLED_EXCEPTION_THROWN")
            assert application.text
            # A typed answer of G3 has no field for a stack trace.
            assert ("Traceback" in (application.detail or "")) is (variant.generation != "G3")
            assert site.nodes()["df-01"].in_error


def test_a_controller_that_is_gone_fails_what_needs_it(held: Site) -> None:
    held.installation.controller_down(SESSION, "df-controller")
    status = {child.name: child for child in held.root.children_status("alice")}["df-controller"]
    assert (status.state, status.in_error, status.included) == (None, True, None)
    described = {child.name: child for child in held.root.describe("alice").children}["df-controller"]
    assert described.kind is None
    result = held.execute("conf")
    assert not result.succeeded
    assert failures(result)["df-controller"].flag in ("DRUNC_EXCEPTION_THROWN", "UNHANDLED_EXCEPTION_THROWN")


@pytest.mark.parametrize("site", LATER, ids=str, indirect=True)
def test_a_target_outside_of_the_tree(site: Site) -> None:
    site.root.take_control("alice")
    result = site.root.exclude("alice", Target("/elsewhere/df-controller"))
    assert not result.succeeded
    assert result.nodes[0].flag == ("FAILED" if site.variant.generation == "G2" else "NOT_EXECUTED_BAD_REQUEST_FORMAT")
    assert result.nodes[0].text
    assert all(node.included for node in site.nodes().values())


@pytest.mark.parametrize("site", LATER, ids=str, indirect=True)
def test_an_expert_command_that_does_not_fit_the_state(site: Site) -> None:
    site.root.take_control("alice")
    command = EXPERT.replace('"ANY"', '"RUNNING"')
    result = site.root.execute_expert_command("alice", command, Target(f"{DF}/df-01"))
    assert not result.succeeded
    assert failures(result)["df-01"].text
    assert site.nodes()["df-01"].in_error


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_reads_wait_behind_a_transition_and_are_busy(variant: Variant) -> None:
    with simulated(variant) as site:
        site.root.take_control("alice")
        conf = site.transition("conf")
        site.installation.slow(SESSION, "conf", 3)
        short = Site(site.variant, site.installation, Deadlines(0.4, 0.4))
        short.root.status("alice")
        # A command that is not answered in time is still executed.
        with pytest.raises(BusyError, match="transition is running"):
            short.root.execute("alice", conf, {})
        if variant.generation == "G3":
            # Several threads answer in G3; only what the applications are asked for waits.
            assert short.root.holder("alice") == "alice"
        else:
            with pytest.raises(BusyError, match=site.installation.controller_address(SESSION)):
                short.root.status("alice")
        wait_until(lambda: _state(short.root) == "configured", what="the end of the transition")
        short.adapters.close()


def _state(root: ControllerAdapter) -> str | None:
    try:
        return root.status("alice").state
    except BusyError:
        return None


def test_a_wedged_controller_is_named_with_the_way_out(held: Site) -> None:
    """A failed action leaves it between two states, where it refuses everything (contract 10.5, step 3)."""
    held.execute("conf")
    held.installation.wedge(SESSION)
    order = Order(1, "alice", SESSION, Action.EXECUTE_TRANSITION, "", held.transition("start"), {"run_number": 1})
    outcome = execute(order, held.root)
    assert outcome.state is CommandState.FAILED
    assert f"Stuck in the middle of a transition: {ROOT} (preparing-start)" in outcome.text
    assert ("recompute its status" in outcome.text) is (held.variant is not G1)
    assert outcome.after is not None
    assert not outcome.after.status.in_error
    if held.variant is not G1:
        assert held.root.recompute_status("alice").succeeded
        assert execute(order, held.root).state is CommandState.SUCCEEDED


def test_a_controller_that_does_not_answer_is_not_reachable(held: Site) -> None:
    address = held.installation.controller_address(SESSION)
    held.installation.controller_down(SESSION, ROOT)
    with pytest.raises(NotReachableError, match=address):
        held.root.status("alice")
    with pytest.raises(NotReachableError, match=address):
        held.root.take_control("alice")


@pytest.mark.parametrize("site", [G3], ids=str, indirect=True)
def test_a_controller_that_still_waits_for_its_children(site: Site) -> None:
    """What a controller of G3 answers while it is `initialising` (contract 10.3)."""
    schema = load_g3()
    controller = "dunedaq.druncschema.controller."
    token = schema.message("dunedaq.druncschema.Token")(user_name="alice", token="alice-token")
    status = schema.message(controller + "StatusResponse")(token=token, name=ROOT)
    status.status.state = status.status.sub_state = "initialising"
    refusal = schema.message(controller + "ExecuteFSMCommandResponse")(
        token=token, name=ROOT, command_name="conf", flag=9, fsm_flag=1
    )
    path = f"/{controller}Controller/"
    answers = {
        path + "status": saying(status.SerializeToString()),
        path + "execute_fsm_command": saying(refusal.SerializeToString()),
        path + "log_on_server": saying(b""),
    }
    with serving(answers) as address:
        controller_adapter = site.adapters.controller(address)
        assert controller_adapter.status("alice").state == "initialising"
        (root,) = failures(controller_adapter.execute("alice", CONF, {})).values()
    assert (root.flag, root.fsm_flag) == ("NOT_EXECUTED_NOT_READY", "FSM_FAILED")
    assert "Not ready" in root.text


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (grpc.StatusCode.FAILED_PRECONDITION, RefusedError),
        (grpc.StatusCode.INVALID_ARGUMENT, InvalidInputError),
        (grpc.StatusCode.INTERNAL, DruncError),
    ],
)
@pytest.mark.parametrize("site", [G3], ids=str, indirect=True)
def test_a_status_of_g3_is_an_error_of_its_kind(site: Site, code: grpc.StatusCode, error: type[Exception]) -> None:
    path = "/dunedaq.druncschema.controller.Controller/"
    answers = {
        path + "status": saying(b""),
        path + "log_on_server": saying(b""),
        path + "execute_fsm_command": aborting(code),
    }
    with serving(answers) as address, pytest.raises(error, match="because"):
        site.adapters.controller(address).execute("alice", CONF, {})
