"""The connectivity service: where a session's controllers and applications listen (contract section 14)."""

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from urllib.parse import quote

import requests

from services.errors import NotReachableError, SchemaMismatchError
from services.texts import clean

_SUFFIX = "_control"
_QUERY = {"uid_regex": f".*{_SUFFIX}", "data_type": "RunControlMessage"}
_URI_WIDTH = 255
_NOT_FOUND = 404
_OK = 200
_HEADINGS = ("h2", "h3")
# What a session may be called (contract 3): other headings are the page's own.
_SESSION_NAME = re.compile(r"[^./\s]{1,255}")


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
        answer = self._answer("POST", f"/getconnection/{quote(session, safe='')}", _QUERY)
        return {} if answer.status_code == _NOT_FOUND else self._decoded(answer)

    def candidates(self) -> frozenset[str]:
        """Return what may be names of sessions it knows: it lists them for people only, so each must be looked up.

        Raises:
            NotReachableError, SchemaMismatchError: As for `lookup`.
        """
        answer = self._answer("GET", "/", None)
        headings = _Headings()
        headings.feed(answer.text if answer.status_code == _OK else "")
        return frozenset(text for text in headings.texts if _SESSION_NAME.fullmatch(text))

    def close(self) -> None:
        """Close the kept connection."""
        self._http.close()

    def _answer(self, method: str, path: str, body: Mapping[str, str] | None) -> requests.Response:
        """Return an answer whose status is OK or "not found"."""
        url = f"http://{self.address}{path}"
        try:
            answer = self._http.request(method, url, json=body, timeout=self._timeout_s, allow_redirects=False)
        except requests.RequestException as error:
            raise NotReachableError(
                f"The connectivity service at {self.address} does not answer ({_reason(error)}).",
                next_step="Check that it is running and that the address is right.",
            ) from error
        if answer.status_code not in (_OK, _NOT_FOUND):
            raise self._mismatch(f"answered with HTTP status {answer.status_code}")
        return answer

    def _decoded(self, answer: requests.Response) -> Mapping[str, str]:
        try:
            entries = answer.json()
            found = {str(entry["uid"]): str(entry["uri"]) for entry in entries}
        except (ValueError, TypeError, KeyError) as error:
            raise self._mismatch("sent something that is not a list of connections") from error
        return {clean(uid.removesuffix(_SUFFIX)): clean(uri, _URI_WIDTH) for uid, uri in found.items()}

    def _mismatch(self, problem: str) -> SchemaMismatchError:
        return SchemaMismatchError(f"The connectivity service at {self.address} {problem}.")


class _Headings(HTMLParser):
    """Collects the texts of headings: the page has one for each session (contract 14 tells no more of its form)."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the library's
        self._inside = tag in _HEADINGS

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag not in _HEADINGS

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.texts.append(data.strip())


def _reason(error: requests.RequestException) -> str:
    return "no answer in time" if isinstance(error, requests.Timeout) else type(error).__name__
