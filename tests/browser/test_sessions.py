"""Sessions in a browser: booted and ended where a service does that, else with lines to copy."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.installation import Installation
from simulator.layouts import CONFIGURATION_FILE
from tests.browser.conftest import NewPerson
from tests.browser.person import NARROW
from tests.console import Console, running_console
from tests.kafka import KafkaBroker

SESSION = "local-1x1-config"
NEW = "shift-7"


class TestWithService:
    """drunc G3 with session manager and run control service."""

    @pytest.fixture
    def installation(self, kafka_broker: KafkaBroker) -> Iterator[Installation]:
        simulated = Installation(
            sessions=(SESSION,),
            kafka_address=kafka_broker.address,
            generations={SESSION: "G3"},
            process_manager_generation="G3",
        )
        simulated.start()
        yield simulated
        simulated.stop()

    @pytest.fixture
    def console(self, installation: Installation, tmp_path: Path) -> Iterator[Console]:
        with running_console(
            tmp_path / "console",
            process_manager=installation.process_manager_address,
            connectivity=installation.connectivity_address,
            kafka=installation.kafka_address or "",
            CONSOLE_SESSION_MANAGER_URL=installation.session_manager_address or "",
            CONSOLE_RUN_CONTROL_URL=installation.run_control_address or "",
        ) as running:
            yield running

    @pytest.mark.timeout(180)
    def test_a_session_is_booted_looked_at_and_ended(self, new_person: NewPerson) -> None:
        victor = new_person("victor").open("/sessions")
        victor.wait_text("#sessions-active", SESSION)
        victor.wait_text("#sessions-boot-reason", "does not include session.start")
        alice = new_person("alice").open("/")
        alice.click(".rail a[href^='/sessions']")
        alice.wait_text("#sessions-configurations", SESSION)
        alice.click(f"#sessions-configuration option[value*='{SESSION}']")
        alice.wait_that(
            lambda: alice.find("#sessions-file")[0].get_attribute("value") == CONFIGURATION_FILE, 10, "file"
        )
        alice.wait("#sessions-name").send_keys(NEW)
        alice.click("#sessions-boot-button[aria-disabled='false']")
        alice.wait_text("#sessions-commands", f"{NEW} was started.", 30)
        alice.wait_text("#sessions-active", NEW)
        victor.wait_text("#sessions-active", NEW)
        alice.wait_text("#sessions-active", "process manager, session manager", 20)
        alice.click(f"#sessions-session option[value='{NEW}']")
        alice.click("#sessions-end-button[aria-disabled='false']")
        alice.wait_text("#sessions-dialog .modal-title", f"End {NEW} with its")
        alice.click("#sessions-confirm-button[aria-disabled='false']")
        alice.wait_text("#sessions-commands", f"{NEW} was ended.", 30)
        alice.wait_text("#sessions-gone", NEW, 20)
        alice.wait_that(lambda: NEW not in alice.text("#sessions-active"), 20, "its end")
        victor.wait_text("#sessions-gone", NEW)


@pytest.mark.timeout(120)
def test_without_a_service_lines_are_copied(new_person: NewPerson, installation: Installation) -> None:
    victor = new_person("victor").open(f"/sessions?session={SESSION}")
    victor.wait_text("#sessions-end-then", f"kill --session {SESSION}")
    shell = f"drunc-process-manager-shell grpc://{installation.process_manager_address}"
    assert victor.text("#sessions-end-shell") == shell
    assert victor.find("#sessions-end-button")[0].is_displayed() is False
    victor.wait("#sessions-name").send_keys("<b>")
    victor.wait("#sessions-file").send_keys("file.xml")
    victor.wait_text("#sessions-boot-hint", "letters, digits")
    victor.find("#sessions-name")[0].clear()
    victor.wait("#sessions-name").send_keys(NEW)
    victor.wait_text("#sessions-boot-then", f"boot file.xml {NEW}")
    victor.click("#sessions-boot-then-copy")
    victor.wait_text("#sessions-boot-then-copy", "Copied")


@pytest.mark.timeout(120)
def test_the_sessions_fit_a_phone(new_person: NewPerson) -> None:
    victor = new_person("victor").open("/sessions").resize(NARROW)
    victor.wait_text("#sessions-active", SESSION)
    root = "document.documentElement.scroll"
    assert victor.driver.execute_script(f"return {root}Width <= innerWidth && {root}Height <= innerHeight")
