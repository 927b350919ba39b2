"""The connectivity service: where a session's controllers and applications listen (contract section 14)."""

from collections.abc import Mapping
from urllib.parse import quote

import requests

from services.errors import NotReachableError, SchemaMismatchError
from services.run_control.texts import clean

_SUFFIX = "_control"
_QUERY = {"uid_regex": f".*{_SUFFIX}", "data_type": "RunControlMessage"}
_URI_WIDTH = 255
_NOT_FOUND = 404
_OK = 200


class Connectivity:
    """HTTP client of one connectivity service. One call at a time for each object: give each thread its own."""

    def __init__(self, address: str, timeout_s: float) -> None:
        """Keep ``host:port`` and how long to wait for an answer."""
        self.address = address
        self._timeout_s = timeout_s
        self._http = requests.Session()
        # A proxy from the environment cannot reach the detector's network (contract 22.36).
        self._http.trust_env = False

    def lookup(self, session: str) -> Mapping[str, str]:
        """Return node name to address (``grpc://…`` or ``rest://…``) of a session; empty if it is not known.

        Empty can be a hiccup: entries live for ten seconds (contract 22.31).

        Raises:
            NotReachableError: The service does not answer.
            SchemaMismatchError: The answer is not what the contract says.
        """
        url = f"http://{self.address}/getconnection/{quote(session, safe='')}"
        try:
            answer = self._http.post(url, json=_QUERY, timeout=self._timeout_s, allow_redirects=False)
        except requests.RequestException as error:
            raise NotReachableError(
                f"The connectivity service at {self.address} does not answer ({_reason(error)}).",
                next_step="Check that it is running and that the address is right.",
            ) from error
        if answer.status_code == _NOT_FOUND:
            return {}
        if answer.status_code != _OK:
            raise self._mismatch(f"answered with HTTP status {answer.status_code}")
        return self._decoded(answer)

    def close(self) -> None:
        """Close the kept connection."""
        self._http.close()

    def _decoded(self, answer: requests.Response) -> Mapping[str, str]:
        try:
            entries = answer.json()
            found = {str(entry["uid"]): str(entry["uri"]) for entry in entries}
        except (ValueError, TypeError, KeyError) as error:
            raise self._mismatch("sent something that is not a list of connections") from error
        return {clean(uid.removesuffix(_SUFFIX)): clean(uri, _URI_WIDTH) for uid, uri in found.items()}

    def _mismatch(self, problem: str) -> SchemaMismatchError:
        return SchemaMismatchError(f"The connectivity service at {self.address} {problem}.")


def _reason(error: requests.RequestException) -> str:
    return "no answer in time" if isinstance(error, requests.Timeout) else type(error).__name__
