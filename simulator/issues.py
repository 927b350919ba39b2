"""ERS issues of the simulated applications and controllers on Kafka (contract 16.1, 16.3)."""

import os
import socket
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from simulator.layouts import OLDER_STREAM, OPERATOR
from simulator.older_issues import TOPIC as OLDER_TOPIC
from simulator.older_issues import older_form
from simulator.publisher import Publisher
from wire import WireMessage, load_ers

TOPIC = "monitoring.ers_stream"
# For the eyes of run control; who writes there in a real installation is not known.
CONTROL_TOPIC = "erscontrol.{session}"
# Plain texts that Python programs log have this name.
PYTHON_ISSUE = "GenericPythonIssue"
SEVERITIES = ("DEBUG", "LOG", "INFO", "WARNING", "ERROR", "FATAL")
_PACKAGE = "dunedaq.ersschema"


@dataclass(frozen=True, slots=True)
class Issue:
    """One ERS issue, without the context that its application adds.

    Attributes:
        severity: One of `SEVERITIES`.
        name: Class of the issue, e.g. ``readoutlibs::TimestampGap``.
        message: Text for people.
        package: Package that raised it; also the ``module`` of the chain.
        function: Function that raised it.
        parameters: What the text was made from.
        causes: Issues that led to it, nearest first.
    """

    severity: str
    name: str
    message: str
    package: str = "appfwk"
    function: str = "execute_command"
    parameters: Mapping[str, str] = field(default_factory=dict)
    causes: tuple["Issue", ...] = ()


class IssuePublisher:
    """Publishes issues in the name of applications."""

    def __init__(self, publisher: Publisher, clock_ns: Callable[[], int] = time.time_ns) -> None:
        """Publish through ``publisher``; ``clock_ns`` gives nanoseconds since 1970."""
        self._publisher = publisher
        self._clock_ns = clock_ns
        self._host = socket.gethostname()

    def publish(self, session: str, application: str, issue: Issue) -> None:
        """Publish an issue with its causes in the form that the application knows; the key is the session."""
        chain = self._chain(session, application, issue)
        if application != OLDER_STREAM:
            self._publisher.publish(TOPIC, chain.SerializeToString(), session)
            return
        for record in older_form(chain):
            self._publisher.publish(OLDER_TOPIC, record, session)

    def publish_for_control(self, session: str, application: str, issue: Issue) -> None:
        """Publish an issue that run control should know of, on the session's topic for that."""
        chain = self._chain(session, application, issue)
        self._publisher.publish(CONTROL_TOPIC.format(session=session), chain.SerializeToString(), session)

    def _chain(self, session: str, application: str, issue: Issue) -> WireMessage:
        now_ns = self._clock_ns()
        return load_ers().message(f"{_PACKAGE}.IssueChain")(
            final=self._simple(application, issue, now_ns),
            # A cause came a little earlier than what it led to.
            causes=[
                self._simple(application, cause, now_ns - 1_000 * number)
                for number, cause in enumerate(issue.causes, start=1)
            ],
            session=session,
            application=application,
            module=issue.package,
        )

    def _simple(self, application: str, issue: Issue, time_ns: int) -> WireMessage:
        return load_ers().message(f"{_PACKAGE}.SimpleIssue")(
            context=self._context(application, issue),
            name=issue.name,
            inheritance=["PythonIssue" if issue.name == PYTHON_ISSUE else "ers::Issue", issue.name],
            message=issue.message,
            severity=issue.severity,
            time=time_ns,
            parameters=dict(issue.parameters),
        )

    def _context(self, application: str, issue: Issue) -> WireMessage:
        # The same place in the source every time, as it would be.
        place = zlib.crc32(issue.name.encode())
        is_python = issue.name == PYTHON_ISSUE
        return load_ers().message(f"{_PACKAGE}.Context")(
            cwd=f"/home/{OPERATOR}/run",
            file_name=f"{issue.package}/{issue.function}.py"
            if is_python
            else f"{issue.package}/src/{issue.name.rpartition('::')[2]}.cpp",
            function_name=issue.function,
            host_name=self._host,
            line_number=40 + place % 400,
            package_name=issue.package,
            process_id=os.getpid(),
            thread_id=20_000 + zlib.crc32(application.encode()) % 10_000,
            user_id=1_000,
            user_name=OPERATOR,
            application_name="python" if is_python else application,
        )
