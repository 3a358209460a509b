import { element, local, session } from "../frame.js";
import { icon } from "../frame/icons.js";
import { Seat } from "../frame/seat.js";
import { Changes, REACTIONS } from "./changes.js";
import { Composer } from "./composer.js";
import { arrive, enter } from "./conversation.js";
import { Log } from "./log.js";
import { Typists, drawPeople, nameOf } from "./people.js";
import { Readers, several } from "./readers.js";

/** How long after reading something the others are told, so that a flood of messages is one word. */
const READ_TELL_MS = 250;

/** How many of one's own messages are recognized after a reload. */
const OWN_MAX = 200;

/** How many pages of history a reload goes back to find the reader's place. */
const PAGES_BACK_MAX = 10;

/** Clocks of others may be wrong or lie; beyond this they break dates. */
const TIME_MAX = 8.64e15;

const NAMES = ["Ana", "Bruno", "Chidi", "Dara", "Emil", "Freya", "Goro", "Hana", "Ivo", "Juno", "Kofi", "Lena"];

/** One person at the chat, with a connection of their own. */
export class Pane {
  gaps = 0;
  #id;
  #root;
  #log;
  #typists;
  #composer;
  #seat;
  #rt;
  #name;
  #roomName = "";
  /** @type {ReturnType<typeof enter> | null} */
  #room = null;
  #ready = false;
  #members = new Map();
  #changes = new Changes();
  #readers = new Readers();
  #telling;
  #toldRead = 0;
  #older = "idle";
  /** What we said in this tab, by id. Anybody may repeat an id, but not make us say something else. @type {Map<string, string>} */
  #own;

  /**
   * @param {string} id tells panes apart in what the browser remembers
   * @param {{ name?: string, notAs?: string, drawer: any }} options a name to go by, or one that is taken
   */
  constructor(id, { name, notAs, drawer }) {
    this.#id = id;
    this.#root = document.querySelector("#pane").content.cloneNode(true).firstElementChild;
    this.#root.dataset.pane = id;
    this.#own = new Map(JSON.parse(session.get(`chat.${id}.own`) ?? "[]"));
    this.#name = name ?? remembered(id, notAs);
    this.#log = new Log(this.#part("log"), this.#part("jump"), {
      dress: (entry) => this.#changes.dress(entry),
      retry: (entry) => this.#send(entry),
      tools: (entry) => this.#tools(entry),
      read: () => this.#tellRead(),
    });
    this.#typists = new Typists(this.#part("typing"));
    this.#composer = new Composer(this.#part("form"), {
      say: (text) => this.say(text),
      edit: (about, text) => this.#change({ about, text }),
      typing: (typing) => this.#hint({ typing }),
    });
    this.#wire();
    this.#introduce();
    this.#seat = new Seat(this.#root, {
      name: id,
      drawer,
      arrive: (where) => arrive(this.#name, where),
      enter: (rt) => {
        this.#rt = rt;
        if (this.#roomName) this.#enter();
        return () => this.#room?.leave();
      },
    });
  }

  get root() {
    return this.#root;
  }

  /** What a test may look at: plain values, no elements. What takes measuring or copying is done only when it is asked for. */
  get state() {
    const [log, changes, members] = [this.#log, this.#changes, this.#members];
    return {
      ...this.#seat.state,
      ready: this.#ready,
      name: this.#name,
      room: this.#roomName,
      gaps: this.gaps,
      unread: log.unread,
      typing: this.#typists.names,
      offset: log.newest,
      get place() {
        return log.place;
      },
      get members() {
        return [...members.values()].map(nameOf).sort();
      },
      get messages() {
        const said = log.entries.filter(({ note }) => !note).map((entry) => changes.dress(entry));
        return said.map(({ id, text, name, offset, own, mark, edited, removed, reactions }) => ({ id, text, name, offset, own: !!own, mark, edited, removed, reactions }));
      },
    };
  }

  /** Goes to a room, and leaves the one before it. */
  goTo(roomName) {
    if (this.#roomName) this.#remember();
    this.#roomName = roomName;
    for (const link of this.#part("rooms").querySelectorAll("a")) {
      const current = link.hash === `#${roomName}`;
      if (!current) link.removeAttribute("aria-current");
      else link.setAttribute("aria-current", "page");
      if (current) link.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    this.#part("title").textContent = roomName;
    this.#log.clear();
    this.#enter();
  }

  /** Says something, as if it had been typed and sent. */
  say(text) {
    const id = crypto.randomUUID();
    this.#own.set(id, text);
    session.set(`chat.${this.#id}.own`, JSON.stringify([...this.#own].slice(-OWN_MAX)));
    this.#send({ id, text, at: Date.now() });
  }

  /** @param {string} name */
  #part(name) {
    return this.#root.querySelector(`[data-part="${name}"]`);
  }

  #introduce() {
    this.#part("name").value = this.#name;
    this.#root.setAttribute("aria-label", `Conversation as ${this.#name}`);
  }

  #enter() {
    this.#room?.leave();
    // What another client did not get rid of is still here to be sent again.
    const unsent = this.#log.entries.filter(({ own, offset }) => own && !offset);
    this.#log.clear();
    this.#typists.clear();
    this.#readers.clear();
    this.#changes = new Changes();
    this.#members = new Map();
    this.#ready = false;
    this.#toldRead = 0;
    this.#older = "idle";
    this.#part("log").dataset.state = "loading";
    for (const entry of unsent) this.#log.put({ ...entry, mark: "unsure" });
    this.#room = enter(this.#rt, this.#roomName, {
      message: (message) => this.#heard(message),
      presence: (members) => this.#present(members),
      signal: ({ data, info }) => this.#hinted(data, info),
      gap: (gap) => this.#gap(gap),
      ready: () => this.#arrived(),
      refused: (error) => this.#refused(error),
    });
  }

  async #arrived() {
    if (!this.#ready) await this.#findPlace();
    this.#ready = true;
    this.#part("log").dataset.state = this.#log.entries.length ? "" : "empty";
    this.#tellRead();
  }

  #heard(message) {
    const name = nameOf(message.info);
    const about = this.#changes.note(message.data, name, message.offset);
    if (about !== null) return this.#changed(about);
    const entry = this.#entryOf(message);
    const known = this.#log.find(entry.id);
    // An id is only what somebody wrote: it may complete a message of ours, but never change one that was said.
    if (known?.offset && known.offset !== entry.offset) {
      if (known.text === entry.text && known.name === entry.name) return;
      entry.id = `@${message.offset}`;
    }
    this.#log.put(entry);
    this.#typists.heard(name, false);
    this.#part("log").dataset.state = "";
    if (this.#log.following) this.#tellRead();
    this.#drawSeen();
  }

  #changed(id) {
    this.#log.redraw(id);
    this.#drawSeen();
  }

  /** Whatever was published here, as something to draw: it may come from anybody, in any shape. */
  #entryOf({ data, info, offset, time }) {
    const text = typeof data === "string" ? data : typeof data?.text === "string" ? data.text : JSON.stringify(data);
    const id = typeof data?.id === "string" ? data.id : `@${offset}`;
    const at = [data?.at, time].find((ms) => typeof ms === "number" && Math.abs(ms) <= TIME_MAX) ?? Date.now();
    return { id, text, at, offset, name: nameOf(info), own: this.#own.get(id) === text, mark: "sent" };
  }

  async #send({ id, text, at }) {
    const room = this.#room;
    this.#log.put({ id, text, at, name: this.#name, own: true, mark: "pending" });
    this.#part("log").dataset.state = "";
    const settle = (mark) => {
      const entry = this.#log.find(id);
      // It may have been heard already, and then there is nothing left to say about it.
      if (room === this.#room && entry && !entry.offset) this.#log.put({ ...entry, mark });
    };
    try {
      await room.say({ id, text, at });
      settle("sent");
    } catch ({ code }) {
      settle(code === "unacknowledged" ? "unsure" : "failed");
    }
  }

  /** What can be done with a message: anybody may react, and change what was their own. */
  #tools({ id, name, text }) {
    const tool = (test, label, title, act) => {
      const click = () => {
        act();
        this.#part("text").focus({ preventScroll: true });
      };
      return element("button", { className: "tool", type: "button", title, data: { test }, on: { click } }, ...label);
    };
    const { reactions } = this.#changes.dress({ id, name, text });
    const react = (reaction) => {
      const mine = reactions.some(([each, names]) => each === reaction && names.includes(this.#name));
      const title = mine ? `Take ${reaction} back` : `React with ${reaction}`;
      return tool("react", [icon(reaction), element("span", { className: "unseen" }, title)], title, () => this.#change({ about: id, reaction, on: !mine }));
    };
    const own = name === this.#name && [
      tool("edit", ["Edit"], "Say it another way", () => this.#composer.edit(id, this.#changes.dress({ id, name, text }).text)),
      tool("remove", ["Remove"], "Take it back", () => this.#change({ about: id, removed: true })),
    ];
    return [...REACTIONS.map(react), ...(own || [])];
  }

  async #change(what) {
    try {
      await this.#room.say(what);
    } catch ({ message }) {
      this.#log.put({ id: `refused-${Date.now()}`, note: `That change was lost: ${message}.`, offset: 0 });
    }
  }

  #gap({ from, to }) {
    this.gaps++;
    const sameStream = from.epoch === to.epoch;
    if (!sameStream) this.#log.forgetOffsets();
    const count = sameStream ? to.offset - from.offset : 0;
    const what = count === 1 ? "One message" : count > 1 ? `${count} messages` : "Some messages";
    const note = `${what} may be missing here. You were away for longer than the history of this room goes back.`;
    this.#log.put({ id: `gap-${this.gaps}`, note, offset: sameStream ? from.offset : 0 });
  }

  #refused({ message }) {
    this.#part("log").dataset.state = "";
    this.#log.put({ id: `refused-${Date.now()}`, note: `The server said no: ${message}.`, offset: 0 });
  }

  #present(members) {
    const came = [...members.keys()].some((client) => !this.#members.has(client));
    this.#members = members;
    const count = drawPeople(this.#part("people"), members, this.#name);
    this.#part("count").textContent = `${count} here`;
    if (!came) return;
    this.#toldRead = 0; // who has just come does not know how far we are
    this.#tellRead();
  }

  #hinted(data, info) {
    if (info?.client === this.#rt.status.client) return;
    const name = nameOf(info);
    if (data?.read !== undefined) this.#readers.heard(name, data.read);
    else this.#typists.heard(name, data?.typing === true);
    this.#drawSeen();
  }

  /** Nothing depends on it: whoever may not tell is simply not seen typing or reading. */
  #hint(what) {
    this.#room?.hint(what).catch(() => {});
  }

  /** Tells the others how far we have read, once for all that came at the same time. */
  #tellRead() {
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      const { newest, following } = this.#log;
      if (!this.#ready || !following || document.hidden || newest <= this.#toldRead) return;
      this.#toldRead = newest;
      this.#hint({ read: newest });
    }, READ_TELL_MS);
  }

  /** Under the last of our messages that somebody has seen: who. */
  #drawSeen() {
    const own = this.#log.entries.findLast(({ own, offset }) => own && offset && this.#readers.of(offset, this.#name).length);
    if (own) this.#log.showSeen(own.id, `Seen by ${several(this.#readers.of(own.offset, this.#name))}`);
    else this.#log.showSeen("", "");
  }

  async #loadOlder() {
    const { oldest } = this.#log;
    if (this.#older !== "idle" || !(oldest > 1)) return;
    const room = this.#room;
    this.#older = "loading";
    try {
      const { messages } = await room.older(oldest);
      if (room !== this.#room) return;
      const isSaid = ({ data, info, offset }) => this.#changes.note(data, nameOf(info), offset) === null;
      this.#log.prepend(messages.filter(isSaid).map((message) => this.#entryOf(message)));
      this.#older = messages.length ? "idle" : "done";
    } catch {
      this.#older = "idle"; // scrolling on asks again
    }
  }

  /** Where we were reading, for when this tab is loaded again. */
  #remember() {
    session.set(`chat.${this.#id}.place.${this.#roomName}`, String(this.#log.place));
  }

  async #findPlace() {
    const place = Number(session.get(`chat.${this.#id}.place.${this.#roomName}`));
    const room = this.#room;
    for (let page = 0; place && page < PAGES_BACK_MAX && this.#log.oldest > place && room === this.#room; page++) await this.#loadOlder();
    if (place && room === this.#room) this.#log.show(place);
  }

  #rename(name) {
    const chosen = name.trim().slice(0, 40);
    this.#part("name").value = chosen || this.#name;
    if (!chosen || chosen === this.#name) return;
    this.#name = chosen;
    local.set(`chat.${this.#id}.name`, chosen);
    this.#introduce();
    this.#seat.again(); // a name belongs to a connection, so that nobody can change it in between
  }

  #wire() {
    const name = this.#part("name");
    name.addEventListener("change", () => this.#rename(name.value));
    name.addEventListener("keydown", ({ key }) => key === "Enter" && name.blur());

    const log = this.#part("log");
    log.addEventListener("scroll", () => this.#ready && log.scrollTop < 120 && this.#loadOlder(), { passive: true });
    addEventListener("pagehide", () => this.#remember());
    addEventListener("visibilitychange", () => this.#tellRead());

    const toggle = this.#part("who");
    toggle.addEventListener("click", () => {
      const open = this.#root.classList.toggle("people-open");
      toggle.setAttribute("aria-expanded", String(open));
    });
    this.#root.addEventListener("keydown", ({ key }) => {
      if (key === "Escape" && this.#root.classList.contains("people-open")) toggle.click();
    });
  }
}

/**
 * The name of last time, or else one by chance, which is then the name of next time.
 *
 * @param {string} id
 * @param {string} [notAs]
 */
function remembered(id, notAs) {
  const name = local.get(`chat.${id}.name`);
  if (name && name !== notAs) return name;
  const free = NAMES.filter((candidate) => candidate !== notAs);
  const chosen = free[Math.floor(Math.random() * free.length)];
  local.set(`chat.${id}.name`, chosen);
  return chosen;
}
