"""What the page and the server say to each other, typed once: the page's TypeScript types are generated from here.

Control is JSON text over one WebSocket, `/api/ws`, in the sub-protocol `pliant.v1`: `FromPage` one way, `FromServer` the
other. Pictures of a run are binary messages: 4 bytes with the length of a JSON head (`FrameHead`, big-endian), the head, JPEG.
Of these at most two are on their way unacknowledged; newer ones take the place of those that wait. Still pictures, masks and
exports are plain GETs.

Nothing that the page sends is ever used as a path or an address.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

PROTOCOL = "pliant.v1"
MAX_POINTS = 256
MAX_MASK_TEXT = 1_400_000
"""Characters of a mask or part map as base64: 1 MB of PNG."""
MAX_CLASSES = 64
"""Parts that a person may name."""
MAX_LABELS = 100
MAX_VECTORS = 64
MAX_PROMPTS = 16
"""Prompts of a document, and boxes that get a round of their own when a photo is traced."""
MAX_TEXT = 1000
"""Characters of a prompt."""
MAX_LAYERS = 2000
"""Groups and paths of a drawing that one set of changes may name in each of its lists."""
LISTED_PATHS = 50
"""Paths of a group that are told at once."""
LISTED_SWATCHES = 256
MAX_THINGS = 16
"""Things that are moved or pasted at once."""
MAX_CANDIDATES = 4
LARGEST_BLANK = 2048
"""Pixels a side of an empty drawing."""

Coordinate = Annotated[float, Field(ge=-100_000, le=100_000, allow_inf_nan=False)]
XY = tuple[Coordinate, Coordinate]
Id = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
SessionId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,40}$")]
ModelName = Annotated[str, Field(min_length=1, max_length=200)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Psi = Annotated[float, Field(ge=0, le=1.5, allow_inf_nan=False)]
Strength = Annotated[float, Field(ge=-10, le=10, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Channel = Annotated[int, Field(ge=0, le=255)]
Box = tuple[Coordinate, Coordinate, Coordinate, Coordinate]
"""x, y, width and height in pixels, measured from the picture's top left edge."""
Colour = Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")]
Layer = Annotated[int, Field(ge=0)] | Annotated[str, Field(min_length=1, max_length=200)]
"""A path of a drawing by its number, or a group by its id."""
Layers = Annotated[tuple[Layer, ...], Field(max_length=MAX_LAYERS)]
Png = Annotated[str, Field(max_length=MAX_MASK_TEXT)]
"""Base64 of an 8-bit PNG of the picture's size."""
Value = (
    bool
    | Annotated[int, Field(ge=-(2**53), le=2**53)]
    | Annotated[float, Field(allow_inf_nan=False)]
    | Annotated[str, Field(max_length=200)]
)
Settings = dict[Annotated[str, Field(max_length=60)], Value]


class Message(BaseModel):
    """Base of everything that is sent: nothing extra, nothing changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# ---- what a person has set up: the part that undo and redo cover


class Point(Message):
    """One point to drag, pixels of the picture."""

    handle: XY
    target: XY
    locked: bool = False
    """Keeps its place, whatever its target."""


class Mask(Message):
    """Where the picture may change: an 8-bit picture of its size, white = may change."""

    image: Hash
    feather: Annotated[float, Field(ge=0, le=200, allow_inf_nan=False)] = 0.0
    """Standard deviation in pixels of the blur that is put over it."""


class Crop(Message):
    """Which part of a photo the model should make: one of its faces, or a box; of neither, the one face in it."""

    face: Annotated[int, Field(ge=0, lt=100)] | None = None
    """Number of the face, from 0, in the order of `Face`."""
    box: Box | None = None
    """In pixels of the photo."""


class Prompt(Message):
    """Words for a drawing, or for a box of it."""

    text: Annotated[str, Field(max_length=MAX_TEXT)] = ""
    """Empty while it is still to be written."""
    box: Box | None = None
    """None for the whole picture."""
    strength: Annotated[float, Field(ge=0, le=3, allow_inf_nan=False)] = 1.0


class LayerChanges(Message):
    """How a drawing's groups, paths and colours should be; what is shown wins over what is hidden, unlocked over locked."""

    hidden: Layers = ()
    shown: Layers = ()
    """Of what the drawing hides."""
    locked: Layers = ()
    """Keep their shapes and colours."""
    unlocked: Layers = ()
    swatches: Annotated[dict[Annotated[int, Field(ge=0)], Colour], Field(max_length=MAX_LAYERS)] = Field(
        default_factory=dict[int, str]
    )
    """New colours, by the number of the old one."""


class Place(Message):
    """A frame of the tree: a node and one of its steps."""

    node: Id
    step: Annotated[int, Field(ge=0)]


class Thing(Message):
    """Something that was selected, and where it goes: p to pivot + shift + scale * turned(p - pivot)."""

    mask: Hash
    """An 8-bit picture of the frame's size, white = the thing."""
    shift: XY = (0.0, 0.0)
    scale: Annotated[float, Field(ge=0.05, le=20, allow_inf_nan=False)] = 1.0
    turn: Annotated[float, Field(ge=-360, le=360, allow_inf_nan=False)] = 0.0
    """Degrees, clockwise as seen."""
    pivot: XY | None = None
    """The middle of the box around the thing if None."""


Things = Annotated[tuple[Thing, ...], Field(max_length=MAX_THINGS)]


class Other(Message):
    """What was copied, to be pasted or to give its looks: things of a frame of the project."""

    at: Place
    masks: Annotated[tuple[Hash, ...], Field(min_length=1, max_length=MAX_THINGS)]


class Document(Message):
    """What the person has set up; every change makes a new one, and undo leads back through them."""

    edit: Word
    """The mode: name of an edit in the catalogue."""
    at: Place | None = None
    """The frame that the next run begins from; None before a picture was chosen."""
    points: tuple[Point, ...] = Field(default=(), max_length=MAX_POINTS)
    mask: Mask | None = None
    parts: Hash | None = None
    """A part map as it was painted, of the frame's size; None as long as nothing was painted."""
    vectors: dict[Name, Strength] = Field(default_factory=dict[str, float], max_length=MAX_VECTORS)
    """Learnt edits by name, with their strengths."""
    model: ModelName | None = None
    """That should make a photo; None for the first that the studio offers."""
    crop: Crop | None = None
    prompts: tuple[Prompt, ...] = Field(default=(), max_length=MAX_PROMPTS)
    words: ModelName | None = None
    """Model that reads the prompts; None for the first that the studio offers."""
    layers: LayerChanges = Field(default_factory=LayerChanges)
    boxes: tuple[Box, ...] = Field(default=(), max_length=MAX_PROMPTS)
    """Parts of a photo that are traced in more detail."""
    things: Things = ()
    """Of the frame; in the mode that pastes, of the other one."""
    other: Other | None = None
    prompt: Annotated[str, Field(max_length=MAX_TEXT)] = ""
    """What the picture shows, or should."""
    diffuser: ModelName | None = None
    """Model that makes and edits pictures; None for the first that the studio offers."""
    candidates: Annotated[tuple[Id, ...], Field(max_length=MAX_CANDIDATES)] = ()
    """Runs that differ in their seed only, to choose from."""
    settings: dict[Word, Settings] = Field(default_factory=dict[str, Settings])
    """By edit: settings that differ from the defaults."""


# ---- from the page


class Hello(Message):
    """First message of a connection: a known session, or None for a new one."""

    type: Literal["hello"] = "hello"
    session: SessionId | None = None


class Sample(Message):
    """Put the generated picture of a seed at a new root of the tree and go there."""

    type: Literal["sample"] = "sample"
    model: ModelName
    seed: Seed
    psi: Psi = 0.7


class UseImage(Message):
    """Put an uploaded image at a new root of the tree and go there."""

    type: Literal["use_image"] = "use_image"
    image: Hash


class UseDrawing(Message):
    """Put an uploaded drawing at a new root of the tree and go there."""

    type: Literal["use_drawing"] = "use_drawing"
    drawing: Hash


class NewDrawing(Message):
    """Put an empty drawing at a new root of the tree and go there."""

    type: Literal["new_drawing"] = "new_drawing"
    width: Annotated[int, Field(ge=16, le=LARGEST_BLANK)]
    height: Annotated[int, Field(ge=16, le=LARGEST_BLANK)]


class FromWords(Message):
    """Put a grey picture at a new root of the tree and go there, to have another made from words."""

    type: Literal["from_words"] = "from_words"


class Change(Message):
    """A finished gesture: what is given takes the place of what the document held. One step of undo."""

    type: Literal["change"] = "change"
    label: Annotated[str, Field(max_length=60)]
    """What undo will call it, such as "Add point"."""
    edit: Word | None = None
    points: Annotated[tuple[Point, ...], Field(max_length=MAX_POINTS)] | None = None
    settings: Settings | None = None
    """Of the mode, all that differ from the defaults."""
    mask: Png | Mask | None = None
    """A new mask, or one that the server has."""
    feather: Annotated[float, Field(ge=0, le=200, allow_inf_nan=False)] | None = None
    """Feather of the mask that is sent as a PNG."""
    clear_mask: bool = False
    parts: Png | None = None
    """A painted part map, whose values are the ids of the parts."""
    clear_parts: bool = False
    vectors: Annotated[dict[Name, Strength], Field(max_length=MAX_VECTORS)] | None = None
    model: ModelName | None = None
    crop: Crop | None = None
    prompts: Annotated[tuple[Prompt, ...], Field(max_length=MAX_PROMPTS)] | None = None
    words: ModelName | None = None
    layers: LayerChanges | None = None
    boxes: Annotated[tuple[Box, ...], Field(max_length=MAX_PROMPTS)] | None = None
    things: Things | None = None
    """A change between pasting and another mode takes the former ones away."""
    other: Other | None = None
    prompt: Annotated[str, Field(max_length=MAX_TEXT)] | None = None
    diffuser: ModelName | None = None
    clear_candidates: bool = False


class Go(Message):
    """Make a frame the start of the next run."""

    type: Literal["go"] = "go"
    place: Place
    points: Literal["keep", "clear", "follow"] = "keep"
    """Leave the points where they are, remove them, or put each handle where it was on that frame."""


class Undo(Message):
    """One change back."""

    type: Literal["undo"] = "undo"


class Redo(Message):
    """One change forth."""

    type: Literal["redo"] = "redo"


class Start(Message):
    """Run the mode's edit on the document."""

    type: Literal["start"] = "start"
    go_on: bool = False
    """Continue the run that ended at the document's frame, as if it had not been stopped, where its memory is still there."""
    candidates: Annotated[int, Field(ge=1, le=MAX_CANDIDATES)] = 1
    """Runs one after the other, each with the next seed, to choose from."""


class Preview(Message):
    """Show what the edit would make of the document, and keep nothing of it; any other wish ends the showing."""

    type: Literal["preview"] = "preview"
    vectors: Annotated[dict[Name, Strength], Field(max_length=MAX_VECTORS)] | None = None
    """In place of the document's: while a slider moves, before that becomes a change."""
    layers: LayerChanges | None = None
    """In place of the document's: while a colour is being chosen."""
    edit: Word | None = None
    """In place of the mode's: the one that shows what a mode begins with, such as its layers."""


class Pause(Message):
    """Hold the run after the step in progress."""

    type: Literal["pause"] = "pause"


class Resume(Message):
    """Let a paused run go on."""

    type: Literal["resume"] = "resume"


class Stop(Message):
    """End the run after the step in progress and keep what it has."""

    type: Literal["stop"] = "stop"


class Ack(Message):
    """A frame was drawn."""

    type: Literal["ack"] = "ack"
    number: Annotated[int, Field(ge=0)]


class Export(Message):
    """Make a file to download."""

    type: Literal["export"] = "export"
    format: Literal["png", "jpg", "webp", "mp4", "webm", "gif", "webp-animation", "svg", "latent", "project"]
    place: Place
    """The frame; of an animation, the run and its last frame."""
    marks: bool = False
    boomerang: bool = False
    photo: bool = False
    """Of a frame that comes from a photo: put back into the whole photo."""
    fps: Annotated[float, Field(ge=1, le=60, allow_inf_nan=False)] = 24


class CancelExport(Message):
    """Give the export in progress up."""

    type: Literal["cancel_export"] = "cancel_export"


class AskScript(Message):
    """The frame as a Python program and as commands that make it again exactly."""

    type: Literal["ask_script"] = "ask_script"
    place: Place


class SaveVector(Message):
    """Keep what the run of a frame did, up to that frame, as a learnt edit among the person's own."""

    type: Literal["save_vector"] = "save_vector"
    place: Place
    name: Name
    parts: Annotated[tuple[Name, ...], Field(max_length=MAX_CLASSES)] = ()
    """Names of the parts that it concerns."""


class PartClass(Message):
    """One kind of part."""

    name: Name
    colour: tuple[Channel, Channel, Channel]


class SetClasses(Message):
    """The parts that the person will label; not while there are labels with more."""

    type: Literal["set_classes"] = "set_classes"
    classes: Annotated[tuple[PartClass, ...], Field(min_length=2, max_length=MAX_CLASSES)]


class AddLabel(Message):
    """Keep the painted part map and its frame for training; one of the same frame takes the place of the former."""

    type: Literal["add_label"] = "add_label"


class RemoveLabel(Message):
    """Forget a label."""

    type: Literal["remove_label"] = "remove_label"
    label: Hash


class TrainHead(Message):
    """Train a part head on the labels; `Stop` gives it up."""

    type: Literal["train_head"] = "train_head"


FromPage = Annotated[
    Hello
    | Sample
    | UseImage
    | UseDrawing
    | NewDrawing
    | FromWords
    | Change
    | Go
    | Undo
    | Redo
    | Start
    | Preview
    | Pause
    | Resume
    | Stop
    | Ack
    | Export
    | CancelExport
    | AskScript
    | SaveVector
    | SetClasses
    | AddLabel
    | RemoveLabel
    | TrainHead,
    Field(discriminator="type"),
]

# ---- from the server


class SettingInfo(Message):
    """One setting of an edit, for a form."""

    name: str
    kind: Literal["number", "integer", "switch", "choice", "text"]
    default: Value
    help: str
    """The docstring under the field."""
    choices: tuple[str, ...] = ()
    low: float | None = None
    """Ends of a sensible slider; values beyond may be typed."""
    high: float | None = None
    log: bool = False
    """The slider is logarithmic."""
    live: bool = False
    """May be changed while the edit runs."""
    main: bool = False
    """Shown at once; the others are folded away."""


InputKind = Literal[
    "points", "mask", "parts", "vectors", "model", "crop", "boxes", "prompts", "words", "layers",
    "things", "other", "prompt", "diffuser",
]  # fmt: skip


class EditInfo(Message):
    """One entry of the catalogue, of which the page makes a mode."""

    name: Word
    title: str
    summary: str
    pictures: tuple[str, ...]
    """Kinds of picture it edits."""
    group: str
    """Edits of one group are one mode with a choice among them; empty for one of its own."""
    inputs: tuple[InputKind, ...]
    optional: tuple[str, ...]
    preview: bool
    """What it would make can be shown while the person sets it up."""
    settings: tuple[SettingInfo, ...]


class ModelInfo(Message):
    """A model that makes pictures from seeds."""

    name: ModelName
    summary: str
    licence: str
    resolution: int | None


class NodeInfo(Message):
    """One node of the tree: a picture that was opened, or a run."""

    id: Id
    parent: Id | None
    from_step: int | None
    """Step of the parent that the run began from; None for its last."""
    kind: str
    """Kind of picture."""
    edit: Word | None
    steps: int
    title: str
    """Short words for the tree, such as "Seed 3" or "Drag 2 points"."""
    size: tuple[int, int]
    """Width and height in pixels."""
    created: str
    photo: bool
    """It comes from a photo, into which it can be put back."""
    model: str | None
    """Name of the model that makes its pictures, of those that a model makes."""


class RunInfo(Message):
    """The run in progress."""

    node: Id | None
    """Where its steps go in the tree; None before the first, and of a preview."""
    edit: Word
    preview: bool
    """Nothing of it is kept."""
    state: Literal["waiting", "running", "paused"]
    candidate: int
    """Number of this one of the runs to choose from, from 1."""
    candidates: int
    position: int
    """How many runs of others are served before this one; 0 while it is being served."""
    step: int
    max_steps: int | None
    seconds_left: float | None
    """Until max_steps at the present pace; most runs arrive earlier."""


class Welcome(Message):
    """Answer to `Hello`."""

    type: Literal["welcome"] = "welcome"
    session: SessionId
    version: str
    edits: tuple[EditInfo, ...]
    models: tuple[ModelInfo, ...]
    words: tuple[ModelName, ...]
    """Text-image models, which read prompts; none where none is installed."""
    diffusers: tuple[ModelName, ...]
    """Diffusion models, which edit photos; none where none is installed."""
    selectors: tuple[ModelName, ...]
    """Segment Anything models, which find things; none where none is installed."""
    device: str
    test: bool
    """Show the state to tests as `window.__pliant`."""
    video: bool
    """MP4 and WebM can be written (PyAV is there)."""
    image_bytes: int
    """Largest image that may be uploaded."""
    drawing_bytes: int
    """Largest SVG that may be uploaded."""
    project_bytes: int
    """Largest project that may be uploaded."""


class Label(Message):
    """A frame whose parts were painted for training."""

    place: Place
    parts: Hash


class Training(Message):
    """The training of a part head in progress."""

    stage: str
    done: int
    """Of `total`, in this stage."""
    total: int
    loss: float | None


class Labelling(Message):
    """What a person has labelled, to teach a model's parts."""

    classes: tuple[PartClass, ...] = ()
    """None before they were set."""
    labels: tuple[Label, ...] = ()
    training: Training | None = None


class State(Message):
    """The session as it is now, sent whenever anything of it changed."""

    type: Literal["state"] = "state"
    document: Document
    nodes: tuple[NodeInfo, ...]
    """Parents before children."""
    undo: str | None
    """What undo would take back; None when there is nothing."""
    redo: str | None
    run: RunInfo | None
    labelling: Labelling
    saved: bool
    """All of this is on disk."""


class RunProgress(Message):
    """How the run is doing, several times a second."""

    type: Literal["progress"] = "progress"
    run: RunInfo


class StepFacts(Message):
    """What one step measured."""

    step: int
    handles: tuple[XY, ...] = ()
    distances: tuple[float, ...] = ()
    """Pixels that each handle still has to go."""
    loss: float | None = None
    strain: float | None = None
    """Beyond 1 the code has left what the model knows."""
    agreement: float | None = None
    """Share of the repainted pixels that have become the painted part."""
    agreements: tuple[float, ...] = ()
    """How much what each prompt is about looks as it says, -1 to 1."""
    psnr: float | None = None
    """Likeness to the photo in decibels."""
    energy: float | None = None
    """How far a photo is from what was asked of its things; 0 in steps that do not measure it."""
    stage: str | None = None
    """Of an edit that has several."""


class FrameHead(Message):
    """Head of a binary frame."""

    number: int
    """To be acknowledged."""
    node: Id | None
    """None for a preview."""
    step: int
    """The step that is shown."""
    facts: tuple[StepFacts, ...]
    """Of all steps since the frame before, shown or not."""
    sent: float
    """Seconds since the epoch when the step was finished."""


class NodeFacts(Message):
    """All steps of a node, answer to a GET."""

    node: Id
    targets: tuple[XY, ...]
    facts: tuple[StepFacts, ...]


class NodeParts(Message):
    """What is known of the parts of a node's pictures, answer to a GET."""

    head: Hash | None
    """Tells part heads apart; None where the model has none."""
    classes: tuple[PartClass, ...]
    """By id."""
    uncertainty: bool
    """The head can say how sure it is."""


class VectorInfo(Message):
    """A learnt edit that fits a node's pictures."""

    name: Name
    parts: tuple[str, ...]
    safe: tuple[float, float]
    """Strengths between which it works."""
    own: bool
    """Kept by the person, not one that comes with Pliant."""


class Face(Message):
    """A face in a photo: the crop that would be taken, corner by corner from its top left."""

    corners: tuple[XY, XY, XY, XY]


class LayerGroup(Message):
    """A group of a drawing's paths."""

    id: str
    label: str
    parent: int
    """Number of the group that holds it, -1 for none."""
    paths: int
    """In it and in the groups that it holds."""


class LayerRun(Message):
    """Paths of one group that follow one another and are alike, as the drawing has them, before any changes."""

    group: int
    first: int
    """Number of the path at the bottom."""
    count: int
    hidden: bool
    locked: bool


class LayerPath(Message):
    """One path of a drawing."""

    number: int
    name: str
    fill: int
    """Number of its colour, -1 for none."""
    stroke: int
    hidden: bool
    locked: bool


class Swatch(Message):
    """A colour of a drawing."""

    number: int
    colour: Colour
    paths: int
    """That are painted in it."""


class Drawing(Message):
    """What a drawing consists of, answer to a GET."""

    groups: tuple[LayerGroup, ...]
    """Those that hold others before these; the first is at the bottom."""
    runs: tuple[LayerRun, ...]
    """All paths that are in groups."""
    loose: int
    """Paths in no group."""
    swatches: tuple[Swatch, ...]
    """Those that most is seen of first, at most `LISTED_SWATCHES`."""
    colours: int
    """How many there are."""


class DrawingPaths(Message):
    """Some of the paths of a group, the topmost first; answer to a GET."""

    paths: tuple[LayerPath, ...]
    total: int


class Trained(Message):
    """A part head was trained; the model has it from now on."""

    type: Literal["trained"] = "trained"
    head: Hash
    seconds: float


class VectorSaved(Message):
    """A learnt edit was kept."""

    type: Literal["vector_saved"] = "vector_saved"
    name: Name


class Ended(Message):
    """A run is over; the state that follows has its node."""

    type: Literal["ended"] = "ended"
    node: Id | None
    reason: Literal["arrived", "max_steps", "interrupted", "failed"]
    steps: int
    seconds: float


class PointHint(Message):
    """A handle that will probably drift."""

    point: int
    """Its number in the document, from 0."""
    sentence: str
    better: XY | None
    """The nearest place that is distinct."""


class Hints(Message):
    """On the document; replaces what was said before."""

    type: Literal["hints"] = "hints"
    hints: tuple[PointHint, ...]
    """On its handles."""
    notes: tuple[str, ...] = ()
    """On what else it gives its edit, such as words that the model does not know."""


class ExportProgress(Message):
    """How far an export is."""

    type: Literal["export_progress"] = "export_progress"
    done: int
    total: int
    seconds_left: float | None


class Exported(Message):
    """A file is ready at an address of this server."""

    type: Literal["exported"] = "exported"
    url: str
    name: str


class Script(Message):
    """Answer to `AskScript`."""

    type: Literal["script"] = "script"
    python: str
    command: str


class Problem(Message):
    """Something could not be done: one sentence, shown beside what caused it."""

    type: Literal["problem"] = "problem"
    about: Literal[
        "picture",
        "points",
        "mask",
        "parts",
        "vectors",
        "prompts",
        "layers",
        "boxes",
        "things",
        "settings",
        "run",
        "export",
        "project",
        "connection",
    ]
    sentence: str


FromServer = Annotated[
    Welcome
    | State
    | RunProgress
    | Ended
    | Hints
    | ExportProgress
    | Exported
    | Script
    | Trained
    | VectorSaved
    | Problem,
    Field(discriminator="type"),
]


class RecentProject(Message):
    """A stored session, for the list on the start page."""

    session: SessionId
    title: str
    changed: float
    """Seconds since the epoch."""
    nodes: int


class Uploaded(Message):
    """Answer to POST /api/images."""

    image: Hash
    size: tuple[int, int]


class UploadedDrawing(Message):
    """Answer to POST /api/drawings."""

    drawing: Hash
    size: tuple[int, int]
    left_out: tuple[str, ...]
    """What the drawing lacks of the file, as people read it."""


class KeptMask(Message):
    """Answer to POST /api/sessions/SESSION/masks."""

    mask: Hash


class Opened(Message):
    """Answer to POST /api/projects."""

    session: SessionId


class Wire(Message):
    """Everything above at once; only its schema is used."""

    from_page: FromPage
    from_server: FromServer
    frame: FrameHead
    node_facts: NodeFacts
    node_parts: NodeParts
    vectors: tuple[VectorInfo, ...]
    faces: tuple[Face, ...]
    recent: tuple[RecentProject, ...]
    uploaded: Uploaded
    uploaded_drawing: UploadedDrawing
    drawing: Drawing
    drawing_paths: DrawingPaths
    kept_mask: KeptMask
    opened: Opened


FROM_PAGE: TypeAdapter[Message] = TypeAdapter(FromPage)


def schema() -> Mapping[str, Any]:
    """JSON schema of everything that is sent, from which `web/src/messages.ts` is made."""
    return Wire.model_json_schema(mode="serialization")
