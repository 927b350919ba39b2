"""One program for everything that is not the web server: ``python manage.py --help``. The Makefile calls it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from collector import load_checked_settings_or_exit
from collector import main as run_collector
from launcher import Launcher, LaunchError
from models.database import Database, SchemaError
from services.accounts.service import AccountService
from services.accounts.types import Role
from services.audit.trail import AuditTrail
from services.clock import utc_now
from services.errors import ConsoleError
from services.messages.redecode import redecode
from settings import Settings, SettingsError, load_demo_settings, load_new_password, load_settings_or_exit
from simulator.cli import cli as simulator


@click.group()
def cli() -> None:
    """Run and look after drunc-console."""


cli.add_command(simulator, name="simulator")


@cli.command()
def run() -> None:
    """Start the demo: simulator, Kafka broker, web and collector on 127.0.0.1."""
    try:
        Launcher(load_demo_settings()).run()
    except SettingsError as error:
        for problem in error.problems:
            click.echo(f"settings: {problem}", err=True)
        sys.exit(2)
    except LaunchError as error:
        click.echo(str(error), err=True)
        sys.exit(1)


@cli.command()
def serve() -> None:
    """Migrate, then serve the web (with the embedded collector) against an existing drunc and Kafka."""
    settings = load_checked_settings_or_exit()
    _open(settings).close()
    os.chdir(Path(__file__).parent)
    # In place of this process, so that signals reach gunicorn itself, also as the first process of a container.
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn_conf.py"])  # noqa: S606


@cli.command()
def collector() -> None:
    """Migrate, then run the collector as a program of its own."""
    _open(load_checked_settings_or_exit()).close()
    run_collector()


@cli.command("check-settings")
def check_settings() -> None:
    """Check the settings and the files they name: one line for each problem and exit code 2, or that they are good."""
    load_checked_settings_or_exit()
    click.echo("settings: good")


@cli.command()
def migrate() -> None:
    """Bring the database's schema to what this version needs."""
    _open(load_settings_or_exit()).close()
    click.echo("database: at head")


@cli.command()
@click.argument("name")
@click.argument("role", type=click.Choice([role.value for role in Role]))
def user(name: str, role: str) -> None:
    """Create the account NAME with ROLE. The password is asked for, or taken from CONSOLE_NEW_PASSWORD."""
    settings = load_settings_or_exit()
    given = _new_password()
    with _accounts(settings) as accounts:
        accounts.create(name, given, Role(role))
    click.echo(f"account {name} created with role {role}")


@cli.command()
@click.argument("name")
def password(name: str) -> None:
    """Give the account NAME a new password, asked for as `user` does; log-ins made with the old one end within 10 s."""
    settings = load_settings_or_exit()
    given = _new_password()
    with _accounts(settings) as accounts:
        accounts.set_password(name, given)
    click.echo(f"account {name} has a new password")


@cli.group()
def messages() -> None:
    """Look after stored messages."""


@messages.command("redecode")
def redecode_messages() -> None:
    """Decode the quarantined records again, after an upgrade; the collector may run meanwhile."""
    database = _open(load_settings_or_exit())
    try:
        done = redecode(database, utc_now)
    finally:
        database.close()
    click.echo(f"now messages: {done.messages}")
    click.echo(f"now measurements: {done.measurements}")
    click.echo(f"still quarantined: {done.kept} (of {done.incomplete} only the beginning was kept)")


def _new_password() -> str:
    return load_new_password() or str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


@contextmanager
def _accounts(settings: Settings) -> Iterator[AccountService]:
    """Give the accounts of an installation; what is refused is said to the person at the terminal."""
    database = _open(settings)
    try:
        yield AccountService(database, AuditTrail(database, utc_now), utc_now)
    except ConsoleError as error:
        raise click.ClickException(f"{error.message} {error.not_done} {error.next_step}".strip()) from error
    finally:
        database.close()


def _open(settings: Settings) -> Database:
    """Open the database of the settings, at head."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = Database(settings.sqlalchemy_url)
    try:
        database.migrate()
        database.require_head()
    except SchemaError as error:
        raise click.ClickException(str(error)) from error
    return database


if __name__ == "__main__":
    cli()
