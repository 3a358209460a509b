import { element } from "../frame.js";
import { icon } from "../frame/icons.js";
import { avatar, colour } from "./people.js";

/** Messages further apart than this are separate groups, even from one person. */
const GROUP_MS = 5 * 60_000;

/** How many messages stay in the page. Older ones are a scroll away, on the server. */
const DRAWN_MAX = 1_000;

/** Closer to the end than this, a reader is following. */
const FOLLOW_PX = 48;

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const date = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const EMOJI = /^(\p{Extended_Pictographic}\ufe0f?\u200d?){1,6}$/u;
const MARKS = { pending: "Waiting", sent: "Sent", failed: "Not sent", unsure: "May not have arrived" };

/**
 * @typedef {object} Entry
 * @property {string} id
 * @property {number} [offset] its place in the room; those without one are on their way, and stay at the end
 * @property {string} [text]
 * @property {string} [name]
 * @property {number} [at] Unix milliseconds
 * @property {boolean} [own]
 * @property {keyof typeof MARKS} [mark] of an own message
 * @property {string} [note] something to say between messages, instead of a message
 */

/** What was said, drawn: grouped by person, divided by day, with a mark on one's own. */
export class Log {
  /** @type {Entry[]} */
  entries = [];
  /** How many came while the reader was further up. */
  unread = 0;
  #view;
  #jump;
  #on;
  /** The one row of tools, under the message that it is about. */
  #tools = element("span", { className: "tools", role: "group", aria: { label: "What to do with this message" } });
  #seen = element("span", { className: "seen", data: { test: "seen" } });
  /** Above this entry is the divider between read and new. */
  #dividerAt = "";
  #following = true;
  #ending = false;
  /** @type {Map<string, HTMLElement>} */
  #nodes = new Map();

  /**
   * @param {HTMLElement} view the scrolling list
   * @param {HTMLButtonElement} jump shown while there is something new further down
   * @param {object} on
   * @param {(entry: Entry) => any} on.dress how an entry looks now, with what was said about it
   * @param {(entry: Entry) => void} on.retry
   * @param {(entry: Entry) => HTMLElement[]} on.tools what can be done with an entry
   * @param {() => void} on.read everything here has been seen
   */
  constructor(view, jump, on) {
    this.#view = view;
    this.#jump = jump;
    this.#on = on;
    jump.addEventListener("click", () => this.follow());
    this.#tools.addEventListener("click", () => this.#tools.remove());
    view.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    // A window that changes its size must not leave a follower behind.
    new ResizeObserver(() => this.#following && this.follow()).observe(view);
  }

  /** Whether the reader is at the end, and has seen it all. */
  get following() {
    return this.#following;
  }

  /** The offset of the message at the top of what is seen; 0 for somebody at the end. */
  get place() {
    if (this.#following) return 0;
    const { top } = this.#view.getBoundingClientRect();
    const seen = this.entries.find(({ id, offset }) => offset && this.#nodes.get(id)?.getBoundingClientRect().bottom > top);
    return seen?.offset ?? 0;
  }

  /** Shows the message at this offset at the top. */
  show(offset) {
    const entry = this.entries.find((each) => each.offset >= offset);
    if (!entry) return;
    this.#following = false;
    this.#nodes.get(entry.id).scrollIntoView({ block: "start" });
  }

  /** The offset of the newest message here. */
  get newest() {
    return this.entries.findLast(({ offset }) => offset)?.offset ?? 0;
  }

  /** Says under a message who has seen it. */
  showSeen(id, text) {
    this.#seen.textContent = text;
    if (text) this.#nodes.get(id)?.querySelector(".mark")?.append(this.#seen);
    else this.#seen.remove();
    if (this.#following) this.#end();
  }

  /** Something was said about this message. */
  redraw(id) {
    const hadTools = this.#nodes.get(id)?.contains(this.#tools);
    this.#draw(this.entries.findIndex((entry) => entry.id === id));
    if (hadTools) this.#nodes.get(id)?.querySelector(".line").after(this.#tools);
    if (this.#following) this.#end();
  }

  /** The offset of the oldest message here. */
  get oldest() {
    return this.entries.find(({ offset, note }) => offset && !note)?.offset;
  }

  /** @param {string} id */
  find(id) {
    return this.entries.find((entry) => entry.id === id);
  }

  clear() {
    this.entries = [];
    this.#nodes.clear();
    this.#view.replaceChildren();
    this.#dividerAt = "";
    this.#following = true;
  }

  /**
   * Adds an entry, or changes the one with its id.
   *
   * @param {Entry} entry
   */
  put(entry) {
    const known = this.find(entry.id);
    if (known) this.#remove(this.entries.indexOf(known));
    const at = this.#placeOf(entry);
    this.entries.splice(at, 0, { ...known, ...entry });
    if (!known && !entry.own && !this.#following) this.#count(entry.id);
    this.#draw(at);
    this.#draw(at + 1); // which may have been the first of a group until now
    if (!known && entry.own) this.#following = true;
    if (!this.#following) return;
    while (this.entries.length > DRAWN_MAX) this.#remove(0);
    this.follow();
  }

  /**
   * Adds older entries above, without moving what the reader looks at.
   *
   * @param {Entry[]} older
   */
  prepend(older) {
    const below = this.#view.scrollHeight - this.#view.scrollTop;
    const fresh = older.filter(({ id }) => !this.find(id));
    this.entries.unshift(...fresh);
    for (let at = fresh.length; at >= 0; at--) this.#draw(at);
    this.#view.scrollTop = this.#view.scrollHeight - below;
  }

  /** The room began a new stream: offsets from before say nothing about what comes now. */
  forgetOffsets() {
    for (const entry of this.entries) if (entry.offset) entry.offset = 0;
  }

  /** To the end, and stay there. */
  follow() {
    this.#following = true;
    this.#end();
    this.#read();
  }

  /** Once for all that changes in this moment: where the end is has to be measured. */
  #end() {
    if (this.#ending) return;
    this.#ending = true;
    queueMicrotask(() => {
      this.#ending = false;
      if (this.#following) this.#view.scrollTop = this.#view.scrollHeight;
    });
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.#view;
    this.#following = scrollHeight - scrollTop - clientHeight < FOLLOW_PX;
    if (this.#following) this.#read();
  }

  #read() {
    this.unread = 0;
    this.#jump.hidden = true;
    this.#on.read();
  }

  /** @param {string} id */
  #count(id) {
    if (!this.unread++) {
      const before = this.#dividerAt;
      this.#dividerAt = id;
      this.#draw(this.entries.findIndex((entry) => entry.id === before));
    }
    this.#jump.hidden = false;
    this.#jump.lastElementChild.textContent = `${this.unread} new`;
  }

  /** @param {Entry} entry */
  #placeOf({ offset }) {
    let at = this.entries.length;
    if (offset) while (at && !(this.entries[at - 1].offset <= offset)) at--;
    return at;
  }

  /** @param {number} at */
  #remove(at) {
    const [{ id }] = this.entries.splice(at, 1);
    this.#nodes.get(id)?.remove();
    this.#nodes.delete(id);
  }

  /**
   * Draws an entry in its place, instead of what was drawn of it before.
   *
   * @param {number} at
   */
  #draw(at) {
    const entry = this.entries[at];
    if (!entry) return;
    this.#nodes.get(entry.id)?.remove();
    const node = entry.note ? this.#notice(entry) : this.#message(entry, this.entries[at - 1]);
    this.#nodes.set(entry.id, node);
    this.#view.insertBefore(node, this.#nodes.get(this.entries[at + 1]?.id) ?? null);
  }

  /** @param {Entry} entry */
  #notice({ id, note }) {
    return element("div", { className: "notice", data: { id, test: "gap" } }, icon("gap"), element("span", {}, note));
  }

  /**
   * @param {Entry} entry
   * @param {Entry | undefined} previous
   */
  #message(entry, previous) {
    const { id, name, at, offset, own, mark = "sent" } = entry;
    const { text, edited, removed, reactions } = this.#on.dress(entry);
    const newDay = !previous?.at || new Date(previous.at).toDateString() !== new Date(at).toDateString();
    const isNew = id === this.#dividerAt;
    const sameHand = previous?.name === name && !previous?.own === !own && at - previous.at < GROUP_MS;
    const begins = newDay || isNew || !sameHand;
    return element(
      "div",
      {
        className: `message${own ? " own" : ""}${begins ? " begins" : ""}`,
        data: { id, test: "message", ...(own && { mark }), ...(offset && { offset }) },
      },
      newDay && element("span", { className: "divider" }, dayName(at)),
      isNew && element("span", { className: "divider new", data: { test: "unread" } }, "New"),
      begins && head(entry),
      element(
        "span",
        { className: "line" },
        removed
          ? element("p", { className: "bubble removed" }, "This message was removed.")
          : element("p", { className: EMOJI.test(text) ? "bubble emoji" : "bubble" }, text),
        offset && !removed && this.#more(entry),
      ),
      !removed && reactions.length > 0 && chips(reactions),
      edited && !removed && element("span", { className: "edited" }, "edited"),
      own && this.#mark(entry, mark),
    );
  }

  /** @param {Entry} entry */
  #more(entry) {
    const open = ({ currentTarget }) => {
      const line = currentTarget.parentElement;
      if (line.nextSibling === this.#tools) return this.#tools.remove();
      this.#tools.replaceChildren(...this.#on.tools(entry));
      line.after(this.#tools);
      this.#tools.querySelector("button").focus({ preventScroll: true });
      this.#tools.scrollIntoView({ block: "nearest" });
    };
    return element("button", { className: "more", type: "button", title: "React, edit, remove", data: { test: "more" }, on: { click: open } }, icon("more"), element("span", { className: "unseen" }, "What to do with this message"));
  }

  /**
   * @param {Entry} entry
   * @param {keyof typeof MARKS} mark
   */
  #mark(entry, mark) {
    const said = element("span", { className: mark === "sent" ? "unseen" : "" }, MARKS[mark]);
    const retry = { className: "retry", type: "button", data: { test: "retry" }, on: { click: () => this.#on.retry(entry) } };
    const failed = mark === "failed" || mark === "unsure";
    return element("span", { className: "mark" }, icon(mark), said, failed && element("button", retry, "Send again"));
  }
}

/** @param {[string, string[]][]} reactions */
function chips(reactions) {
  const chip = ([reaction, names]) =>
    element("span", { className: "reaction", title: names.join(", "), data: { test: "reaction" } }, icon(reaction), element("span", { className: "unseen" }, reaction), String(names.length));
  return element("span", { className: "reactions" }, ...reactions.map(chip));
}

/** @param {Entry} entry */
function head({ name, at, own }) {
  const who = element("span", { className: "who" }, own ? "You" : name);
  who.style.setProperty("--colour", colour(name));
  return element(
    "span",
    { className: "head" },
    !own && avatar(name),
    who,
    element("time", { dateTime: new Date(at).toISOString() }, clock.format(at)),
  );
}

/** @param {number} at */
function dayName(at) {
  const midnight = (time) => new Date(time).setHours(0, 0, 0, 0);
  const days = Math.round((midnight(at) - midnight(Date.now())) / 86_400_000);
  if (Math.abs(days) > 1) return date.format(at);
  const name = relative.format(days, "day");
  return name[0].toUpperCase() + name.slice(1);
}
