/** Take something out: a picture, an animation, the latent code, the project, a script. */

import { useEffect, useState } from "preact/hooks";
import type { Export, Place } from "../messages";
import { useStudio } from "./context";
import { Button, Segments, Slider, Switch } from "./controls";
import { Dialog } from "./dialog";
import { Problems } from "./problems";
import { ScriptText } from "./scripttext";
import { duration } from "./words";

type Format = Export["format"];
type What = "picture" | "animation" | "latent" | "project" | "script";

const WHATS: readonly { value: What; label: string }[] = [
  { value: "picture", label: "Picture" },
  { value: "animation", label: "Animation" },
  { value: "latent", label: "Latent" },
  { value: "project", label: "Project" },
  { value: "script", label: "Script" },
];

const PICTURES: readonly { value: Format; label: string }[] = [
  { value: "png", label: "PNG" },
  { value: "jpg", label: "JPG" },
  { value: "webp", label: "WebP" },
];

const DRAWINGS = [{ value: "svg", label: "SVG" }, ...PICTURES] as const;

function animations(video: boolean): readonly { value: Format; label: string; disabled?: boolean }[] {
  return [
    { value: "mp4", label: "MP4", disabled: !video },
    { value: "webm", label: "WebM", disabled: !video },
    { value: "gif", label: "GIF" },
    { value: "webp-animation", label: "WebP" },
  ];
}

const ABOUT: Readonly<Record<What, string>> = {
  picture: "The shown frame at full size. A PNG or SVG says in its metadata how it was made.",
  animation: "The run up to the shown frame.",
  latent: "The code of the shown frame, as safetensors.",
  project: "All pictures, branches and settings as one .pliant file.",
  script: "A program that makes the shown frame again, exactly.",
};

interface Options {
  readonly format: Format;
  readonly marks: boolean;
  readonly boomerang: boolean;
  readonly fps: number;
}

interface OptionsProps {
  readonly options: Options;
  readonly onChange: (part: Partial<Options>) => void;
}

function AnimationOptions({ options, onChange }: OptionsProps) {
  return (
    <>
      <label class="line">
        <span>Show points and arrows</span>
        <Switch
          testid="export-marks"
          label="Show points and arrows"
          checked={options.marks}
          onChange={(marks) => onChange({ marks })}
        />
      </label>
      <label class="line">
        <span>There and back again</span>
        <Switch
          testid="export-boomerang"
          label="There and back again"
          checked={options.boomerang}
          onChange={(boomerang) => onChange({ boomerang })}
        />
      </label>
      <label class="line">
        <span>Frames a second</span>
        <Slider
          testid="export-fps"
          label="Frames a second"
          value={options.fps}
          low={1}
          high={60}
          onInput={(fps) => onChange({ fps })}
        />
        <output>{options.fps}</output>
      </label>
    </>
  );
}

function Working() {
  const { session } = useStudio();
  const progress = session.exporting.value;
  if (progress === null) return null;
  const { done, total, seconds_left: left } = progress;
  return (
    <div class="working" data-testid="export-progress">
      <progress max={Math.max(total, 1)} value={total > 0 ? done : undefined} aria-label="Export" />
      <span class="quiet" aria-live="polite">
        {total > 0 ? `${done} of ${total}` : "Getting ready …"}
        {left !== null && ` · ${duration(left)} left`}
      </span>
      <Button testid="export-cancel" label="Cancel" onClick={() => session.cancelExport()} />
    </div>
  );
}

/** Hands the finished file to the browser, once. */
function useDownload(): string | null {
  const { session } = useStudio();
  const exported = session.exported.value;
  useEffect(() => {
    if (exported === null) return;
    const link = document.createElement("a");
    link.href = exported.url;
    link.download = exported.name;
    document.body.append(link);
    link.click();
    link.remove();
  }, [exported]);
  return exported?.name ?? null;
}

interface MakeProps {
  readonly what: Exclude<What, "script">;
  readonly place: Place;
  /** It comes from a photo. */
  readonly photo: boolean;
  readonly drawing: boolean;
}

function Make({ what, place, photo, drawing }: MakeProps) {
  const { session } = useStudio();
  const video = session.welcome.value?.video ?? false;
  const [picture, setPicture] = useState<Format>(drawing ? "svg" : "png");
  const [options, setOptions] = useState<Options>({
    format: video ? "mp4" : "gif",
    marks: false,
    boomerang: false,
    fps: 24,
  });
  const [whole, setWhole] = useState(true);
  const change = (part: Partial<Options>) => setOptions({ ...options, ...part });
  const done = useDownload();
  const start = () => {
    if (what === "animation") session.export({ place, ...options });
    else if (what === "picture") session.export({ place, format: picture, photo: photo && whole });
    else session.export({ place, format: what });
  };
  return (
    <>
      {what === "picture" && (
        <Segments
          testid="export-format"
          label="Format"
          value={picture}
          options={drawing ? DRAWINGS : PICTURES}
          onChange={setPicture}
        />
      )}
      {what === "picture" && photo && (
        <label class="line">
          <span>
            Put back into the whole photo
            <span class="quiet line-note">Pixels that the edit did not touch stay exactly as they were.</span>
          </span>
          <Switch
            testid="export-photo"
            label="Put back into the whole photo"
            checked={whole}
            onChange={setWhole}
          />
        </label>
      )}
      {what === "animation" && (
        <>
          <Segments
            testid="export-format"
            label="Format"
            value={options.format}
            options={animations(video)}
            onChange={(format) => change({ format })}
          />
          <AnimationOptions options={options} onChange={change} />
        </>
      )}
      <Working />
      <footer class="dialog-foot">
        {done && (
          <span class="quiet" data-testid="export-done">
            {done} is in your downloads.
          </span>
        )}
        <Button
          testid="export-start"
          kind="primary"
          icon="export"
          label="Export"
          disabled={session.exporting.value !== null}
          onClick={start}
        />
      </footer>
    </>
  );
}

export function Exporting() {
  const { dialog, viewing, session } = useStudio();
  const [what, setWhat] = useState<What>("picture");
  const [place, node] = [viewing.place.value, viewing.node.value];
  const close = () => {
    session.exported.value = null;
    dialog.value = null;
  };
  if (place === null || node === null) return null;
  const whats = WHATS.map((each) => ({
    ...each,
    disabled:
      (each.value === "animation" && node.edit === null) ||
      (each.value === "latent" && node.kind !== "latent"),
  }));
  return (
    <Dialog testid="export-dialog" title="Export" onClose={close}>
      <Segments testid="export-what" label="What" value={what} options={whats} onChange={setWhat} />
      <p class="quiet">{ABOUT[what]}</p>
      {what === "script" ? (
        <ScriptText place={place} />
      ) : (
        <Make what={what} place={place} photo={node.photo} drawing={node.kind === "vector"} />
      )}
      <Problems about={["export"]} />
    </Dialog>
  );
}
