/** The one WebSocket of a session: opens it, opens it again when it drops, says how it stands. */

import type { Wire } from "../messages";

export type FromPage = Wire["from_page"];
export type FromServer = Wire["from_server"];
/** "refused": the server said why and hung up; only the person can try again. */
export type Connected = "connecting" | "open" | "lost" | "refused";

export interface Listener {
  onText(message: FromServer): void;
  onFrame(data: ArrayBuffer): void;
  onStatus(status: Connected): void;
  /** First message of every connection. */
  hello(): FromPage;
}

/** Seconds to wait before the n-th try in a row, from 0. */
export function backoff(tries: number): number {
  return Math.min(0.25 * 2 ** tries, 5);
}

/** Messages worth sending late; the others make no sense after a reconnection. */
const KEPT = new Set<FromPage["type"]>(["sample", "use_image", "change", "go", "undo", "redo"]);

export class Connection {
  private socket: WebSocket | null = null;
  private tries = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private waiting: FromPage[] = [];
  private closed = false;
  private refused = false;

  constructor(
    private readonly address: string,
    private readonly listener: Listener,
  ) {
    this.open();
  }

  send(message: FromPage): void {
    if (this.socket?.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify(message));
    } else if (KEPT.has(message.type)) {
      this.waiting.push(message);
    }
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.socket?.close();
  }

  /** Do not wait for the next try. */
  retryNow(): void {
    if (this.socket !== null || this.closed) return;
    clearTimeout(this.timer);
    this.open();
  }

  private open(): void {
    this.listener.onStatus(this.tries === 0 ? "connecting" : "lost");
    const socket = new WebSocket(this.address, "pliant.v1");
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.greet(socket);
    socket.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) this.listener.onFrame(data);
      else this.take(JSON.parse(data) as FromServer);
    };
    socket.onclose = () => this.lose();
  }

  private take(message: FromServer): void {
    this.refused = message.type === "problem" && message.about === "connection";
    if (message.type === "welcome") this.tries = 0;
    this.listener.onText(message);
  }

  private greet(socket: WebSocket): void {
    socket.send(JSON.stringify(this.listener.hello()));
    this.listener.onStatus("open");
    const late = this.waiting;
    this.waiting = [];
    for (const message of late) this.send(message);
  }

  private lose(): void {
    this.socket = null;
    if (this.closed) return;
    this.listener.onStatus(this.refused ? "refused" : "lost");
    if (this.refused) return;
    this.timer = setTimeout(() => this.open(), backoff(this.tries) * 1000);
    this.tries += 1;
  }
}
