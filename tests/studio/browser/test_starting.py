"""The start page: portraits, projects, pictures of one's own."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

import pliant

DROP = """([data, name, type, kind]) => {
    const bytes = Uint8Array.from(atob(data), each => each.charCodeAt(0));
    const files = new DataTransfer();
    files.items.add(new File([bytes], name, { type }));
    const options = { bubbles: true, cancelable: true };
    const event = kind === "drop"
        ? new DragEvent("drop", { ...options, dataTransfer: files })
        : new ClipboardEvent("paste", { ...options, clipboardData: files });
    document.querySelector("main").dispatchEvent(event);
}"""


def photo() -> bytes:
    """A PNG of 40 by 30 pixels."""
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (30, 40, 3), "uint8")).save(file, "png")
    return file.getvalue()


def tiles(studio) -> list[str]:
    """Addresses of the gallery's pictures, once all are there."""
    wall = "[...document.querySelectorAll('[data-testid=gallery] .tile')]"
    studio.until(f"{wall}.length === 12 && {wall}.every(each => each.dataset.state === 'there')")
    return studio.page.evaluate(f"{wall}.map(each => each.querySelector('img').getAttribute('src'))")


# ---- portraits


def test_the_gallery_shows_portraits_and_opens_the_chosen_one(studio):
    studio.open()
    shown = tiles(studio)
    assert len({studio.fetch(each) for each in shown[:3]}) == 3
    studio.portrait(4)
    assert [node["title"] for node in studio.read("state.nodes")] == ["Seed 4"]
    assert studio.page.url == f"{studio.server.base}/#{studio.read('session')}"
    x, y = studio.place(64, 64)
    right, bottom = studio.place(192, 192)
    assert studio.screen((x, y, right - x, bottom - y)).std() > 20


def test_variety_changes_the_pictures_and_shuffle_the_seeds(studio):
    studio.open()
    first = studio.page.locator(".tile img").first
    tame = first.get_attribute("src")
    studio.get("truncation").fill("1.1")
    studio.until("document.querySelector('.tile img').src.includes('psi=1.1')")
    wild = first.get_attribute("src")
    assert wild.split("?")[0] == tame.split("?")[0]
    assert studio.fetch(tame) != studio.fetch(wild)
    seeds = studio.page.locator(".tile").all_inner_texts()
    studio.click("shuffle")
    studio.until(f"document.querySelector('.tile').innerText !== '{seeds[0]}'")
    assert not set(seeds) & set(studio.page.locator(".tile").all_inner_texts())


def test_a_typed_seed(studio):
    studio.open()
    field = studio.get("seed")
    for nonsense in ("-1", "seven", str(2**32)):
        field.fill(nonsense)
        field.press("Enter")
    assert studio.read("state.nodes") == []
    field.fill("123")
    field.press("Enter")
    studio.ready()
    assert studio.read("state.nodes[0].title") == "Seed 123"
    wanted = np.asarray(pliant.sample("portraits-256", seed=123).render())
    assert np.abs(studio.frame(studio.read("document.at")) - wanted).mean() < 1


# ---- projects


def test_a_project_file_is_opened(studio, dragged_file):
    studio.open()
    first = studio.read("session")
    studio.get("open-project-file").set_input_files(dragged_file)
    studio.until(f"s.session && s.session !== '{first}'")
    studio.ready()
    assert [node["title"] for node in studio.read("state.nodes")] == ["Seed 9", "Drag 1 point"]
    assert studio.read("document.at.step") == 5
    assert studio.read("view.editable")


def test_recent_projects_are_opened_and_deleted(studio, portrait_file):
    studio.open_copy(portrait_file)
    studio.point((107, 178), (90, 160))
    old = studio.read("session")
    studio.click("home")
    studio.click("new-project")
    studio.until(f"s.session && s.session !== '{old}'")
    studio.get("gallery").wait_for()
    studio.click(f"project-{old}")
    studio.until(f"s.session === '{old}'")
    studio.ready()
    assert len(studio.read("document.points")) == 1
    studio.click("home")
    studio.click("new-project")
    studio.get(f"project-{old}").wait_for()
    studio.page.once("dialog", lambda dialog: dialog.dismiss())
    studio.click(f"project-{old}-delete")
    assert studio.get(f"project-{old}").is_visible()
    studio.page.once("dialog", lambda dialog: dialog.accept())
    studio.click(f"project-{old}-delete")
    studio.get(f"project-{old}").wait_for(state="detached")
    known = studio.context.request.get(f"{studio.server.base}/api/projects").json()
    assert old not in [each["session"] for each in known]


def test_home_and_back_again(portrait):
    portrait.click("home")
    assert portrait.get("gallery").is_visible()
    portrait.click("back-to-editor")
    portrait.until("s.view.zoom > 1")
    portrait.click("home")
    portrait.portrait(5)
    portrait.until("s.state.nodes.length === 2")
    assert [node["title"] for node in portrait.read("state.nodes")] == ["Seed 9", "Seed 5"]


# ---- pictures of one's own


@pytest.mark.parametrize("way", ["choose", "drop", "paste"])
def test_a_photo_is_taken_to_be_opened(studio, way):
    studio.open()
    if way == "choose":
        file = {"name": "me.png", "mimeType": "image/png", "buffer": photo()}
        studio.get("choose-image-file").set_input_files(file)
    else:
        studio.page.evaluate(DROP, [base64.b64encode(photo()).decode(), "me.png", "image/png", way])
    studio.ready()
    assert studio.read("document.edit") == "invert"
    assert studio.get("run").is_disabled()  # there is no face in it
    node = studio.read("state.nodes[0]")
    assert (node["kind"], node["size"]) == ("pixels", [40, 30])
    assert (studio.frame(studio.read("document.at")) == np.asarray(Image.open(io.BytesIO(photo())))).all()
    studio.press("Control+Enter")
    assert studio.read("run") is None


def test_a_project_is_dropped_on_the_editor(portrait, dragged_file):
    first = portrait.read("session")
    data = base64.b64encode(dragged_file.read_bytes()).decode()
    portrait.page.evaluate(DROP, [data, "dragged.pliant", "", "drop"])
    portrait.until(f"s.session && s.session !== '{first}'")
    portrait.ready()
    assert len(portrait.read("state.nodes")) == 2
