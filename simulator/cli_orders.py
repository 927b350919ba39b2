"""Commands that make things happen in a running simulator."""

import base64
import json
from pathlib import Path
from typing import Any, BinaryIO

import click
import requests

from simulator.issues import SEVERITIES
from simulator.player import MOST_SPEED
from simulator.scenario import ScenarioError, read_scenario, shipped_scenarios
from simulator.sessions import ROOT_CONTROLLER

FILE_NAME = "simulator.json"
DEFAULT_DIRECTORY = Path("var/simulator")
_ORDER_TIMEOUT_S = 30.0

in_directory = click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_DIRECTORY,
    show_default=True,
    help=f"Where {FILE_NAME} is.",
)


def read_addresses(directory: Path) -> dict[str, Any]:
    """Return what the running simulator wrote; ClickException when none runs."""
    try:
        found: dict[str, Any] = json.loads((directory / FILE_NAME).read_text())
    except FileNotFoundError as error:
        raise click.ClickException(f"No simulator runs: {directory / FILE_NAME} does not exist") from error
    return found


def order(directory: Path, name: str, /, **body: object) -> None:
    """Send an order to the running simulator; ClickException when it is refused."""
    addresses = read_addresses(directory)
    with requests.Session() as session:
        # A web proxy in the environment must not get in the way of loopback.
        session.trust_env = False
        try:
            answer = session.post(
                f"http://{addresses['control']}/{name}",
                json=body,
                headers={"Authorization": f"Bearer {addresses['token']}"},
                timeout=_ORDER_TIMEOUT_S,
            )
        except requests.RequestException as error:
            raise click.ClickException(f"The simulator does not answer at {addresses['control']}") from error
    if not answer.ok:
        raise click.ClickException(answer.text)
    click.echo(f"done: {name}")


@click.command()
@in_directory
@click.argument("session")
@click.argument("name")
@click.option("--exit-code", type=int, default=255, show_default=True)
def kill(directory: Path, session: str, name: str, exit_code: int) -> None:
    """Let a process die by itself."""
    order(directory, "kill", session=session, name=name, exit_code=exit_code)


@click.command("die-after-boot")
@in_directory
@click.argument("session")
@click.argument("name")
@click.argument("seconds", type=click.FloatRange(0))
@click.option("--exit-code", type=int, default=255, show_default=True)
def die_after_boot(directory: Path, session: str, name: str, seconds: float, exit_code: int) -> None:
    """Let a process die SECONDS after it is booted or restarted the next time."""
    order(directory, "die-after-boot", session=session, name=name, seconds=seconds, exit_code=exit_code)


@click.command()
@in_directory
@click.argument("session")
@click.argument("transition")
@click.argument("node")
def fail(directory: Path, session: str, transition: str, node: str) -> None:
    """Let the next such transition fail in an application."""
    order(directory, "fail", session=session, transition=transition, node=node)


@click.command()
@in_directory
@click.argument("session")
@click.argument("transition")
@click.argument("seconds", type=click.FloatRange(0))
def slow(directory: Path, session: str, transition: str, seconds: float) -> None:
    """Let such transitions take SECONDS until further notice; 0 ends it."""
    order(directory, "slow", session=session, transition=transition, seconds=seconds)


@click.command()
@in_directory
@click.argument("count", type=click.IntRange(1))
@click.option("--rate", type=click.FloatRange(0), default=0.0, help="Messages a second; 0 is as fast as they go.")
@click.option("--severity", type=click.Choice(SEVERITIES, case_sensitive=False), default="INFO", show_default=True)
def flood(directory: Path, count: int, rate: float, severity: str) -> None:
    """Begin to publish COUNT ERS issues."""
    order(directory, "flood", count=count, rate_hz=rate, severity=severity.upper())


@click.command()
@in_directory
@click.argument("session")
@click.argument("user")
def steal(directory: Path, session: str, user: str) -> None:
    """Let somebody else take control of a session."""
    order(directory, "steal", session=session, user=user)


@click.command("controller-down")
@in_directory
@click.argument("session")
@click.argument("name")
def controller_down(directory: Path, session: str, name: str) -> None:
    """Let a controller answer no more although its process runs on."""
    order(directory, "controller-down", session=session, name=name)


@click.command("publish-raw")
@in_directory
@click.argument("topic")
@click.argument("source", type=click.File("rb"), default="-")
def publish_raw(directory: Path, topic: str, source: BinaryIO) -> None:
    """Publish the bytes of SOURCE (standard input if not given) as one message."""
    value = base64.b64encode(source.read()).decode()
    order(directory, "publish-raw", topic=topic, value_base64=value)


@click.command()
@in_directory
@click.argument("session")
@click.argument("node")
def silence(directory: Path, session: str, node: str) -> None:
    """Let an application answer nothing any more although its process runs."""
    order(directory, "silence", session=session, node=node)


@click.command()
@in_directory
@click.argument("session")
@click.argument("name", default=ROOT_CONTROLLER)
def wedge(directory: Path, session: str, name: str) -> None:
    """Leave a controller in the middle of a transition, as a failed action does."""
    order(directory, "wedge", session=session, name=name)


@click.command("restart-process-manager")
@in_directory
def restart_process_manager(directory: Path) -> None:
    """End the process manager with all that it started; it starts again and knows nothing."""
    order(directory, "restart-process-manager")


@click.command("empty-connectivity")
@in_directory
@click.option("--end", is_flag=True, help="Let it hear again.")
def empty_connectivity(directory: Path, *, end: bool) -> None:
    """Let the connectivity service forget everything and hear nothing any more."""
    order(directory, "empty-connectivity", emptied=not end)


@click.command("stall-kafka")
@in_directory
@click.option("--end", is_flag=True, help="Let messages flow again.")
def stall_kafka(directory: Path, *, end: bool) -> None:
    """Keep back everything that is published."""
    order(directory, "stall-kafka", stalled=not end)


@click.command("kafka-down")
@in_directory
@click.option("--end", is_flag=True, help="Let Kafka be there again.")
def kafka_down(directory: Path, *, end: bool) -> None:
    """Let nothing reach Kafka and the process manager fail in every call for that."""
    order(directory, "kafka-down", down=not end)


@click.command()
@in_directory
def reset(directory: Path) -> None:
    """Forget all faults and boot every session anew."""
    order(directory, "reset")


@click.command("to-error")
@in_directory
@click.argument("session")
@click.argument("name")
def to_error(directory: Path, session: str, name: str) -> None:
    """Put a controller in error."""
    order(directory, "to-error", session=session, name=name)


@click.command()
@in_directory
@click.argument("session")
@click.argument("name")
def exclude(directory: Path, session: str, name: str) -> None:
    """Exclude a part of the tree, as whoever holds control would; in G1 a controller only."""
    order(directory, "exclude", session=session, name=name)


@click.command()
@in_directory
@click.argument("session")
@click.argument("name")
def include(directory: Path, session: str, name: str) -> None:
    """Include a part of the tree again."""
    order(directory, "include", session=session, name=name)


@click.command()
@in_directory
@click.argument("session")
@click.argument("node")
@click.argument("text")
@click.option("--severity", type=click.Choice(SEVERITIES, case_sensitive=False), default="INFO", show_default=True)
def issue(directory: Path, session: str, node: str, text: str, severity: str) -> None:
    """Let an application raise one ERS issue."""
    order(directory, "issue", session=session, node=node, text=text, severity=severity.upper())


@click.command()
@in_directory
def page(directory: Path) -> None:
    """Print the address of the control page; who knows it can give orders."""
    addresses = read_addresses(directory)
    click.echo(f"http://{addresses['control']}/#{addresses['token']}")


@click.command()
@in_directory
@click.argument("scenario", default="")
@click.option("--list", "lists", is_flag=True, help="Say which scenarios there are.")
@click.option("--stop", is_flag=True, help="End the one that plays.")
@click.option("--session", default="", help="Play in this session instead of the first one.")
@click.option("--speed", type=click.FloatRange(0, MOST_SPEED, min_open=True), help="So much shorter waiting times.")
def play(*, directory: Path, scenario: str, lists: bool, stop: bool, session: str, speed: float | None) -> None:
    """Play SCENARIO: the name of one that comes along, or a YAML file."""
    if lists:
        for name, text in shipped_scenarios().items():
            known = read_scenario(text)
            click.echo(f"{name:20} {known.title}. {known.teaches}")
    elif stop:
        order(directory, "stop-playing")
    elif scenario:
        text = _scenario_text(scenario)
        body = {"text": text, "session": session} | ({} if speed is None else {"speed": speed})
        order(directory, "play", **body)
    else:
        raise click.UsageError("Say which scenario to play; --list shows those that come along")


def _scenario_text(scenario: str) -> str:
    """Return the text of a scenario, checked; ClickException where it is wrong."""
    shipped = shipped_scenarios()
    if scenario in shipped:
        return shipped[scenario]
    path = Path(scenario)
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join(shipped)
        raise click.ClickException(f"{scenario} is neither a scenario ({known}) nor a file to read") from error
    try:
        read_scenario(text)
    except ScenarioError as error:
        raise click.ClickException("\n".join(f"{path}: {problem}" for problem in str(error).splitlines())) from error
    return text


COMMANDS: tuple[click.Command, ...] = (
    kill,
    die_after_boot,
    fail,
    slow,
    flood,
    steal,
    controller_down,
    publish_raw,
    silence,
    wedge,
    restart_process_manager,
    empty_connectivity,
    stall_kafka,
    kafka_down,
    reset,
    to_error,
    exclude,
    include,
    issue,
    page,
    play,
)
