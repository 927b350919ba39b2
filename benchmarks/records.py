"""Records as a busy control room has them: five sessions, forty applications, few errors, texts of a dozen words."""

import random
from collections.abc import Iterator, Sequence
from itertools import islice

from services.messages.types import Record, Severity
from wire import load_ers, load_g1

SESSIONS = tuple(f"np04-session-{number}" for number in range(5))
RARE_WORD = "quenched"
COMMON_WORD = "trigger"
# In rising order of severity; warnings and worse are few.
_WEIGHTS = (30, 5, 58, 5, 1.9, 0.1)
_LONGEST = 10
_PAYLOADS = 20_000
_ERS_SHARE = 0.3
_RARE_EVERY = 5_000
_DAY_MS = 86_400_000

_Payload = tuple[str, bytes]


def records(number: int, end_ms: int, *, days: float | None = None, batch: int = 500) -> Iterator[list[Record]]:
    """Give records in batches of consecutive offsets, the last of them at ``end_ms`` (milliseconds since 1970).

    Args:
        number: How many.
        end_ms: When the last was produced.
        days: Spread the batches evenly over so many days; without it a thousand records make a second.
        batch: Records of one batch.
    """
    payloads = _payloads()
    offsets = dict.fromkeys({topic for topic, _ in payloads}, 0)
    gap_ms = batch if days is None else max(int(days * _DAY_MS * batch / number), batch)
    first_ms = end_ms - gap_ms * -(-number // batch)
    for at in range(0, number, batch):
        made: list[Record] = []
        for step, (topic, value) in enumerate(_slice(payloads, at, min(batch, number - at))):
            made.append(Record(topic, 0, offsets[topic], first_ms + at // batch * gap_ms + step, None, value))
            offsets[topic] += 1
        yield made


def _slice(payloads: Sequence[_Payload], start: int, number: int) -> Iterator[_Payload]:
    return (payloads[index % len(payloads)] for index in islice(range(start, start + number), number))


def ordinary_word() -> str:
    """Return a long word that about one message in five hundred has."""
    _, words = _words()
    return next(word for word in words if len(word) == _LONGEST)


def _payloads() -> list[_Payload]:
    chance, words = _words()
    return [_payload(chance, words, number) for number in range(_PAYLOADS)]


def _words() -> tuple[random.Random, list[str]]:
    """Return words, and the chance by which records are made of them."""
    chance = random.Random(20261120)  # noqa: S311 - the same records every time
    return chance, ["".join(chance.choices("aeioulnrstdmkpg", k=chance.randint(3, _LONGEST))) for _ in range(5_000)]


def _payload(chance: random.Random, words: Sequence[str], number: int) -> _Payload:
    severity = chance.choices(list(Severity), _WEIGHTS)[0]
    session, application = chance.choice(SESSIONS), f"application-{chance.randrange(40):02}"
    said = [*chance.choices(words, k=10), str(chance.randrange(10_000))]
    if chance.random() < 1 / 4:
        said.append(COMMON_WORD)
    if number % _RARE_EVERY == 0:
        said.append(RARE_WORD)
    text = " ".join(said)
    # Broadcasts know no warnings.
    if severity == Severity.WARNING or chance.random() < _ERS_SHARE:
        return "monitoring.ers_stream", _issue(severity, session, application, text)
    return f"control.{session}.{application}", _broadcast(severity, session, application, text)


def _issue(severity: Severity, session: str, application: str, text: str) -> bytes:
    chain = load_ers().message("dunedaq.ersschema.IssueChain")()
    chain.session, chain.application = session, application
    chain.final.name, chain.final.severity, chain.final.message = "appfwk::Notice", severity.name, text
    chain.final.context.host_name = "np04-srv-001"
    chain.final.parameters["attempt"] = "1"
    return bytes(chain.SerializeToString())


def _broadcast(severity: Severity, session: str, application: str, text: str) -> bytes:
    names = {
        Severity.DEBUG: "ACK",
        Severity.ERROR: "DRUNC_EXCEPTION_RAISED",
        Severity.FATAL: "UNHANDLED_EXCEPTION_RAISED",
    }
    schema = load_g1()
    numbers = {name: number for number, name in schema.enum_names("dunedaq.druncschema.BroadcastType").items()}
    message = schema.message("dunedaq.druncschema.BroadcastMessage")()
    message.type = numbers[names.get(severity, "STATUS_UPDATE")]
    message.emitter.process, message.emitter.session = application, session
    message.data.CopyFrom(schema.pack(schema.message("dunedaq.druncschema.PlainText")(text=text)))
    return bytes(message.SerializeToString())
