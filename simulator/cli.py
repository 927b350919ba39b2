"""Command line of the simulator: ``serve`` runs it, the other commands make things happen in a running one."""

import math
import os
from collections.abc import Sequence
from pathlib import Path

import click

from simulator.checks import SimulatorError
from simulator.cli_orders import COMMANDS, FILE_NAME, in_directory
from simulator.control import ControlServer
from simulator.files import write_private_json
from simulator.installation import DEFAULT_SESSIONS, Installation
from simulator.layouts import MOST_APPLICATIONS
from simulator.lifetime import Lifetime
from wire import G2Layout

# The name under which ``--generation`` and simulator.json know the process manager.
PROCESS_MANAGER = "process-manager"

_generation = click.option(
    "--generation",
    multiple=True,
    envvar="SIMULATOR_GENERATION",
    metavar="[NAME=]G1|G2|G3",
    help=f"Of everything, or of one session or of {PROCESS_MANAGER}. Repeatable.",
)
_applications = click.option(
    "--applications",
    envvar="SIMULATOR_APPLICATIONS",
    type=click.IntRange(1, MOST_APPLICATIONS),
    help="Boot a session of so many applications, too.",
)


@click.group(name="simulator")
def cli() -> None:
    """Simulate a drunc installation, or make things happen in a running simulation."""


@cli.command()
@in_directory
@click.option("--kafka", metavar="HOST:PORT", help="Brokers for broadcasts, ERS issues and OpMon.")
@click.option(
    "--sessions",
    envvar="SIMULATOR_SESSIONS",
    default=",".join(DEFAULT_SESSIONS),
    show_default=True,
    help="Sessions to boot.",
)
@click.option(
    "--speed",
    envvar="SIMULATOR_SPEED",
    type=click.FloatRange(0, min_open=True),
    default=1.0,
    show_default=True,
    help="By how much transitions, trickle and scenarios are faster; inf is at once.",
)
@click.option("--chatter", type=click.FloatRange(0), default=3.0, show_default=True, help="ERS issues a second.")
@click.option(
    "--opmon", type=click.FloatRange(0), default=5.0, show_default=True, help="Seconds from reading to reading."
)
@_generation
@_applications
@click.option("--g2-layout", type=click.Choice(["a", "b"]), default="b", show_default=True, help="AddressedCommand.")
@click.option("--faulty-refusals", is_flag=True, help="G3 refuses with the wrong message, as one version does.")
@click.option("--with-parent", is_flag=True, help="End when the parent process ends.")
def serve(
    *,
    directory: Path,
    kafka: str | None,
    sessions: str,
    speed: float,
    chatter: float,
    opmon: float,
    generation: Sequence[str],
    applications: int | None,
    g2_layout: G2Layout,
    faulty_refusals: bool,
    with_parent: bool,
) -> None:
    """Run an installation until SIGTERM or SIGINT; its addresses are in simulator.json once all servers answer."""
    lifetime = Lifetime(with_parent=with_parent)
    names = [name.strip() for name in sessions.split(",") if name.strip()]
    if applications is not None:
        names.append(f"generated-{applications}")
    path = directory / FILE_NAME
    path.unlink(missing_ok=True)
    try:
        of_sessions, of_manager = read_generations(generation, [name.partition(":")[0] for name in names])
        installation = Installation(
            names,
            kafka,
            time_scale=1 / speed,
            chatter_hz=chatter * speed if chatter and math.isfinite(speed) else chatter,
            opmon_period_s=opmon,
            generations=of_sessions,
            process_manager_generation=of_manager,
            g2_layout=g2_layout,
            faulty_refusals=faulty_refusals,
        )
    except SimulatorError as error:
        raise click.ClickException(str(error)) from error
    _serve(installation, path, lifetime, speed)


def read_generations(given: Sequence[str], sessions: Sequence[str]) -> tuple[dict[str, str], str]:
    """Return the generation of every session and of the process manager.

    Args:
        given: ``G3`` for everything, ``<session>=G3`` or ``process-manager=G3`` for one; the later wins.
        sessions: Names of the sessions.

    Raises:
        SimulatorError: A session is unknown.
    """
    everything: dict[str, str] = dict.fromkeys((*sessions, PROCESS_MANAGER), "G1")
    for option in given:
        name, separator, generation = option.rpartition("=")
        if not separator:
            everything = dict.fromkeys(everything, generation.upper())
        elif name in everything:
            everything[name] = generation.upper()
        else:
            raise SimulatorError(f"A generation is given for {name!r}, which is not among the sessions")
    manager = everything.pop(PROCESS_MANAGER)
    return everything, manager


def _serve(installation: Installation, path: Path, lifetime: Lifetime, speed: float) -> None:
    control = ControlServer(installation, speed)
    try:
        installation.start()
        control.start()
        write_private_json(path, _addresses(installation, control))
        lifetime.wait()
    except SimulatorError as error:
        raise click.ClickException(str(error)) from error
    finally:
        path.unlink(missing_ok=True)
        control.stop()
        installation.stop()


def _addresses(installation: Installation, control: ControlServer) -> dict[str, object]:
    return {
        "process_manager": installation.process_manager_address,
        "session_manager": installation.session_manager_address,
        "run_control": installation.run_control_address,
        "connectivity": installation.connectivity_address,
        "control": control.address,
        "token": control.token,
        "kafka": installation.kafka_address,
        "sessions": list(installation.sessions),
        "generations": dict(installation.generations) | {PROCESS_MANAGER: installation.process_manager_generation},
        "pid": os.getpid(),
    }


for _command in COMMANDS:
    cli.add_command(_command)
