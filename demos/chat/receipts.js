import { Readers, several } from "./readers.js";

/** How long after reading something the others are told, so that a flood of messages is one word. */
const TELL_MS = 250;

/** What we tell the others of how far we have read, and what they tell us. */
export class Receipts {
  #log;
  #on;
  #readers = new Readers();
  #telling;
  #told = 0;

  /**
   * @param {import("./log.js").Log} log
   * @param {{ isReading: () => boolean, tell: (offset: number) => void }} on whether somebody is here to read, and how the others are told
   */
  constructor(log, on) {
    this.#log = log;
    this.#on = on;
  }

  /** Another room. */
  clear() {
    this.#readers.clear();
    this.#told = 0;
  }

  /** Who has just come does not know how far we are. */
  tellAgain() {
    this.#told = 0;
    this.tell();
  }

  /** Tells the others how far we have read, once for all that came at the same time. */
  tell() {
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      const { newest, following } = this.#log;
      if (!this.#on.isReading() || !following || document.hidden || newest <= this.#told) return;
      this.#told = newest;
      this.#on.tell(newest);
    }, TELL_MS);
  }

  heard(name, offset) {
    this.#readers.heard(name, offset);
  }

  /** Under the last of our messages that somebody has seen: who. */
  draw(ownName) {
    const seenBy = ({ offset }) => this.#readers.of(offset, ownName);
    const seen = this.#log.entries.findLast((entry) => entry.own && entry.offset && seenBy(entry).length);
    if (seen) this.#log.showSeen(seen.id, `Seen by ${several(seenBy(seen))}`);
    else this.#log.showSeen("", "");
  }
}
