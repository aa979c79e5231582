/** The open session for every part of the page. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Studio } from "../store/studio";

export const StudioContext = createContext<Studio | null>(null);

export function useStudio(): Studio {
  const studio = useContext(StudioContext);
  if (studio === null) throw new Error("This part of the page needs an open session.");
  return studio;
}
