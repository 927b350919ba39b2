"""Which addresses are spoken to over TLS, and with which certificates. drunc itself has none: a proxy before it has."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from services.errors import NotReachableError


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files for the calls to an address; they are read whenever a connection is made, so that they may change.

    Attributes:
        ca_file: Certificates of the authorities to trust, and no others; None for those of gRPC.
        certificate_file: The console's own certificate, where the server asks for one; None for none.
        key_file: Key of the console's own certificate.
        server_name: Name that the server's certificate bears, where it is not that of the address.
    """

    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    server_name: str | None = None


@dataclass(frozen=True, slots=True)
class Tls:
    """TLS of all addresses.

    Attributes:
        everywhere: For addresses that are not named; None for calls without TLS.
        by_address: By ``host:port``, or by ``host`` for all its ports; None for calls without TLS.
    """

    everywhere: TlsFiles | None = None
    by_address: Mapping[str, TlsFiles | None] = field(default_factory=dict)

    def of(self, address: str) -> TlsFiles | None:
        """Return what ``host:port`` is spoken to with; None for without TLS."""
        for known in (address, address.rpartition(":")[0]):
            if known in self.by_address:
                return self.by_address[known]
        return self.everywhere


NO_TLS = Tls()


def open_channel(address: str, tls: Tls, options: tuple[tuple[str, int], ...]) -> grpc.Channel:
    """Return a channel to ``host:port``; nothing is sent yet.

    Raises:
        NotReachableError: A file cannot be read, or the address is none.
    """
    files = tls.of(address)
    try:
        if files is None:
            return grpc.insecure_channel(address, options=options)
        name = (("grpc.ssl_target_name_override", files.server_name),) if files.server_name else ()
        return grpc.secure_channel(address, _credentials(files), options=(*options, *name))
    except OSError as error:
        raise NotReachableError(
            f"No connection to {address}: {error.filename} cannot be read ({error.strerror}).",
            next_step="Check the settings CONSOLE_GRPC_….",
        ) from error
    except ValueError as error:
        raise NotReachableError(f"No connection to {address!a}: it is no address ({error}).") from error


def _credentials(files: TlsFiles) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(
        root_certificates=_read(files.ca_file),
        private_key=_read(files.key_file),
        certificate_chain=_read(files.certificate_file),
    )


def _read(file: Path | None) -> bytes | None:
    return None if file is None else file.read_bytes()
