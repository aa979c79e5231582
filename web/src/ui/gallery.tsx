/** Portraits that a model can make: a wall of seeds to choose from. */

import { useState } from "preact/hooks";
import type { ModelInfo } from "../messages";
import { portraitAddress } from "../store/api";
import { useStudio } from "./context";
import { Button, Slider, TextField, useDraft } from "./controls";
import { ModelChoice } from "./modelchoice";
import { sentence } from "./words";

const TILES = 12;
const TILE_WIDTH = 160;
const SEEDS = 2 ** 32;

interface TileProps {
  readonly model: ModelInfo;
  readonly seed: number;
  readonly psi: number;
  readonly onChoose: (seed: number) => void;
}

function Tile({ model, seed, psi, onChoose }: TileProps) {
  const [state, setState] = useState<"loading" | "there" | "missing">("loading");
  const address = portraitAddress(model.name, seed, psi, TILE_WIDTH);
  return (
    <button
      type="button"
      class="tile"
      data-state={state}
      data-testid={`seed-${seed}`}
      aria-label={`Portrait of seed ${seed}`}
      onClick={() => onChoose(seed)}
    >
      <img
        src={address}
        alt=""
        width={TILE_WIDTH}
        height={TILE_WIDTH}
        decoding="async"
        draggable={false}
        onLoad={() => setState("there")}
        onError={() => setState("missing")}
      />
      <span>{seed}</span>
    </button>
  );
}

function Truncation({ psi, onChange }: { psi: number; onChange: (psi: number) => void }) {
  const draft = useDraft(psi);
  return (
    <label class="option">
      <span>Variety</span>
      <Slider
        testid="truncation"
        label="Variety (truncation)"
        value={draft.value}
        low={0.1}
        high={1.2}
        step={0.05}
        text={draft.value.toFixed(2)}
        onInput={draft.set}
        onChange={onChange}
      />
      <output>{draft.value.toFixed(2)}</output>
    </label>
  );
}

export function readSeed(text: string): number | null {
  const seed = Number(text.trim());
  return /^\d+$/.test(text.trim()) && seed < SEEDS ? seed : null;
}

export function Gallery() {
  const { session, starting } = useStudio();
  const models = session.welcome.value?.models ?? [];
  const [chosen, setChosen] = useState<string | null>(null);
  const [first, setFirst] = useState(0);
  const [psi, setPsi] = useState(0.7);
  const model = models.find(({ name }) => name === chosen) ?? models[0];
  if (model === undefined) return null;
  const choose = (seed: number) => {
    session.dismiss("picture");
    session.send({ type: "sample", model: model.name, seed, psi });
    starting.value = false;
  };
  const typed = (text: string) => {
    const seed = readSeed(text);
    if (seed !== null) choose(seed);
  };
  return (
    <section class="gallery" aria-label="Generated portraits">
      <header class="gallery-head">
        <h2>Begin with a portrait</h2>
        <span class="gap" />
        <ModelChoice models={models} name={model.name} onChange={setChosen} />
        <Truncation psi={psi} onChange={setPsi} />
        <label class="option">
          <span>Seed</span>
          <TextField testid="seed" label="Seed" value="" numeric onDone={typed} />
        </label>
        <Button
          testid="shuffle"
          icon="shuffle"
          label="Shuffle"
          onClick={() => setFirst(Math.floor(Math.random() * 100_000))}
        />
      </header>
      <div class="tiles" data-testid="gallery">
        {Array.from({ length: TILES }, (_, index) => first + index).map((seed) => (
          <Tile key={`${model.name}-${seed}-${psi}`} model={model} seed={seed} psi={psi} onChoose={choose} />
        ))}
      </div>
      <p class="quiet">
        {sentence(model.summary)} {model.licence && `Licence: ${model.licence}.`}
      </p>
    </section>
  );
}
