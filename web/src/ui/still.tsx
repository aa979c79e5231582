/** A small picture of the server; nothing is shown where it cannot be had. */

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
