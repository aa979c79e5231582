"""An SVG as a person may have it, and how the studio opens it."""

SVG = b"""<svg xmlns="http://www.w3.org/2000/svg" width="60" height="40" viewBox="0 0 60 40">
<style>.leaf{fill:#2e8b57}</style>
<g id="tree"><g id="crown"><path class="leaf" d="M10,5L30,5L20,20Z"/><path class="leaf" d="M12,12L28,12L20,28Z"/></g>
<path id="trunk" fill="#8b5a2b" d="M18,28L22,28L22,38L18,38Z"/></g>
<path fill="#ffcc00" stroke="#cc8800" stroke-width="2" d="M40,5L50,5L50,15Z"/>
<text x="3" y="30">Tree</text></svg>"""
"""A tree of two groups, a shape in no group with a stroke, and a text, which is left out."""


def opened(page, data=SVG):
    """Open an SVG; the state after that."""
    sent = page.served.post("/api/drawings", data)
    assert sent.status == 200, sent.body
    return page.do("use_drawing", drawing=sent.json["drawing"])
