/** Files that a person opens, drops or pastes. */

import type { Problem } from "../messages";
import { Refused, uploadImage, uploadProject } from "./api";
import type { Studio } from "./studio";

export const IMAGE_TYPES = "image/png,image/jpeg,image/webp";

/** An image is put into the open project; another project takes its place in the address, and so on the page. */
export async function openFile(studio: Studio, file: File): Promise<void> {
  const isProject = file.name.toLowerCase().endsWith(".pliant");
  const { session, starting } = studio;
  session.dismiss(isProject ? "project" : "picture");
  try {
    checkSize(studio, file, isProject);
    if (isProject) {
      location.hash = (await uploadProject(file)).session;
    } else {
      session.send({ type: "use_image", image: (await uploadImage(file)).image });
      starting.value = false;
    }
  } catch (problem) {
    report(studio, isProject ? "project" : "picture", problem);
  }
}

/** Said here, because a browser that the server interrupts shows no sentence. */
function checkSize({ session }: Studio, file: File, isProject: boolean): void {
  const welcome = session.welcome.value;
  const most = isProject ? welcome?.project_bytes : welcome?.image_bytes;
  if (most !== undefined && file.size > most) {
    throw new Refused(`The file is too large: at most ${Math.floor(most / 2 ** 20)} MB.`);
  }
}

export function report({ session }: Studio, about: Problem["about"], problem: unknown): void {
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
