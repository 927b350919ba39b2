"""The one typed Settings object, read from the environment and `.env`, checked before anything starts."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

from dotenv import dotenv_values
from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "CONSOLE_"
# Names that drunc_ui deployments already set; understood beside our own.
OTHER_NAMES = (
    "PROCESS_MANAGER_URL",
    "SESSION_MANAGER_URL",
    "CSC_URL",
    "CSC_SESSION",
    "KAFKA_ADDRESS",
    "MESSAGE_EXPIRE_SECS",
    "SECRET_KEY",
)
MIN_SECRET_LENGTH = 16
MAX_PORT = 65535


def _host_port(value: object) -> object:
    """Accept ``host:port`` with or without a scheme, as drunc and drunc_ui write it."""
    if not isinstance(value, str):
        return value
    address = re.sub(r"^(grpc|http)://", "", value.strip()).rstrip("/")
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) <= MAX_PORT:
        raise ValueError("expected host:port, e.g. localhost:10054")
    return address


def _brokers(value: object) -> object:
    if not isinstance(value, str):
        return value
    return ",".join(str(_host_port(part)) for part in value.split(","))


HostPort = Annotated[str, BeforeValidator(_host_port)]
SessionName = Annotated[str, Field(min_length=1, max_length=255)]
Brokers = Annotated[str, BeforeValidator(_brokers)]
SeverityName = Literal["DEBUG", "LOG", "INFO", "WARNING", "ERROR", "FATAL"]


class GrpcTls(BaseModel):
    """PEM files for one address, and the name that its certificate bears where that is not the address's."""

    model_config = ConfigDict(extra="forbid")

    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    server_name: str | None = None

    @model_validator(mode="after")
    def _certificate_has_its_key(self) -> "GrpcTls":
        if (self.certificate_file is None) is not (self.key_file is None):
            raise ValueError("give both certificate_file and key_file, or neither")
        return self


class SettingsError(Exception):
    """The settings are wrong or incomplete; ``problems`` holds one line for each."""

    def __init__(self, problems: list[str]) -> None:
        """Keep the problems, in the order of the settings."""
        super().__init__("\n".join(problems))
        self.problems = problems


def _named(*aliases: str, name: str) -> AliasChoices:
    return AliasChoices(PREFIX + name, *aliases)


class Settings(BaseSettings):
    """All settings of the web, the collector and the commands of `manage.py`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, populate_by_name=True)

    secret_key: SecretStr = Field(
        validation_alias=_named("SECRET_KEY", name="SECRET_KEY"),
        description="Signs session cookies. At least 16 characters, the same for all web workers.",
    )
    data_dir: Path = Field(Path("var"), description="Directory of the SQLite database and of generated files.")
    database_url: SecretStr | None = Field(
        None, description="SQLAlchemy URL (sqlite:///… or postgresql+psycopg://…). Empty: SQLite in the data directory."
    )
    host: str = Field("127.0.0.1", description="Address the web server listens on.")
    port: int = Field(8050, ge=1, le=MAX_PORT, description="Port the web server listens on.")
    workers: int = Field(1, ge=1, le=64, description="Web workers. More than one needs CONSOLE_EMBED_COLLECTOR=false.")
    threads: int = Field(8, ge=1, le=64, description="Threads of each web worker.")
    cookie_secure: bool = Field(
        default=True, description="Send cookies over HTTPS only. Off only for plain HTTP on loopback."
    )
    trusted_proxies: int = Field(
        0, ge=0, le=5, description="Proxies in front whose X-Forwarded-For and -Proto are believed. 0: none."
    )
    embed_collector: bool = Field(default=True, description="Run the collector as threads in the (single) web worker.")

    process_manager_url: HostPort = Field(
        validation_alias=_named("PROCESS_MANAGER_URL", name="PROCESS_MANAGER_URL"),
        description="Address of the process manager, host:port.",
    )
    session_manager_url: HostPort | None = Field(
        None,
        validation_alias=_named("SESSION_MANAGER_URL", name="SESSION_MANAGER_URL"),
        description="Address of the session manager, host:port. Empty: looked for in the connectivity service.",
    )
    run_control_url: HostPort | None = Field(
        None, description="Address of the run control service (G3), host:port, which boots and ends whole sessions."
    )
    connectivity_url: HostPort = Field(
        validation_alias=_named("CSC_URL", name="CONNECTIVITY_URL"),
        description="Address of the connectivity service, host:port.",
    )
    connectivity_by_session: dict[SessionName, HostPort] = Field(
        default_factory=dict,
        description='Sessions with a connectivity service of their own, a JSON object, e.g. `{"s": "host:5000"}`.',
    )
    default_session: str | None = Field(
        None,
        validation_alias=_named("CSC_SESSION", name="DEFAULT_SESSION"),
        description="Session that is polled even while the process manager lists none of its processes.",
    )
    kafka_address: Brokers = Field(
        validation_alias=_named("KAFKA_ADDRESS", name="KAFKA_ADDRESS"),
        description="Kafka brokers, host:port, several separated by commas.",
    )
    kafka_topics: list[str] = Field(
        [
            "^control\\..+",
            "^erscontrol\\..+",
            "^monitoring\\.ers_stream$",
            "^erskafka-reporting$",
            "^monitoring\\.opmon_stream$",
        ],
        description="Regular expressions of the topics to read, as a JSON list.",
    )
    kafka_group: str = Field("drunc-console", description="Consumer group on a real broker.")
    message_expire_s: int = Field(
        14 * 24 * 3600,
        ge=60,
        validation_alias=_named("MESSAGE_EXPIRE_SECS", name="MESSAGE_EXPIRE_S"),
        description="Messages older than this many seconds are removed.",
    )
    message_expire_by_severity: dict[SeverityName, Annotated[int, Field(ge=60)]] = Field(
        default_factory=dict,
        description='The same for some severities, as a JSON object of seconds, e.g. `{"DEBUG": 86400}`.',
    )
    message_max_gb: float = Field(
        0.0,
        ge=0,
        description="Room for messages, 10^9 bytes: beyond it the oldest go, those kept shortest first. 0: no limit.",
    )
    history_expire_s: int = Field(
        365 * 24 * 3600, ge=3600, description="The history of states and transitions is kept so many seconds."
    )
    alarm_rules: Path | None = Field(
        None, description="File (YAML) with the rules by which messages raise alarms. Empty: the built-in rules."
    )
    store_own_echo: bool = Field(
        default=False, description="Store the broadcasts that the console's own polling causes."
    )
    service_user: str = Field("console", description="User name under which the collector polls drunc.")
    poll_interval_s: float = Field(1.0, ge=0.2, le=60, description="Seconds between two polls of drunc.")
    rpc_deadline_s: float = Field(5.0, gt=0, le=60, description="Deadline of read RPCs, seconds.")
    command_deadline_s: float = Field(
        480.0, gt=0, description="Deadline of transitions, seconds: 160 for each level of the tree (contract 21.1)."
    )
    boot_grace_s: float = Field(
        5.0, ge=0, le=120, description="What was booted is watched for so many seconds before the boot is judged."
    )
    drunc_generation: Literal["auto", "G1", "G2", "G3"] = Field(
        "auto", description="Schema generation of drunc to assume everywhere. auto: found out for each address."
    )
    grpc_ca_file: Path | None = Field(
        None, description="Certificates (PEM) of the authorities to trust in calls to drunc. Empty: calls without TLS."
    )
    grpc_certificate_file: Path | None = Field(
        None, description="The console's own certificate (PEM) in calls to drunc, where a server asks for one."
    )
    grpc_key_file: Path | None = Field(None, description="Key (PEM) of the console's own certificate.")
    grpc_tls: dict[str, GrpcTls | None] = Field(
        default_factory=dict,
        description="What differs for some addresses, as a JSON object by `host:port` or `host`: `null` for calls "
        "without TLS, or an object with any of `ca_file`, `certificate_file`, `key_file`, `server_name`.",
    )
    metrics: bool = Field(default=False, description="Serve /metrics for Prometheus, without a log-in: numbers only.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Lowest level that is logged.")

    @field_validator("secret_key")
    @classmethod
    def _secret_is_long(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) < MIN_SECRET_LENGTH:
            raise ValueError(f"expected at least {MIN_SECRET_LENGTH} characters")
        return value

    @field_validator("kafka_topics")
    @classmethod
    def _topics_compile(cls, value: list[str]) -> list[str]:
        for pattern in value:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
        return value

    @field_validator("service_user")
    @classmethod
    def _user_name_is_plain(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value):
            raise ValueError("expected letters, digits, - and _ (drunc allows no slashes and dots)")
        return value

    @model_validator(mode="after")
    def _database_is_known(self) -> "Settings":
        url = self.sqlalchemy_url
        if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("CONSOLE_DATABASE_URL: expected sqlite:///<file> or postgresql+psycopg://…")
        return self

    @model_validator(mode="after")
    def _certificate_has_its_key(self) -> "Settings":
        if (self.grpc_certificate_file is None) is not (self.grpc_key_file is None):
            raise ValueError("CONSOLE_GRPC_CERTIFICATE_FILE and CONSOLE_GRPC_KEY_FILE: give both or neither")
        return self

    @model_validator(mode="after")
    def _one_collector(self) -> "Settings":
        if self.embed_collector and self.workers > 1:
            raise ValueError(
                "CONSOLE_WORKERS: more than 1 needs CONSOLE_EMBED_COLLECTOR=false and a collector of its own"
            )
        return self

    @property
    def sqlalchemy_url(self) -> str:
        """The database's URL, password included: never log it."""
        if self.database_url is None:
            return f"sqlite:///{self.data_dir.absolute() / 'console.db'}"
        url = self.database_url.get_secret_value()
        return re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url)


class DemoSettings(BaseSettings):
    """What ``make run`` lets a person choose; everything else it makes up (see `launcher`)."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    data_dir: Path = Field(default=Path("var"), description="Directory of the demo's database, secrets and logs.")
    port: int = Field(default=8050, ge=1, le=MAX_PORT, description="Port the web server listens on, on 127.0.0.1.")
    demo_password: SecretStr | None = Field(
        default=None, min_length=8, description="Password of the demo user `operator`."
    )


def load_demo_settings() -> DemoSettings:
    """Read the settings of ``make run``.

    Raises:
        SettingsError: With all problems at once.
    """
    try:
        return DemoSettings()
    except ValidationError as error:
        raise SettingsError([_line(problem) for problem in error.errors()]) from error


def load_new_password() -> str | None:
    """Return the password for a new account from ``CONSOLE_NEW_PASSWORD``, or None when it is to be asked for."""
    return os.environ.get(PREFIX + "NEW_PASSWORD")  # noqa: TID251


def child_environment(**overrides: str) -> dict[str, str]:
    """Return this process's environment for a child whose console settings are ``overrides`` and nothing else.

    Neither this process's settings nor a `.env` file reach it: a demo must never touch a deployment's database.
    """
    inherited = {name: value for name, value in os.environ.items() if not _is_ours(name)}  # noqa: TID251
    return {**inherited, PREFIX + "ENV_FILE": "", **overrides}


def _env_file() -> str | None:
    """Return the file that settings are also read from: `.env`, or what ``CONSOLE_ENV_FILE`` names (empty: none)."""
    return os.environ.get(PREFIX + "ENV_FILE", ".env") or None  # noqa: TID251


def _is_ours(name: str) -> bool:
    return name.startswith(PREFIX) or name in OTHER_NAMES


def load_settings(**overrides: Any) -> Settings:
    """Read and check the settings.

    Raises:
        SettingsError: With all problems at once, names that look like ours and are not among them.
    """
    problems = [f"{name}: there is no such setting" for name in _unknown_names()]
    try:
        settings = Settings(**{"_env_file": _env_file(), **overrides})
    except ValidationError as error:
        problems += [_line(problem) for problem in error.errors()]
        raise SettingsError(problems) from error
    if problems:
        raise SettingsError(problems)
    return settings


def _unknown_names() -> list[str]:
    """Names with our prefix, in the environment or `.env`, that mean nothing: most likely misspelt."""
    known = {PREFIX + "NEW_PASSWORD", PREFIX + "DEMO_PASSWORD", PREFIX + "ENV_FILE"}
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        known.add(str(alias.choices[0]) if isinstance(alias, AliasChoices) else PREFIX + name.upper())
    file = _env_file()
    given = {*os.environ, *(dotenv_values(file) if file else ())}  # noqa: TID251
    return sorted(name for name in given if name.startswith(PREFIX) and name not in known)


def load_settings_or_exit() -> Settings:
    """Read the settings; on problems print one line each to standard error and exit with code 2."""
    with exit_on_problems():
        return load_settings()


@contextmanager
def exit_on_problems() -> Iterator[None]:
    """On wrong settings print one line for each problem to standard error and exit with code 2."""
    try:
        yield
    except SettingsError as error:
        for problem in error.problems:
            print(f"settings: {problem}", file=sys.stderr)  # noqa: T201 - logging is not configured yet
        raise SystemExit(2) from error


def _line(problem: ErrorDetails) -> str:
    """One problem as ``NAME: what is wrong (given: …)``, secrets masked."""
    location = [str(part) for part in problem["loc"]]
    message = problem["msg"].removeprefix("Value error, ")
    if not location:
        return message
    name = location[0] if location[0].isupper() else PREFIX + location[0].upper()
    if problem["type"] == "missing":
        return f"{name}: missing, and there is no default"
    secret = any(word in name for word in ("SECRET", "DATABASE_URL"))
    given = "***" if secret else repr(problem["input"])
    return f"{name}: {message} (given: {given})"
