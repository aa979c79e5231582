/** Frames that reached the screen and how long each took from its step to there. */

const KEPT = 1000;

export class Drawn {
  count = 0;
  /** Seconds, of the last frames. */
  readonly latencies: number[] = [];

  record(sent: number): void {
    this.count += 1;
    this.latencies.push(Date.now() / 1000 - sent);
    if (this.latencies.length > KEPT) this.latencies.shift();
  }
}
