"""What the run control worker needs to know, composed from the settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from services.run_control.tls import NO_TLS, Tls


@dataclass(frozen=True, slots=True)
class RunControlConfig:
    """Addresses, names and times of the run control worker.

    Attributes:
        process_manager_address: ``host:port``.
        connectivity_address: ``host:port`` of the site's.
        connectivity_by_session: ``host:port`` by session, of those that have a connectivity service of their own.
        session_manager_address: ``host:port``; None to look for it in the connectivity service.
        run_control_address: ``host:port`` of the run control service of G3; None where there is none.
        default_session: Session that is polled even while the process manager lists none of its processes.
        service_user: Name under which polls are made; commands are made under the person's.
        poll_interval_s: From one poll to the next.
        rpc_deadline_s: Deadline of reads.
        command_deadline_s: Deadline of commands.
        lease_ttl_s: A worker that was not heard of for so long is taken over from.
        pending_limit_s: A command that waited longer than this for a worker is not sent any more.
        boot_grace_s: What was booted is watched for so long before the command is judged.
        generation: Schema generation to assume everywhere; ``auto`` to find out for each address.
        tls: How each address is spoken to.
    """

    process_manager_address: str
    connectivity_address: str
    default_session: str | None = None
    service_user: str = "console"
    poll_interval_s: float = 1.0
    rpc_deadline_s: float = 5.0
    command_deadline_s: float = 480.0
    lease_ttl_s: float = 5.0
    pending_limit_s: float = 15.0
    boot_grace_s: float = 5.0
    generation: Literal["auto", "G1", "G2", "G3"] = "auto"
    tls: Tls = NO_TLS
    connectivity_by_session: Mapping[str, str] = field(default_factory=dict)
    session_manager_address: str | None = None
    run_control_address: str | None = None
