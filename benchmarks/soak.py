"""Kill collectors under load, again and again, and count what was lost or stored twice: nothing may be.

A numbered load goes to the broker all the while, two clients follow the feed, and after each kill something else may
happen too. In the end every record, roll-up, series, counter, offset and page is compared with what was published.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from confluent_kafka import KafkaException

from benchmarks.databases import fresh_server, fresh_url
from benchmarks.figures import Figures
from models.database import Database
from tests.apache_kafka.server import ApacheKafka, running_kafka, why_not_here
from tests.crash.campaign import Campaign, Outcome, Plan, Stage
from tests.crash.load import ERS, PARTITIONS
from tests.kafka import running_broker
from tests.postgres import PostgresServer

# Each figure with the kinds of findings that it counts.
FIGURES = {
    "lost": ("lost",),
    "twice": ("twice",),
    "foreign": ("foreign",),
    "rollups_wrong": ("rollup",),
    "series_wrong": ("series",),
    "counters_wrong": ("counter",),
    "offsets_wrong": ("offset",),
    "search_wrong": ("search",),
    "gaps_unexpected": ("gap",),
    "followers_missed": ("missed",),
    "followers_out_of_order": ("order",),
}
ALSO = ("postgresql", "kafka", "topic")

Disturbance = Callable[[Campaign], None]


def main() -> int:
    """Run the soak; return 1 when anything was lost, stored twice or wrong, or did not go on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="how often a collector is killed")
    parser.add_argument("--minutes", type=float, default=0.0, help="go on killing until so many have passed")
    parser.add_argument("--collectors", type=int, default=1, help="collectors at the same time")
    parser.add_argument("--engine", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--broker", choices=("embedded", "apache"), default="embedded")
    parser.add_argument(
        "--also",
        nargs="*",
        choices=ALSO,
        default=(),
        help="what else happens: PostgreSQL or Apache Kafka crash, a topic is deleted and made anew",
    )
    given = parser.parse_args()
    if given.broker == "embedded" and {"kafka", "topic"} & set(given.also):
        parser.error("only --broker apache keeps its messages over a restart, and deletes topics")
    figures = Figures()
    for engine in ("sqlite", "postgresql") if given.engine == "both" else (given.engine,):
        also = [what for what in given.also if what != "postgresql" or engine == "postgresql"]
        with _stage(engine, given.broker, also) as (stage, disturbances):
            plan = Plan(given.kills, given.collectors, seconds=given.minutes * 60, disturbances=disturbances)
            _play(figures, engine, Campaign(stage, plan))
    return figures.exit_code()


def _play(figures: Figures, engine: str, campaign: Campaign) -> None:
    try:
        outcome = campaign.run()
    except (AssertionError, KafkaException) as error:
        for line in "\n".join([str(error), *getattr(error, "__notes__", ())]).splitlines():
            print(f"# {line}", flush=True)
        figures.at_least(f"{engine}_finished", 0, "runs", 1)
        return
    _tell(figures, engine, outcome)


def _tell(figures: Figures, engine: str, outcome: Outcome) -> None:
    figures.note(f"{engine}_published", outcome.published, "records")
    figures.note(f"{engine}_kills", outcome.kills, "kills")
    figures.note(f"{engine}_other_crashes", outcome.disturbances, "times")
    figures.note(f"{engine}_took", outcome.seconds, "s")
    for name, kinds in FIGURES.items():
        figures.at_most(f"{engine}_{name}", outcome.number_of(*kinds), "findings", 0)
    for line in outcome.told().splitlines():
        print(f"# {line}", flush=True)


@contextmanager
def _stage(engine: str, broker: str, also: Sequence[str]) -> Iterator[tuple[Stage, list[Disturbance]]]:
    """Give a stage of fresh servers, and what else happens on it."""
    disturbances: list[Disturbance] = []
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="console-soak-")))
        if engine == "postgresql":
            server, url = stack.enter_context(fresh_server())
            disturbances += [_crash_of_postgresql(server)] if "postgresql" in also else []
        else:
            url = stack.enter_context(fresh_url(engine))
        if broker == "apache":
            if missing := why_not_here():
                raise SystemExit(missing)
            kafka = stack.enter_context(running_kafka(directory))
            brokers = kafka.address
            disturbances += [_crash_of_kafka(kafka)] if "kafka" in also else []
            disturbances += [_new_topic(kafka)] if "topic" in also else []
        else:
            brokers = stack.enter_context(running_broker(directory)).address
        database = Database(url)
        database.migrate()
        database.close()
        yield Stage(url, brokers, directory), disturbances


def _crash_of_postgresql(server: PostgresServer) -> Disturbance:
    def crash(_campaign: Campaign) -> None:
        server.restart()

    return crash


def _crash_of_kafka(kafka: ApacheKafka) -> Disturbance:
    def crash(_campaign: Campaign) -> None:
        kafka.kill()
        kafka.start()

    return crash


def _new_topic(kafka: ApacheKafka) -> Disturbance:
    """What was published to the topic is read first: what Kafka deletes unread nobody can store."""

    def make_anew(campaign: Campaign) -> None:
        campaign.quiesce()
        kafka.delete_topic(ERS)
        kafka.make_topic(ERS, PARTITIONS)
        campaign.gaps += PARTITIONS
        campaign.go_on()

    return make_anew


if __name__ == "__main__":
    sys.exit(main())
