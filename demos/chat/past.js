import { session } from "../frame.js";

/** How many pages of history a reload goes back to find the reader's place. */
const PAGES_BACK_MAX = 10;

/** What was said before: a page more of it whenever the reader is at the top, and the place where they were last time. */
export class Past {
  #transcript;
  #key;
  #room;
  #roomName = "";
  #state = "idle";

  /**
   * @param {import("./transcript.js").Transcript} transcript
   * @param {string} key what the browser remembers places by
   */
  constructor(transcript, key) {
    this.#transcript = transcript;
    this.#key = key;
  }

  /** Another room, or the same one over another connection. */
  of(room, roomName) {
    this.#room = room;
    this.#roomName = roomName;
    this.#state = "idle";
  }

  async load() {
    const { oldest } = this.#transcript.log;
    if (this.#state !== "idle" || !(oldest > 1)) return;
    const room = this.#room;
    this.#state = "loading";
    try {
      const { messages } = await room.older(oldest);
      if (room !== this.#room) return;
      this.#transcript.prepend(messages);
      this.#state = messages.length ? "idle" : "done";
    } catch {
      this.#state = "idle"; // scrolling on asks again
    }
  }

  /** Where we were reading, for when this tab is loaded again. */
  remember() {
    if (this.#roomName) session.set(this.#keyOfPlace, String(this.#transcript.log.place));
  }

  async findPlace() {
    const { log } = this.#transcript;
    const place = Number(session.get(this.#keyOfPlace));
    const room = this.#room;
    for (let page = 0; place && page < PAGES_BACK_MAX && log.oldest > place && room === this.#room; page++) await this.load();
    if (place && room === this.#room) log.show(place);
  }

  get #keyOfPlace() {
    return `${this.#key}.${this.#roomName}`;
  }
}
