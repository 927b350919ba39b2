"""Who holds a controller: contract 8."""

from simulator.installation import Installation
from tests.simulated import RawClient, blamed, child, connected, said

SESSION = "local-1x1-config"


def holder(installation: Installation, node: str = "root-controller") -> str:
    with connected(installation.controller_address(SESSION, node), "Controller", "reader") as client:
        return said(client.call("who_is_in_charge"))


def test_fresh_tree_belongs_to_itself(small: Installation) -> None:
    assert holder(small) == "controller_init_token"
    assert holder(small, "df-controller") == "controller_init_token"


def test_taking_control_reaches_the_whole_tree(small: Installation, root: RawClient) -> None:
    response = root.call("take_control")
    assert (response.flag, said(response)) == (0, "alice took control")
    assert said(child(response, "df-controller")) == "alice took control"
    application = child(response, "df-controller", "df-01")
    assert (application.flag, application.HasField("data")) == (2, False)
    assert holder(small) == holder(small, "df-controller") == "alice"


def test_control_is_stolen_silently(small: Installation, held: RawClient) -> None:
    small.steal(SESSION, "bob")
    assert holder(small) == holder(small, "trg-controller") == "bob"
    assert held.execute("conf").flag == 3


def test_both_strings_of_the_token_count(small: Installation, held: RawClient) -> None:
    with connected(small.controller_address(SESSION), "Controller", "alice", "another-token") as stranger:
        assert stranger.execute("conf").flag == 3
    assert held.execute("conf").flag == 0


def test_ownership_is_per_controller(small: Installation, held: RawClient) -> None:
    with connected(small.controller_address(SESSION, "df-controller"), "Controller", "bob") as thief:
        thief.call("take_control")
    response = held.execute("conf")
    assert response.flag == 0
    assert child(response, "df-controller").flag == 3
    assert child(response, "ru-controller").flag == 0
    assert held.status().in_error


def test_surrender_says_it_failed_but_releases_the_root_alone(small: Installation, held: RawClient) -> None:
    response = held.call("surrender_control")
    assert (response.flag, said(response)) == (1, "Could not surrender control")
    assert not response.children
    assert holder(small) == ""
    assert holder(small, "df-controller") == "alice"
    assert held.call("surrender_control").flag == 3


def test_take_control_reports_a_child_that_is_gone_but_takes_the_rest(small: Installation, root: RawClient) -> None:
    small.controller_down(SESSION, "df-controller")
    response = root.call("take_control")
    assert (response.flag, said(response)) == (1, "Could not take control on all children")
    gone = child(response, "df-controller")
    assert gone.flag == 6
    assert ", 14)" in blamed(gone)
    assert holder(small) == holder(small, "ru-controller") == "alice"


def test_include_and_exclude_need_control(root: RawClient) -> None:
    for rpc in ("include", "exclude", "surrender_control"):
        assert root.call(rpc).flag == 3
