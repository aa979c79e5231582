/** The tree of pictures and runs; a click shows one, nothing is changed. */

import { signal } from "@preact/signals";
import { frameAddress } from "../store/api";
import { wide } from "../store/theme";
import { lastStep, type TreeRow, treeRows } from "../store/tree";
import { useStudio } from "./context";
import { IconButton, Section } from "./controls";
import { Still } from "./still";
import { count } from "./words";

const THUMB_WIDTH = 96;
export const branchesOpen = signal(wide.peek());

export function BranchesToggle() {
  return (
    <IconButton
      testid="branches-toggle"
      icon="branches"
      label={branchesOpen.value ? "Hide the branches" : "Show the branches"}
      pressed={branchesOpen.value}
      onClick={() => {
        branchesOpen.value = !branchesOpen.value;
      }}
    />
  );
}

function facts({ node }: TreeRow): string {
  if (node.edit === null) return "";
  const from = node.from_step === null ? "" : ` from ${node.from_step}`;
  return count(lastStep(node), "step") + from;
}

function Row({ row }: { row: TreeRow }) {
  const { session, viewing } = useStudio();
  const { node, depth } = row;
  const here = session.document.value?.at?.node === node.id;
  const shown = viewing.node.value?.id === node.id;
  const end = { node: node.id, step: lastStep(node) };
  const at = session.document.value?.at;
  return (
    <li style={{ "--depth": Math.min(depth, 6) }}>
      <button
        type="button"
        class="branch"
        data-testid={`node-${node.id}`}
        data-here={here}
        aria-label={`${node.title}, ${facts(row)}${here ? ", edited now" : ""}`}
        aria-current={shown ? "true" : undefined}
        onClick={() => viewing.lookAt(here && at ? at : end)}
      >
        <Still src={frameAddress(session.id, end, THUMB_WIDTH)} />
        <span class="branch-words">
          <span class="branch-title">{node.title}</span>
          <span class="quiet">{facts(row)}</span>
        </span>
      </button>
    </li>
  );
}

export function Branches() {
  const { session } = useStudio();
  return (
    <Section name="branches" title="Branches">
      <ul class="tree" data-testid="tree">
        {treeRows(session.nodes.value).map((row) => (
          <Row key={row.node.id} row={row} />
        ))}
      </ul>
    </Section>
  );
}
