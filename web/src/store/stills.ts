/** Still pictures of the tree, decoded; the last few are kept. */

import type { Shown } from "../canvas/model";
import { getImage } from "./api";

const KEPT = 12;

export class Stills {
  private readonly known = new Map<string, Promise<Shown>>();
  private readonly images = new WeakSet<CanvasImageSource>();

  get(address: string): Promise<Shown> {
    const found = this.known.get(address) ?? this.load(address);
    this.known.delete(address);
    this.known.set(address, found);
    const oldest = this.known.keys().next().value;
    if (this.known.size > KEPT && oldest !== undefined) this.known.delete(oldest);
    return found;
  }

  /** These pixels are not the caller's to close. */
  has(image: CanvasImageSource): boolean {
    return this.images.has(image);
  }

  private async load(address: string): Promise<Shown> {
    try {
      const image = await getImage(address);
      this.images.add(image);
      return { image, width: image.width, height: image.height };
    } catch (problem) {
      this.known.delete(address);
      throw problem;
    }
  }
}
