"""Fields of the process manager's requests, which all generations share."""

from collections.abc import Callable
from typing import Any

from services.run_control.process_types import BootOrder, ProcessQuery
from services.run_control.support import NOBODY, name_patterns, needs_host
from wire.schema import WireMessage

# Short name of a message → its class, in the generation's pool.
Messages = Callable[[str], WireMessage]


def query_fields(message: Messages, query: ProcessQuery) -> dict[str, Any]:
    """Return the fields of a ``ProcessQuery``.

    Raises:
        InvalidInputError: A pattern is no regular expression.
    """
    return {
        "uuids": [message("ProcessUUID")(uuid=uuid) for uuid in query.uuids],
        "names": name_patterns(query),
        "session": NOBODY if query.session is None else query.session,
        "user": NOBODY if query.user is None else query.user,
    }


def boot_fields(message: Messages, order: BootOrder) -> dict[str, Any]:
    """Return the fields of a ``BootRequest``.

    Raises:
        InvalidInputError: There is no host to boot on.
    """
    needs_host(order)
    programs = [
        message("ProcessDescription.ExecAndArgs")(exec=program, args=arguments)
        for program, *arguments in order.commands
    ]
    metadata = message("ProcessMetadata")(
        user=order.user, session=order.session, name=order.name, tree_id=order.tree_id
    )
    description = message("ProcessDescription")(
        metadata=metadata,
        env=dict(order.environment),
        executable_and_arguments=programs,
        process_execution_directory=order.directory,
        process_logs_path=order.log_path,
    )
    return {
        "process_description": description,
        "process_restriction": message("ProcessRestriction")(allowed_hosts=order.hosts),
    }
