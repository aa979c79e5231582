/** The layers of a drawing, the topmost first, to hide and lock; and its colours, to be chosen anew. */

import type { LayerPath } from "../messages";
import { groupsIn, type Item, isUnchanged, itemOf, itemOfPath } from "../store/layerchanges";
import { useStudio } from "./context";
import { Button, IconButton, Section } from "./controls";
import { Icon } from "./icons";
import { Problems } from "./problems";
import { Swatches } from "./swatches";
import { count } from "./words";

/** In place of a group's number: the paths that are in none. */
const LOOSE = -1;

const PRESSED = { none: false, some: "mixed", all: true } as const;
const DO = {
  hidden: { none: "Hide", some: "Hide all of", all: "Show" },
  locked: { none: "Lock", some: "Lock all of", all: "Unlock" },
} as const;

function Flags({ item, name, testid }: { item: Item; name: string; testid: string }) {
  const { layers } = useStudio();
  const [hidden, locked] = [layers.share(item, "hidden"), layers.share(item, "locked")];
  return (
    <>
      <IconButton
        testid={`${testid}-hide`}
        icon={hidden === "all" ? "eyeOff" : "eye"}
        label={`${DO.hidden[hidden]} ${name}`}
        pressed={PRESSED[hidden]}
        disabled={!layers.canTurn(item, "hidden")}
        onClick={() => layers.turn(item, "hidden")}
      />
      <IconButton
        testid={`${testid}-lock`}
        icon={locked === "all" ? "lock" : "unlock"}
        label={`${DO.locked[locked]} ${name}`}
        tip={locked === "all" ? "Let edits change it" : "Keep its shapes and colours"}
        pressed={PRESSED[locked]}
        disabled={!layers.canTurn(item, "locked")}
        onClick={() => layers.turn(item, "locked")}
      />
    </>
  );
}

function PathRow({ path, group }: { path: LayerPath; group: number }) {
  const { layers } = useStudio();
  const drawing = layers.drawing.value;
  if (drawing === null) return null;
  const item = itemOfPath(drawing, group, path);
  const row = path.fill >= 0 ? path.fill : path.stroke;
  const swatch = drawing.swatches.find(({ number }) => number === row);
  const name = path.name || `Path ${path.number + 1}`;
  return (
    <li
      class="layer-row"
      data-hidden={layers.share(item, "hidden") === "all"}
      data-testid={`path-${path.number}`}
    >
      <span class="layer-name">
        <span
          class="path-paint"
          data-stroke={path.fill < 0}
          style={{ "--paint": swatch ? layers.colourOf(swatch.number, swatch.colour) : "transparent" }}
        />
        <span>{name}</span>
      </span>
      <Flags item={item} name={name.toLowerCase()} testid={`path-${path.number}`} />
    </li>
  );
}

function Paths({ group }: { group: number }) {
  const { layers } = useStudio();
  const listed = layers.listed(group);
  if (listed === null) return null;
  const left = listed.total - listed.paths.length;
  return (
    <>
      {listed.paths.map((path) => (
        <PathRow key={path.number} path={path} group={group} />
      ))}
      {left > 0 && (
        <li class="layer-more">
          <Button
            testid={`layer-${group}-more`}
            label={`Show more (${left} left)`}
            onClick={() => void layers.fetchPaths(group)}
          />
        </li>
      )}
    </>
  );
}

interface OpenerProps {
  readonly group: number;
  readonly label: string;
  readonly paths: number;
}

function Opener({ group, label, paths }: OpenerProps) {
  const { layers } = useStudio();
  const isOpen = layers.open.value.has(group);
  return (
    <button
      type="button"
      class="layer-name layer-open"
      aria-expanded={isOpen}
      data-testid={`layer-${group}`}
      onClick={() => layers.toggleOpen(group)}
    >
      <Icon name="chevron" />
      <span>{label}</span>
      <span class="quiet">{count(paths, "path")}</span>
    </button>
  );
}

function GroupRow({ group }: { group: number }) {
  const { layers } = useStudio();
  const drawing = layers.drawing.value;
  const info = drawing?.groups[group];
  if (drawing === null || info === undefined) return null;
  const item = itemOf(drawing, group);
  const name = info.label || info.id;
  return (
    <li>
      <div class="layer-row" data-hidden={layers.share(item, "hidden") === "all"}>
        <Opener group={group} label={name} paths={info.paths} />
        <Flags item={item} name={name} testid={`layer-${group}`} />
      </div>
      {layers.open.value.has(group) && (
        <ul class="layers">
          {groupsIn(drawing, group).map(({ number }) => (
            <GroupRow key={number} group={number} />
          ))}
          <Paths group={group} />
        </ul>
      )}
    </li>
  );
}

function List() {
  const { layers } = useStudio();
  const drawing = layers.drawing.value;
  if (drawing === null) return null;
  return (
    <ul class="layers" data-testid="layers" aria-label="Layers">
      {groupsIn(drawing, -1).map(({ number }) => (
        <GroupRow key={number} group={number} />
      ))}
      {drawing.loose > 0 && (
        <li>
          <div class="layer-row">
            <Opener group={LOOSE} label="In no group" paths={drawing.loose} />
          </div>
          {layers.open.value.has(LOOSE) && (
            <ul class="layers">
              <Paths group={LOOSE} />
            </ul>
          )}
        </li>
      )}
    </ul>
  );
}

export function LayersPanel() {
  const { layers, editable } = useStudio();
  const drawing = layers.drawing.value;
  const reset = !isUnchanged(layers.changes.value) && (
    <Button
      testid="layers-clear"
      label="As it was"
      disabled={!editable.value}
      onClick={() => layers.clear()}
    />
  );
  const isEmpty = drawing !== null && drawing.groups.length === 0 && drawing.loose === 0;
  return (
    <Section name="layers" title="Layers" actions={reset}>
      {drawing === null && <p class="quiet">The layers of a drawing are listed here.</p>}
      {isEmpty && <p class="quiet">The drawing is empty.</p>}
      <List />
      {drawing !== null && drawing.swatches.length > 0 && <Swatches drawing={drawing} />}
      <Problems about={["layers"]} />
    </Section>
  );
}
