/** The picture that something was copied from, and the ways to others. */

import { frameAddress } from "../store/api";
import { IMAGE_TYPES } from "../store/opening";
import { lastStep } from "../store/tree";
import { useStudio } from "./context";
import { Section } from "./controls";
import { FileButton } from "./filebutton";
import { Still } from "./still";
import { count } from "./words";

const THUMB_WIDTH = 96;
const OFFERED = 8;

export function OtherPanel() {
  const { session, things, editable } = useStudio();
  const { other, at } = session.document.value ?? {};
  const nodes = session.nodes.value;
  const from = nodes.find(({ id }) => id === other?.at.node);
  const others = nodes.filter(({ id, kind }) => id !== at?.node && kind !== "vector").slice(-OFFERED);
  return (
    <Section name="other" title="Other picture">
      {other && from ? (
        <p class="other-from" data-testid="other">
          <Still src={frameAddress(session.id, other.at, THUMB_WIDTH)} />
          {count(other.masks.length, "thing")} of {from.title}
        </p>
      ) : (
        <p class="quiet">Choose a picture, select something in it, and copy it.</p>
      )}
      <div class="others">
        {others.map((node) => {
          const place = { node: node.id, step: lastStep(node) };
          return (
            <button
              key={node.id}
              type="button"
              title={node.title}
              aria-label={`Select in ${node.title}`}
              data-testid={`other-${node.id}`}
              disabled={!editable.value}
              onClick={() => things.leaveFor(place)}
            >
              <Still src={frameAddress(session.id, place, THUMB_WIDTH)} />
            </button>
          );
        })}
      </div>
      <FileButton testid="add-picture" label="Add a picture" icon="plus" accept={IMAGE_TYPES} />
    </Section>
  );
}
