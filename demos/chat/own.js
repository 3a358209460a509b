import { session } from "../frame.js";

/** How many of one's own messages are recognized after a reload. */
const KEPT = 200;

/** What was said in this tab, by id. Anybody may repeat an id, but not make us have said something else. */
export class Own {
  #key;
  /** @type {Map<string, string>} */
  #texts;

  /** @param {string} key what the browser remembers it by */
  constructor(key) {
    this.#key = key;
    this.#texts = new Map(JSON.parse(session.get(key) ?? "[]"));
  }

  add(id, text) {
    this.#texts.set(id, text);
    session.set(this.#key, JSON.stringify([...this.#texts].slice(-KEPT)));
  }

  has(id, text) {
    return this.#texts.get(id) === text;
  }
}
