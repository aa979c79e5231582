"""Teaching a model its parts."""

import pytest

from served import SIZE, make_home


@pytest.fixture
def untaught(serve, tmp_path):
    """A studio with a model whose parts nobody knows, `bare`, and one with a head, `tiny`."""
    return serve(make_home(tmp_path / "home"))


@pytest.fixture(params=["bare"])
def teacher(untaught, new_studio, request):
    """A picture of a model, and the panel in which parts are taught."""
    studio = new_studio(untaught).open()
    studio.get("model").select_option(request.param)
    studio.portrait()
    studio.click("mode-repaint")
    studio.click("parts-teach")
    studio.get("teaching-section").wait_for()
    return studio


def use(studio) -> None:
    """Take the parts as they are named."""
    studio.click("classes-use")
    studio.get("part-1").wait_for()
    studio.get("parts-live").uncheck()


def label(studio) -> None:
    """Paint some of two parts and keep that."""
    for part, y in ((1, 8), (2, 22)):
        studio.click(f"part-{part}")
        before = studio.read("state.document.parts")
        studio.page.mouse.move(*studio.place(6, y, SIZE))
        studio.page.mouse.down()
        studio.page.mouse.move(*studio.place(26, y, SIZE), steps=6)
        studio.page.mouse.up()
        studio.until(f"s.state.document.parts && s.state.document.parts !== '{before}'")
    count = len(studio.read("state.labelling.labels"))
    studio.click("label-keep")
    studio.until(f"s.state.labelling.labels.length === {count + 1}")


def names(studio) -> list[str]:
    return [each["name"] for each in studio.read("state.labelling.classes")]


def test_parts_are_named_and_coloured(teacher):
    teacher.get("class-1-name").fill("cheeks")
    teacher.get("class-1-name").press("Enter")
    teacher.click("class-6-remove")
    teacher.click("class-add")
    teacher.get("class-0-colour").fill("#102030")
    use(teacher)
    assert names(teacher) == ["background", "cheeks", "hair", "eyes", "brows", "nose", "part 7"]
    assert teacher.read("state.labelling.classes[0].colour") == [16, 32, 48]
    teacher.get("class-2-name").fill("fur")
    teacher.get("class-2-name").press("Enter")
    teacher.until("s.state.labelling.classes[2].name === 'fur'")
    teacher.until("document.querySelector('[data-testid=part-2]').innerText.includes('fur')")


def test_labels_are_kept_and_removed(teacher):
    use(teacher)
    assert teacher.get("label-keep").is_disabled()
    assert teacher.get("train").is_disabled()
    label(teacher)
    teacher.click("label-next")
    teacher.until("s.state.nodes.length === 2 && s.document.at.node === s.state.nodes[1].id")
    assert teacher.read("document.edit") == "repaint"
    teacher.until("!!s.parts")
    label(teacher)
    teacher.click("classes-summary")
    assert teacher.get("class-1-remove").is_disabled()
    painted = "[...document.querySelectorAll('.label canvas')]"
    teacher.until(f"{painted}.length === 2 && {painted}.every(each => each.width === {SIZE})")
    teacher.click("label-1-remove")
    teacher.until("s.state.labelling.labels.length === 1")
    teacher.reload()
    assert len(teacher.read("state.labelling.labels")) == 1


def test_training_is_given_up_and_done(teacher):
    use(teacher)
    label(teacher)
    teacher.click("train")
    teacher.get("training").wait_for()
    teacher.click("training-stop")
    teacher.until("s.state.labelling.training === null")
    assert teacher.get("trained").count() == 0
    teacher.click("train")
    teacher.get("trained").wait_for(timeout=120_000)
    teacher.click("label-next")
    teacher.until("s.state.nodes.length === 2 && !!s.parts")
    assert len(set(teacher.read("parts"))) > 1


@pytest.mark.parametrize("teacher", ["tiny"], indirect=True)
def test_a_model_that_knows_its_parts_is_taught_in_them(teacher):
    teacher.until("!!s.parts")
    assert teacher.get("classes-use").count() == 0
    teacher.get("parts-live").uncheck()
    label(teacher)
    assert names(teacher) == ["sea", "land", "ice"]
    assert teacher.get("train").is_enabled()
