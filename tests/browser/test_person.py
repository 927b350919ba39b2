"""The watch over requests sees what it is there for, on every page since the browser began."""

import pytest

from tests.browser.conftest import NewPerson

# Reserved for examples (RFC 2606): nothing is there to answer.
ELSEWHERE = "http://elsewhere.invalid/x.png"


@pytest.mark.timeout(120)
def test_a_request_to_another_host_is_seen(new_person: NewPerson) -> None:
    visitor = new_person(None).open("/login")
    assert visitor.foreign_requests() == []
    # A page without a policy of its own: ours would not let it ask at all.
    visitor.driver.get(f"data:text/html,<img src='{ELSEWHERE}'>")
    visitor.open("/login")
    assert visitor.foreign_requests() == [ELSEWHERE]
    visitor.problems()
