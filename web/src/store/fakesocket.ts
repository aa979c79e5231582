/** A socket for tests: Node has no server here, and tests must choose when it answers and drops. */

import type { FromPage, FromServer } from "./socket";

export class FakeSocket {
  static readonly OPEN = 1;
  static made: FakeSocket[] = [];
  readonly sent: FromPage[] = [];
  readyState = 0;
  binaryType = "";
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;

  constructor(
    readonly address: string,
    readonly protocol: string,
  ) {
    FakeSocket.made.push(this);
  }

  static install(): void {
    FakeSocket.made = [];
    Object.assign(globalThis, { WebSocket: FakeSocket });
  }

  static last(): FakeSocket {
    const last = FakeSocket.made.at(-1);
    if (last === undefined) throw new Error("no socket was opened");
    return last;
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as FromPage);
  }

  accept(): void {
    this.readyState = FakeSocket.OPEN;
    this.onopen?.();
  }

  say(message: FromServer): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  drop(): void {
    this.readyState = 3;
    this.onclose?.();
  }

  close(): void {
    this.drop();
  }
}
