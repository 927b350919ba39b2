"""Files by which programs find each other."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


def write_private_json(path: Path, content: Mapping[str, object]) -> None:
    """Write a JSON file that appears whole and that only this user may read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # mkstemp makes files of mode 0600.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file)
    Path(name).replace(path)
