/** The order and the indentation in which the branches are shown, and which steps the filmstrip shows. */

import type { NodeInfo } from "../messages";

export interface TreeRow {
  readonly node: NodeInfo;
  /** 0 for a root; a branch stands one further in than the run that it left. */
  readonly depth: number;
}

/** Depth first. The only run from a picture's end goes on in its line; others stand further in, as they were made. */
export function treeRows(nodes: readonly NodeInfo[]): readonly TreeRow[] {
  const children = new Map<string | null, NodeInfo[]>();
  for (const node of nodes) children.set(node.parent, [...(children.get(node.parent) ?? []), node]);
  const rows: TreeRow[] = [];
  const visit = (node: NodeInfo, depth: number): void => {
    rows.push({ node, depth });
    const next = children.get(node.id) ?? [];
    const going = next.filter((child) => goesOn(node, child));
    const straight = going.length === 1 ? going[0] : undefined;
    for (const child of next) if (child !== straight) visit(child, depth + 1);
    if (straight) visit(straight, node.parent === null ? depth + 1 : depth);
  };
  for (const root of children.get(null) ?? []) visit(root, 0);
  return rows;
}

function goesOn(node: NodeInfo, child: NodeInfo): boolean {
  return child.from_step === null || child.from_step >= lastStep(node);
}

export function lastStep(node: NodeInfo): number {
  return Math.max(node.steps - 1, 0);
}

/** Evenly spaced steps, at most `most`; a growing run keeps those it has and thins them out by halves. */
export function filmSteps(last: number, most: number): readonly number[] {
  let stride = 1;
  while (Math.floor(last / stride) + 1 > most) stride *= 2;
  return Array.from({ length: Math.floor(last / stride) + 1 }, (_, index) => index * stride);
}
