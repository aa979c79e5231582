/** The points as a list: where each starts and should go, lock, delete. */

import type { Point } from "../messages";
import { clearPoints, deletePoint, toggleLock } from "../store/actions";
import type { XY } from "../store/reduce";
import { useStudio } from "./context";
import { Button, IconButton, Section } from "./controls";
import { Icon } from "./icons";
import { Problems } from "./problems";

function written([x, y]: XY): string {
  return `${Math.round(x)}, ${Math.round(y)}`;
}

function PointRow({ point, index }: { point: Point; index: number }) {
  const studio = useStudio();
  const { editable, tools, session } = studio;
  const hint = session.hints.value.find((each) => each.point === index);
  const name = `Point ${index + 1}`;
  const words = `${name}, from ${written(point.handle)} to ${written(point.target)}${point.locked ? ", locked" : ""}`;
  return (
    <li class="point-row" data-selected={tools.selected.value === index} data-testid={`point-${index + 1}`}>
      <button
        type="button"
        class="point-select"
        data-testid={`point-${index + 1}-select`}
        aria-label={words}
        aria-pressed={tools.selected.value === index}
        onClick={() => {
          tools.selected.value = index;
        }}
      >
        <span class="point-number">{index + 1}</span>
        <span class="point-place">{written(point.handle)}</span>
        <span class="point-arrow">{point.locked ? "stays" : "→"}</span>
        <span class="point-place">{point.locked ? "" : written(point.target)}</span>
      </button>
      <IconButton
        testid={`point-${index + 1}-lock`}
        icon={point.locked ? "lock" : "unlock"}
        label={`${point.locked ? "Unlock" : "Lock"} ${name.toLowerCase()}`}
        tip={point.locked ? "Let it move (L)" : "Keep its place (L)"}
        pressed={point.locked}
        disabled={!editable.value}
        onClick={() => toggleLock(studio, index)}
      />
      <IconButton
        testid={`point-${index + 1}-delete`}
        icon="trash"
        label={`Delete ${name.toLowerCase()}`}
        tip="Delete (Del)"
        disabled={!editable.value}
        onClick={() => deletePoint(studio, index)}
      />
      {hint && <Hint index={index} sentence={hint.sentence} better={hint.better} />}
    </li>
  );
}

function Hint({ index, sentence, better }: { index: number; sentence: string; better: XY | null }) {
  const { session, editable } = useStudio();
  const take = () => {
    const points = session.document.value?.points ?? [];
    const point = points[index];
    if (point && better)
      session.change({ label: "Better handle", points: points.with(index, { ...point, handle: better }) });
  };
  return (
    <p class="hint" data-testid={`point-${index + 1}-hint`}>
      {sentence}
      {better && editable.value && (
        <button type="button" class="link" data-testid={`point-${index + 1}-better`} onClick={take}>
          Move it to {written(better)}
        </button>
      )}
    </p>
  );
}

export function PointsPanel() {
  const studio = useStudio();
  const points = studio.session.document.value?.points ?? [];
  const clear = points.length > 0 && (
    <Button
      testid="points-clear"
      label="Clear"
      disabled={!studio.editable.value}
      onClick={() => clearPoints(studio)}
    />
  );
  return (
    <Section name="points" title="Points" actions={clear}>
      {points.length === 0 ? (
        <p class="empty">
          <Icon name="point" /> Click a point of the picture, then the place where it should go.
        </p>
      ) : (
        <ol class="points" data-testid="points-list">
          {points.map((point, index) => (
            <PointRow key={index} point={point} index={index} />
          ))}
        </ol>
      )}
      <Problems about={["points"]} />
    </Section>
  );
}
