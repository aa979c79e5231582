"""Points 1 to 4 of the checklist: where the studio listens, and whom it lets in."""

import hmac
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.exceptions import InvalidHandshake, InvalidStatus

from pliant.studio.security import LOOPBACK, Doorkeeper, new_token
from served import TOKEN, Served, ask

KEEPER = Doorkeeper(TOKEN)


def asked(*headers, kind="http", method="GET", path="/", query=""):
    """A request as the doorkeeper sees it."""
    scope = {
        "type": kind,
        "path": path,
        "query_string": query.encode("latin-1"),
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
    }
    return scope | ({"method": method} if kind == "http" else {})


def upgrade(served, **changes):
    """The headers of a socket's handshake."""
    return [
        *served.headers(X_Pliant=None, **changes),
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Protocol", "pliant.v1"),
    ]


def handshake(served, **changes):
    return ask(served.port, "GET", "/api/ws", upgrade(served, **changes)).status


# ---- 1. the address


@pytest.fixture
def started(home, tmp_path):
    """Starts `pliant studio` and gives the process and the address that it prints last."""
    running = []

    def start(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-m", "pliant.cli", "studio", "--no-browser", "--device", "cpu", *arguments],
            env={**os.environ, "PLIANT_HOME": str(home)},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        line = ""
        while process.stdout is not None and not line.startswith("http"):
            line = process.stdout.readline()
            assert line, process.communicate()[1]
        return process, line.strip()

    yield start
    for process in running:
        process.kill()
        process.communicate()


def listening_addresses(pid):
    """Addresses on which a process listens, as the kernel writes them."""
    links: set[str] = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            links.add(str(entry.readlink()))
    inodes = {link[8:-1] for link in links if link.startswith("socket:[")}
    found = set()
    for kind in ("tcp", "tcp6"):
        rows = [line.split() for line in Path(f"/proc/{pid}/net/{kind}").read_text().splitlines()[1:]]
        found |= {row[1].split(":")[0] for row in rows if row[3] == "0A" and row[9] in inodes}
    return found


def test_it_listens_on_this_machine_only_and_needs_its_token(started):
    process, url = started("--port", "0")
    port, token = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?token=([0-9a-f]{32})", url).groups()
    if sys.platform == "linux":
        assert listening_addresses(process.pid) == {"0100007F"}
    served = Served(int(port), token)
    assert served.get("/api/projects").status == 200
    assert served.get("/api/projects", Cookie=None).status == 403
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert "other machines" not in errors
    assert "Traceback" not in errors


def test_other_addresses_come_with_a_warning_and_still_need_the_token(started):
    process, url = started("--host", "0.0.0.0", "--port", "0")
    port, token = re.fullmatch(r"http://localhost:(\d+)/\?token=([0-9a-f]{32})", url).groups()
    served = Served(int(port), token)
    named = {"Host": f"192.168.7.7:{port}", "Origin": f"http://192.168.7.7:{port}"}
    assert served.get("/api/projects", **named).status == 200, "any address of this machine may be used"
    assert served.get("/api/projects", **named, Cookie=None).status == 403
    named = {"Host": f"evil.example:{port}", "Origin": f"http://evil.example:{port}"}
    assert served.get("/api/projects", **named).status == 403, "a name may be rebound"
    process.terminate()
    _, errors = process.communicate(timeout=20)
    assert "can be reached from other machines" in errors


# ---- 2. names and origins


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1.evil.example:{port}",
        "localhost.evil.example",
        "evil.example#127.0.0.1",
        "evil.example?localhost",
        "127.0.0.2:{port}",
        "2130706433:{port}",
        "0x7f.1",
        "0.0.0.0:{port}",
        "[::ffff:127.0.0.1]",
        "[::1",
        "",
        " ",
        ":{port}",
        "127.0.0.1:{port}, evil.example",
    ],
)
def test_a_rebound_or_odd_host_name_is_refused(served, host):
    host = host.format(port=served.port)
    assert served.get("/", Host=host, Origin=None).status in {400, 403}
    assert served.get("/api/health", Host=host, Origin=None).status in {400, 403}
    assert handshake(served, Host=host, Origin=f"http://{host}".strip()) in {400, 403}
    assert KEEPER.refusal(asked(("Host", host)))


def test_two_or_no_host_names_are_refused(served):
    good, evil = ("Host", served.base[7:]), ("Host", "evil.example")
    for headers in ([good, evil], [evil, good], [good, good], []):
        assert KEEPER.refusal(asked(*headers))
        assert ask(served.port, "GET", "/api/health", headers).status in {400, 403}


@pytest.mark.parametrize("port", ["99999", "abc", "-1", "1e3", ""])
def test_a_host_with_an_odd_port_gets_an_answer(served, port):
    assert served.get("/", Host=f"127.0.0.1:{port}", Origin=None).status == 403
    assert served.get(f"/?token={TOKEN}", Host=f"127.0.0.1:{port}", Origin=None).status in {303, 403}


FOREIGN = [
    "null",
    "http://evil.example",
    "http://127.0.0.1",
    "http://127.0.0.1:1",
    "http://localhost:{port}",
    "http://127.0.0.1:{port}.evil.example",
    "http://127.0.0.1:{port}/",
    "http://evil@127.0.0.1:{port}",
    "ftp://127.0.0.1:{port}",
    "file://",
    "chrome-extension://abcdefghijklmnop",
    "",
]


@pytest.mark.parametrize("origin", FOREIGN)
def test_foreign_origins_are_refused(served, origin):
    origin = origin.format(port=served.port)
    assert served.get("/", Origin=origin).status == 403
    assert served.get("/api/projects", Origin=origin).status == 403
    assert served.post("/api/images", b"x", Origin=origin).status == 403
    assert served.delete(f"/api/projects/{'0' * 32}", Origin=origin).status == 403
    assert handshake(served, Origin=origin) == 403


def test_two_origins_are_refused(served):
    for pair in ([served.base, "null"], ["null", served.base]):
        headers = [*served.headers(Origin=None), *(("Origin", each) for each in pair)]
        assert ask(served.port, "GET", "/api/projects", headers).status == 403


def test_posts_and_sockets_without_an_origin_are_refused(served):
    assert served.get("/api/projects", Origin=None).status == 200, "browsers send none with a plain GET"
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"):
        answer = ask(served.port, method, "/api/projects", served.headers(Origin=None))
        assert answer.status in {400, 403}, method
    assert handshake(served, Origin=None) == 403


def test_the_socket_refuses_before_it_opens(served):
    with served.page() as page:
        assert page.welcome["session"]
    for headers in (
        {"Origin": "null"},
        {"Origin": "http://evil.example"},
        {"Cookie": None},
        {"Cookie": "x=1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        with pytest.raises(InvalidStatus) as refusal:
            served.page(headers=headers)
        assert refusal.value.response.status_code == 403
    headers = [each for each in upgrade(served) if each[0] != "Sec-WebSocket-Protocol"]
    for other in ([], [("Sec-WebSocket-Protocol", "other.v1")]):
        assert ask(served.port, "GET", "/api/ws", [*headers, *other]).status == 403
    assert issubclass(InvalidStatus, InvalidHandshake)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
def test_other_sites_cannot_fetch(served, site):
    expected = 200 if site == "anything" else 403
    assert served.get("/api/projects", Origin=None, Sec_Fetch_Site=site).status == expected
    visit = {"Sec_Fetch_Site": site, "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert served.get("/", Origin=None, **visit).status in {200, 503}, "a link to the start page is followed"
    framed = visit | {"Sec_Fetch_Dest": "iframe"}
    assert served.get("/", Origin=None, **framed).status == (expected if site != "anything" else 200)
    assert served.get("/api/projects", Origin=None, **visit).status == expected, "to no other page"
    assert served.post("/api/images", b"x", **visit).status in {400, 403}


def test_own_fetches_pass(served):
    for site in ("same-origin", "none"):
        assert served.get("/api/projects", Sec_Fetch_Site=site).status == 200


# ---- 3. the token


def test_the_token_becomes_a_cookie_and_leaves_the_address(served):
    answer = served.get(f"/?token={TOKEN}", Cookie=None, Origin=None)
    assert answer.status == 303
    assert answer.headers["location"] == "/", "without the token"
    name, _, attributes = answer.headers["set-cookie"].partition("=")
    assert name == f"pliant_{served.port}"
    value, *rest = [part.strip().lower() for part in attributes.split(";")]
    assert value == TOKEN
    assert set(rest) == {"httponly", "path=/", "samesite=strict"}
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert served.get("/api/projects", Cookie=f"a=b; {name}={value}; c=d").status == 200


@pytest.mark.parametrize(
    "query",
    [
        "token=",
        "token=" + "0" * 32,
        "token=" + TOKEN[:-1],
        "token=" + TOKEN + "0",
        "token=" + TOKEN.upper(),
        f"token={TOKEN}&token={TOKEN}",
        f"token=x&token={TOKEN}",
        f"TOKEN={TOKEN}",
        f"tok%65n%00={TOKEN}",
        "token=%ff%fe",
        "token=" + "%c3%a9" * 16,
        "",
    ],
)
def test_a_wrong_token_opens_nothing(served, query):
    answer = served.get(f"/?{query}", Cookie=None, Origin=None)
    assert answer.status == 403
    assert "set-cookie" not in answer.headers
    assert TOKEN not in str(answer.headers) + answer.body.decode()


def test_the_token_opens_nothing_but_the_start_page(served):
    for path in ("/api/projects", "/api/ws", "/assets/x.js", "//", "/index.html"):
        answer = served.get(f"{path}?token={TOKEN}", Cookie=None, Origin=None)
        assert answer.status in {403, 404}
        assert "set-cookie" not in answer.headers
    answer = served.get("/api/health", Cookie=None, Origin=None)
    assert (answer.status, answer.body) == (200, b"ok")


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "pliant={token}",
        "pliant_80={token}",
        "pliant_{other}={token}",
        "pliant_{port}=",
        "pliant_{port}={short}",
        "pliant_{port}={token}x",
        'pliant_{port}="{token}"',
        "xpliant_{port}={token}",
        "pliant_{port}",
        "pliant_{port}\xa0={token}é",
        "{token}",
    ],
)
def test_another_cookie_opens_nothing(served, cookie):
    cookie = cookie.format(port=served.port, other=served.port + 1, token=TOKEN, short=TOKEN[:-1])
    assert served.get("/api/projects", Cookie=cookie).status == 403
    assert handshake(served, Cookie=cookie) == 403


def test_tokens_are_long_random_and_compared_in_constant_time(monkeypatch):
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(re.fullmatch(r"[0-9a-f]{32}", token) for token in tokens), "128 bits"
    compared = []
    true_compare = hmac.compare_digest

    def spy(one, other):  # the only way to see how two texts are compared
        compared.append({one, other})
        return true_compare(one, other)

    monkeypatch.setattr("pliant.studio.security.hmac.compare_digest", spy)
    assert not KEEPER.admits(asked(("Host", "localhost:5"), ("Cookie", "pliant_5=wrong")))
    assert not KEEPER.knows_token(asked(("Host", "localhost:5"), query="token=wrong"))
    assert compared == [{b"wrong", TOKEN.encode()}] * 2


# ---- 4. changes need a header that forms cannot send


def test_posts_without_the_header_are_refused(served):
    for kind in ("text/plain", "multipart/form-data", "application/x-www-form-urlencoded"):
        for path in ("/api/images", "/api/projects"):
            answer = served.post(path, b"x", X_Pliant=None, Content_Type=kind)
            assert answer.status == 403
            assert "X-Pliant" in answer.sentence
    assert served.delete(f"/api/projects/{'0' * 32}", X_Pliant=None).status == 403


def test_no_preflight_is_granted(served):
    asks = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "x-pliant"}
    for origin in ("http://evil.example", served.base):
        answer = ask(served.port, "OPTIONS", "/api/images", served.headers(Origin=origin, **asks))
        assert answer.status in {403, 405}
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


# ---- any head at all

NAMES = st.sampled_from(
    ["Host", "Origin", "Cookie", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest", "X-Pliant", "X-Other"]
)
VALUES = st.one_of(
    st.text(st.characters(max_codepoint=255), max_size=60),
    st.sampled_from(
        ["localhost:5", "127.0.0.1", "[::1]:5", "http://localhost:5", "null", "cross-site", "navigate"]
    ),
    st.text("[]:/@?#%.;=,\\ 0a", max_size=20),
)


@given(
    headers=st.lists(st.tuples(NAMES, VALUES), max_size=8),
    kind=st.sampled_from(["http", "websocket"]),
    method=st.sampled_from(["GET", "HEAD", "POST", "DELETE"]),
    query=st.text(st.characters(max_codepoint=255), max_size=60),
)
@example(headers=[("Host", "localhost:99999")], kind="http", method="GET", query="")
@example(headers=[("Host", "[")], kind="http", method="GET", query="")
def test_no_head_breaks_the_doorkeeper_or_opens_the_door(headers, kind, method, query):
    scope = asked(*headers, kind=kind, method=method, query=query)
    for keeper in (KEEPER, replace(KEEPER, any_address=True)):
        reason = keeper.refusal(scope)
        assert not keeper.admits(scope)
        assert not keeper.knows_token(scope)
        hosts = [value for name, value in headers if name == "Host"]
        origins = [value for name, value in headers if name == "Origin"]
        if reason is None:
            assert len(hosts) == 1
            assert any(name in hosts[0].lower() for name in LOOPBACK) or keeper.any_address
            assert not origins or origins[0] in {f"http://{hosts[0]}", f"https://{hosts[0]}"}
            assert origins or (kind == "http" and method in {"GET", "HEAD"})
            assert kind == "websocket" or method in {"GET", "HEAD"} or "X-Pliant" in dict(headers)
