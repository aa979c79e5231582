/** The open session; the part of the address behind # names it, so that a reload finds it again. */

import { effect, type Signal, signal } from "@preact/signals";
import { Studio } from "./studio";
import { showToTests } from "./testing";

const NAMED = /^#([0-9a-f]{32})$/;

function named(): string | null {
  return NAMED.exec(location.hash)?.[1] ?? null;
}

function make(session: string | null): Studio {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  return new Studio(`${scheme}://${location.host}/api/ws`, session);
}

export const studio: Signal<Studio> = signal(make(named()));

/** Leave the open session (the server keeps it) for another, or for a new one. */
export function openSession(session: string | null): void {
  studio.value.dispose();
  history.pushState(null, "", session === null ? location.pathname : `#${session}`);
  studio.value = make(session);
}

effect(() => {
  const welcome = studio.value.session.welcome.value;
  if (welcome === null) return;
  if (named() !== welcome.session) history.replaceState(null, "", `#${welcome.session}`);
  if (welcome.test) showToTests(studio.value);
});

addEventListener("popstate", () => {
  const wanted = named();
  if (wanted === studio.value.session.id) return;
  studio.value.dispose();
  studio.value = make(wanted);
});
