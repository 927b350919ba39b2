"""Composition root of the collector: settings → workers. Threads in the web process, or a program of its own."""

import gc
import logging
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Protocol

from models.database import Database, SchemaError
from services.alarms.rules import BUILT_IN, MessageCondition, Rule, RulesError, read_rules
from services.alarms.worker import AlarmWatch
from services.checkpoints import Checkpoints
from services.clock import Clock, utc_now
from services.health import WorkerHealth
from services.history.broadcasts import Announcements, BroadcastReader
from services.history.keeper import HistoryKeeper
from services.logs import configure_logging
from services.messages.consumer import ConsumerConfig, MessageConsumer
from services.messages.filter_text import parse
from services.messages.filters import condition
from services.messages.mute_ends import MuteEnds
from services.messages.retention import Retention
from services.messages.types import Kind, Severity
from services.run_control import fsm
from services.run_control.config import RunControlConfig
from services.run_control.tls import Tls, TlsFiles
from services.run_control.worker import RunControlWorker
from services.workers import WorkerReport
from settings import PREFIX, Settings, SettingsError, exit_on_problems, load_settings

log = logging.getLogger(__name__)

STOP_TIMEOUT_S = 10.0


class Worker(Protocol):
    """What every worker of the collector offers."""

    def start(self) -> None:
        """Start its threads, once."""

    def stop(self, timeout_s: float) -> None:
        """Stop, or raise TimeoutError when a thread does not end in time."""

    def health(self) -> WorkerHealth:
        """Return how it is."""


class Collector:
    """Polls drunc, runs commands, reads Kafka, prunes, reports on itself.

    Nothing is opened before `start`, so it survives a fork.
    """

    def __init__(self, settings: Settings, clock: Clock = utc_now) -> None:
        """Compose the workers.

        Raises:
            SettingsError: The rules of alarms cannot be used.
        """
        self._database = Database(settings.sqlalchemy_url)
        self._run_control = RunControlWorker(run_control_config(settings), self._database, clock)
        workers: Sequence[Worker] = (
            self._run_control,
            MessageConsumer(_consumer_config(settings), self._database, clock),
            _retention(settings, self._database, clock),
            MuteEnds(self._database, clock),
            AlarmWatch(self._database, clock, alarm_rules(settings)),
            _history_keeper(settings, self._database, clock),
        )
        if self._database.is_sqlite:
            workers = (*workers, Checkpoints(self._database, clock))
        self._workers: Sequence[Worker] = (*workers, WorkerReport(self._database, clock, workers))

    def start(self) -> None:
        """Start all workers."""
        for worker in self._workers:
            worker.start()
        log.info("collector started")

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """Stop all workers at the same time; say which did not end in time."""
        threads = [
            threading.Thread(target=self._stop_one, args=(worker, timeout_s), name="collector-stop")
            for worker in self._workers
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout_s + 1)
        self._database.close()
        log.info("collector stopped")

    def wake(self) -> None:
        """Run a command at once that was submitted in this process."""
        self._run_control.wake()

    def health(self) -> tuple[WorkerHealth, ...]:
        """Return how each worker is."""
        return tuple(worker.health() for worker in self._workers)

    @staticmethod
    def _stop_one(worker: Worker, timeout_s: float) -> None:
        try:
            worker.stop(timeout_s)
        except TimeoutError as error:
            log.warning("a worker did not end in time name=%s error=%s", worker.health().name, error)


def set_aside_what_stays() -> None:
    """Have Python's garbage collector leave alone what the program is made of by now.

    Each full round goes through all of it, two hundred thousand objects, and stops every thread for longer than most
    answers take.
    """
    gc.collect()
    gc.freeze()


def run_until_told_to_stop(collector: Collector) -> None:
    """Run the collector in this process until SIGTERM or SIGINT."""
    set_aside_what_stays()
    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told.set())
    collector.start()
    told.wait()
    collector.stop()


def load_checked_settings_or_exit() -> Settings:
    """Read the settings and the files they name; on problems print one line each and exit with code 2."""
    with exit_on_problems():
        settings = load_settings()
        alarm_rules(settings)
    return settings


def alarm_rules(settings: Settings) -> tuple[Rule, ...]:
    """Return the rules by which messages raise alarms: the site's, for the collector and the web app, or the built-in.

    Raises:
        SettingsError: The file cannot be read, or something in it is wrong: one problem a line of it.
    """
    if settings.alarm_rules is None:
        return BUILT_IN
    try:
        return read_rules(settings.alarm_rules.read_text(encoding="utf-8"), _message_condition)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError([f"{PREFIX}ALARM_RULES: {settings.alarm_rules} cannot be read: {error}"]) from error
    except RulesError as error:
        raise SettingsError([f"{PREFIX}ALARM_RULES: {problem}" for problem in error.problems]) from error


def _message_condition(text: str) -> MessageCondition:
    """Return the condition of a filter's text; InvalidInputError says what is wrong with it."""
    expression = parse(text)
    return lambda dialect: condition(expression, dialect)


def run_control_config(settings: Settings) -> RunControlConfig:
    """Return what run control needs to know, for the collector and for logs that the web app reads itself."""
    return RunControlConfig(
        process_manager_address=settings.process_manager_url,
        connectivity_address=settings.connectivity_url,
        connectivity_by_session=settings.connectivity_by_session,
        session_manager_address=settings.session_manager_url,
        run_control_address=settings.run_control_url,
        default_session=settings.default_session,
        service_user=settings.service_user,
        poll_interval_s=settings.poll_interval_s,
        rpc_deadline_s=settings.rpc_deadline_s,
        command_deadline_s=settings.command_deadline_s,
        boot_grace_s=settings.boot_grace_s,
        generation=settings.drunc_generation,
        tls=_tls(settings),
    )


def _tls(settings: Settings) -> Tls:
    """Return how drunc's addresses are spoken to; without any file, without TLS."""
    everywhere = TlsFiles(settings.grpc_ca_file, settings.grpc_certificate_file, settings.grpc_key_file)
    by_address = {
        address: None if given is None else TlsFiles(**given.model_dump())
        for address, given in settings.grpc_tls.items()
    }
    return Tls(None if everywhere == TlsFiles() else everywhere, by_address)


def _consumer_config(settings: Settings) -> ConsumerConfig:
    return ConsumerConfig(
        brokers=settings.kafka_address,
        topics=tuple(settings.kafka_topics),
        group=settings.kafka_group,
        service_user=settings.service_user,
        store_own_echo=settings.store_own_echo,
    )


def _retention(settings: Settings, database: Database, clock: Clock) -> Retention:
    by_severity = {Severity[name]: seconds for name, seconds in settings.message_expire_by_severity.items()}
    max_bytes = int(settings.message_max_gb * 1_000_000_000)
    return Retention(database, clock, settings.message_expire_s, by_severity, max_bytes)


def _history_keeper(settings: Settings, database: Database, clock: Clock) -> HistoryKeeper:
    announcements = Announcements(int(Kind.CONTROLLER), int(Severity.INFO))
    reader = BroadcastReader(database, clock, announcements, fsm.transition_of)
    return HistoryKeeper(database, clock, reader, settings.history_expire_s)


def main() -> None:
    """Run the collector as a program of its own; the database must be at head."""
    settings = load_checked_settings_or_exit()
    configure_logging(settings.log_level)
    database = Database(settings.sqlalchemy_url)
    try:
        database.require_head()
    except SchemaError as error:
        sys.exit(str(error))
    finally:
        database.close()
    run_until_told_to_stop(Collector(settings))


if __name__ == "__main__":
    main()
