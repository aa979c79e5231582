"""Whatever comes over a socket: the server answers with a sentence or leaves it, and goes on."""

import contextlib
import copy
import json
import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pliant.studio.limits import Limits
from pliant.studio.messages import FROM_PAGE, FrameHead, Message
from pliant.studio.studio import Studio
from served import Page, serve

NODE, SESSION, HASH = "0" * 16, "0" * 32, "0" * 64
PLACE = {"node": NODE, "step": 0}
GOOD = [
    {"type": "hello", "session": None},
    {"type": "sample", "model": "tiny", "seed": 3, "psi": 0.7},
    {"type": "use_image", "image": HASH},
    {"type": "change", "label": "x", "points": [{"handle": [1, 2], "target": [3, 4], "locked": False}]},
    {"type": "change", "label": "x", "edit": "drag", "settings": {"max_steps": 4, "space": "w", "exact_grid": True}},
    {"type": "change", "label": "x", "mask": "AAAA", "feather": 2.0, "clear_mask": False},
    {"type": "change", "label": "x", "mask": {"image": HASH, "feather": 1.0}},
    {"type": "change", "label": "x", "edit": "repaint", "parts": "AAAA", "clear_parts": False},
    {"type": "change", "label": "x", "edit": "vector", "vectors": {"smile": 1.5, "../x": -2}},
    {"type": "change", "label": "x", "edit": "invert", "model": "tiny", "crop": {"face": 3, "box": [0, 0, 9.5, 9]}},
    {"type": "go", "place": PLACE, "points": "follow"},
    {"type": "undo"},
    {"type": "redo"},
    {"type": "start", "go_on": True},
    {"type": "preview", "vectors": {"smile": 1.5}},
    {"type": "pause"},
    {"type": "resume"},
    {"type": "stop"},
    {"type": "ack", "number": 1},
    {"type": "export", "format": "png", "place": PLACE, "marks": True, "boomerang": True, "photo": True, "fps": 24},
    {"type": "cancel_export"},
    {"type": "ask_script", "place": PLACE},
    {"type": "save_vector", "place": PLACE, "name": "../../x", "parts": ["hair"]},
    {"type": "set_classes", "classes": [{"name": "a", "colour": [0, 1, 2]}, {"name": "b", "colour": [9, 8, 7]}]},
    {"type": "add_label"},
    {"type": "remove_label", "label": HASH},
    {"type": "train_head"},
]  # fmt: skip
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from(
        [0, -1, 2**31, 2**53, 2**63, 10**30, 10**400, 1e308, -0.0, 5e-324, float("nan"), float("inf")]
    ),
    st.floats(),
    st.text(max_size=40),
    st.sampled_from(
        ["", "drag", "tiny", NODE, SESSION, HASH, "\0", "\ud800", "x" * 300, "__class__", "../x", "type"]
    ),
)
JSON = st.recursive(LEAVES, lambda inner: st.one_of(
    st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=12), inner, max_size=4)), max_leaves=12)  # fmt: skip


def places(value, way=()):
    """The way to every part of a message."""
    yield way
    for key, inner in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from places(inner, (*way, key))


@st.composite
def mutated(draw):
    """A good message with a part replaced, removed, doubled or added."""
    message = copy.deepcopy(draw(st.sampled_from(GOOD)))
    for _ in range(draw(st.integers(1, 3))):
        way = draw(st.sampled_from(list(places(message))))
        if not way:
            message[draw(st.text(max_size=12))] = draw(JSON)
            continue
        holder = message
        with contextlib.suppress(LookupError, TypeError):
            for key in way[:-1]:
                holder = holder[key]
            if draw(st.booleans()):
                holder[way[-1]] = draw(JSON)
            else:
                del holder[way[-1]]
    return json.dumps(message)


@st.composite
def mangled(draw):
    """The text of a good message with some characters changed, cut off or repeated."""
    text = json.dumps(draw(st.sampled_from(GOOD)))
    begin = draw(st.integers(0, len(text)))
    end = draw(st.integers(begin, len(text)))
    return text[:begin] + draw(st.text(max_size=6)) * draw(st.integers(0, 3)) + text[end:]


TEXTS = st.one_of(mutated(), mangled(), JSON.map(json.dumps), st.text(max_size=60))
DEEP = ["[" * 100_000, '{"type":' * 50_000, '{"type":"change","label":"x","settings":' + '{"a":' * 20_000,
        '{"type":"change","label":"x","points":' + "[" * 5000 + "]" * 5000 + "}"]  # fmt: skip


@given(TEXTS)
@settings(max_examples=400, deadline=None)
def test_the_parser_takes_or_refuses_and_never_breaks(text):
    try:
        message = FROM_PAGE.validate_json(text)
    except ValidationError:
        return
    assert isinstance(message, Message)
    again = FROM_PAGE.validate_json(message.model_dump_json())
    assert again == message


@pytest.mark.parametrize("text", DEEP, ids=len)
def test_deep_nesting_is_refused(text):
    with pytest.raises((ValidationError, RecursionError)):
        FROM_PAGE.validate_json(text)


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200)))
@settings(max_examples=200, deadline=None)
def test_bytes_are_refused_as_well(data):
    with pytest.raises(ValidationError):
        FROM_PAGE.validate_json(data)


def test_nothing_extra_is_taken():
    for message in GOOD:
        FROM_PAGE.validate_python(message)
        with pytest.raises(ValidationError):
            FROM_PAGE.validate_python({**message, "extra": 1})
    with pytest.raises(ValidationError):
        FROM_PAGE.validate_python({"type": "welcome"})
    assert FrameHead.model_config["extra"] == "forbid"


@pytest.fixture(scope="module")
def studio(own_home, tmp_path_factory):
    """A studio that does not mind how fast its pages talk."""
    limits = Limits(messages_per_second=1e9, steps=20)
    return Studio(tmp_path_factory.mktemp("studio"), model="tiny", limits=limits)


@pytest.fixture(scope="module")
def talking(studio):
    """A page of that studio."""
    with serve(studio) as served, served.page() as page:
        page.sample()
        yield page


def still_answers(page: Page):
    """A message that makes sense is answered."""
    page.send("ask_script", place=PLACE)
    while True:
        message = page.receive()
        if message["type"] == "problem" and message["sentence"] == "There is no such frame in the project.":
            return


@given(texts=st.lists(TEXTS, min_size=1, max_size=4))
@example(texts=DEEP)
@example(texts=[json.dumps(message) for message in GOOD])
@example(texts=[json.dumps({"type": "change", "label": "x", "settings": {"max_steps": value}}) for value in
                (True, 1e308, 10**18, 2**53 + 1, "3", -1, 0.5, 1e15)])  # fmt: skip
@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_message_breaks_a_live_session(talking, caplog, texts):
    for text in texts:
        with contextlib.suppress(UnicodeEncodeError):
            talking.socket.send(text)
    still_answers(talking)
    talking.log.clear()
    assert not [record.getMessage() for record in caplog.records if record.exc_info]


def test_after_all_that_the_studio_works(studio, talking):
    talking.send("stop")
    still_answers(talking)
    talking.close()
    while not studio.sessions[talking.session].idle:  # what was asked for last may still be at work
        time.sleep(0.05)
    with talking.served.page(talking.session) as page:
        place = page.sample(5)
        page.do("change", label="Drag", edit="drag")  # the mode may be any
        page.points((10, 10, 14, 10), max_steps=3)
        ended, _ = page.run()
        assert ended["steps"] == 3
        assert page.frame(place)
