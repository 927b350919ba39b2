"""What a whole simulated installation publishes is understood: broadcasts, ERS issues, and our own echo."""

from functools import partial

import grpc

from models.database import Database
from services.clock import utc_now
from services.messages.queries import MessageQueries
from services.messages.types import Kind, KindIn, MessageFilter
from simulator.installation import Installation
from tests.contract.messages.conftest import Broker, MakeConsumer
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
