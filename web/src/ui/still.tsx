/** Small pictures of the server; nothing is shown where one cannot be had. */

import { useState } from "preact/hooks";

export function Still({ src }: { src: string }) {
  return (
    <img
      key={src}
      src={src}
      alt=""
      loading="lazy"
      decoding="async"
      draggable={false}
      onError={(event) => {
        event.currentTarget.hidden = true;
      }}
    />
  );
}

/** One that takes a moment to make: its place breathes until it is there, and the former one stays until the next is. */
export function Preview({ src }: { src: string }) {
  const [state, setState] = useState<"loading" | "there" | "missing">("loading");
  return (
    <img
      class="preview-still"
      data-state={state}
      src={src}
      alt=""
      loading="lazy"
      decoding="async"
      draggable={false}
      onLoad={() => setState("there")}
      onError={() => setState("missing")}
    />
  );
}
