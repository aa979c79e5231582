"""A picture from words as a person makes it: from the start page to one that other tasks go on with."""

import numpy as np
import pytest
from test_narrow import OVERFLOW, PHONE

from tiny_sd import save_tiny

WORDS = "a cat on a mat"


@pytest.fixture(scope="module")
def server(serve, tmp_path_factory):
    """A studio with one diffusion model of the person's own."""
    home = tmp_path_factory.mktemp("home_of_words")
    save_tiny(home / "models" / "tiny-sd")
    return serve(home)


def begin(studio):
    """From the start page to a blank picture that waits for words."""
    studio.open()
    studio.click("from-words")
    studio.until("s.state?.document.at && s.document.edit === 'generate'")
    studio.until("document.activeElement.dataset.testid === 'prompt'")
    if studio.get("diffuser").count():
        studio.get("diffuser").select_option("tiny-sd")
        studio.until("s.state.document.diffuser === 'tiny-sd'")


def say(studio, words=WORDS):
    studio.get("prompt").fill(words)
    studio.get("prompt").press("Enter")
    studio.until(f"s.state.document.prompt === '{words}'")


def test_words_become_a_picture_and_that_is_edited(studio):
    begin(studio)
    assert studio.get("run").is_disabled()
    assert studio.words("run-status") == "Say what the picture shows."
    blank = studio.read("document.at")
    assert (studio.frame(blank) == 128).all()
    say(studio)
    studio.set("num_inference_steps", 4, "generate")
    ended = studio.run_to_end()
    assert (ended["reason"], ended["steps"]) == ("arrived", 5)
    node = studio.read("state.nodes")[-1]
    assert (node["title"], node["size"], node["kind"]) == (f"“{WORDS}”", [64, 64], "diffusion")
    made = studio.frame(studio.read("document.at"))
    left, top = studio.place(8, 8, 64)
    right, bottom = studio.place(56, 56, 64)
    assert studio.screen((left, top, right - left, bottom - top)).std() > 1, "it is seen, and it is not grey"

    studio.click("setting-seed-shuffle")
    studio.until("s.state.document.settings.generate.seed > 0")
    studio.click("undo")
    studio.until("!s.state.document.settings.generate.seed")

    studio.click("task-remove")
    studio.get("things-options").wait_for()
    studio.get("setting-preset").select_option("copy")
    studio.click("things-lasso")
    studio.page.mouse.move(*studio.place(20, 20, 64))
    studio.page.mouse.down()
    for corner in ((44, 20), (44, 44), (20, 44), (20, 20)):
        studio.page.mouse.move(*studio.place(*corner, 64), steps=3)
    studio.page.mouse.up()
    studio.until("s.state.document.things.length === 1")
    assert studio.run_to_end()["reason"] == "arrived"
    after = studio.frame(studio.read("document.at"))
    assert np.array_equal(made[56:], after[56:])
    assert np.abs(made - after)[24:40, 24:40].max() > 0
    assert studio.get("prompt").input_value() == WORDS
    studio.click("home")
    title = studio.get(f"project-{studio.read('session')}").locator(".branch-title")
    title.wait_for()
    assert title.inner_text() == f"“{WORDS}”"


def test_results_differ_and_one_is_chosen(studio):
    begin(studio)
    say(studio)
    studio.set("num_inference_steps", 4, "generate")
    studio.get("candidates-wanted").select_option("2")
    studio.click("run")
    studio.until("s.state.document.candidates.length === 2 && !s.run")
    studio.get("candidate-2").wait_for()
    second = studio.read("document.at")
    studio.click("candidate-1")
    studio.until(f"s.state.document.at.node !== '{second['node']}'")
    assert (studio.frame(second) != studio.frame(studio.read("document.at"))).any()
    studio.click("candidates-done")
    studio.until("s.state.document.candidates.length === 0")


def test_there_is_room_for_words_on_a_phone(new_studio):
    phone = new_studio(**PHONE)
    phone.open()
    assert phone.page.evaluate(OVERFLOW) == []
    begin(phone)
    assert phone.page.evaluate(OVERFLOW) == []
    assert phone.get("prompt").is_visible()
