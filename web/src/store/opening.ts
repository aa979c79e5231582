/** Files that a person opens, drops or pastes. */

import type { Problem } from "../messages";
import { Refused, uploadDrawing, uploadImage, uploadProject } from "./api";
import type { Studio } from "./studio";

export const IMAGE_TYPES = "image/png,image/jpeg,image/webp";
export const PICTURE_TYPES = `${IMAGE_TYPES},image/svg+xml,.svg`;

type Kind = "project" | "drawing" | "image";

function kindOf(file: File): Kind {
  const name = file.name.toLowerCase();
  if (name.endsWith(".pliant")) return "project";
  return name.endsWith(".svg") || file.type === "image/svg+xml" ? "drawing" : "image";
}

/** A picture is put into the open project; another project takes its place in the address, and so on the page. */
export async function openFile(studio: Studio, file: File): Promise<void> {
  const kind = kindOf(file);
  const about = kind === "project" ? "project" : "picture";
  studio.session.dismiss(about);
  try {
    checkSize(studio, file, kind);
    if (kind === "project") location.hash = (await uploadProject(file)).session;
    else await usePicture(studio, file, kind);
  } catch (problem) {
    report(studio, about, problem);
  }
}

async function usePicture(
  { session, starting, things, mode }: Studio,
  file: File,
  kind: Kind,
): Promise<void> {
  if (kind === "drawing") {
    const { drawing, left_out } = await uploadDrawing(file);
    session.send({ type: "use_drawing", drawing });
    if (left_out.length > 0)
      session.report("picture", `Some of the file was left out or made simpler: ${left_out.join(", ")}.`);
  } else {
    const { image } = await uploadImage(file);
    const isOther = !starting.peek() && mode.peek()?.edit.inputs.includes("other");
    if (isOther) things.leaveFor(null);
    session.send({ type: "use_image", image });
  }
  starting.value = false;
}

/** Said here, because a browser that the server interrupts shows no sentence. */
function checkSize({ session }: Studio, file: File, kind: Kind): void {
  const most = session.welcome.value?.[`${kind}_bytes`];
  if (most !== undefined && file.size > most) {
    throw new Refused(`The file is too large: at most ${Math.floor(most / 2 ** 20)} MB.`);
  }
}

export function report(
  { session }: Pick<Studio, "session">,
  about: Problem["about"],
  problem: unknown,
): void {
  if (!(problem instanceof Refused)) throw problem;
  session.report(about, problem.message);
}

function firstFile(data: DataTransfer | null): File | null {
  return data?.files[0] ?? null;
}

/** Takes files that are dropped or pasted anywhere on the page. */
export function takeDropsAndPastes(studio: () => Studio): void {
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    const file = firstFile(event.dataTransfer);
    if (file) void openFile(studio(), file);
  });
  addEventListener("paste", (event) => {
    const file = firstFile(event.clipboardData);
    if (file) void openFile(studio(), file);
  });
}
