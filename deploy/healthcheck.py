"""Ask the web server of this container whether it lives: exit code 0 for yes."""

import os
import sys
from http.client import HTTPConnection, HTTPException

TIMEOUT_S = 4.0


def main() -> int:
    """Return 0 when ``/health/live`` answers with 200 within the time limit."""
    # Not through Settings: the check must not need the secrets.
    port = int(os.environ.get("CONSOLE_PORT", "8050"))  # noqa: TID251
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/health/live")
        return 0 if connection.getresponse().status == 200 else 1  # noqa: PLR2004 - HTTP's OK
    except (OSError, HTTPException):
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
