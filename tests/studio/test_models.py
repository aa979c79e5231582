"""Which models a studio offers, and what all its sessions share."""

import asyncio
import shutil

import pytest
from PIL import Image

from pliant import zoo
from pliant.diffusion.loading import is_diffusion_model
from pliant.errors import CheckpointError, InputError
from pliant.studio.limits import Limits
from pliant.studio.models import Models
from pliant.studio.studio import UPLOADS, Studio
from served import SIZE

pytestmark = pytest.mark.usefixtures("own_home")


def names(models):
    return [info.name for info in models.infos]


def test_the_named_model_comes_first_and_the_others_are_there():
    models = Models("tiny", "cpu")
    known = [entry.name for entry in zoo.entries() if not is_diffusion_model(entry.path)]
    assert names(models)[0] == "tiny"
    assert sorted(names(models)) == sorted(known)
    assert models.infos[0].resolution == SIZE
    assert names(Models(None, "cpu")) == known


def test_a_folder_is_offered_by_its_name(home, tmp_path):
    shutil.copytree(home / "models" / "tiny", tmp_path / "mine")
    models = Models(str(tmp_path / "mine"), "cpu")
    assert names(models)[0] == "mine"
    assert str(tmp_path) not in str(models.infos), "the page is told no path"
    assert models.get("mine").config.resolution == SIZE


def test_a_model_is_loaded_once():
    models = Models("tiny", "cpu")
    assert models.get("tiny") is models.get("tiny")


@pytest.mark.parametrize("name", ["", "nothing", "../models/tiny", "/etc", "tiny/", "x" * 5000])
def test_other_names_get_a_sentence(name):
    with pytest.raises(InputError, match="none of this studio's"):
        Models("tiny", "cpu").get(name)


def test_a_path_is_no_name_even_of_a_model_that_is_there(home):
    with pytest.raises(InputError, match="none of this studio's"):
        Models("tiny", "cpu").get(str(home / "models" / "tiny"))


def test_what_is_no_model_is_refused_at_the_start(tmp_path):
    with pytest.raises(CheckpointError, match="There is no model"):
        Models(str(tmp_path / "nothing"), "cpu")
    (tmp_path / "file.pkl").write_bytes(b"x")
    with pytest.raises(InputError, match="pliant convert"):
        Models(str(tmp_path / "file.pkl"), "cpu")


# ---- what sessions share


@pytest.fixture
def studio(tmp_path):
    studio = Studio(tmp_path, model="tiny", limits=Limits(sessions=3, idle_seconds=0))
    yield studio
    studio.device.close()


def test_edits_are_found_by_name(studio):
    assert studio.edit("drag").title == "Drag points"
    with pytest.raises(InputError, match="no mode 'paint'"):
        studio.edit("paint")


def test_few_uploads_are_held_the_oldest_go_first(studio):
    for number in range(UPLOADS + 3):
        studio.keep_upload(str(number), Image.new("RGB", (1, 1)))
    assert list(studio.uploads) == [str(number) for number in range(3, UPLOADS + 3)]


def test_a_session_is_one_object_while_it_is_open_and_idle_ones_are_dropped(studio):
    async def main():
        session = await studio.session(None)
        one, two = await asyncio.gather(studio.session(session.id), studio.session(session.id))
        assert one is two is session
        assert studio.store.knows(session.id)
        await asyncio.sleep(0.01)
        other = await studio.session(None)
        assert list(studio.sessions) == [other.id]
        assert (await studio.session(session.id)).id == session.id
        for wrong in ("0" * 32, "", "..", session.id.upper() + "x"):
            with pytest.raises(InputError, match="no such project"):
                await studio.session(wrong)

    asyncio.run(main())
