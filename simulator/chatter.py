"""The background trickle of ERS issues that applications produce all the time."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass

from simulator.application import Application
from simulator.issues import Issue

# A running application says so much more than an idle one.
RUNNING_FACTOR = 4.0
_LONGEST_PAUSE_S = 1.0

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Template:
    """A kind of issue; ``parameters`` are ranges of whole numbers that the text mentions by name."""

    weight: int
    severity: str
    name: str
    function: str
    text: str
    parameters: tuple[tuple[str, Range], ...] = ()
    cause: "Template | None" = None

    def issue(self, rng: random.Random) -> Issue:
        """Return an issue with parameters made up within their ranges."""
        values = {name: str(rng.randint(*limits)) for name, limits in self.parameters}
        return Issue(
            severity=self.severity,
            name=self.name,
            message=self.text.format(**values),
            package=self.name.partition("::")[0],
            function=self.function,
            parameters=values,
            causes=() if self.cause is None else (self.cause.issue(rng),),
        )


_LINK = ("link", (0, 9))
_READOUT = (
    Template(
        10,
        "INFO",
        "datahandlinglibs::Throughput",
        "run_stats",
        "Link {link}: {rate} kHz of frames, buffer {fill} % full",
        (_LINK, ("rate", (160, 172)), ("fill", (12, 48))),
    ),
    Template(
        6,
        "LOG",
        "datahandlinglibs::RequestStatistics",
        "run_stats",
        "{found} data requests answered, {late} of them late",
        (("found", (80, 240)), ("late", (0, 3))),
    ),
    Template(
        2,
        "WARNING",
        "datahandlinglibs::TimestampGap",
        "process_frame",
        "Link {link}: {ticks} ticks between consecutive frames",
        (_LINK, ("ticks", (2_049, 90_000))),
    ),
    Template(
        1,
        "ERROR",
        "datahandlinglibs::FrameErrorRate",
        "process_frame",
        "Link {link}: {errors} frames with bad checksum in the last second",
        (_LINK, ("errors", (20, 400))),
        Template(
            1,
            "WARNING",
            "hwmodel::LinkUnstable",
            "check_link",
            "Transceiver {port} reports {power} uW",
            (("port", (0, 7)), ("power", (90, 160))),
        ),
    ),
)
_DATAFLOW = (
    Template(
        10,
        "INFO",
        "dfmodules::RecordWritten",
        "do_work",
        "Trigger record {record} written, {size} kB",
        (("record", (1, 99_999)), ("size", (900, 5_400))),
    ),
    Template(
        6,
        "LOG",
        "dfmodules::BuilderOccupancy",
        "do_work",
        "{pending} trigger records wait for fragments",
        (("pending", (0, 6)),),
    ),
    Template(
        2,
        "WARNING",
        "dfmodules::FragmentMissing",
        "do_work",
        "Trigger record {record} timed out with {missing} fragments missing",
        (("record", (1, 99_999)), ("missing", (1, 4))),
        Template(
            1,
            "WARNING",
            "iomanager::TimeoutExpired",
            "receive",
            "Nothing received for {waited} ms",
            (("waited", (100, 1_000)),),
        ),
    ),
    Template(
        1,
        "ERROR",
        "dfmodules::StorageSlow",
        "write",
        "Writing took {took} ms, {free} GB are free",
        (("took", (1_500, 8_000)), ("free", (3, 90))),
        Template(
            1,
            "WARNING",
            "hdf5libs::FlushDelayed",
            "flush",
            "File system answered after {took} ms",
            (("took", (900, 4_000)),),
        ),
    ),
)
_TRIGGER = (
    Template(
        10,
        "INFO",
        "trigger::DecisionRate",
        "report",
        "{decisions} trigger decisions in 10 s, {inhibited} inhibited",
        (("decisions", (4, 60)), ("inhibited", (0, 5))),
    ),
    Template(
        6,
        "LOG",
        "trigger::CandidateStatistics",
        "report",
        "{candidates} candidates of {activities} activities",
        (("candidates", (1, 40)), ("activities", (40, 900))),
    ),
    Template(
        2,
        "WARNING",
        "trigger::LateCandidate",
        "work",
        "Candidate came {late} ms behind its readout window",
        (("late", (1, 80)),),
    ),
)
_FAMILIES = (("ru-", _READOUT), ("df", _DATAFLOW), ("tp-", _DATAFLOW))


def made_up_issue(application: str, rng: random.Random) -> Issue:
    """Return an issue that an application of this name could raise: mostly INFO and LOG, rarely ERROR."""
    templates = next((known for prefix, known in _FAMILIES if application.startswith(prefix)), _TRIGGER)
    weights = [template.weight for template in templates]
    return rng.choices(templates, weights)[0].issue(rng)


class Chatter:
    """A thread that lets applications speak at random, ``rate_hz`` issues a second while nothing runs."""

    def __init__(
        self,
        rate_hz: float,
        applications: Callable[[], list[Application]],
        speak: Callable[[Application, Issue], None],
        rng: random.Random,
    ) -> None:
        """Let the living ``applications`` ``speak``."""
        self._rate_hz = rate_hz
        self._applications = applications
        self._speak = speak
        self._rng = rng
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="simulator-chatter", daemon=True)

    def start(self) -> None:
        """Start talking; at rate 0 there is nothing to say."""
        if self._rate_hz > 0:
            self._thread.start()

    def stop(self) -> None:
        """Fall silent."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def speak_once(self) -> None:
        """Let one application speak; those that run do so more often."""
        applications = self._applications()
        if applications:
            weights = [RUNNING_FACTOR if application.running else 1.0 for application in applications]
            application = self._rng.choices(applications, weights)[0]
            self._speak(application, made_up_issue(application.name, self._rng))

    def _rate_now_hz(self) -> float:
        applications = self._applications()
        running = sum(application.running for application in applications)
        share = running / len(applications) if applications else 0.0
        return self._rate_hz * (1 + (RUNNING_FACTOR - 1) * share)

    def _run(self) -> None:
        while not self._stopping.wait(min(_LONGEST_PAUSE_S, self._rng.expovariate(self._rate_now_hz()))):
            self.speak_once()
