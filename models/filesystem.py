"""Which kind of file system a path is on. SQLite's locks cannot be trusted on one that other machines share."""

import re
from pathlib import Path

MOUNTS = Path("/proc/self/mounts")

# As the kernel names them; what runs in user space stands behind "fuse.".
NETWORK_KINDS = frozenset(
    {
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "fuse.eosxd",
        "fuse.glusterfs",
        "fuse.sshfs",
        "gpfs",
        "lustre",
        "nfs",
        "nfs4",
        "smb3",
    }
)


def network_kind(path: Path, mounts: Path = MOUNTS) -> str | None:
    """Return the kind of network file system that ``path`` is on, e.g. ``nfs4``; None for a local one.

    Where the system does not tell (no ``/proc``), nothing is known and None is returned.
    """
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return None
    kinds = {_unescaped(fields[1]): fields[2] for fields in map(str.split, lines) if len(fields) > 2}  # noqa: PLR2004
    resolved = path.resolve()
    for directory in (resolved, *resolved.parents):
        kind = kinds.get(str(directory))
        if kind is not None:
            return kind if kind in NETWORK_KINDS else None
    return None


def _unescaped(text: str) -> str:
    """Undo the octal escapes of blanks and the like in the list of mounts."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found.group(1), 8)), text)
