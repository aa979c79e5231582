/** Something that the server is asked for while a part of the page shows it. */

import { useEffect, useState } from "preact/hooks";

export type Fetched<T> =
  | { readonly state: "asking" }
  | { readonly state: "there"; readonly value: T }
  | { readonly state: "refused"; readonly sentence: string };

/**
 * Asks again whenever the key changes; what was known stays until then.
 *
 * @param key names what is asked for; null asks for nothing.
 */
export function useFetched<T>(key: string | null, ask: () => Promise<T>): Fetched<T> {
  const [known, setKnown] = useState<Fetched<T>>({ state: "asking" });
  useEffect(() => {
    if (key === null) return;
    let wanted = true;
    ask().then(
      (value) => wanted && setKnown({ state: "there", value }),
      (problem: Error) => wanted && setKnown({ state: "refused", sentence: problem.message }),
    );
    return () => {
      wanted = false;
    };
  }, [key]);
  return known;
}
