"""Point 10 of the checklist: every answer says what a page of it may do, and nothing comes from outside."""

import re

import pytest

from pliant.studio.app import WEB
from served import ask

from paths import REPOSITORY

PAGE = REPOSITORY / "web"
OUTSIDE = re.compile(r"(?<![\w])(?:https?:|wss?:)?//[a-z0-9-]+(?:\.[a-z0-9-]+)+[^\s\"'`)]*", re.IGNORECASE)
SOURCES = sorted(
    path
    for folder in (PAGE / "src", PAGE / "public")
    for path in (folder.rglob("*") if folder.is_dir() else ())
    if path.suffix in {".ts", ".tsx", ".css", ".svg", ".html"}
)


def guarded(answer):
    """The security headers of an answer are all there."""
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == "'none'"
    assert set(policy["img-src"].split()) == {"'self'", "blob:", "data:"}
    assert not re.search(r"unsafe|\*|http|script-src|connect-src", answer.headers["content-security-policy"])
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["cache-control"]
    assert "server" not in answer.headers
    return answer.status


def test_every_kind_of_answer_is_guarded(served, page):
    place = page.sample()
    frames = f"/api/sessions/{page.session}/frames"
    assert guarded(served.get("/api/health", Cookie=None)) == 200
    assert guarded(served.get("/")) in {200, 503}
    assert guarded(served.get("/?token=wrong", Cookie=None)) == 403
    assert guarded(served.get("/api/projects", Host="evil.example")) == 403
    assert guarded(served.get("/api/projects")) == 200
    assert guarded(served.get(f"{frames}/{place['node']}/0")) == 200
    assert guarded(served.get(f"{frames}/{place['node']}/9")) == 400
    assert guarded(served.get(f"{frames}/{place['node']}/x")) in {400, 422}
    assert guarded(served.get("/api/gallery/tiny/1?width=99999")) in {400, 422}
    assert guarded(served.get("/nothing")) == 404
    assert guarded(served.get("/assets/nothing.js")) == 404
    assert guarded(ask(served.port, "PUT", "/api/images", served.headers())) == 405
    assert guarded(served.post("/api/images", b"no image")) == 400
    assert guarded(served.post("/api/projects", b"no project")) == 400
    answer = ask(served.port, "GET", "/api/ws", served.headers(Origin="null", Upgrade="websocket",
                 Connection="Upgrade", Sec_WebSocket_Version="13", Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ=="))  # fmt: skip
    assert guarded(answer) == 403


def test_a_fault_of_the_program_is_guarded_and_tells_nothing(served, monkeypatch, caplog):
    def broken(*_):
        raise ZeroDivisionError("/secret/place")

    monkeypatch.setattr(served.studio.store, "recent", broken)  # no real way to break it is known
    answer = served.get("/api/projects")
    assert guarded(answer) == 500
    assert "secret" not in answer.body.decode()
    assert "Traceback" not in answer.body.decode()
    assert answer.sentence.endswith(".")
    assert "ZeroDivisionError" in caplog.text
    monkeypatch.undo()
    assert served.get("/api/projects").status == 200


def test_only_the_image_types_that_are_meant_are_served(served, page):
    place = page.sample()
    frames = f"/api/sessions/{page.session}/frames/{place['node']}/0"
    assert served.get(frames).headers["content-type"] == "image/png"
    assert served.get(f"{frames}?width=16").headers["content-type"] == "image/jpeg"
    name, _ = page.export("png", place)
    assert name.endswith(".png")
    exported = served.get(page.log[-1]["url"])
    assert exported.headers["content-type"] == "application/octet-stream"
    assert exported.headers["content-disposition"].startswith("attachment")


def scripts(html):
    return re.findall(r"<script\b([^>]*)>(.*?)</script>", html, re.IGNORECASE | re.DOTALL)


def check_page(html):
    """Nothing inline that the policy would stop, nothing from elsewhere."""
    for attributes, text in scripts(html):
        assert "src=" in attributes
        assert not text.strip(), "an inline script would be refused by the policy"
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", html, re.IGNORECASE)
    addresses = re.findall(r"(?:src|href)=[\"']([^\"']+)", html)
    assert addresses
    assert all(
        each.startswith(("/", "./", "data:image/")) and not each.startswith("//") for each in addresses
    )


def test_the_page_has_no_inline_script_and_nothing_from_outside():
    check_page((PAGE / "index.html").read_text("utf-8"))


@pytest.mark.skipif(not (WEB / "index.html").is_file(), reason="the page is not built; `make page` builds it")
def test_the_built_page_has_no_inline_script_and_nothing_from_outside(served):
    html = (WEB / "index.html").read_text("utf-8")
    check_page(html)
    assert served.get("/").body.decode() == html
    for address in re.findall(r"(?:src|href)=[\"'](/[^\"']+)", html):
        answer = served.get(address)
        assert guarded(answer) == 200
        assert answer.headers["content-type"].split(";")[0] in {
            "text/javascript", "text/css", "image/svg+xml", "image/png"}  # fmt: skip


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PAGE)))
def test_the_page_names_no_other_server(path):
    for found in OUTSIDE.findall(path.read_text("utf-8")):
        assert re.match(r"(http:)?//www\.w3\.org/", found), found


def test_there_are_sources_to_look_at():
    assert len(SOURCES) > 5
