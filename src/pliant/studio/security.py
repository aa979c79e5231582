"""Who may talk to the studio. A page that only this machine should reach is still reached by every site the browser has open.

So: requests must name this server in `Host` (against DNS rebinding), sockets and posts must come from its own page (`Origin`),
and everything but the health check needs the cookie that the token in the printed address is exchanged for.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "::1")
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
OWN_POLICY = "Content-Security-Policy"
"""The one of these headers that an answer may bring along, when it wants to be allowed less."""
HEALTH = "/api/health"
POST_HEADER = "x-pliant"
"""A header that forms of other sites cannot send."""
BROKEN = "Something went wrong inside Pliant; the log says more."
CLOSED = "Open the studio by the address that `pliant studio` printed; it changes with every start."

_HOST = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+))(?::([0-9]{1,5}))?", re.ASCII)
log = logging.getLogger(__name__)


def new_token() -> str:
    """128 random bits for the address of one launch."""
    return secrets.token_hex(16)


@dataclass(frozen=True)
class Doorkeeper:
    """Decides about each request, from its head alone.

    Args:
        token: of this launch.
        hosts: names under which the server may be reached.
        any_address: it may also be reached under any IP address, as when it listens on all of them. Rebinding needs a name.
    """

    token: str
    hosts: Collection[str] = LOOPBACK
    any_address: bool = False

    def cookie(self, port: int) -> str:
        """The cookie's name; cookies do not tell ports apart, so the name does."""
        return f"pliant_{port}"

    def refusal(self, scope: Scope) -> str | None:
        """Why a request is refused, or None; the token is another matter."""
        headers = Headers(scope=scope)
        address = _address(scope)
        if address is None or not self._knows(address[0]):
            return "This server is not known under that name."
        unsafe = scope["type"] == "websocket" or scope["method"] not in {"GET", "HEAD"}
        host, origins = headers["host"], headers.getlist("origin")
        own = origins in ([f"http://{host}"], [f"https://{host}"])
        if (origins or unsafe) and not own:
            return "Requests must come from the studio's own page."
        site = headers.get("sec-fetch-site", "none")
        if site in {"cross-site", "same-site"} and not _is_visit(scope, headers):
            return "Requests must come from the studio's own page."
        if scope["type"] == "http" and unsafe and POST_HEADER not in headers:
            return "Requests that change something need the header X-Pliant."
        return None

    def admits(self, scope: Scope) -> bool:
        """The request carries this launch's cookie."""
        address = _address(scope)
        name = self.cookie(address[1]) if address else ""
        given = [
            part.split("=", 1)[1].strip()
            for line in Headers(scope=scope).getlist("cookie")
            for part in line.split(";")
            if part.split("=", 1)[0].strip() == name and "=" in part
        ]
        return any(hmac.compare_digest(value.encode(), self.token.encode()) for value in given)

    def knows_token(self, scope: Scope) -> bool:
        """The address carries the token."""
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        return len(given) == 1 and hmac.compare_digest(given[0].encode(), self.token.encode())

    def _knows(self, name: str) -> bool:
        if name in self.hosts:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return self.any_address


class Guard:
    """ASGI middleware that lets only the doorkeeper's guests through and puts the security headers on every answer."""

    def __init__(self, app: ASGIApp, doorkeeper: Doorkeeper) -> None:
        self.app, self.doorkeeper = app, doorkeeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or pass on."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return

        begun = False

        async def send_guarded(message: Message) -> None:
            nonlocal begun
            begun = True
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = headers.get(name, value) if name == OWN_POLICY else value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        answer = self._answer(scope)
        if answer is None:
            try:
                await self.app(scope, receive, send_guarded)
            except Exception:
                if begun or scope["type"] == "websocket":
                    raise
                log.exception("unexpected")
                answer = JSONResponse({"sentence": BROKEN}, 500)
        if answer is not None:
            await answer(scope, receive, send_guarded)

    def _answer(self, scope: Scope) -> Response | None:
        """What the request gets at the door; None lets it in."""
        keeper = self.doorkeeper
        reason = keeper.refusal(scope)
        if reason is not None:
            return _refused(scope, reason)
        if scope["path"] == HEALTH and scope["type"] == "http":
            return None
        if scope["type"] == "http" and scope["path"] == "/" and keeper.knows_token(scope):
            entered = RedirectResponse("/", 303)
            _, port = _address(scope) or ("", 80)
            entered.set_cookie(keeper.cookie(port), keeper.token, httponly=True, samesite="strict", path="/")
            return entered
        return None if keeper.admits(scope) else _refused(scope, CLOSED)


def _refused(scope: Scope, sentence: str) -> Response:
    if scope["path"].startswith("/api/"):
        return JSONResponse({"sentence": sentence}, 403)
    return PlainTextResponse(sentence, 403)


def _is_visit(scope: Scope, headers: Headers) -> bool:
    """Someone followed a link to the start page."""
    navigates = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return scope["type"] == "http" and scope["method"] == "GET" and scope["path"] == "/" and navigates


def _address(scope: Scope) -> tuple[str, int] | None:
    """Name and port by which a request calls this server; None if it names none, several or something odd."""
    given = Headers(scope=scope).getlist("host")
    found = _HOST.fullmatch(given[0]) if len(given) == 1 else None
    return ((found[1] or found[2]).lower(), int(found[3] or 80)) if found else None
