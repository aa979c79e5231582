/** Files that a person opens, drops or pastes. */

import type { Problem } from "../messages";
import { Refused, uploadImage, uploadProject } from "./api";
import { openSession, studio } from "./current";

export const IMAGE_TYPES = "image/png,image/jpeg,image/webp";

export async function openFile(file: File): Promise<void> {
  const isProject = file.name.toLowerCase().endsWith(".pliant");
  const { session, starting } = studio.value;
  session.dismiss(isProject ? "project" : "picture");
  try {
    checkSize(file, isProject);
    if (isProject) {
      openSession((await uploadProject(file)).session);
    } else {
      session.send({ type: "use_image", image: (await uploadImage(file)).image });
      starting.value = false;
    }
  } catch (problem) {
    report(isProject ? "project" : "picture", problem);
  }
}

/** Said here, because a browser that the server interrupts shows no sentence. */
function checkSize(file: File, isProject: boolean): void {
  const welcome = studio.value.session.welcome.value;
  const most = isProject ? welcome?.project_bytes : welcome?.image_bytes;
  if (most !== undefined && file.size > most) {
    throw new Refused(`The file is too large: at most ${Math.floor(most / 2 ** 20)} MB.`);
  }
}

export function report(about: Problem["about"], problem: unknown): void {
  if (!(problem instanceof Refused)) throw problem;
  studio.value.session.report(about, problem.message);
}

function firstFile(data: DataTransfer | null): File | null {
  return data?.files[0] ?? null;
}

/** Takes files that are dropped or pasted anywhere on the page. */
export function takeDropsAndPastes(): void {
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    const file = firstFile(event.dataTransfer);
    if (file) void openFile(file);
  });
  addEventListener("paste", (event) => {
    const file = firstFile(event.clipboardData);
    if (file) void openFile(file);
  });
}
