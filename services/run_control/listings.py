"""From lists that process and session managers answer to plain data (contract 4.3, 5.3, 6.3, 6.4)."""

from collections.abc import Iterable

from services.errors import SchemaMismatchError
from services.run_control.decode import ID_WIDTH, NAME_WIDTH, enum_name
from services.run_control.directories import address_from
from services.run_control.process_types import Process, ProcessStatus
from services.run_control.session_types import ActiveSession, Configuration
from services.texts import clean
from wire.schema import WireMessage


def process(wire: WireMessage) -> Process:
    """Return a ``ProcessInstance``; an exit code only for the dead (contract 22.4).

    Raises:
        SchemaMismatchError: It has no UUID, or a status that the schema does not know.
    """
    metadata = wire.process_description.metadata
    uuid = wire.uuid.uuid or metadata.uuid.uuid
    if not uuid:
        raise SchemaMismatchError(f"The process {clean(metadata.name)} has no UUID.")
    try:
        code = ProcessStatus(enum_name(wire, "status_code"))
    except ValueError as error:
        raise SchemaMismatchError(f"Process {clean(metadata.name)} has the status {wire.status_code}.") from error
    return Process(
        uuid=clean(uuid, ID_WIDTH),
        name=clean(metadata.name),
        session=clean(metadata.session, NAME_WIDTH),
        user=clean(metadata.user, NAME_WIDTH),
        hostname=clean(metadata.hostname, NAME_WIDTH),
        status=code,
        return_code=_return_code(wire) if code is ProcessStatus.DEAD else None,
        tree_id=clean(metadata.tree_id, ID_WIDTH) or None,
        connectivity=address_from(wire.process_description.env, metadata.hostname),
    )


def _return_code(wire: WireMessage) -> int | None:
    """Return the exit code of a dead process; G3 tells whether it is set, elsewhere unset is zero (contract 22.4)."""
    if wire.DESCRIPTOR.fields_by_name["return_code"].has_presence and not wire.HasField("return_code"):
        return None
    return int(wire.return_code)


def processes(instances: Iterable[WireMessage]) -> tuple[Process, ...]:
    """Return the processes of a list, each once."""
    return tuple({found.uuid: found for found in map(process, instances)}.values())


def sessions(wire: Iterable[WireMessage]) -> tuple[ActiveSession, ...]:
    """Return the ``ActiveSession`` messages of a session manager."""
    return tuple(
        ActiveSession(
            clean(session.name, NAME_WIDTH), clean(session.user, NAME_WIDTH), _configuration(session.config_key)
        )
        for session in wire
    )


def configurations(wire: Iterable[WireMessage]) -> tuple[Configuration, ...]:
    """Return the ``ConfigKey`` messages of a session manager."""
    return tuple(_configuration(key) for key in wire)


def _configuration(wire: WireMessage) -> Configuration:
    return Configuration(clean(wire.file), clean(wire.session_id, NAME_WIDTH))
