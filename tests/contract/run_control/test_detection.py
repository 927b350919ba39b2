"""How the generation of an address is found, against servers that know single calls."""

from collections.abc import Iterator

import grpc
import pytest

from services.errors import (
    BusyError,
    ConsoleError,
    DruncError,
    InvalidInputError,
    NotFoundError,
    NotInControlError,
    NotReachableError,
    NotSupportedError,
    RefusedError,
    SchemaMismatchError,
    UnknownCallError,
)
from services.run_control.channels import Channels
from services.run_control.detection import DetectingAdapters
from services.run_control.generations import Generation
from services.run_control.support import Deadlines
from tests.contract.run_control.servers import Answer, aborting, saying, serving
from wire.schema import WireMessage, load_g1, load_g2, load_g3, load_rpc_status

PACKAGE = "dunedaq.druncschema."
OLD = "/dunedaq.druncschema.Controller/"
NEW = "/dunedaq.druncschema.controller.Controller/"
MANAGER = "/dunedaq.druncschema.ProcessManager/"
NEW_MANAGER = "/dunedaq.druncschema.process_manager.ProcessManager/"


@pytest.fixture
def adapters() -> Iterator[DetectingAdapters]:
    made = DetectingAdapters(Channels(), Deadlines(2, 2))
    yield made
    made.close()


def g3(name: str, /, **fields: object) -> WireMessage:
    return load_g3().message(PACKAGE + name)(**fields)


def status_of_g3(state: str = "initial") -> bytes:
    token = g3("Token", user_name="console", token="console-token")
    answer = g3("controller.StatusResponse", token=token, name="root", status=g3("controller.Status", state=state))
    return bytes(answer.SerializeToString())


def g3_server(**answers: Answer) -> dict[str, Answer]:
    known = {"status": saying(status_of_g3()), "log_on_server": saying(b""), **answers}
    return {NEW + rpc: answer for rpc, answer in known.items()}


def envelope(name: str, payload: str, /, **fields: object) -> bytes:
    schema = load_g2("b")
    data = schema.pack(schema.message(PACKAGE + payload)(**fields))
    return bytes(schema.message(PACKAGE + "Response")(name=name, data=data).SerializeToString())


STATUS_OF_G2 = saying(envelope("root", "Status", state="initial", sub_state="initial"))


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (grpc.StatusCode.UNAVAILABLE, NotReachableError),
        (grpc.StatusCode.DEADLINE_EXCEEDED, BusyError),
        (grpc.StatusCode.CANCELLED, NotReachableError),
    ],
)
def test_no_answer_is_no_evidence(
    adapters: DetectingAdapters, code: grpc.StatusCode, error: type[ConsoleError]
) -> None:
    asked: list[str] = []
    with serving({NEW + "status": aborting(code)}, asked) as address:
        controller = adapters.controller(address)
        with pytest.raises(error, match=address):
            controller.status("console")
    assert asked == [NEW + "status"]
    assert controller.generation == ""


def test_what_is_found_is_remembered(adapters: DetectingAdapters) -> None:
    asked: list[str] = []
    with serving(g3_server(), asked) as address:
        for _ in range(3):
            assert adapters.controller(address).status("console").state == "initial"
    assert asked == [NEW + "status", NEW + "log_on_server", *[NEW + "status"] * 3]


def test_an_upgraded_server_is_asked_anew(adapters: DetectingAdapters) -> None:
    answers = {OLD + "get_status": saying(envelope("root", "Status", state="initial"))}
    with serving(answers) as address:
        controller = adapters.controller(address)
        controller.status("console")
        assert controller.generation == "G1"
        answers.clear()
        answers.update(g3_server())
        with pytest.raises(UnknownCallError):
            controller.status("console")
        assert controller.status("console").state == "initial"
        assert controller.generation == "G3"


def test_an_address_that_is_forgotten_is_asked_anew(adapters: DetectingAdapters) -> None:
    with serving(g3_server()) as address:
        adapters.controller(address).status("console")
        adapters.forget(address)
        assert adapters.controller(address).generation == ""


def test_early_g3_is_refused_by_name(adapters: DetectingAdapters) -> None:
    asked: list[str] = []
    with serving({NEW + "status": saying(status_of_g3())}, asked) as address:
        # It is not asked again with every poll.
        for _ in range(3):
            with pytest.raises(NotSupportedError, match="early G3"):
                adapters.controller(address).status("console")
    assert asked == [NEW + "status", NEW + "log_on_server"]


def test_g1_5_is_refused_by_name(adapters: DetectingAdapters) -> None:
    with serving({OLD + "status": STATUS_OF_G2}) as address, pytest.raises(NotSupportedError, match=r"G1\.5"):
        adapters.controller(address).status("console")


def test_g2_5_is_refused_by_name(adapters: DetectingAdapters) -> None:
    token = g3("Token", user_name="console", token="console-token")
    typed = g3(
        "controller.DescribeResponse", token=token, name="root", description=g3("Description", type="controller")
    )
    answers = {
        OLD + "status": STATUS_OF_G2,
        OLD + "recompute_status": STATUS_OF_G2,
        OLD + "describe": saying(typed.SerializeToString()),
    }
    with serving(answers) as address, pytest.raises(NotSupportedError, match=r"G2\.5"):
        adapters.controller(address).status("console")


def test_what_is_no_drunc_is_told_so(adapters: DetectingAdapters) -> None:
    with serving({}) as address:
        for ask in (
            lambda: adapters.controller(address).status("console"),
            lambda: adapters.process_manager(address).processes("console"),
            lambda: adapters.session_manager(address).sessions("console"),
        ):
            with pytest.raises(SchemaMismatchError, match="of drunc"):
                ask()


def test_a_process_manager_without_kafka_is_named_while_it_is_detected(adapters: DetectingAdapters) -> None:
    answers = {MANAGER + "describe": aborting(grpc.StatusCode.UNKNOWN, "Unexpected KafkaTimeoutError")}
    with serving(answers) as address, pytest.raises(DruncError, match="cannot reach its Kafka broker"):
        adapters.process_manager(address).processes("console")


def test_a_pinned_generation_is_not_asked_for() -> None:
    asked: list[str] = []
    made = DetectingAdapters(Channels(), Deadlines(2, 2), Generation.G3)
    with serving(g3_server(), asked) as address:
        made.controller(address).status("console")
        assert made.process_manager(address).generation == ""
    made.close()
    assert asked == [NEW + "status"]


def test_a_pinned_g2_is_taken_as_it_is() -> None:
    made = DetectingAdapters(Channels(), Deadlines(2, 2), Generation.G2)
    with serving({OLD + "status": STATUS_OF_G2}) as address:
        assert made.controller(address).status("console").state == "initial"
    made.close()


def refusal(name: str, flag: int, payload: str, /, **fields: object) -> bytes:
    data = load_g3().pack(g3(payload, **fields))
    return bytes(g3("Response", name=name, flag=flag, data=data).SerializeToString())


@pytest.mark.parametrize("name", ["root-controller", "hsi-fake-01", "df-01"])
def test_a_refusal_in_the_wrong_message_is_understood(adapters: DetectingAdapters, name: str) -> None:
    text = "User bob is not in control of Controller"
    answers = g3_server(include=saying(refusal(name, 3, "PlainText", text=text)))
    with serving(answers) as address, pytest.raises(NotInControlError, match="bob is not in control"):
        adapters.controller(address).include("bob")


def test_an_exception_in_the_wrong_message_is_understood(adapters: DetectingAdapters) -> None:
    stack = refusal("root-controller", 6, "Stacktrace", text=["Traceback", "drunc.DruncCommandException: boom", ""])
    with serving(g3_server(exclude=saying(stack))) as address, pytest.raises(DruncError, match="boom") as seen:
        adapters.controller(address).exclude("bob")
    assert "Traceback" in seen.value.stack


def details(kind: str, **fields: object) -> bytes:
    schema = load_rpc_status()
    detail = schema.pack(schema.message(f"google.rpc.{kind}")(**fields))
    return bytes(schema.message("google.rpc.Status")(code=9, details=[detail]).SerializeToString())


@pytest.mark.parametrize(
    ("code", "trailing", "error", "words"),
    [
        (
            grpc.StatusCode.FAILED_PRECONDITION,
            details("ErrorInfo", reason="SETUP_FAILED", domain="drunc.setup"),
            RefusedError,
            r"drunc\.setup SETUP_FAILED",
        ),
        (
            grpc.StatusCode.PERMISSION_DENIED,
            details("ErrorInfo", reason="NOT_IN_CONTROL", domain="drunc"),
            NotInControlError,
            "NOT_IN_CONTROL",
        ),
        (
            grpc.StatusCode.INVALID_ARGUMENT,
            details("BadRequest", field_violations=[{"field": "target", "description": "no such node"}]),
            InvalidInputError,
            "target: no such node",
        ),
        (grpc.StatusCode.NOT_FOUND, b"\xff\xff", NotFoundError, "because"),
        (grpc.StatusCode.INTERNAL, None, DruncError, "because"),
    ],
)
def test_the_details_of_a_status_are_told(
    adapters: DetectingAdapters, code: grpc.StatusCode, trailing: bytes | None, error: type[ConsoleError], words: str
) -> None:
    answers = g3_server(include=aborting(code, trailing=trailing))
    with serving(answers) as address, pytest.raises(error, match=words):
        adapters.controller(address).include("alice")


def test_a_dead_process_of_g3_may_have_no_exit_code(adapters: DetectingAdapters) -> None:
    instance = g3("process_manager.ProcessInstance", status_code=1, uuid={"uuid": "u-1"})
    listed = g3("process_manager.ProcessInstanceList", name="process_manager", values=[instance])
    answers = {NEW_MANAGER + "describe": saying(b""), NEW_MANAGER + "ps": saying(listed.SerializeToString())}
    with serving(answers) as address:
        (process,) = adapters.process_manager(address).processes("console")
    assert process.return_code is None


def test_what_a_g1_request_looks_like(adapters: DetectingAdapters) -> None:
    seen: list[bytes] = []

    def answer(request: bytes, _context: grpc.ServicerContext) -> bytes:
        seen.append(request)
        return envelope("root", "Status", state="initial")

    with serving({OLD + "get_status": answer}) as address:
        adapters.controller(address).status("bob")
    token = b"\x0a\x09bob-token\x12\x03bob"
    assert seen[-1] == b"\x0a" + bytes([len(token)]) + token
    assert load_g1().message(PACKAGE + "Request").FromString(seen[-1]).token.user_name == "bob"
