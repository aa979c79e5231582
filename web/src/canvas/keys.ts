/** The few keys that belong to the canvas: space pans, arrows move what is selected or a crosshair, Escape cancels. */

export interface KeyDesk {
  holdPan(held: boolean): void;
  /** By one step right and down, a long one where Shift is held; false when there is nothing to move. */
  arrow(across: number, down: number, shift: boolean): boolean;
  finishNudge(): void;
  /** The keys go elsewhere. */
  leave(): void;
  /** False when there was nothing to cancel. */
  cancel(): boolean;
}

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
export class Keys {
  private readonly listening = new AbortController();

  constructor(
    private readonly host: HTMLElement,
    private readonly desk: KeyDesk,
  ) {
    const { signal } = this.listening;
    host.addEventListener("keydown", (event) => this.down(event), { signal });
    host.addEventListener("keyup", (event) => this.up(event), { signal });
    host.addEventListener("focus", () => this.showReached(host.matches(":focus-visible")), { signal });
    host.addEventListener("blur", () => this.leave(), { signal });
    window.addEventListener("keydown", (event) => this.space(event), { signal });
    window.addEventListener("keyup", (event) => event.key === " " && this.desk.holdPan(false), { signal });
    window.addEventListener("blur", () => this.desk.holdPan(false), { signal });
  }

  stop(): void {
    this.listening.abort();
  }

  private down(event: KeyboardEvent): void {
    const arrow = ARROWS[event.key];
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    const taken =
      arrow !== undefined && plain
        ? this.desk.arrow(arrow[0], arrow[1], event.shiftKey)
        : event.key === "Escape" && this.desk.cancel();
    if (taken) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  private up(event: KeyboardEvent): void {
    if (event.key in ARROWS) {
      this.desk.finishNudge();
    }
  }

  private leave(): void {
    this.showReached(false);
    this.desk.finishNudge();
    this.desk.leave();
  }

  /** The ring is for those who came by the keyboard, not for those who hold Shift while they draw. */
  private showReached(reached: boolean): void {
    this.host.classList.toggle("is-reached", reached);
  }

  private space(event: KeyboardEvent): void {
    if (event.key !== " " || event.defaultPrevented || !this.isMeant(event.target)) {
      return;
    }
    event.preventDefault();
    this.desk.holdPan(true);
  }

  /** Space still presses the button and writes in the field that the keyboard is at. */
  private isMeant(target: EventTarget | null): boolean {
    if (target === this.host) {
      return true;
    }
    const elsewhere =
      target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;
    const atControl =
      target instanceof Element && target !== document.body && target.matches(":focus-visible");
    return !elsewhere && !atControl && this.host.matches(":hover");
  }
}
