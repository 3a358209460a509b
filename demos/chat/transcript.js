import { Changes } from "./changes.js";
import { Log } from "./log.js";
import { nameOf } from "./people.js";

/** Clocks of others may be wrong or lie; beyond this they break dates. */
const TIME_MAX = 8.64e15;

/** One room as one person reads it: what was published, as messages and what was said about them. */
export class Transcript {
  /** How often messages were lost for good. */
  gaps = 0;
  log;
  #view;
  #own;
  #changes = new Changes();

  /**
   * @param {HTMLElement} view
   * @param {HTMLButtonElement} jump
   * @param {import("./own.js").Own} own
   * @param {object} on as the log's
   */
  constructor(view, jump, own, on) {
    this.#view = view;
    this.#own = own;
    this.log = new Log(view, jump, { ...on, dress: (entry) => this.dressed(entry) });
  }

  /** Begins anew, except for what another connection did not get rid of, which can be sent again. */
  begin() {
    const unsent = this.log.entries.filter(({ own, offset }) => own && !offset);
    this.log.clear();
    this.#changes = new Changes();
    this.#show("loading");
    for (const entry of unsent) this.log.put({ ...entry, mark: "unsure" });
  }

  /** All that was owed is here. */
  arrived() {
    this.#show(this.log.entries.length ? "" : "empty");
  }

  /**
   * Takes what was published: a message, or something about one.
   *
   * @returns {string | null} who has said something new
   */
  heard(message) {
    const name = nameOf(message.info);
    const about = this.#changes.note(message.data, name, message.offset);
    if (about !== null) {
      this.log.redraw(about);
      return null;
    }
    const entry = this.#entryOf(message);
    const known = this.log.find(entry.id);
    // An id is only what somebody wrote: it may complete a message of ours, but never change one that was said.
    if (known?.offset && known.offset !== entry.offset) {
      if (known.text === entry.text && known.name === entry.name) return null;
      entry.id = `@${message.offset}`;
    }
    this.log.put(entry);
    this.#show("");
    return name;
  }

  /** What was said before all of this. */
  prepend(messages) {
    const isSaid = ({ data, info, offset }) => this.#changes.note(data, nameOf(info), offset) === null;
    this.log.prepend(messages.filter(isSaid).map((message) => this.#entryOf(message)));
  }

  /** A message of ours is on its way. */
  sending({ id, text, at, name }) {
    this.log.put({ id, text, at, name, own: true, mark: "pending" });
    this.#show("");
  }

  /** What became of it. It may have been heard already, and then there is nothing left to say about it. */
  settle(id, mark) {
    const entry = this.log.find(id);
    if (entry && !entry.offset) this.log.put({ ...entry, mark });
  }

  gap({ from, to }) {
    this.gaps++;
    const sameStream = from.epoch === to.epoch;
    if (!sameStream) this.log.forgetOffsets();
    const count = sameStream ? to.offset - from.offset : 0;
    const what = count === 1 ? "One message" : count > 1 ? `${count} messages` : "Some messages";
    const note = `${what} may be missing here. You were away for longer than the history of this room goes back.`;
    this.log.put({ id: `gap-${this.gaps}`, note, offset: sameStream ? from.offset : 0 });
  }

  /** The server said no to something; that is said between the messages. */
  refused(note) {
    this.#show("");
    this.log.put({ id: `refused-${Date.now()}`, note, offset: 0 });
  }

  /** A message as it is now, with what was said about it. */
  dressed(entry) {
    return this.#changes.dress(entry);
  }

  /** All messages as they are now. */
  get messages() {
    return this.log.entries.filter(({ note }) => !note).map((entry) => this.dressed(entry));
  }

  /** Whatever was published here, as something to draw: it may come from anybody, in any shape. */
  #entryOf({ data, info, offset, time }) {
    const text = typeof data === "string" ? data : typeof data?.text === "string" ? data.text : JSON.stringify(data);
    const id = typeof data?.id === "string" ? data.id : `@${offset}`;
    const at = [data?.at, time].find((ms) => typeof ms === "number" && Math.abs(ms) <= TIME_MAX) ?? Date.now();
    return { id, text, at, offset, name: nameOf(info), own: this.#own.has(id, text), mark: "sent" };
  }

  #show(state) {
    this.#view.dataset.state = state;
  }
}
