/** How many readers are kept account of. */
const READERS_MAX = 100;

/** Who has read how far. Said by them now and then; who has not said so lately is simply not shown. */
export class Readers {
  /** @type {Map<string, number>} */
  #offsets = new Map();

  /**
   * @param {string} name
   * @param {unknown} offset up to which, as they say
   */
  heard(name, offset) {
    if (!Number.isSafeInteger(offset) || (this.#offsets.size >= READERS_MAX && !this.#offsets.has(name))) return;
    this.#offsets.set(name, offset);
  }

  /** Who has read this far, except for one. */
  of(offset, exceptFor) {
    return [...this.#offsets].filter(([name, read]) => read >= offset && name !== exceptFor).map(([name]) => name);
  }

  clear() {
    this.#offsets.clear();
  }
}

/** "Ana and Ben", or "Ana, Ben and 3 more". */
export function several(names) {
  const [first, second, ...rest] = names;
  if (rest.length) return `${first}, ${second} and ${rest.length} more`;
  return second ? `${first} and ${second}` : (first ?? "");
}
