/** Generated from src/pliant/studio/messages.py by `npm run types`; change it there. */

/**
 * Everything above at once; only its schema is used.
 */
export interface Wire {
readonly from_page: (Hello | Sample | UseImage | UseDrawing | NewDrawing | FromWords | Change | Go | Undo | Redo | Start | Preview | Pause | Resume | Stop | Ack | Export | CancelExport | AskScript | SaveVector | SetClasses | AddLabel | RemoveLabel | TrainHead)
readonly from_server: (Welcome | State | RunProgress | Ended | Hints | ExportProgress | Exported | Script | Trained | VectorSaved | Problem)
readonly frame: FrameHead
readonly node_facts: NodeFacts
readonly node_parts: NodeParts
readonly vectors: readonly VectorInfo[]
readonly faces: readonly Face[]
readonly recent: readonly RecentProject[]
readonly uploaded: Uploaded
readonly uploaded_drawing: UploadedDrawing
readonly drawing: Drawing
readonly drawing_paths: DrawingPaths
readonly kept_mask: KeptMask
readonly opened: Opened
}
/**
 * First message of a connection: a known session, or None for a new one.
 */
export interface Hello {
readonly type: "hello"
readonly session?: (string | null)
}
/**
 * Put the generated picture of a seed at a new root of the tree and go there.
 */
export interface Sample {
readonly type: "sample"
readonly model: string
readonly seed: number
readonly psi?: number
}
/**
 * Put an uploaded image at a new root of the tree and go there.
 */
export interface UseImage {
readonly type: "use_image"
readonly image: string
}
/**
 * Put an uploaded drawing at a new root of the tree and go there.
 */
export interface UseDrawing {
readonly type: "use_drawing"
readonly drawing: string
}
/**
 * Put an empty drawing at a new root of the tree and go there.
 */
export interface NewDrawing {
readonly type: "new_drawing"
readonly width: number
readonly height: number
}
/**
 * Put a grey picture at a new root of the tree and go there, to have another made from words.
 */
export interface FromWords {
readonly type: "from_words"
}
/**
 * A finished gesture: what is given takes the place of what the document held. One step of undo.
 */
export interface Change {
readonly type: "change"
readonly label: string
readonly edit?: (string | null)
readonly points?: (readonly Point[] | null)
readonly settings?: ({
[k: string]: boolean | number | string
} | null)
readonly mask?: (string | Mask | null)
readonly feather?: (number | null)
readonly clear_mask?: boolean
readonly parts?: (string | null)
readonly clear_parts?: boolean
readonly vectors?: ({
[k: string]: number
} | null)
readonly model?: (string | null)
readonly crop?: (Crop | null)
readonly prompts?: (readonly Prompt[] | null)
readonly words?: (string | null)
readonly layers?: (LayerChanges | null)
readonly boxes?: (readonly [number, number, number, number][] | null)
readonly things?: (readonly Thing[] | null)
readonly other?: (Other | null)
readonly prompt?: (string | null)
readonly diffuser?: (string | null)
readonly clear_candidates?: boolean
}
/**
 * One point to drag, pixels of the picture.
 */
export interface Point {
/**
 * @minItems 2
 * @maxItems 2
 */
readonly handle: readonly [number, number]
/**
 * @minItems 2
 * @maxItems 2
 */
readonly target: readonly [number, number]
readonly locked: boolean
}
/**
 * Where the picture may change: an 8-bit picture of its size, white = may change.
 */
export interface Mask {
readonly image: string
readonly feather: number
}
/**
 * Which part of a photo the model should make: one of its faces, or a box; of neither, the one face in it.
 */
export interface Crop {
readonly face: (number | null)
readonly box: (readonly [number, number, number, number] | null)
}
/**
 * Words for a drawing, or for a box of it.
 */
export interface Prompt {
readonly text: string
readonly box: (readonly [number, number, number, number] | null)
readonly strength: number
}
/**
 * How a drawing's groups, paths and colours should be; what is shown wins over what is hidden, unlocked over locked.
 */
export interface LayerChanges {
/**
 * @maxItems 2000
 */
readonly hidden: readonly ((number | string))[]
/**
 * @maxItems 2000
 */
readonly shown: readonly ((number | string))[]
/**
 * @maxItems 2000
 */
readonly locked: readonly ((number | string))[]
/**
 * @maxItems 2000
 */
readonly unlocked: readonly ((number | string))[]
readonly swatches: {
[k: string]: string
}
}
/**
 * Something that was selected, and where it goes: p to pivot + shift + scale * turned(p - pivot).
 */
export interface Thing {
readonly mask: string
/**
 * @minItems 2
 * @maxItems 2
 */
readonly shift: readonly [number, number]
readonly scale: number
readonly turn: number
readonly pivot: (readonly [number, number] | null)
}
/**
 * What was copied, to be pasted or to give its looks: things of a frame of the project.
 */
export interface Other {
readonly at: Place
/**
 * @minItems 1
 * @maxItems 16
 */
readonly masks: readonly string[]
}
/**
 * A frame of the tree: a node and one of its steps.
 */
export interface Place {
readonly node: string
readonly step: number
}
/**
 * Make a frame the start of the next run.
 */
export interface Go {
readonly type: "go"
readonly place: Place
readonly points?: ("keep" | "clear" | "follow")
}
/**
 * One change back.
 */
export interface Undo {
readonly type: "undo"
}
/**
 * One change forth.
 */
export interface Redo {
readonly type: "redo"
}
/**
 * Run the mode's edit on the document.
 */
export interface Start {
readonly type: "start"
readonly go_on?: boolean
readonly candidates?: number
}
/**
 * Show what the edit would make of the document, and keep nothing of it; any other wish ends the showing.
 */
export interface Preview {
readonly type: "preview"
readonly vectors?: ({
[k: string]: number
} | null)
readonly layers?: (LayerChanges | null)
readonly edit?: (string | null)
}
/**
 * Hold the run after the step in progress.
 */
export interface Pause {
readonly type: "pause"
}
/**
 * Let a paused run go on.
 */
export interface Resume {
readonly type: "resume"
}
/**
 * End the run after the step in progress and keep what it has.
 */
export interface Stop {
readonly type: "stop"
}
/**
 * A frame was drawn.
 */
export interface Ack {
readonly type: "ack"
readonly number: number
}
/**
 * Make a file to download.
 */
export interface Export {
readonly type: "export"
readonly format: ("png" | "jpg" | "webp" | "mp4" | "webm" | "gif" | "webp-animation" | "svg" | "latent" | "project")
readonly place: Place
readonly marks?: boolean
readonly boomerang?: boolean
readonly photo?: boolean
readonly fps?: number
}
/**
 * Give the export in progress up.
 */
export interface CancelExport {
readonly type: "cancel_export"
}
/**
 * The frame as a Python program and as commands that make it again exactly.
 */
export interface AskScript {
readonly type: "ask_script"
readonly place: Place
}
/**
 * Keep what the run of a frame did, up to that frame, as a learnt edit among the person's own.
 */
export interface SaveVector {
readonly type: "save_vector"
readonly place: Place
readonly name: string
/**
 * @maxItems 64
 */
readonly parts?: readonly string[]
}
/**
 * The parts that the person will label; not while there are labels with more.
 */
export interface SetClasses {
readonly type: "set_classes"
/**
 * @minItems 2
 * @maxItems 64
 */
readonly classes: readonly PartClass[]
}
/**
 * One kind of part.
 */
export interface PartClass {
readonly name: string
/**
 * @minItems 3
 * @maxItems 3
 */
readonly colour: readonly [number, number, number]
}
/**
 * Keep the painted part map and its frame for training; one of the same frame takes the place of the former.
 */
export interface AddLabel {
readonly type: "add_label"
}
/**
 * Forget a label.
 */
export interface RemoveLabel {
readonly type: "remove_label"
readonly label: string
}
/**
 * Train a part head on the labels; `Stop` gives it up.
 */
export interface TrainHead {
readonly type: "train_head"
}
/**
 * Answer to `Hello`.
 */
export interface Welcome {
readonly type: "welcome"
readonly session: string
readonly version: string
readonly edits: readonly EditInfo[]
readonly models: readonly ModelInfo[]
readonly words: readonly string[]
readonly diffusers: readonly string[]
readonly selectors: readonly string[]
readonly device: string
readonly test: boolean
readonly video: boolean
readonly image_bytes: number
readonly drawing_bytes: number
readonly project_bytes: number
}
/**
 * One entry of the catalogue, of which the page makes a mode.
 */
export interface EditInfo {
readonly name: string
readonly title: string
readonly summary: string
readonly pictures: readonly string[]
readonly group: string
readonly inputs: readonly (("points" | "mask" | "parts" | "vectors" | "model" | "crop" | "boxes" | "prompts" | "words" | "layers" | "things" | "other" | "prompt" | "diffuser"))[]
readonly optional: readonly string[]
readonly preview: boolean
readonly settings: readonly SettingInfo[]
}
/**
 * One setting of an edit, for a form.
 */
export interface SettingInfo {
readonly name: string
readonly kind: ("number" | "integer" | "switch" | "choice" | "text")
readonly default: (boolean | number | string)
readonly help: string
readonly choices: readonly string[]
readonly low: (number | null)
readonly high: (number | null)
readonly log: boolean
readonly live: boolean
readonly main: boolean
}
/**
 * A model that makes pictures from seeds.
 */
export interface ModelInfo {
readonly name: string
readonly summary: string
readonly licence: string
readonly resolution: (number | null)
}
/**
 * The session as it is now, sent whenever anything of it changed.
 */
export interface State {
readonly type: "state"
readonly document: Document
readonly nodes: readonly NodeInfo[]
readonly undo: (string | null)
readonly redo: (string | null)
readonly run: (RunInfo | null)
readonly labelling: Labelling
readonly saved: boolean
}
/**
 * What the person has set up; every change makes a new one, and undo leads back through them.
 */
export interface Document {
readonly edit: string
readonly at: (Place | null)
/**
 * @maxItems 256
 */
readonly points: readonly Point[]
readonly mask: (Mask | null)
readonly parts: (string | null)
readonly vectors: {
[k: string]: number
}
readonly model: (string | null)
readonly crop: (Crop | null)
/**
 * @maxItems 16
 */
readonly prompts: readonly Prompt[]
readonly words: (string | null)
readonly layers: LayerChanges
/**
 * @maxItems 16
 */
readonly boxes: readonly (readonly [number, number, number, number])[]
/**
 * @maxItems 16
 */
readonly things: readonly Thing[]
readonly other: (Other | null)
readonly prompt: string
readonly diffuser: (string | null)
/**
 * @maxItems 4
 */
readonly candidates: readonly string[]
readonly settings: {
[k: string]: {
[k: string]: boolean | number | string
}
}
}
/**
 * One node of the tree: a picture that was opened, or a run.
 */
export interface NodeInfo {
readonly id: string
readonly parent: (string | null)
readonly from_step: (number | null)
readonly kind: string
readonly edit: (string | null)
readonly steps: number
readonly title: string
/**
 * @minItems 2
 * @maxItems 2
 */
readonly size: readonly [number, number]
readonly created: string
readonly photo: boolean
readonly model: (string | null)
}
/**
 * The run in progress.
 */
export interface RunInfo {
readonly node: (string | null)
readonly edit: string
readonly preview: boolean
readonly state: ("waiting" | "running" | "paused")
readonly candidate: number
readonly candidates: number
readonly position: number
readonly step: number
readonly max_steps: (number | null)
readonly seconds_left: (number | null)
}
/**
 * What a person has labelled, to teach a model's parts.
 */
export interface Labelling {
readonly classes: readonly PartClass[]
readonly labels: readonly Label[]
readonly training: (Training | null)
}
/**
 * A frame whose parts were painted for training.
 */
export interface Label {
readonly place: Place
readonly parts: string
}
/**
 * The training of a part head in progress.
 */
export interface Training {
readonly stage: string
readonly done: number
readonly total: number
readonly loss: (number | null)
}
/**
 * How the run is doing, several times a second.
 */
export interface RunProgress {
readonly type: "progress"
readonly run: RunInfo
}
/**
 * A run is over; the state that follows has its node.
 */
export interface Ended {
readonly type: "ended"
readonly node: (string | null)
readonly reason: ("arrived" | "max_steps" | "interrupted" | "failed")
readonly steps: number
readonly seconds: number
}
/**
 * On the document; replaces what was said before.
 */
export interface Hints {
readonly type: "hints"
readonly hints: readonly PointHint[]
readonly notes: readonly string[]
}
/**
 * A handle that will probably drift.
 */
export interface PointHint {
readonly point: number
readonly sentence: string
readonly better: (readonly [number, number] | null)
}
/**
 * How far an export is.
 */
export interface ExportProgress {
readonly type: "export_progress"
readonly done: number
readonly total: number
readonly seconds_left: (number | null)
}
/**
 * A file is ready at an address of this server.
 */
export interface Exported {
readonly type: "exported"
readonly url: string
readonly name: string
}
/**
 * Answer to `AskScript`.
 */
export interface Script {
readonly type: "script"
readonly python: string
readonly command: string
}
/**
 * A part head was trained; the model has it from now on.
 */
export interface Trained {
readonly type: "trained"
readonly head: string
readonly seconds: number
}
/**
 * A learnt edit was kept.
 */
export interface VectorSaved {
readonly type: "vector_saved"
readonly name: string
}
/**
 * Something could not be done: one sentence, shown beside what caused it.
 */
export interface Problem {
readonly type: "problem"
readonly about: ("picture" | "points" | "mask" | "parts" | "vectors" | "prompts" | "layers" | "boxes" | "things" | "settings" | "run" | "export" | "project" | "connection")
readonly sentence: string
}
/**
 * Head of a binary frame.
 */
export interface FrameHead {
readonly number: number
readonly node: (string | null)
readonly step: number
readonly facts: readonly StepFacts[]
readonly sent: number
}
/**
 * What one step measured.
 */
export interface StepFacts {
readonly step: number
readonly handles: readonly (readonly [number, number])[]
readonly distances: readonly number[]
readonly loss: (number | null)
readonly strain: (number | null)
readonly agreement: (number | null)
readonly agreements: readonly number[]
readonly psnr: (number | null)
readonly energy: (number | null)
readonly stage: (string | null)
}
/**
 * All steps of a node, answer to a GET.
 */
export interface NodeFacts {
readonly node: string
readonly targets: readonly (readonly [number, number])[]
readonly facts: readonly StepFacts[]
}
/**
 * What is known of the parts of a node's pictures, answer to a GET.
 */
export interface NodeParts {
readonly head: (string | null)
readonly classes: readonly PartClass[]
readonly uncertainty: boolean
}
/**
 * A learnt edit that fits a node's pictures.
 */
export interface VectorInfo {
readonly name: string
readonly parts: readonly string[]
/**
 * @minItems 2
 * @maxItems 2
 */
readonly safe: readonly [number, number]
readonly own: boolean
}
/**
 * A face in a photo: the crop that would be taken, corner by corner from its top left.
 */
export interface Face {
/**
 * @minItems 4
 * @maxItems 4
 */
readonly corners: readonly [readonly [number, number], readonly [number, number], readonly [number, number], readonly [number, number]]
}
/**
 * A stored session, for the list on the start page.
 */
export interface RecentProject {
readonly session: string
readonly title: string
readonly changed: number
readonly nodes: number
}
/**
 * Answer to POST /api/images.
 */
export interface Uploaded {
readonly image: string
/**
 * @minItems 2
 * @maxItems 2
 */
readonly size: readonly [number, number]
}
/**
 * Answer to POST /api/drawings.
 */
export interface UploadedDrawing {
readonly drawing: string
/**
 * @minItems 2
 * @maxItems 2
 */
readonly size: readonly [number, number]
readonly left_out: readonly string[]
}
/**
 * What a drawing consists of, answer to a GET.
 */
export interface Drawing {
readonly groups: readonly LayerGroup[]
readonly runs: readonly LayerRun[]
readonly loose: number
readonly swatches: readonly Swatch[]
readonly colours: number
}
/**
 * A group of a drawing's paths.
 */
export interface LayerGroup {
readonly id: string
readonly label: string
readonly parent: number
readonly paths: number
}
/**
 * Paths of one group that follow one another and are alike, as the drawing has them, before any changes.
 */
export interface LayerRun {
readonly group: number
readonly first: number
readonly count: number
readonly hidden: boolean
readonly locked: boolean
}
/**
 * A colour of a drawing.
 */
export interface Swatch {
readonly number: number
readonly colour: string
readonly paths: number
}
/**
 * Some of the paths of a group, the topmost first; answer to a GET.
 */
export interface DrawingPaths {
readonly paths: readonly LayerPath[]
readonly total: number
}
/**
 * One path of a drawing.
 */
export interface LayerPath {
readonly number: number
readonly name: string
readonly fill: number
readonly stroke: number
readonly hidden: boolean
readonly locked: boolean
}
/**
 * Answer to POST /api/sessions/SESSION/masks.
 */
export interface KeptMask {
readonly mask: string
}
/**
 * Answer to POST /api/projects.
 */
export interface Opened {
readonly session: string
}
