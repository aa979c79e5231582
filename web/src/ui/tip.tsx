/** Short help beside a control, on hover and on focus; one layer for the whole page. */

import { signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";

interface Tip {
  readonly text: string;
  readonly anchor: DOMRect;
}

const current = signal<Tip | null>(null);
const MARGIN = 8;

function show(event: Event, text: string): void {
  if (text) current.value = { text, anchor: (event.currentTarget as Element).getBoundingClientRect() };
}

function hide(): void {
  current.value = null;
}

/** Handlers for the element that has the tip; `onTap` shows it where nothing can hover. */
export function tipFor(text: string, onTap = false) {
  return {
    onPointerEnter: (event: PointerEvent) => event.pointerType === "mouse" && show(event, text),
    onPointerLeave: hide,
    onPointerDown: hide,
    onFocus: (event: FocusEvent) =>
      (event.currentTarget as Element).matches(":focus-visible") && show(event, text),
    ...(onTap ? { onClick: (event: Event) => show(event, text) } : {}),
    onBlur: hide,
  };
}

export function TipLayer() {
  const box = useRef<HTMLDivElement>(null);
  const tip = current.value;
  useLayoutEffect(() => {
    if (box.current === null || tip === null) return;
    const { width, height } = box.current.getBoundingClientRect();
    const { left, right, bottom, top } = tip.anchor;
    const x = Math.min(Math.max((left + right - width) / 2, MARGIN), innerWidth - width - MARGIN);
    const below = bottom + MARGIN + height < innerHeight;
    box.current.style.transform = `translate(${Math.round(x)}px, ${Math.round(below ? bottom + 6 : top - height - 6)}px)`;
  }, [tip]);
  return (
    tip && (
      <div class="tip" role="tooltip" ref={box}>
        {tip.text}
      </div>
    )
  );
}
