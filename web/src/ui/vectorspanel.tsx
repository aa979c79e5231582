/** The learnt edits that fit the picture, each as this picture would be with it. */

import { batch } from "@preact/signals";
import { useState } from "preact/hooks";
import type { Place, VectorInfo } from "../messages";
import { getVectors } from "../store/api";
import { foundVectors, type Strengths, strengthLabel, withStrength } from "../store/vectors";
import { useStudio } from "./context";
import { Button, SearchField, Section, Switch } from "./controls";
import { useFetched } from "./fetched";
import { Problems } from "./problems";
import { VectorCard } from "./vectorcard";

/** With more than these a search helps. */
const FEW = 12;

interface CardsProps {
  readonly vectors: readonly VectorInfo[];
  readonly place: Place;
}

function Cards({ vectors, place }: CardsProps) {
  const { session, editable, preview } = useStudio();
  const [wanted, setWanted] = useState("");
  const strengths: Strengths = session.document.value?.vectors ?? {};
  const found = foundVectors(vectors, wanted);
  const set = (name: string, strength: number) =>
    batch(() => {
      session.dismiss("vectors");
      preview.moving.value = null;
      if (strength === (strengths[name] ?? 0)) return;
      session.change({
        label: strengthLabel(name, strength),
        vectors: withStrength(strengths, name, strength),
      });
    });
  const move = (name: string, strength: number) => {
    preview.moving.value = withStrength(strengths, name, strength);
  };
  return (
    <>
      {vectors.length > FEW && (
        <SearchField
          testid="vectors-search"
          label="Search the learnt edits"
          placeholder={`Search ${vectors.length} edits`}
          value={wanted}
          onInput={setWanted}
        />
      )}
      <ul class="vectors" data-testid="vectors">
        {found.map((vector) => (
          <VectorCard
            key={vector.name}
            vector={vector}
            place={place}
            strength={strengths[vector.name] ?? 0}
            disabled={!editable.value}
            onMove={(strength) => move(vector.name, strength)}
            onSet={(strength) => set(vector.name, strength)}
          />
        ))}
      </ul>
      {found.length === 0 && <p class="quiet">None is called so.</p>}
    </>
  );
}

function Gallery({ place }: { place: Place }) {
  const { session } = useStudio();
  const kept = session.vectorSaved.value?.name ?? "";
  const fetched = useFetched(`${session.id} ${place.node} ${kept}`, () => getVectors(session.id, place.node));
  if (fetched.state === "refused") return <p class="quiet">{fetched.sentence}</p>;
  if (fetched.state === "asking") return <p class="quiet">Looking for learnt edits …</p>;
  if (fetched.value.length === 0) {
    return (
      <p class="quiet" data-testid="vectors-none">
        There is no learnt edit for this model yet. Make a change by points or parts, then choose “Keep as
        learnt edit” below the picture.
      </p>
    );
  }
  return <Cards vectors={fetched.value} place={place} />;
}

export function VectorsPanel() {
  const { session, editable, viewing, preview } = useStudio();
  const at = session.document.value?.at ?? null;
  const latent = viewing.node.value?.kind === "latent";
  const chosen = Object.keys(session.document.value?.vectors ?? {}).length > 0;
  const reset = chosen && (
    <Button
      testid="vectors-reset"
      label="Reset all"
      disabled={!editable.value}
      onClick={() => session.change({ label: "Reset learnt edits", vectors: {} })}
    />
  );
  return (
    <Section name="vectors" title="Learnt edits" actions={reset}>
      <Problems about={["vectors"]} />
      <label class="part-option">
        <span>Show the result while I choose</span>
        <Switch
          testid="vectors-live"
          label="Show the result while I choose"
          checked={preview.live.value}
          onChange={(on) => {
            preview.live.value = on;
          }}
        />
      </label>
      {at !== null && latent ? (
        <Gallery place={at} />
      ) : (
        <p class="quiet">Learnt edits work on generated pictures and on photos that were opened.</p>
      )}
    </Section>
  );
}
