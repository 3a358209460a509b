import { Seat } from "../frame/seat.js";
import { Composer } from "./composer.js";
import { arrive, enter } from "./conversation.js";
import { rememberName, rememberedName } from "./name.js";
import { Own } from "./own.js";
import { Past } from "./past.js";
import { Typists, drawPeople, nameOf } from "./people.js";
import { Receipts } from "./receipts.js";
import { toolsOf } from "./tools.js";
import { Transcript } from "./transcript.js";

/** Closer to the top than this, in pixels, a reader wants to see what was before. */
const TOP_PX = 120;

/** One person at the chat, with a connection of their own. */
export class Pane {
  #id;
  #root;
  #own;
  #transcript;
  #past;
  #receipts;
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

  /**
   * @param {string} id tells panes apart in what the browser remembers
   * @param {{ name?: string, notAs?: string, drawer: any }} options a name to go by, or one that is taken
   */
  constructor(id, { name, notAs, drawer }) {
    this.#id = id;
    this.#root = document.querySelector("#pane").content.cloneNode(true).firstElementChild;
    this.#root.dataset.pane = id;
    this.#name = name ?? rememberedName(id, notAs);
    this.#own = new Own(`chat.${id}.own`);
    this.#transcript = new Transcript(this.#part("log"), this.#part("jump"), this.#own, {
      retry: (entry) => this.#send(entry),
      tools: (entry) => this.#tools(entry),
      read: () => this.#receipts.tell(),
    });
    this.#past = new Past(this.#transcript, `chat.${id}.place`);
    this.#receipts = new Receipts(this.#transcript.log, { isReading: () => this.#ready, tell: (read) => this.#hint({ read }) });
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
    const [transcript, members] = [this.#transcript, this.#members];
    const { log, gaps } = transcript;
    return {
      ...this.#seat.state,
      ready: this.#ready,
      name: this.#name,
      room: this.#roomName,
      gaps,
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
        return transcript.messages.map(({ id, text, name, offset, own, mark, edited, removed, reactions }) => ({ id, text, name, offset, own: !!own, mark, edited, removed, reactions }));
      },
    };
  }

  /** Goes to a room, and leaves the one before it. */
  goTo(roomName) {
    this.#past.remember();
    this.#roomName = roomName;
    for (const link of this.#part("rooms").querySelectorAll("a")) {
      const current = link.hash === `#${roomName}`;
      if (!current) link.removeAttribute("aria-current");
      else link.setAttribute("aria-current", "page");
      if (current) link.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    this.#part("title").textContent = roomName;
    this.#transcript.log.clear();
    this.#enter();
  }

  /** Says something, as if it had been typed and sent. */
  say(text) {
    const id = crypto.randomUUID();
    this.#own.add(id, text);
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
    this.#transcript.begin();
    this.#typists.clear();
    this.#receipts.clear();
    this.#members = new Map();
    this.#ready = false;
    this.#room = enter(this.#rt, this.#roomName, {
      message: (message) => this.#heard(message),
      presence: (members) => this.#present(members),
      signal: ({ data, info }) => this.#hinted(data, info),
      gap: (gap) => this.#transcript.gap(gap),
      ready: () => this.#arrived(),
      refused: ({ message }) => this.#transcript.refused(`The server said no: ${message}.`),
    });
    this.#past.of(this.#room, this.#roomName);
  }

  async #arrived() {
    if (!this.#ready) await this.#past.findPlace();
    this.#ready = true;
    this.#transcript.arrived();
    this.#receipts.tell();
  }

  #heard(message) {
    const name = this.#transcript.heard(message);
    if (name !== null) {
      this.#typists.heard(name, false);
      if (this.#transcript.log.following) this.#receipts.tell();
    }
    this.#receipts.draw(this.#name);
  }

  async #send({ id, text, at }) {
    const room = this.#room;
    this.#transcript.sending({ id, text, at, name: this.#name });
    const settle = (mark) => room === this.#room && this.#transcript.settle(id, mark);
    try {
      await room.say({ id, text, at });
      settle("sent");
    } catch ({ code }) {
      settle(code === "unacknowledged" ? "unsure" : "failed");
    }
  }

  #tools(entry) {
    const now = () => this.#transcript.dressed(entry);
    const change = (what) => {
      this.#change(what);
      this.#part("text").focus({ preventScroll: true });
    };
    return toolsOf(now(), this.#name, { change, edit: () => this.#composer.edit(entry.id, now().text) });
  }

  async #change(what) {
    try {
      await this.#room.say(what);
    } catch ({ message }) {
      this.#transcript.refused(`That change was lost: ${message}.`);
    }
  }

  #present(members) {
    const came = [...members.keys()].some((client) => !this.#members.has(client));
    this.#members = members;
    const count = drawPeople(this.#part("people"), members, this.#name);
    this.#part("count").textContent = `${count} here`;
    if (came) this.#receipts.tellAgain();
  }

  #hinted(data, info) {
    if (info?.client === this.#rt.status.client) return;
    const name = nameOf(info);
    if (data?.read !== undefined) this.#receipts.heard(name, data.read);
    else this.#typists.heard(name, data?.typing === true);
    this.#receipts.draw(this.#name);
  }

  /** Nothing depends on it: whoever may not tell is simply not seen typing or reading. */
  #hint(what) {
    this.#room?.hint(what).catch(() => {});
  }

  #rename(name) {
    const chosen = name.trim().slice(0, 40);
    this.#part("name").value = chosen || this.#name;
    if (!chosen || chosen === this.#name) return;
    this.#name = chosen;
    rememberName(this.#id, chosen);
    this.#introduce();
    this.#seat.again(); // a name belongs to a connection, so that nobody can change it in between
  }

  #wire() {
    const name = this.#part("name");
    name.addEventListener("change", () => this.#rename(name.value));
    name.addEventListener("keydown", ({ key }) => key === "Enter" && name.blur());

    const log = this.#part("log");
    log.addEventListener("scroll", () => this.#ready && log.scrollTop < TOP_PX && this.#past.load(), { passive: true });
    addEventListener("pagehide", () => this.#past.remember());
    addEventListener("visibilitychange", () => this.#receipts.tell());

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
