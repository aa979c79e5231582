"""Pictures with words, as `fetch.sh` left them: where they lie, what their names are, how they become pixels."""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from PIL import Image

SIDE = 144
"""Longer side of the pictures in pixels."""
JUNK = re.compile(
    r"\b(clip ?art|untitled|drawing|svg|inkscape|new document|open ?clipart|unknown|icons?|logo|remix|by [\w ]+|vector|"
    r"unsorted|architetto|francesco|rollandin|public domain|externalsource|pd issue|recolou?r|"
    r"part of the flat collection( wed aug)?|"
    r"various cliparts|aiga symbol signs|lemon theme|gradient collection|etiquette|gramastar)\b|[\d_#.,;:()/\"-]+"
)
ALIKE = 3
"""Clip art of one folder and title of which more are left out."""
CODE_POINTS = re.compile(r"[0-9a-f]{1,5}(-[0-9a-f]{1,5})*")
SKIN_TONES = re.compile("[\U0001f3fb-\U0001f3ff]")
STYLES = {
    "lorelei": "a cartoon avatar of",
    "notionists": "an ink drawing of",
    "open-peeps": "a comic drawing of",
    "pixel-art": "a pixel art portrait of",
    "voxel-art": "a voxel figure of",
}
"""What the styles of avatars look like."""
LOOKS = {
    "hair": "with {} hair",
    "length": "with {}",
    "glasses": "with {}",
    "beard": "with {}",
    "hat": "with {}",
    "smile": "{}",
}
"""What of a person's facts captions say, and how."""
BEARDS = {"none": "no beard", "moustache": "a moustache", "stubble": "none"}
"""What portraits have that is no beard; of stubble nothing is said."""


@dataclass(frozen=True)
class Item:
    """A picture and its words."""

    kind: str
    """`emoji`, `clipart`, `portrait` or `avatar`."""
    names: list[str]
    """What it shows, the best first; of a person, one sentence."""
    keywords: list[str]
    """What else it has to do with; of a person, facts as `name=value`."""

    @property
    def is_person(self) -> bool:
        """Whether it is a portrait or an avatar."""
        return self.kind in {"portrait", "avatar"}

    @property
    def facts(self) -> dict[str, str]:
        """What is known of a person."""
        return dict(fact.split("=") for fact in self.keywords) if self.is_person else {}

    def line(self, file: str) -> str:
        """As JSON."""
        return json.dumps({"file": file, **asdict(self)})


def emoji(cache: Path) -> Iterator[tuple[Item, Image.Image]]:
    """Fluent 3D emoji (MIT) with the names and keywords of emojilib (MIT), without those that vary only in skin."""
    words: dict[str, list[str]] = json.loads(
        (cache / "emojilib-4.0.3/package/dist/emoji-en-US.json").read_text()
    )
    plain = {
        sign.replace("\ufe0f", ""): [word.replace("_", " ") for word in named]
        for sign, named in words.items()
    }
    for path in sorted((cache / "lobehub-fluent-emoji-3d-1.1.0/package/assets").glob("*.webp")):
        if not CODE_POINTS.fullmatch(path.stem):
            continue
        sign = "".join(chr(int(part, 16)) for part in path.stem.split("-")).replace("\ufe0f", "")
        if sign not in plain or SKIN_TONES.search(sign):
            continue
        name, *keywords = (cleaned(word) for word in plain[sign])
        if not is_spare_flag(name, keywords):
            yield (
                Item("emoji", [name], [word for word in keywords if len(word) > 2]),
                Image.open(path).convert("RGBA"),
            )


def clipart(cache: Path) -> Iterator[tuple[Item, Image.Image]]:
    """Open Clip Art (public domain), named by its titles and keywords and by the folders that it lies in."""
    root = cache / "openclipart-svg/usr/share/openclipart/svg"
    seen = Counter[tuple[Path, str]]()
    for path in sorted(root.rglob("*.svg")):
        if (
            path.stat().st_size > 400_000 or "icons" in path.parts
        ):  # thousands of a computer's, named for no eye
            continue
        title, keywords = words_in_svg(path)
        folders = [cleaned(part) for part in path.relative_to(root).parts[:-1]]
        for name in (title, cleaned(path.stem)):
            seen[path.parent, name] += 1
            if name and seen[path.parent, name] <= ALIKE and not is_spare_flag(name, keywords):
                drawn = rasterised(path)
                if drawn:
                    yield (
                        Item(
                            "clipart",
                            [name],
                            list(dict.fromkeys(keywords + [each for each in folders if each])),
                        ),
                        drawn,
                    )
                break


def is_spare_flag(name: str, keywords: list[str]) -> bool:
    """Whether a picture is one of the many flags of countries, of which one in four is enough."""
    return bool({"flag", "flags"} & {*name.split(), *keywords}) and zlib.crc32(name.encode()) % 4 > 0


def rasterised(path: Path) -> Image.Image | None:
    """A drawing in RGBA, its empty margins cut off; None if it is empty or broken."""
    import resvg_py

    try:
        png = bytes(resvg_py.svg_to_bytes(svg_path=str(path), width=2 * SIDE, dpi=96, skip_system_fonts=True))
        drawn = Image.open(io.BytesIO(png)).convert("RGBA")
    except Exception:  # noqa: BLE001 - whatever is wrong with one of thousands
        return None
    box = drawn.getbbox()
    opacity = drawn.getchannel("A").resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    return drawn.crop(box) if box and opacity else None


def words_in_svg(path: Path) -> tuple[str, list[str]]:
    """Title and keywords that the metadata of a drawing of Open Clip Art give."""
    title, keywords = "", list[str]()
    try:
        for _, element in ET.iterparse(path):  # noqa: S314 - a released archive; no entities in it
            tag, text = str(element.tag).rpartition("}")[2], element.text or ""
            if tag == "title" and not title:
                title = cleaned(text)
            elif tag == "li" and cleaned(text) not in {"", "hash"}:
                keywords.append(cleaned(text))
    except ET.ParseError:
        return "", []
    return title, keywords


def cleaned(text: str) -> str:
    """Lower-case ASCII words, without what says nothing of the picture."""
    plain = text.lower().encode("ascii", "ignore").decode().replace("_", " ")
    return " ".join(JUNK.sub(" ", plain).split())[:60]


def avatars(cache: Path) -> Iterator[tuple[Item, Image.Image]]:
    """Avatars of DiceBear (CC0) as avatars.mjs drew them, each with a sentence of all that is to be seen."""
    folder = cache / "dicebear/avatars"
    for line in (folder / "avatars.jsonl").read_text().splitlines():
        record = json.loads(line)
        drawn = rasterised(folder / record["file"])
        if drawn:
            yield avatar(record["facts"]), drawn


def avatar(facts: dict[str, str]) -> Item:
    """An avatar's item, from what was chosen for it."""
    sentence = f"{STYLES[facts['style']]} a person {', '.join(looks_of(facts))}"
    return Item("avatar", [sentence], [f"{name}={value}" for name, value in facts.items()])


def looks_of(facts: dict[str, str]) -> list[str]:
    """What captions say of a person's facts, each for itself."""
    return [LOOKS[name].format(facts[name]) for name in LOOKS if facts.get(name, "none") != "none"]


def portraits(folder: Path, every: int) -> Iterator[tuple[Item, Image.Image]]:
    """Rendered portraits (CC0) with their captions, one of so many."""
    for path in sorted(folder.glob("portraits_*.zip")):
        with zipfile.ZipFile(path) as shard:
            for line in shard.read("labels.jsonl").splitlines()[::every]:
                labels = json.loads(line)
                attributes = {
                    "gender": "woman" if labels["gender"] < 0.5 else "man",
                    "hair": labels["hair_colour"],
                    "glasses": "glasses" if labels["glasses"] != "none" else "no glasses",
                    "beard": BEARDS.get(labels["beard"], "a beard"),
                    "theme": labels["theme"],
                }
                keywords = [f"{name}={value}" for name, value in attributes.items()]
                picture = Image.open(io.BytesIO(shard.read(labels["image"]))).convert("RGB")
                yield Item("portrait", [labels["caption"]], keywords), picture


def glosses(cache: Path) -> list[str]:
    """Words and definitions of WordNet 3.0 (its own free licence): what the text side is taught on."""
    lines: dict[str, None] = {}
    for name in ("noun", "adj", "verb"):
        for line in (cache / f"wordnet-base/usr/share/wordnet/data.{name}").read_text().splitlines():
            if line.startswith("  "):
                continue
            fields, _, gloss = line.partition(" | ")
            parts = fields.split()
            lemmas = [parts[4 + 2 * k].split("(")[0].replace("_", " ") for k in range(int(parts[3], 16))]
            lines |= dict.fromkeys((", ".join(lemmas[:3]), gloss.split(";")[0].strip()))
            lines |= dict.fromkeys(re.findall(r'"([^"]{12,120})"', gloss))
    return [line for line in lines if line.isascii() and 2 < len(line) < 140]


def classes(cache: Path) -> list[str]:
    """The first names of the 1,000 classes that EfficientNet-Lite0 was trained on, in its order."""
    lemmas = dict(
        line.split("\t")
        for line in (cache / "imagenet/imagenet_synset_to_lemma.txt").read_text().splitlines()
    )
    order = (cache / "imagenet/imagenet_synsets.txt").read_text().split()
    return [lemmas[synset].split(",")[0].replace("_", " ").lower() for synset in order]
