// What a page of the gallery asks of `/spanwire.js`, answered by the stock client `centrifuge`, which the test has loaded
// before. So the same page runs on either of them; only what a page needs is here.

/** What is said without a connection waits for so long, as with our client; the stock one gives it up after five seconds, unless told. */
const WAIT_MS = 60_000;

/** @returns {any} a client, as `connect` of /spanwire.js makes one */
export function connect(url = "/connection/websocket", { data, name } = {}) {
  return new Client(new URL(url, location.href.replace(/^http/, "ws")).href, data, name);
}

/** Listeners by the type of what they hear. */
class Voice {
  #listeners = {};

  on(type, listener) {
    (this.#listeners[type] ??= new Set()).add(listener);
    return () => this.#listeners[type].delete(listener);
  }

  say(type, what) {
    for (const listener of this.#listeners[type] ?? []) listener(what);
  }
}

class Client extends Voice {
  status = { state: "connecting", transport: "websocket", latency: null, attempt: 0, retryAt: null, queued: 0, client: null, lastError: null };
  #stock;

  constructor(url, data, name) {
    super();
    const tell = (sent, text) => this.say("frame", { sent, text });
    // The stock client does not tell what goes over the wire, but takes whatever looks like a WebSocket.
    class Told extends WebSocket {
      constructor(...parameters) {
        super(...parameters);
        this.addEventListener("message", ({ data }) => tell(false, data));
      }
      send(text) {
        tell(true, text);
        super.send(text);
      }
    }
    this.#stock = new globalThis.Centrifuge(url, { data, name, websocket: Told, timeout: WAIT_MS });
    this.#stock.on("connecting", ({ code, reason }) => this.#are({ state: "connecting", client: null, ...(code && { lastError: { code, message: reason } }) }));
    this.#stock.on("connected", ({ client }) => this.#are({ state: "connected", client }));
    this.#stock.on("disconnected", ({ code, reason }) => this.#are({ state: "closed", client: null, lastError: { code, message: reason } }));
    this.#stock.connect();
  }

  channel(name, options) {
    return new Channel(this, this.#stock, name, options);
  }

  publish(channel, data) {
    return this.#stock.publish(channel, data);
  }

  close() {
    this.#stock.disconnect();
  }

  #are(change) {
    Object.assign(this.status, change);
    this.say("status", this.status);
  }
}

class Channel extends Voice {
  #client;
  #stock;
  #subscription;
  #history;
  /** What came while the history before it was asked for. */
  #waiting = null;
  #recovering = false;
  #latest = { offset: 0, epoch: "" };

  constructor(client, stock, name, { history = 0, presence = false } = {}) {
    super();
    this.#client = client;
    this.#stock = stock;
    this.#history = history;
    this.#subscription = stock.newSubscription(name, { recoverable: true, joinLeave: presence, delta: "fossil" });
    this.#subscription.on("subscribed", (context) => this.#subscribed(context));
    this.#subscription.on("publication", (publication) => this.#heard(publication));
    this.#subscription.on("error", ({ error }) => this.say("error", error));
    if (presence) for (const change of ["subscribed", "join", "leave"]) this.#subscription.on(change, () => this.#present());
    this.#subscription.subscribe();
  }

  /** What is volatile does not wait for a connection; everything else does, as the stock client lets it. */
  async publish(data, { volatile = false } = {}) {
    if (volatile && this.#client.status.state !== "connected") return { dropped: true };
    return this.#subscription.publish(data);
  }

  async history({ limit, before }) {
    const since = { offset: before, epoch: this.#latest.epoch };
    const { publications } = await this.#subscription.history({ limit, since, reverse: true });
    return { messages: publications.reverse().map((each) => messageOf(each, true)) };
  }

  leave() {
    this.#subscription.unsubscribe();
    this.#stock.removeSubscription(this.#subscription);
  }

  async #subscribed({ wasRecovering, recovered, streamPosition }) {
    if (wasRecovering && !recovered) this.say("gap", { from: this.#latest, to: streamPosition });
    this.#latest = { ...this.#latest, epoch: streamPosition?.epoch ?? "" };
    this.#recovering = true;
    if (this.#history && !wasRecovering) await this.#begin(streamPosition);
    // What was missed comes right behind this event.
    await null;
    this.#recovering = false;
    this.say("subscribed", { recovered, data: null });
  }

  async #begin({ offset }) {
    this.#waiting = [];
    const { publications } = await this.#subscription.history({ limit: this.#history, reverse: true });
    const waiting = this.#waiting;
    this.#waiting = null;
    for (const each of publications.reverse()) if (each.offset <= offset) this.#deliver(each, true);
    for (const each of waiting) this.#deliver(each, false);
  }

  #heard(publication) {
    if (this.#waiting) this.#waiting.push(publication);
    else this.#deliver(publication, this.#recovering);
  }

  #deliver(publication, recovered) {
    this.#latest = { ...this.#latest, offset: publication.offset };
    this.say("message", messageOf(publication, recovered));
  }

  /** Asked again at each change: the list is for a test, and short. */
  async #present() {
    const { clients } = await this.#subscription.presence();
    this.say("presence", new Map(Object.entries(clients).map(([client, info]) => [client, infoOf(info)])));
  }
}

const messageOf = ({ data, info, offset, tags }, recovered) => ({ data, info: info && infoOf(info), offset, tags, recovered });

const infoOf = ({ client, user, connInfo, chanInfo }) => ({ client, user, conn_info: connInfo, chan_info: chanInfo });
