/** Results that differ in their seed, side by side, to choose from. */

import { frameAddress } from "../store/api";
import { lastStep } from "../store/tree";
import { useStudio } from "./context";
import { Button, Section } from "./controls";
import { Still } from "./still";

const WIDTH = 256;

export function Candidates() {
  const { session, viewing } = useStudio();
  const { candidates = [], at } = session.document.value ?? {};
  const nodes = candidates.flatMap((id) => session.nodes.value.find((node) => node.id === id) ?? []);
  if (nodes.length < 2) return null;
  const done = (
    <Button
      testid="candidates-done"
      label="Done"
      onClick={() => session.change({ label: "Choose result", clear_candidates: true })}
    />
  );
  return (
    <Section name="candidates" title="Choose a result" actions={done}>
      <div class="candidates" data-testid="candidates">
        {nodes.map((node, index) => {
          const place = { node: node.id, step: lastStep(node) };
          return (
            <button
              key={node.id}
              type="button"
              aria-label={`Result ${index + 1}`}
              aria-pressed={node.id === at?.node}
              data-testid={`candidate-${index + 1}`}
              disabled={session.run.value !== null}
              onClick={() => {
                viewing.follow();
                session.go(place, "keep");
              }}
            >
              <Still src={frameAddress(session.id, place, WIDTH)} />
              <span class="box-number">{index + 1}</span>
            </button>
          );
        })}
      </div>
    </Section>
  );
}
