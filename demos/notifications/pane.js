import { element } from "../frame.js";
import { paneOf } from "../frame/pane.js";
import { Seat } from "../frame/seat.js";
import { connectionsOf } from "./backend.js";
import { Inbox, arrive } from "./inbox.js";
import { PEOPLE, STEPS } from "./shop.js";

/** How long a toast stays, in milliseconds, and how many there are at most. */
const TOAST_MS = 5_000;
const TOASTS_MAX = 3;

/** How often the server is asked how many connections there are, in milliseconds. */
const COUNT_MS = 2_000;

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** One device, and whoever is signed in there. */
export class Pane {
  root;
  user;
  #seat;
  #inbox;
  #ready = false;
  #asleep = false;
  #missed = 0;
  #toasts = 0;
  /** How often it was told, on its return, what it had missed. */
  #returns = 0;
  /** How many connections the server has of whoever is signed in; null until it has said so. */
  #connections = null;
  #changed;

  /**
   * @param {string} id
   * @param {string} device
   * @param {string} user
   * @param {() => void} changed the page's own count may be another one
   */
  constructor(id, device, user, drawer, changed) {
    this.user = user;
    this.#changed = changed;
    this.root = paneOf(id, device);
    const who = this.#part("who");
    who.append(...Object.entries(PEOPLE).map(([value, text]) => element("option", { value, selected: value === user }, text)));
    who.addEventListener("change", () => {
      this.user = who.value;
      this.#seat.again();
    });
    this.#part("read").addEventListener("click", () => this.#inbox.markRead().catch(() => {}));
    this.#part("sleep").addEventListener("click", () => this.#sleep());
    this.#seat = new Seat(this.root, { name: id, drawer, shared: true, arrive: (where) => arrive(this.user, where), enter: (rt) => this.#enter(rt) });
    setInterval(() => this.#count(), COUNT_MS);
  }

  /** What a test may look at: plain values, no elements. */
  get state() {
    const { notices, unread, lost } = this.#inbox;
    return { ...this.#seat.state, ready: this.#ready, user: this.user, unread, lost, asleep: this.#asleep, toasts: this.#toasts, returns: this.#returns, connections: this.#connections, texts: notices.map(({ text }) => text) };
  }

  get unread() {
    return this.#inbox.unread;
  }

  #part(name) {
    return this.root.querySelector(`[data-part=${name}]`);
  }

  #enter(rt) {
    this.#ready = false;
    this.#missed = 0;
    this.#inbox = new Inbox(rt, this.user, {
      came: (notice) => this.#came(notice),
      caughtUp: () => this.#caughtUp(),
      changed: () => this.#draw(),
      failed: ({ message }) => this.#toast(`What came before could not be had: ${message}.`),
    });
    this.#part("toasts").replaceChildren();
    this.#connections = null;
    this.#draw();
    return rt.on("status", () => this.#count());
  }

  /** A server that is away has nothing to say about it. */
  async #count() {
    const { user } = this;
    const count = await connectionsOf(user).catch(() => null);
    if (user !== this.user) return;
    this.#connections = count;
    const many = count === 1 ? "1 connection" : `${count} connections`;
    this.#part("connections").textContent = count === null ? "" : `${PEOPLE[user]} has ${many}`;
  }

  #came({ text, recovered }) {
    if (!recovered) this.#toast(String(text));
    else if (this.#ready) this.#missed++;
  }

  #caughtUp() {
    if (this.#missed) this.#returns++;
    if (this.#missed) this.#toast(this.#missed === 1 ? "One notice came while you were away." : `${this.#missed} notices came while you were away.`);
    this.#missed = 0;
    this.#ready = true;
    this.#draw();
  }

  #toast(text) {
    this.#toasts++;
    const toast = element("p", { className: "toast", data: { test: "toast" } }, text);
    const toasts = this.#part("toasts");
    toasts.append(toast);
    while (toasts.childElementCount > TOASTS_MAX) toasts.firstChild.remove();
    setTimeout(() => toast.remove(), TOAST_MS);
  }

  async #sleep() {
    this.#asleep = !this.#asleep;
    const button = this.#part("sleep");
    button.setAttribute("aria-pressed", String(this.#asleep));
    button.textContent = this.#asleep ? "Wake it up" : "Put it to sleep";
    await this.#seat.line.down(this.#asleep);
    // What a device does that opens its lid: the client hears of it and does not wait for its next try.
    if (!this.#asleep) dispatchEvent(new Event("online"));
  }

  #draw() {
    const { notices, unread, readUpTo } = this.#inbox;
    const badge = this.#part("badge");
    badge.textContent = unread ? (unread > 99 ? "99+" : String(unread)) : "";
    badge.hidden = !unread;
    this.#part("bell").textContent = unread === 1 ? "1 unread notice" : `${unread} unread notices`;
    this.#part("read").disabled = !unread;
    this.#part("list").replaceChildren(...latest(notices).map((notice) => row(notice, notice.offset > readUpTo, about(notices, notice))));
    this.#part("list").dataset.state = !this.#ready ? "loading" : notices.length ? "" : "empty";
    this.#changed();
  }
}

/** The newest notice of each order, and all that are about none; newest first. */
function latest(notices) {
  const seen = new Set();
  return notices.toReversed().filter(({ order }) => {
    if (order === undefined) return true;
    const isNews = !seen.has(order);
    seen.add(order);
    return isNews;
  });
}

/** How many notices are about the same order. */
const about = (notices, { order }) => (order === undefined ? 1 : notices.filter((each) => each.order === order).length);

function row({ text, order, step, at }, isUnread, count) {
  const reached = STEPS.map((name, index) => element("li", { className: index <= step ? "reached" : "", aria: index === step ? { current: "step" } : {} }, name));
  return element(
    "li",
    { className: isUnread ? "notice unread" : "notice", data: { test: "notice" } },
    element("p", {}, isUnread && element("span", { className: "unseen" }, "Unread: "), String(text)),
    order !== undefined && element("ol", { className: "steps", aria: { label: `Order ${order}` } }, ...reached),
    element("span", { className: "meta" }, [order !== undefined && `Order ${order}`, at && clock.format(at), count > 1 && `${count} notices`].filter(Boolean).join(" · ")),
  );
}
