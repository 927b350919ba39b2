"""Where SQLite may live."""

from pathlib import Path

import pytest

from models import database as module
from models.database import Database, NetworkFileSystemError
from models.filesystem import network_kind

MOUNTS = r"""
/dev/sda1 / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/sdb1 /home/local xfs rw 0 0
AFS /afs afs rw 0 0
eos /eos/user\040data fuse.eosxd rw 0 0
short line
"""


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    file = tmp_path / "mounts"
    file.write_text(MOUNTS)
    return file


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/console.db", None),
        ("/home/alice/console.db", "nfs4"),
        ("/home/local/console.db", None),
        ("/afs/cern.ch/user/console.db", "afs"),
        ("/eos/user data/console.db", "fuse.eosxd"),
    ],
)
def test_the_nearest_mount_decides(mounts: Path, path: str, kind: str | None) -> None:
    assert network_kind(Path(path), mounts) == kind


def test_nothing_is_known_where_the_system_does_not_tell(tmp_path: Path) -> None:
    assert network_kind(Path("/home/alice"), tmp_path / "missing") is None


def test_sqlite_on_a_network_file_system_is_refused_with_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "network_kind", lambda _path: "nfs4")
    database = Database(f"sqlite:///{tmp_path / 'console.db'}")
    for action in (database.migrate, database.require_head):
        with pytest.raises(NetworkFileSystemError, match="CONSOLE_DATA_DIR"):
            action()
    assert not (tmp_path / "console.db").exists()
