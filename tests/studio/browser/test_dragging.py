"""A newcomer drags the corners of a mouth."""


def test_a_drag_from_two_commands_worth_of_clicks(studio):
    studio.open()
    studio.portrait(9)
    studio.point((105, 170), (98, 163))
    studio.point((140, 170), (147, 163))
    before = studio.read("document.at")
    ended = studio.run_to_end()
    assert ended["reason"] == "arrived"
    assert studio.read("frames") > 3
    after = studio.read("document.at")
    assert after["node"] != before["node"]
    assert after["step"] == ended["steps"] - 1
    nodes = studio.read("state.nodes")
    assert [node["title"] for node in nodes] == ["Seed 9", "Drag 2 points"]
    handles = [point["handle"] for point in studio.read("document.points")]
    assert abs(handles[0][0] - 98) <= 3
    assert abs(handles[1][0] - 147) <= 3
