import { element, local, session, showsStatus } from "../frame.js";
import { arrive, enter } from "./conversation.js";
import { Log } from "./log.js";
import { Typists, drawPeople, nameOf } from "./people.js";
import { Plug } from "./plug.js";

/** While somebody types, how often the others are told. */
const TYPING_EVERY_MS = 2_000;

/** How long the plug stays out. */
const UNPLUGGED_MS = 5_000;

/** How many of one's own messages are recognized after a reload. */
const OWN_MAX = 200;

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
  #plug = new Plug();
  #rt;
  #stopStatus = () => {};
  #name;
  #roomName = "";
  /** @type {ReturnType<typeof enter> | null} */
  #room = null;
  #ready = false;
  #members = new Map();
  #toldTyping_ms = 0;
  #older = "idle";
  /** What we said in this tab, by id. Anybody may repeat an id, but not make us say something else. @type {Map<string, string>} */
  #own = new Map();

  /**
   * @param {string} id tells panes apart in what the browser remembers
   * @param {{ name?: string, notAs?: string }} options a name to go by, or one that is taken
   */
  constructor(id, { name, notAs } = {}) {
    this.#id = id;
    this.#root = document.querySelector("#pane").content.cloneNode(true).firstElementChild;
    this.#root.dataset.pane = id;
    this.#own = new Map(JSON.parse(session.get(`chat.${id}.own`) ?? "[]"));
    this.#name = name ?? remembered(id, notAs);
    this.#log = new Log(this.#part("log"), this.#part("jump"), (entry) => this.#send(entry));
    this.#typists = new Typists(this.#part("typing"));
    this.#wire();
    this.#connect();
  }

  get root() {
    return this.#root;
  }

  /** What a test may look at: plain values, no elements. */
  get state() {
    const { state, client, queued, attempt } = this.#rt.status;
    return {
      ready: this.#ready,
      state,
      client,
      queued,
      attempt,
      name: this.#name,
      room: this.#roomName,
      gaps: this.gaps,
      unread: this.#log.unread,
      typing: this.#typists.names,
      members: [...this.#members.values()].map(nameOf).sort(),
      offset: Math.max(0, ...this.#log.entries.map((entry) => entry.offset ?? 0)),
      messages: this.#log.entries
        .filter((entry) => !entry.note)
        .map(({ id, text, name, offset, own, mark }) => ({ id, text, name, offset, own: !!own, mark })),
    };
  }

  /** Goes to a room, and leaves the one before it. */
  goTo(roomName) {
    this.#roomName = roomName;
    for (const link of this.#part("rooms").querySelectorAll("a")) {
      const current = link.hash === `#${roomName}`;
      if (!current) link.removeAttribute("aria-current");
      else link.setAttribute("aria-current", "page");
      if (current) link.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    this.#part("title").textContent = roomName;
    this.#enter();
  }

  /** Says something, as if it had been typed and sent. */
  say(text) {
    const id = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
    this.#own.set(id, text);
    session.set(`chat.${this.#id}.own`, JSON.stringify([...this.#own].slice(-OWN_MAX)));
    this.#send({ id, text, at: Date.now() });
  }

  unplug() {
    this.#plug.pull(UNPLUGGED_MS);
  }

  /** @param {string} name */
  #part(name) {
    return this.#root.querySelector(`[data-part="${name}"]`);
  }

  #connect() {
    this.#stopStatus();
    this.#rt?.close();
    this.#rt = arrive(this.#name, this.#plug.options);
    this.#stopStatus = showsStatus(this.#part("status"), this.#rt);
    this.#part("name").value = this.#name;
    this.#root.setAttribute("aria-label", `Conversation as ${this.#name}`);
    if (this.#roomName) this.#enter();
  }

  #enter() {
    this.#room?.leave();
    this.#log.clear();
    this.#typists.clear();
    this.#members = new Map();
    this.#ready = false;
    this.#older = "idle";
    this.#part("log").dataset.state = "loading";
    this.#room = enter(this.#rt, this.#roomName, {
      message: (message) => this.#heard(message),
      presence: (members) => this.#present(members),
      typing: ({ data, info }) => this.#typing(data, info),
      gap: (gap) => this.#gap(gap),
      ready: () => this.#arrived(),
      refused: (error) => this.#refused(error),
    });
  }

  #arrived() {
    this.#ready = true;
    this.#part("log").dataset.state = this.#log.entries.length ? "" : "empty";
  }

  #heard(message) {
    const entry = this.#entryOf(message);
    const known = this.#log.find(entry.id);
    // An id is only what somebody wrote: it may complete a message of ours, but never change one that was said.
    if (known?.offset && known.offset !== entry.offset) {
      if (known.text === entry.text && known.name === entry.name) return;
      entry.id = `@${message.offset}`;
    }
    this.#log.put(entry);
    this.#typists.heard(entry.name, false);
    this.#part("log").dataset.state = "";
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
    this.#members = members;
    const count = drawPeople(this.#part("people"), members, this.#name);
    this.#part("count").textContent = `${count} here`;
  }

  #typing(data, info) {
    if (info?.client !== this.#rt.status.client) this.#typists.heard(nameOf(info), data?.typing === true);
  }

  /** Tells the others, but not with every letter. */
  #tellTyping(active) {
    const now = Date.now();
    if (active && now - this.#toldTyping_ms < TYPING_EVERY_MS) return;
    this.#toldTyping_ms = active ? now : 0;
    // Nothing depends on it: whoever may not tell is simply not seen typing.
    this.#room?.typing(active).catch(() => {});
  }

  async #loadOlder() {
    const { oldest } = this.#log;
    if (this.#older !== "idle" || !this.#ready || !(oldest > 1)) return;
    const room = this.#room;
    this.#older = "loading";
    try {
      const { messages } = await room.older(oldest);
      if (room !== this.#room) return;
      this.#log.prepend(messages.map((message) => this.#entryOf(message)));
      this.#older = messages.length ? "idle" : "done";
    } catch {
      this.#older = "idle"; // scrolling on asks again
    }
  }

  #rename(name) {
    const chosen = name.trim().slice(0, 40);
    this.#part("name").value = chosen || this.#name;
    if (!chosen || chosen === this.#name) return;
    this.#name = chosen;
    local.set(`chat.${this.#id}.name`, chosen);
    this.#connect(); // a name belongs to a connection, so that nobody can change it in between
  }

  #wire() {
    const text = this.#part("text");
    const fit = () => {
      text.style.height = "auto";
      text.style.height = `${Math.min(text.scrollHeight, 160)}px`;
    };
    text.addEventListener("input", () => {
      fit();
      this.#tellTyping(text.value.trim() !== "");
    });
    text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#part("form").requestSubmit();
    });
    this.#part("form").addEventListener("submit", (event) => {
      event.preventDefault();
      const said = text.value.trim();
      if (!said) return;
      text.value = "";
      fit();
      this.#tellTyping(false);
      this.say(said);
    });

    const name = this.#part("name");
    name.addEventListener("change", () => this.#rename(name.value));
    name.addEventListener("keydown", ({ key }) => key === "Enter" && name.blur());

    const log = this.#part("log");
    log.addEventListener("scroll", () => log.scrollTop < 120 && this.#loadOlder(), { passive: true });

    const unplug = this.#part("unplug");
    unplug.addEventListener("click", () => {
      this.unplug();
      unplug.disabled = true;
      unplug.lastElementChild.textContent = "Unplugged";
      setTimeout(() => {
        unplug.disabled = false;
        unplug.lastElementChild.textContent = "Unplug for 5 s";
      }, UNPLUGGED_MS);
    });

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

/** The rooms that are always there, and the one that was asked for. */
export function roomLinks(roomNames) {
  return roomNames.map((name) => element("a", { href: `#${name}`, data: { test: "room", room: name } }, name));
}
