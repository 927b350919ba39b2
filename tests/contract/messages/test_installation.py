"""What a whole simulated installation publishes is understood: broadcasts, issues, measurements, and our own echo."""

from functools import partial

import grpc

from models.database import Database
from services.clock import utc_now
from services.messages.measurement_queries import MeasurementQueries
from services.messages.queries import MessageQueries
from services.messages.types import Kind, KindIn, MessageFilter, MessageView, Severity
from simulator.installation import Installation
from tests.contract.messages.conftest import Broker, MakeConsumer
from tests.contract.simulator.trees import asking
from tests.waiting import wait_until
from wire import load_g1


def ps(address: str, user: str) -> None:
    schema = load_g1()
    method = schema.methods("dunedaq.druncschema.ProcessManager")["ps"]
    query = schema.message("dunedaq.druncschema.ProcessQuery")(names=[".*"])
    token = schema.message("dunedaq.druncschema.Token")(token=f"{user}-token", user_name=user)
    with grpc.insecure_channel(address) as channel:
        call = channel.unary_unary(method.path, lambda sent: sent.SerializeToString(), method.response.FromString)
        call(method.request(token=token, data=schema.pack(query)), timeout=10)


def _any(queries: MessageQueries, wanted: MessageFilter) -> bool:
    return bool(queries.page(wanted).items)


def test_everything_an_installation_says_is_understood(
    broker: Broker, make_consumer: MakeConsumer, database: Database
) -> None:
    queries = MessageQueries(database, utc_now)
    consumer = make_consumer(broker.address)
    consumer.start()
    installation = Installation(kafka_address=broker.address, chatter_hz=50)
    try:
        installation.start()
        ps(installation.process_manager_address, "console")
        ps(installation.process_manager_address, "alice")
        wait_until(lambda: queries.statistics().echo_not_stored == 2, 20, "two broadcasts of echo")
        wait_until(lambda: queries.page(MessageFilter(text="user 'alice' success")).items, 10, "alice's broadcasts")
        for kind in Kind:
            # One page of all kinds would do only until the chatter has pushed the rare ones off it.
            only = MessageFilter(where=KindIn(frozenset({kind})))
            wait_until(partial(_any, queries, only), 20, f"messages of kind {kind.name}")
        ready = MessageFilter(text="ready", applications=frozenset({"root-controller"}))
        wait_until(partial(_any, queries, ready), 20, "a broadcast of a root controller")
    finally:
        installation.stop()
    sessions, applications = queries.names()
    assert {"local-1x1-config", "local-2x3-config"} <= set(sessions)
    assert {"process_manager", "root-controller"} <= set(applications)
    assert queries.page(MessageFilter(text="User 'console'")).items == ()
    assert queries.statistics().quarantined == 0


def test_measurements_and_issues_of_every_form_are_understood(
    broker: Broker, make_consumer: MakeConsumer, database: Database
) -> None:
    queries, measurements = MessageQueries(database, utc_now), MeasurementQueries(database, utc_now)
    make_consumer(broker.address).start()
    first, second = "local-1x1-config", "cosmics"
    installation = Installation(
        [first, f"{second}:{first}"],
        broker.address,
        generations={second: "G3"},
        process_manager_generation="G2",
        chatter_hz=50,
        opmon_period_s=0.2,
    )

    def issues(application: str, topic: str) -> list[MessageView]:
        page = queries.page(MessageFilter(applications=frozenset({application}))).items
        return [message for message in page if message.topic == topic]

    def elements(session: str, name: str) -> set[tuple[str, str, str]]:
        found = [known for known in measurements.series(session=session) if known.name.endswith(name)]
        return {(known.application, known.element, known.origin) for known in found}

    try:
        installation.start()
        installation.kill(first, "df-01", 139)
        installation.kill(second, "mlt")
        with asking(installation.controller_address(second), "G3", "alice") as root:
            root.ask("take_control")
            root.ask("to_error")
        # The lay-out of March 2024, then that of October 2024.
        wait_until(lambda: ("ru-01", "datahandler-1", "") in elements(first, "DataHandlerInfo"), 20, "G1's readout")
        wait_until(lambda: ("ru-01", "datahandler-1", "") in elements(second, "DataHandlerInfo"), 20, "G3's readout")
        wait_until(lambda: ("root-controller", "", "") in elements(second, "FSMStatus"), 20, "the state")
        command = ("root-controller", "", "Command=take_control")
        wait_until(lambda: command in elements(second, "CommandTime"), 20, "the time of a command")
        wait_until(lambda: ("process_manager", "", "") in elements("dunedaq", "ProcessStatus"), 20, "the processes")
        wait_until(lambda: issues("tp-stream-writer", "erskafka-reporting"), 20, "an issue of the older form")
        wait_until(lambda: issues("drunc.root-controller_ctrl", "monitoring.ers_stream"), 20, "the controller's word")
        (lost,) = wait_until(
            lambda: [
                message
                for message in queries.page(MessageFilter(text="df-01 does not answer")).items
                if message.topic == f"erscontrol.{first}"
            ],
            20,
            "the lost peer",
        )
    finally:
        installation.stop()
    assert (lost.severity, lost.detail is not None) == (Severity.FATAL, True)
    assert [cause["name"] for cause in (lost.detail or {})["causes"]] == ["iomanager::TimeoutExpired"]
    assert queries.statistics().quarantined == 0
    assert not elements(first, "FSMStatus")
