// What is said about messages: edits, removals and reactions, which are messages themselves.

export const REACTIONS = ["👍", "❤️", "😂", "🎉"];

/** Of how many messages changes are kept, and by how many people of each. Anybody may write anything. */
const MESSAGES_MAX = 2_000;
const PEOPLE_MAX = 100;

/**
 * The changes of one room. They may come before the message that they are about, and older ones after newer ones, as
 * pages of history do: the one with the largest offset holds.
 */
export class Changes {
  /** @type {Map<string, Map<string, { by: string, offset: number, text?: string, reaction?: string, on?: boolean }>>} */
  #about = new Map();

  /**
   * Takes note of a change.
   *
   * @param {any} data what was published
   * @param {string} by who published it
   * @param {number} offset
   * @returns {string | null} the id of the message it is about; null if it is no change
   */
  note(data, by, offset) {
    const { about, text, reaction, removed, on } = data ?? {};
    if (typeof about !== "string") return null;
    const kind = REACTIONS.includes(reaction) ? reaction : removed === true ? "removed" : typeof text === "string" ? "text" : null;
    if (!kind) return about;
    const changes = this.#about.get(about) ?? new Map();
    const key = `${kind} ${by}`;
    if (changes.size >= PEOPLE_MAX && !changes.has(key)) return about;
    if (!(changes.get(key)?.offset > offset)) changes.set(key, { by, offset, ...(kind === "text" && { text }), ...(REACTIONS.includes(kind) && { reaction, on: on === true }), removed });
    this.#about.set(about, changes);
    if (this.#about.size > MESSAGES_MAX) this.#about.delete(this.#about.keys().next().value);
    return about;
  }

  /**
   * A message as it is now. Only who said it may change or remove it.
   *
   * @template {{ id: string, text?: string, name?: string }} Entry
   * @param {Entry} entry
   */
  dress(entry) {
    const reactions = new Map();
    let { text } = entry;
    let edited = false;
    let removed = false;
    for (const change of this.#about.get(entry.id)?.values() ?? []) {
      const isTheirs = change.by === entry.name;
      if (change.reaction && change.on) reactions.set(change.reaction, [...(reactions.get(change.reaction) ?? []), change.by]);
      else if (isTheirs && change.removed) removed = true;
      else if (isTheirs && change.text !== undefined) [text, edited] = [change.text, true];
    }
    return { ...entry, text, edited, removed, reactions: [...reactions] };
  }
}
