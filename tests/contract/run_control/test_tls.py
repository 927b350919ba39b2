"""Calls over TLS, against servers that speak it, with certificates made for the test."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest

from services.errors import NotReachableError
from services.run_control.channels import Channels
from services.run_control.detection import DetectingAdapters
from services.run_control.generations import Generation
from services.run_control.support import Deadlines
from services.run_control.tls import Tls, TlsFiles
from tests.contract.run_control.servers import saying, serving
from wire.schema import load_g1

SERVER_NAME = "drunc-gate"
STATUS = "/dunedaq.druncschema.Controller/get_status"


@dataclass(frozen=True)
class Authority:
    """Signs certificates, in a folder."""

    folder: Path

    @property
    def certificate(self) -> Path:
        return self.folder / "ca.pem"

    def begin(self) -> "Authority":
        self.folder.mkdir()
        _openssl(
            *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=authority"),
            *("-keyout", str(self.folder / "ca.key"), "-out", str(self.certificate)),
        )
        return self

    def sign(self, name: str, *alternatives: str) -> tuple[Path, Path]:
        """Return certificate and key for ``name``."""
        key, request, certificate = (self.folder / f"{name}.{kind}" for kind in ("key", "csr", "pem"))
        names = self.folder / f"{name}.ext"
        names.write_text(f"subjectAltName={','.join((f'DNS:{name}', *alternatives))}\n")
        _openssl(
            *("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}"),
            *("-keyout", str(key), "-out", str(request)),
        )
        _openssl(
            *("x509", "-req", "-days", "1", "-in", str(request), "-extfile", str(names), "-out", str(certificate)),
            *("-CA", str(self.certificate), "-CAkey", str(self.folder / "ca.key"), "-CAcreateserial"),
        )
        return certificate, key


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "site").begin()


@pytest.fixture(scope="module")
def signed(authority: Authority) -> tuple[Path, Path]:
    """Certificate and key of the server, for its name and for the address."""
    return authority.sign(SERVER_NAME, "IP:127.0.0.1")


@contextmanager
def server(signed: tuple[Path, Path], asks_for: Path | None = None) -> Iterator[str]:
    """Serve over TLS; ``asks_for`` are the authorities whose clients are let in, None for anybody."""
    certificate, key = signed
    credentials = grpc.ssl_server_credentials(
        [(key.read_bytes(), certificate.read_bytes())],
        root_certificates=None if asks_for is None else asks_for.read_bytes(),
        require_client_auth=asks_for is not None,
    )
    schema = load_g1()
    status = schema.message("dunedaq.druncschema.Status")(name="root", state="initial")
    answer = schema.message("dunedaq.druncschema.Response")(name="root", data=schema.pack(status))
    with serving({STATUS: saying(answer.SerializeToString())}, credentials=credentials) as address:
        yield address


def state(address: str, tls: Tls) -> str | None:
    adapters = DetectingAdapters(Channels(tls), Deadlines(5, 5), Generation.G1)
    try:
        return adapters.controller(address).status("console").state
    finally:
        adapters.close()


def test_the_authority_decides_whom_to_trust(authority: Authority, signed: tuple[Path, Path], tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "stranger").begin()
    with server(signed) as address:
        assert state(address, Tls(TlsFiles(ca_file=authority.certificate))) == "initial"
        for tls in (Tls(), Tls(TlsFiles()), Tls(TlsFiles(ca_file=stranger.certificate))):
            with pytest.raises(NotReachableError, match=address):
                state(address, tls)


def test_a_server_that_asks_who_the_console_is(authority: Authority, signed: tuple[Path, Path], tmp_path: Path) -> None:
    own, key = authority.sign("console")
    foreign, foreign_key = Authority(tmp_path / "stranger").begin().sign("console")
    with server(signed, asks_for=authority.certificate) as address:
        assert state(address, Tls(TlsFiles(authority.certificate, own, key))) == "initial"
        for files in (TlsFiles(authority.certificate), TlsFiles(authority.certificate, foreign, foreign_key)):
            with pytest.raises(NotReachableError, match=address):
                state(address, Tls(files))


def test_addresses_may_differ(authority: Authority, signed: tuple[Path, Path]) -> None:
    trusted = TlsFiles(ca_file=authority.certificate)
    with server(signed) as address:
        host = address.partition(":")[0]
        assert state(address, Tls(None, {address: trusted})) == "initial"
        assert state(address, Tls(None, {host: trusted})) == "initial"
        # The whole address goes before its host.
        with pytest.raises(NotReachableError):
            state(address, Tls(trusted, {host: trusted, address: None}))
        with pytest.raises(NotReachableError):
            state(address, Tls(trusted, {host: None}))


def test_a_certificate_that_bears_another_name(authority: Authority) -> None:
    with server(authority.sign("elsewhere")) as address:
        with pytest.raises(NotReachableError):
            state(address, Tls(TlsFiles(ca_file=authority.certificate)))
        assert state(address, Tls(TlsFiles(ca_file=authority.certificate, server_name="elsewhere"))) == "initial"


def test_a_file_that_cannot_be_read_is_named(authority: Authority, tmp_path: Path) -> None:
    for files in (
        TlsFiles(ca_file=tmp_path / "none.pem"),
        TlsFiles(authority.certificate, tmp_path / "none.pem", tmp_path / "none.pem"),
    ):
        with pytest.raises(NotReachableError, match=r"none\.pem cannot be read"):
            state("127.0.0.1:1", Tls(files))


def test_files_that_hold_no_certificates(tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_bytes(b"\x00 no certificate")
    for files in (TlsFiles(ca_file=rubbish), TlsFiles(None, rubbish, rubbish)):
        with pytest.raises(NotReachableError):
            state("127.0.0.1:1", Tls(files))


@pytest.mark.parametrize("address", ["a\udc80:1", "a\x00b:1", "", "no port", "dns://?", "unix:///nowhere"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(NotReachableError):
        state(address, Tls())
