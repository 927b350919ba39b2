"""The simulator's control page in a browser: it shows what there is, gives orders, and shows texts as texts."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.remote.webelement import WebElement

from simulator.control import ControlServer
from simulator.installation import Installation
from simulator.orders import ORDERS
from simulator.scenario import shipped_scenarios
from tests.browser.person import Person
from tests.console import Console
from tests.waiting import wait_until

# A name that would be an element if it were taken for markup.
SESSION = "<b>bold"


@pytest.fixture(scope="module")
def control() -> Iterator[ControlServer]:
    """The control endpoint of a session with an evil name."""
    simulated = Installation([f"{SESSION}:local-1x1-config"], generations={SESSION: "G3"})
    server = ControlServer(simulated)
    try:
        simulated.start()
        server.start()
        yield server
    finally:
        server.stop()
        simulated.stop()


@pytest.fixture
def trainer(control: ControlServer, tmp_path: Path) -> Iterator[Person]:
    """Somebody with the page open who knows the token."""
    with Person(Console(f"http://{control.address}", "", tmp_path / "log"), tmp_path) as person:
        person.open(f"/#{control.token}")
        yield person
        # Browsers note every refusal, also one that the page tells itself.
        refusals = ("409 (Conflict)", "401 (Unauthorized)")
        assert [problem for problem in person.problems() if not problem.endswith(refusals)] == []


def submit(trainer: Person, order: str, **values: str) -> None:
    """Fill in the form of an order and send it."""
    (form,) = [form for form in trainer.find("#orders form") if form.text.splitlines()[-1].endswith(order)]
    for name, value in values.items():
        field = form.find_element("name", name)  # type: ignore[no-untyped-call]  # this selenium has no types here
        field.clear()
        field.send_keys(value)
    form.find_element("css selector", "button").click()  # type: ignore[no-untyped-call]  # as above


def test_it_shows_sessions_scenarios_and_orders(trainer: Person) -> None:
    wait_until(lambda: trainer.texts("#sessions td")[:3] == [SESSION, "G3", "initial"], 10, "the session, as text")
    assert trainer.find("#sessions b") == []
    assert len(trainer.find("#orders form")) == len(ORDERS)
    assert len(trainer.find("#scenarios li")) == len(shipped_scenarios())
    assert "#" not in trainer.driver.current_url, "the token stays out of the address bar"


def test_a_button_gives_the_order(trainer: Person, control: ControlServer) -> None:
    wait_until(lambda: trainer.find("#orders form"), 10, "the orders")
    submit(trainer, "kill", name="mlt", exit_code="7")
    wait_until(lambda: trainer.text("#answer") == "done: kill", 10, "the answer")
    wait_until(lambda: trainer.texts("#sessions td")[4] == "mlt", 10, "the dead process")
    assert not control.installation.processes(SESSION)["mlt"]
    submit(trainer, "kill", name="<i>nobody")
    wait_until(lambda: "has no process '<i>nobody'" in trainer.text("#answer.wrong"), 10, "the refusal, as text")


def test_a_scenario_is_played_and_stopped(trainer: Person) -> None:
    def button() -> WebElement | None:
        return next((known for known in trainer.find("#scenarios button") if known.text == "play slow-conf"), None)

    play = wait_until(button, 10, "the scenario")
    assert play is not None
    play.click()
    wait_until(lambda: "A conf that takes a minute: playing, step 2 of 3" in trainer.text("#progress"), 10, "its step")
    trainer.wait("#stop-playing").click()
    wait_until(lambda: "stopped" in trainer.text("#progress"), 10, "the end")


def test_without_the_token_it_says_so(trainer: Person) -> None:
    # The same page with another fragment would not be loaded again.
    trainer.driver.get("about:blank")
    trainer.open("/#wrong")
    wait_until(lambda: trainer.text("#answer.wrong") == "The token is wrong", 10, "the refusal")
    assert trainer.find("#orders form") == []
