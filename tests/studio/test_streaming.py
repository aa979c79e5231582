"""Frames and messages on their way to a page: latest wins, nothing piles up."""

import asyncio
import io
import json
import struct

import pytest
from PIL import Image
from starlette.websockets import WebSocketDisconnect

from pliant.studio import messages as m
from pliant.studio.connection import MOST_WAITING, Connection
from pliant.studio.frames import MAX_SIDE, Frame, FrameWindow, to_jpeg, to_png

NODE, OTHER = "a" * 16, "b" * 16


def frame(step, node=NODE):
    return Frame(node, step, (m.StepFacts(step=step, loss=step / 2),), 5.0 + step, b"jpeg%d" % step)


def unpacked(data):
    (length,) = struct.unpack(">I", data[:4])
    return json.loads(data[4 : 4 + length]), data[4 + length :]


# ---- the window


def test_two_frames_may_be_on_their_way():
    window = FrameWindow()
    sent = []
    for step in range(4):
        window.offer(frame(step))
        sent.append(window.take())
    heads = [unpacked(data)[0] for data in sent if data]
    assert [(head["number"], head["step"]) for head in heads] == [(1, 0), (2, 1)]
    assert not window.wants()


def test_the_latest_takes_the_place_of_the_one_that_waits_with_its_facts():
    window = FrameWindow()
    for step in range(2):
        window.offer(frame(step))
        window.take()
    for step in range(2, 6):
        window.offer(frame(step))
        assert window.take() is None
    window.acknowledge(1)
    head, jpeg = unpacked(window.take())
    assert (head["number"], head["step"], head["sent"], jpeg) == (3, 5, 10.0, b"jpeg5")
    assert [fact["step"] for fact in head["facts"]] == [2, 3, 4, 5]
    assert [fact["loss"] for fact in head["facts"]] == [1, 1.5, 2, 2.5]
    assert window.take() is None


def test_facts_of_another_run_are_not_mixed_in():
    window = FrameWindow()
    window.sent = 2
    window.offer(frame(8))
    window.offer(frame(0, OTHER))
    window.acknowledge(2)
    head, _ = unpacked(window.take())
    assert (head["node"], [fact["step"] for fact in head["facts"]]) == (OTHER, [0])


def test_a_page_that_lies_about_what_it_drew_gets_no_more():
    window = FrameWindow()
    window.acknowledge(10**12)
    for step in range(5):
        window.offer(frame(step))
        window.take()
    assert window.sent == 2
    window.acknowledge(0)
    assert not window.wants()
    window.acknowledge(2)
    assert not window.wants(), "one waits"
    window.take()
    assert window.wants()


# ---- stills


def test_large_pictures_are_sent_smaller_while_they_move():
    noise = Image.effect_noise((2048, 1024), 80).convert("RGB")
    with Image.open(io.BytesIO(to_jpeg(noise))) as shown:
        assert (shown.format, shown.size) == ("JPEG", (MAX_SIDE, MAX_SIDE // 2))
    assert noise.size == (2048, 1024)
    with Image.open(io.BytesIO(to_jpeg(noise, side=160))) as shown:
        assert shown.size == (160, 80)
    with Image.open(io.BytesIO(to_png(noise))) as exact:
        assert exact.tobytes() == noise.tobytes()


def test_a_jpeg_keeps_fine_colour():
    stripes = Image.new("RGB", (64, 64), "red")
    for x in range(0, 64, 2):
        stripes.paste("blue", (x, 0, x + 1, 64))
    with Image.open(io.BytesIO(to_jpeg(stripes))) as shown:
        assert max(abs(a - b) for a, b in zip(shown.getpixel((31, 31)), (255, 0, 0), strict=True)) < 60


# ---- the connection


class Socket:
    """What a connection needs of a socket; a real one cannot be made to read slowly on time."""

    def __init__(self):
        self.sent, self.open = [], True
        self.reads = asyncio.Event()
        self.reads.set()

    async def send_text(self, text):
        await self.reads.wait()
        if not self.open:
            raise WebSocketDisconnect(1006)
        self.sent.append(json.loads(text))

    async def send_bytes(self, data):
        await self.reads.wait()
        self.sent.append(unpacked(data)[0] | {"type": "frame"})

    async def close(self):
        self.open = False


def progress(step):
    run = m.RunInfo(
        node=NODE,
        edit="drag",
        preview=False,
        state="running",
        candidate=1,
        candidates=1,
        position=0,
        step=step,
        max_steps=9,
        seconds_left=None,
    )
    return m.RunProgress(run=run)


def problem(number):
    return m.Problem(about="run", sentence=f"{number}")


def talked(work):
    """Run a conversation; the socket after it."""

    async def main():
        connection = Connection(Socket())
        sender = asyncio.create_task(connection.run())
        await work(connection)
        connection.close()
        await asyncio.wait_for(sender, 5)
        return connection.socket

    return asyncio.run(main())


def test_messages_come_in_order_and_control_before_frames():
    async def work(connection):
        connection.send_frame(frame(0))
        connection.send(problem(1))
        connection.send(problem(2))
        await asyncio.sleep(0.01)

    socket = talked(work)
    assert [each.get("sentence", each["type"]) for each in socket.sent] == ["1", "2", "frame"]
    assert not socket.open


def test_of_some_kinds_only_the_newest_is_sent():
    async def work(connection):
        connection.socket.reads.clear()
        connection.send(problem(0))
        await asyncio.sleep(0.01)  # the first is on its way and waits for the page
        for step in range(100):
            connection.send(progress(step))
            connection.send(m.Hints(hints=()))
            connection.send_frame(frame(step))
        connection.send(problem(1))
        assert len(connection._waiting) == 3
        connection.socket.reads.set()
        await asyncio.sleep(0.01)

    sent = talked(work).sent
    kinds = [each["type"] for each in sent]
    assert kinds == ["problem", "progress", "hints", "problem", "frame"]
    assert sent[1]["run"]["step"] == 99
    assert sent[4]["step"] == 99
    assert len(sent[4]["facts"]) == 100


def test_a_page_that_does_not_read_is_given_up():
    async def work(connection):
        connection.socket.reads.clear()
        for number in range(10 * MOST_WAITING):
            connection.send(problem(number))
            await asyncio.sleep(0)
        assert connection.closed
        assert len(connection._waiting) <= MOST_WAITING
        connection.socket.reads.set()

    talked(work)


def test_what_was_said_before_closing_still_arrives():
    async def work(connection):
        connection.send(problem("the last word"))
        connection.send_frame(frame(1))
        connection.close()
        connection.send(problem("too late"))

    socket = talked(work)
    assert [each.get("sentence") for each in socket.sent] == ["the last word"]
    assert not socket.open


@pytest.mark.parametrize("late", [False, True])
def test_a_socket_that_has_gone_ends_the_sending(late):
    async def work(connection):
        if late:
            connection.send(problem(0))
            await asyncio.sleep(0.01)
        connection.socket.open = False
        connection.send(problem(1))
        await asyncio.sleep(0.01)
        assert connection.closed

    talked(work)
