"""What applications and controllers say on Kafka about themselves and each other: issues and measurements."""

from collections.abc import Callable

from simulator.application import Application
from simulator.events import command_issue, error_state_issue, peer_lost_issue
from simulator.generation import Generation
from simulator.issues import Issue, IssuePublisher
from simulator.layouts import SessionLayout
from simulator.opmon import Measurement, Monitor, layout_of_entries
from simulator.publisher import Publisher


class Voice:
    """Publishes in the name of the nodes of all sessions."""

    def __init__(self, publisher: Publisher, layout: Callable[[str], SessionLayout | None]) -> None:
        """Publish through ``publisher``; ``layout`` returns a session by its name."""
        self._publisher = publisher
        self._layout = layout
        self._issues = IssuePublisher(publisher)

    def speak(self, application: Application, issue: Issue) -> None:
        """Publish what an application says, and write it into its log."""
        application.log.write(f"{issue.severity} [{issue.function}] {issue.message}")
        self._issues.publish(application.session, application.name, issue)

    def report(self, application: Application, severity: str, text: str) -> None:
        """Publish what an application says about a command."""
        self.speak(application, command_issue(application.name, severity, text))

    def miss(self, witness: Application, peer: str, exit_code: int) -> None:
        """Tell run control, in the name of ``witness``, that another application has died."""
        self._issues.publish_for_control(witness.session, witness.name, peer_lost_issue(peer, exit_code))

    def complain(self, session: str, controller: str, text: str) -> None:
        """Publish what a controller logs to ERS."""
        self._issues.publish(session, f"drunc.{controller}_ctrl", error_state_issue(text))

    def measured(self, application: Application, measurement: Measurement) -> None:
        """Publish what an application measured, in the form of its session's releases."""
        layout = self._layout(application.session)
        form = layout_of_entries(Generation.G1 if layout is None else layout.generation)
        Monitor(self._publisher, form, application.session, application.name).publish(measurement)
