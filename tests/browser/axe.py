"""What axe-core finds wrong with a page: the judge of accessibility that people who cannot see or point rely on."""

from collections.abc import Sequence

from tests.browser.person import Person
from tests.console import ROOT

# `make programs` puts it there; tests/axe names the version.
AXE = ROOT / ".cache" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
BAD = ("serious", "critical")
# On everything: nothing is excused.
_RUN = """
const [rules, done] = arguments;
const which = rules.length ? {runOnly: rules} : {};
const lines = ({id, impact, nodes}) =>
  nodes.map(({target, failureSummary}) => `${id} (${impact}): ${target.join(" ")}: ${failureSummary}`);
axe.run(document, {resultTypes: ["violations"], ...which})
  .then(({violations}) => done([violations.map(violation => [violation.impact, lines(violation)]), ""]))
  .catch(error => done([[], String(error)]));
"""


def why_not_here() -> str | None:
    """Return why pages cannot be judged on this machine; None when they can."""
    return None if AXE.exists() else "axe-core is not there (make programs fetches it with npm)"


def findings(person: Person, *rules: str) -> Sequence[str]:
    """Return what is seriously or critically wrong for a person, by all rules or these, a line an element."""
    person.driver.execute_script(AXE.read_text())
    violations, failure = person.driver.execute_async_script(_RUN, rules)
    assert not failure, failure
    return [line for impact, lines in violations if impact in BAD for line in lines]
