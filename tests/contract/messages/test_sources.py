"""Measurements and issues of the older form, from a broker to the database, exactly once over restarts."""

import json
import time

from sqlalchemy import func, select

from models.database import Database
from models.messages import MeasurementRollup
from services.clock import utc_now
from services.messages.consumer import ConsumerConfig, MessageConsumer
from services.messages.measurement_queries import MeasurementQueries
from services.messages.queries import MessageQueries
from services.messages.types import MessageFilter
from tests.contract.messages.conftest import Broker
from tests.contract.messages.publishing import publish
from tests.waiting import wait_until
from wire import load_opmon

OPMON = "monitoring.opmon_stream"
JSON = "erskafka-reporting"
PATTERNS = ("^monitoring\\.opmon_stream$", "^erskafka-reporting$")


def entry(value: int, partition: int) -> bytes:
    message = load_opmon().message("dunedaq.opmon.OpMonEntry")(opmon_id=f"np04.df-{partition}", measurement="daq.Rate")
    message.time.seconds = int(time.time())
    message.data["rate"].int4_value = value
    return bytes(message.SerializeToString())


def measured(database: Database) -> tuple[int, float]:
    """How many values there are, and their sum."""
    with database.read() as session:
        whole = select(func.sum(MeasurementRollup.n), func.sum(MeasurementRollup.total))
        number, total = session.execute(whole.where(MeasurementRollup.resolution_s == 600)).one()
    return int(number or 0), float(total or 0)


def test_values_are_added_once_over_restarts(broker: Broker, database: Database) -> None:
    for life in range(3):
        consumer = MessageConsumer(ConsumerConfig(broker.address, PATTERNS), database, utc_now)
        consumer.start()
        for partition in range(2):
            publish(broker, OPMON, (entry(n, partition) for n in range(700)), partition=partition)
        if life == 2:
            # The earlier ones are stopped wherever they are.
            wait_until(lambda: measured(database)[0] >= 4200, 40, "all values")
        consumer.stop(20)
    assert measured(database) == (4200, 3 * 2 * sum(range(700)))
    series = MeasurementQueries(database, utc_now).series(session="np04")
    assert [(one.application, one.field) for one in series] == [("df-0", "rate"), ("df-1", "rate")]


def test_issues_of_the_older_form_are_messages(broker: Broker, database: Database) -> None:
    issue = {"partition": "np04", "application_name": "df-01", "message": "no data", "severity": "WARNING"}
    publish(broker, JSON, [json.dumps(issue).encode()])
    consumer = MessageConsumer(ConsumerConfig(broker.address, PATTERNS), database, utc_now)
    consumer.start()
    queries = MessageQueries(database, utc_now)
    try:
        wait_until(lambda: queries.newest_id() > 0, 30, "the issue")
    finally:
        consumer.stop(20)
    (message,) = queries.page(MessageFilter(sessions=frozenset({"np04"}))).items
    assert (message.text, message.application, message.severity.name) == ("no data", "df-01", "WARNING")
