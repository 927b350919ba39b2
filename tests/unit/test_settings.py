"""Settings: what is understood, what is refused, and that the documents say the same."""

import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import AliasChoices

import manage
from collector import alarm_rules, run_control_config
from services.alarms.rules import BUILT_IN
from services.run_control.tls import Tls, TlsFiles
from settings import OTHER_NAMES, Settings, SettingsError, child_environment, load_demo_settings, load_settings

ROOT = Path(__file__).parents[2]
GOOD = {
    "CONSOLE_SECRET_KEY": "a secret of sixteen or more",
    "CONSOLE_PROCESS_MANAGER_URL": "np04-srv-010:10054",
    "CONSOLE_CONNECTIVITY_URL": "np04-srv-017:30005",
    "CONSOLE_KAFKA_ADDRESS": "broker-1:9092,broker-2:9092",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """The environment of a complete installation, without a `.env` file."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("CONSOLE_") or name in OTHER_NAMES]:
        monkeypatch.delenv(name)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def names() -> list[str]:
    return [
        str(field.validation_alias.choices[0])
        if isinstance(field.validation_alias, AliasChoices)
        else f"CONSOLE_{name.upper()}"
        for name, field in Settings.model_fields.items()
    ]


def test_a_complete_environment_is_understood() -> None:
    settings = load_settings()
    assert settings.process_manager_url == "np04-srv-010:10054"
    assert settings.sqlalchemy_url == f"sqlite:///{Path('var').absolute() / 'console.db'}"


def test_names_of_drunc_ui_deployments_are_understood(environment: pytest.MonkeyPatch) -> None:
    for name in GOOD:
        environment.delenv(name)
    for name, value in zip(
        OTHER_NAMES,
        ["pm:10054", "sm:50000", "http://csc:5000/", "lr-session", "kafka:9092", "1800", "s" * 16],
        strict=True,
    ):
        environment.setenv(name, value)
    settings = load_settings()
    assert settings.process_manager_url == "pm:10054"
    assert settings.session_manager_url == "sm:50000"
    assert settings.connectivity_url == "csc:5000"
    assert settings.default_session == "lr-session"
    assert settings.kafka_address == "kafka:9092"
    assert settings.message_expire_s == 1800
    assert settings.secret_key.get_secret_value() == "s" * 16


def test_all_problems_are_told_at_once_and_secrets_stay_secret(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("CONSOLE_KAFKA_ADDRESS")
    environment.setenv("CONSOLE_SECRET_KEY", "hunter2")
    environment.setenv("CONSOLE_PORT", "http")
    environment.setenv("CONSOLE_PROT", "8050")
    environment.setenv("CONSOLE_PROCESS_MANAGER_URL", "no port here")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    told = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 5
    for name in (
        "CONSOLE_PROT",
        "CONSOLE_KAFKA_ADDRESS",
        "CONSOLE_SECRET_KEY",
        "CONSOLE_PORT",
        "CONSOLE_PROCESS_MANAGER_URL",
    ):
        assert name in told
    assert "hunter2" not in told


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("CONSOLE_DATABASE_URL", "mysql://u:pw@h/d", "expected sqlite"),
        ("CONSOLE_KAFKA_TOPICS", '["("]', "not a regular expression"),
        ("CONSOLE_SERVICE_USER", "a/b", "expected letters"),
        ("CONSOLE_WORKERS", "4", "CONSOLE_EMBED_COLLECTOR=false"),
        ("CONSOLE_KAFKA_ADDRESS", "a:1,b", "expected host:port"),
        ("CONSOLE_PROCESS_MANAGER_URL", "host:99999", "expected host:port"),
        ("CONSOLE_MESSAGE_EXPIRE_BY_SEVERITY", '{"LOUD": 60}', "MESSAGE_EXPIRE_BY_SEVERITY"),
        ("CONSOLE_MESSAGE_EXPIRE_BY_SEVERITY", '{"DEBUG": 59}', "greater than or equal to 60"),
        ("CONSOLE_MESSAGE_MAX_GB", "-1", "greater than or equal to 0"),
    ],
)
def test_each_wrong_value_says_what_was_expected(
    environment: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    environment.setenv(name, value)
    with pytest.raises(SettingsError, match=re.escape(told)) as caught:
        load_settings()
    assert "pw" not in str(caught.value)


def test_severities_have_their_own_times(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CONSOLE_MESSAGE_EXPIRE_BY_SEVERITY", '{"DEBUG": 3600, "FATAL": 7776000}')
    assert load_settings().message_expire_by_severity == {"DEBUG": 3600, "FATAL": 7776000}


def test_postgresql_urls_of_any_spelling_use_psycopg(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CONSOLE_DATABASE_URL", "postgres://console@db/console")
    assert load_settings().sqlalchemy_url == "postgresql+psycopg://console@db/console"


def test_printing_the_settings_shows_no_secret(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CONSOLE_DATABASE_URL", "postgresql://console:hunter2@db/console")
    assert "hunter2" not in repr(load_settings())
    assert GOOD["CONSOLE_SECRET_KEY"] not in repr(load_settings())


def test_a_child_gets_its_own_settings_and_no_file(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("CONSOLE_PORT=9000\n")
    assert load_settings().port == 9000
    child = child_environment(**GOOD)
    assert {name for name in child if name.startswith("CONSOLE_")} == {*GOOD, "CONSOLE_ENV_FILE"}
    environment.setenv("CONSOLE_ENV_FILE", child["CONSOLE_ENV_FILE"])
    assert load_settings().port == 8050


def test_the_demo_refuses_a_short_password(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CONSOLE_DEMO_PASSWORD", "short")
    with pytest.raises(SettingsError, match="CONSOLE_DEMO_PASSWORD"):
        load_demo_settings()


@pytest.mark.parametrize("document", [".env.example", "docs/deployment.md"])
def test_every_setting_is_documented_and_nothing_else(document: str) -> None:
    written = set(re.findall(r"\bCONSOLE_[A-Z_]+\b", (ROOT / document).read_text()))
    assert set(names()) <= written
    assert written - set(names()) <= {"CONSOLE_NEW_PASSWORD", "CONSOLE_ENV_FILE"}


def test_the_example_file_is_good_but_for_the_secret(tmp_path: Path) -> None:
    text = (ROOT / ".env.example").read_text().replace("CONSOLE_SECRET_KEY=", "CONSOLE_SECRET_KEY=" + "s" * 16)
    (tmp_path / ".env").write_text(re.sub(r"^#(CONSOLE_)", r"\1", text, flags=re.MULTILINE))
    settings = load_settings()
    assert settings.kafka_topics[0] == "^control\\..+"


def test_tls_of_each_address(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CONSOLE_GRPC_TLS", '{"a:1": null, "b": {"ca_file": "/b.pem", "server_name": "gate"}}')
    tls = run_control_config(load_settings()).tls
    assert tls == Tls(None, {"a:1": None, "b": TlsFiles(ca_file=Path("/b.pem"), server_name="gate")})
    environment.setenv("CONSOLE_GRPC_CA_FILE", "/ca.pem")
    assert run_control_config(load_settings()).tls.everywhere == TlsFiles(ca_file=Path("/ca.pem"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONSOLE_GRPC_CERTIFICATE_FILE", "/c.pem"),
        ("CONSOLE_GRPC_KEY_FILE", "/k.pem"),
        ("CONSOLE_GRPC_TLS", '{"a:1": {"key_file": "/k.pem"}}'),
        ("CONSOLE_GRPC_TLS", '{"a:1": {"no_such_file": "/k.pem"}}'),
    ],
)
def test_tls_that_cannot_be_meant(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    environment.setenv(name, value)
    with pytest.raises(SettingsError, match=r"both|CONSOLE_GRPC_TLS: Extra"):
        load_settings()


def test_rules_of_alarms_come_from_the_file_that_is_named(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert alarm_rules(load_settings()) is BUILT_IN
    file = tmp_path / "rules.yaml"
    file.write_text("rules:\n  - name: all\n    filter: severity=FATAL\n    priority: high\n")
    environment.setenv("CONSOLE_ALARM_RULES", str(file))
    assert [rule.view.name for rule in alarm_rules(load_settings())] == ["all"]
    assert CliRunner().invoke(manage.cli, ["check-settings"]).output == "settings: good\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "CONSOLE_ALARM_RULES: {file} cannot be read"),
        (b"\xff\xfe", "CONSOLE_ALARM_RULES: {file} cannot be read"),
        (b"rules:\n  - name: a\n    filter: sverity=FATAL\n    priority: high\n", "line 3, rule 1, filter: 'sverity'"),
    ],
)
def test_rules_of_alarms_that_cannot_be_used_stop_the_start(
    environment: pytest.MonkeyPatch, tmp_path: Path, text: bytes | None, told: str
) -> None:
    file = tmp_path / "rules.yaml"
    if text is not None:
        file.write_bytes(text)
    environment.setenv("CONSOLE_ALARM_RULES", str(file))
    for command in ("check-settings", "serve", "collector"):
        done = CliRunner().invoke(manage.cli, [command])
        assert done.exit_code == 2
        assert told.format(file=file) in done.stderr
