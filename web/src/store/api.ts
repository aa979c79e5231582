/** Addresses of the server and the few requests that do not go through the socket. */

import type {
  Drawing,
  DrawingPaths,
  Face,
  KeptMask,
  NodeFacts,
  NodeParts,
  Opened,
  Place,
  RecentProject,
  Uploaded,
  UploadedDrawing,
  VectorInfo,
} from "../messages";

/** The server said no; the message is its sentence. */
export class Refused extends Error {}

const MARKED = { "X-Pliant": "1" };

export function frameAddress(session: string, place: Place, width?: number): string {
  const query = width === undefined ? "" : `?width=${width}`;
  return `/api/sessions/${session}/frames/${place.node}/${place.step}${query}`;
}

/** A frame that is a drawing, as SVG. */
export function drawingAddress(session: string, place: Place): string {
  return `${frameAddress(session, place)}/drawing.svg`;
}

/** The parts of a frame, as a grey picture of their ids. */
export function partsAddress(session: string, place: Place, head: string): string {
  return `/api/sessions/${session}/frames/${place.node}/${place.step}/parts?head=${head}`;
}

/** How unsure the head is of a frame's parts, as a grey picture. */
export function uncertaintyAddress(session: string, place: Place, head: string): string {
  return `/api/sessions/${session}/frames/${place.node}/${place.step}/uncertainty?head=${head}`;
}

/** A part map that was painted, as a grey picture of ids. */
export function paintedPartsAddress(session: string, hash: string): string {
  return `/api/sessions/${session}/parts/${hash}`;
}

/** A frame with a learnt edit added. */
export function vectorAddress(
  session: string,
  place: Place,
  name: string,
  strength: number,
  width: number,
): string {
  const query = new URLSearchParams({ name, strength: String(strength), width: String(width) });
  return `/api/sessions/${session}/frames/${place.node}/${place.step}/vector?${query}`;
}

export function maskAddress(session: string, hash: string): string {
  return `/api/sessions/${session}/masks/${hash}`;
}

/** What a click selects, as a grey picture. */
export function clickedAddress(
  session: string,
  place: Place,
  x: number,
  y: number,
  tolerance: number,
  selector: string | null,
): string {
  return `${frameAddress(session, place)}/selection?x=${x}&y=${y}&tolerance=${tolerance}${by(selector)}`;
}

/** The thing in a box. */
export function boxedAddress(
  session: string,
  place: Place,
  [x, y, width, height]: readonly [number, number, number, number],
  selector: string | null,
): string {
  return `${frameAddress(session, place)}/boxed?x=${x}&y=${y}&width=${width}&height=${height}${by(selector)}`;
}

function by(selector: string | null): string {
  return selector === null ? "" : `&selector=${encodeURIComponent(selector)}`;
}

/** A frame without what masks select. */
export function withoutAddress(session: string, place: Place, masks: readonly string[]): string {
  return `${frameAddress(session, place)}/without?masks=${masks.join()}`;
}

export function portraitAddress(model: string, seed: number, psi: number, width: number): string {
  return `/api/gallery/${encodeURIComponent(model)}/${seed}?psi=${psi}&width=${width}`;
}

export function projectThumbAddress(session: string): string {
  return `/api/projects/${session}/thumb`;
}

export function getNodeFacts(session: string, node: string): Promise<NodeFacts> {
  return ask(`/api/sessions/${session}/nodes/${node}`);
}

export function getNodeParts(session: string, node: string): Promise<NodeParts> {
  return ask(`/api/sessions/${session}/nodes/${node}/parts`);
}

export function getVectors(session: string, node: string): Promise<readonly VectorInfo[]> {
  return ask(`/api/sessions/${session}/nodes/${node}/vectors`);
}

/** The groups and colours of a drawing. */
export function getLayers(session: string, place: Place): Promise<Drawing> {
  return ask(`${frameAddress(session, place)}/layers`);
}

/** Paths of one of its groups, -1 for those in none, after the first few. */
export function getPaths(session: string, place: Place, group: number, start: number): Promise<DrawingPaths> {
  return ask(`${frameAddress(session, place)}/layers/${group}?start=${start}`);
}

/** The faces in a photo, the largest first, as a model would have them cropped. */
export function getFaces(session: string, node: string, model: string): Promise<readonly Face[]> {
  return ask(`/api/sessions/${session}/nodes/${node}/faces?model=${encodeURIComponent(model)}`);
}

export function getProjects(): Promise<readonly RecentProject[]> {
  return ask("/api/projects");
}

export async function deleteProject(session: string): Promise<void> {
  await fetchOrRefuse(`/api/projects/${session}`, { method: "DELETE", headers: MARKED });
}

export function uploadImage(file: Blob): Promise<Uploaded> {
  return ask("/api/images", post(file));
}

export function keepMask(session: string, png: Blob): Promise<KeptMask> {
  return ask(`/api/sessions/${session}/masks`, post(png));
}

export function uploadDrawing(file: Blob): Promise<UploadedDrawing> {
  return ask("/api/drawings", post(file));
}

export function uploadProject(file: Blob): Promise<Opened> {
  return ask("/api/projects", post(file));
}

export async function getImage(address: string): Promise<ImageBitmap> {
  const response = await fetchOrRefuse(address);
  return createImageBitmap(await response.blob());
}

export async function getBytes(address: string): Promise<Uint8Array> {
  const response = await fetchOrRefuse(address);
  return new Uint8Array(await response.arrayBuffer());
}

function post(file: Blob): RequestInit {
  const type = file.type || "application/octet-stream";
  return { method: "POST", body: file, headers: { ...MARKED, "Content-Type": type } };
}

async function ask<T>(address: string, request?: RequestInit): Promise<T> {
  return (await fetchOrRefuse(address, request)).json() as Promise<T>;
}

async function fetchOrRefuse(address: string, request?: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address, request);
  } catch {
    throw new Refused("The studio's server does not answer.");
  }
  if (!response.ok) throw new Refused(await sentenceOf(response));
  return response;
}

async function sentenceOf(response: Response): Promise<string> {
  try {
    const { sentence } = (await response.json()) as { sentence?: unknown };
    if (typeof sentence === "string") return sentence;
  } catch {
    // not the server's own answer
  }
  return `The server refused this (${response.status}).`;
}
