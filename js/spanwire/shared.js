/** @import { Client, ConnectOptions } from "./client.js" */
/** @import { Exchange, FromTab, ToTab } from "./exchange.js" */

import { PATH, connect } from "./client.js";

/** How a tab reaches the exchange. @typedef {{ post: (message: FromTab) => void }} Port */

/**
 * Hears what the exchange says; `renewed` means that another tab leads now, and knows nothing of us.
 *
 * @typedef {{ heard: (message: ToTab) => void, renewed: () => void }} Hearer
 */

/**
 * As `connect`, but all tabs of this origin that call it with the same URL have one connection among them: in a shared
 * worker, and where there is none in one of the tabs, whose place another one takes when it is closed. In a channel they are
 * one member.
 *
 * Where a page cannot have that (it takes Web Locks, and so a secure context), each tab has a connection of its own.
 *
 * @template [Channels=Record<string, any>]
 * @template [Procedures=Record<string, (data?: any) => any>]
 * @param {string} [url] as for `connect`
 * @param {ConnectOptions & { worker?: boolean }} [options] as for `connect`. `token`, `data`, `name` and `transports` are those
 *   of the tab that came first; `getToken` of any that is still there is asked. With `worker: false` a tab leads, and no
 *   worker is used
 * @returns {Client<Channels, Procedures>}
 */
export function shared(url = PATH, { worker = true, ...options } = {}) {
  const { locks } = globalThis.navigator ?? {};
  if (!locks || !globalThis.BroadcastChannel) return connect(url, options);
  const { href } = new URL(url, globalThis.location?.href);
  const id = crypto.randomUUID();
  const name = `spanwire ${href}`;
  const tab = new Tab(href.replace(/^http/, "ws"), options, (hearer) => {
    const leader = () => toLeader(name, id, locks, hearer);
    return worker && globalThis.SharedWorker ? toWorker(name, id, hearer, leader) : leader();
  });
  // Held for as long as we live, so that whoever waits for it knows when we do not.
  const end = new AbortController();
  locks.request(`${name} ${id}`, () => {
    tab.begin();
    return new Promise((resolve) => end.signal.addEventListener("abort", resolve));
  });
  const { getToken, token, ...rest } = options;
  const client = connect(url, { ...rest, WebSocket: tab.WebSocket, transports: ["websocket"], waker: tab });
  client.on("status", ({ state }) => {
    if (state === "closed") end.abort();
  });
  return /** @type {any} */ (client);
}

/** One tab's end: what its client takes for sockets, and what it can be asked. */
class Tab {
  /** Whoever has the connection says by this when it is worth trying again. */
  #awake = new EventTarget();
  /** @type {new (url: string) => WebSocket} */
  WebSocket;
  /** @type {Port | undefined} */
  #port;
  #opened = 0;
  /** @type {TabSocket | undefined} */
  #socket;
  #url;
  #options;
  #reach;

  /**
   * @param {string} url
   * @param {ConnectOptions} options
   * @param {(hearer: Hearer) => Port} reach
   */
  constructor(url, options, reach) {
    this.#url = url;
    this.#options = options;
    this.#reach = reach;
    const open = (/** @type {TabSocket} */ socket) => this.#open(socket);
    const post = (/** @type {FromTab} */ message) => this.#port?.post(message);
    this.WebSocket = /** @type {any} */ (
      class extends TabSocket {
        constructor() {
          super(post);
          open(this);
        }
      }
    );
  }

  /**
   * Where its client hears when it is worth trying again: of the page, and of whoever has the connection.
   *
   * @type {EventTarget["addEventListener"]}
   */
  addEventListener(...heard) {
    for (const waker of [this.#awake, this.#options.waker ?? globalThis]) waker.addEventListener?.(...heard);
  }

  /** From now on it can be known when we are no more, so we may speak. */
  begin() {
    this.#port = this.#reach({
      heard: (message) => this.#heard(message),
      renewed: () => this.#renewed(),
    });
    if (this.#socket) this.#open(this.#socket);
  }

  #renewed() {
    const socket = this.#socket;
    if (socket?.readyState === 1) socket.ended(1012, "another tab leads now");
    else if (socket?.readyState === 0) this.#open(socket);
  }

  /** @param {TabSocket} socket */
  #open(socket) {
    this.#socket = socket;
    if (!this.#port) return;
    socket.n = ++this.#opened;
    const { token, data, name, transports, getToken } = this.#options;
    const options = JSON.parse(JSON.stringify({ token, data, name, transports }));
    this.#port.post({ open: socket.n, url: this.#url, options, hasTokens: !!getToken });
  }

  /** @param {ToTab} message */
  #heard(message) {
    const socket = this.#socket;
    if ("ask" in message) this.#answer(message.ask, message.reason);
    else if ("awake" in message) this.#awake.dispatchEvent(new Event("online"));
    else if ("opened" in message) message.opened === socket?.n && socket.open();
    else if ("ended" in message) message.ended === socket?.n && socket.ended(message.code, message.reason);
    else if (message.line === socket?.n) socket.onmessage?.({ data: message.text });
  }

  /**
   * @param {number} token the number of the question
   * @param {"connect" | "refresh"} reason
   */
  async #answer(token, reason) {
    try {
      this.#port?.post({ token, value: await this.#options.getToken?.({ reason }) });
    } catch (error) {
      this.#port?.post({ token, denied: /** @type {any} */ (error)?.code === "unauthorized" ? "unauthorized" : "failed" });
    }
  }
}

/** What a client takes for its socket. */
class TabSocket {
  readyState = 0;
  bufferedAmount = 0;
  /** @type {(() => void) | null} */
  onopen = null;
  /** @type {((event: { data: string }) => void) | null} */
  onmessage = null;
  /** @type {((event: { code: number, reason: string }) => void) | null} */
  onclose = null;
  /** Its number; 0 as long as nobody has been told of it. */
  n = 0;
  #post;

  /** @param {(message: FromTab) => void} post */
  constructor(post) {
    this.#post = post;
  }

  open() {
    this.readyState = 1;
    this.onopen?.();
  }

  /** @param {string} text */
  send(text) {
    this.#post({ line: this.n, text });
  }

  close() {
    if (this.readyState < 2) this.#post({ close: this.n });
    this.readyState = 3;
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  ended(code, reason) {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }
}

/**
 * @param {string} name
 * @param {string} id
 * @param {Hearer} hearer
 * @param {() => Port} otherwise another way, if the worker cannot be had: a policy of the page may forbid it
 * @returns {Port}
 */
function toWorker(name, id, hearer, otherwise) {
  const worker = new SharedWorker(new URL("./shared-worker.js", import.meta.url), { type: "module", name });
  const { port } = worker;
  /** @type {Port | undefined} */
  let other;
  port.onmessage = ({ data }) => hearer.heard(data);
  worker.onerror = () => {
    other ??= otherwise();
    hearer.renewed();
  };
  return { post: (message) => (other ? other.post(message) : port.postMessage({ id, name, message })) };
}

/**
 * Over the air to the tab that leads; which may be this one.
 *
 * @param {string} name
 * @param {string} id
 * @param {LockManager} locks
 * @param {Hearer} hearer
 * @returns {Port}
 */
function toLeader(name, id, locks, hearer) {
  const air = new BroadcastChannel(name);
  /** @type {Exchange | undefined} */
  let exchange;
  air.onmessage = ({ data }) => {
    if (data.leads) hearer.renewed();
    else if (data.to === id) hearer.heard(data.message);
    else if (data.from && exchange) exchange.heard(data.from, data.message, (message) => air.postMessage({ to: data.from, message }));
  };
  locks.request(name, async () => {
    const { Exchange } = await import("./exchange.js"); // only one tab in many needs it
    exchange = new Exchange((tab) => locks.request(`${name} ${tab}`, () => {}));
    air.postMessage({ leads: true });
    hearer.renewed();
    return new Promise(() => {}); // for as long as the page lives
  });
  // Nobody hears what it says over the air itself.
  const post = (/** @type {FromTab} */ message) =>
    exchange ? queueMicrotask(() => exchange?.heard(id, message, hearer.heard)) : air.postMessage({ from: id, message });
  return { post };
}
