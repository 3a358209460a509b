/** @import { ConnectResult, Position, Push, SubscribeResult } from "./wire.js" */
/** @import { World } from "./world.js" */
/** @import { OnReply } from "./connection.js" */
/** @import { ChannelOptions, Message } from "./subscription.js" */
/** @import { Ladder, Transport } from "./ladder.js" */

import { Backoff } from "./backoff.js";
import { Connection } from "./connection.js";
import { SpanwireError } from "./error.js";
import { Events } from "./events.js";
import { CALL_MS_MAX, OPEN_MS, PUBLISH_MS_MAX, RETRY_TOLD_MS_MAX, TIMER_MS_MAX, TOKEN_MS_MAX, VOLATILE_BYTES_MAX } from "./limits.js";
import { Outbox } from "./outbox.js";
import { Subscription } from "./subscription.js";
import { onWake } from "./world.js";

/**
 * @typedef {object} CallOptions
 * @property {AbortSignal} [signal] gives up waiting; what was sent stays sent
 * @property {number} [timeout] milliseconds to wait for the answer, the time offline included; 10,000 unless told
 */

/**
 * @typedef {CallOptions & { volatile?: boolean }} PublishOptions
 *   With `volatile`, what cannot go out right now is dropped instead of queued: for cursors, typing
 *   and games, where the next one is better. The `timeout` of a publication is 60,000 unless told.
 */

/**
 * @typedef {object} PublishResult
 * @property {number} [offset] the offset it was given, if the server tells
 * @property {string} [epoch] the stream that the offset belongs to
 * @property {boolean} [dropped] true if it was volatile and is lost
 */

/**
 * @typedef {object} Status
 * @property {"connecting" | "connected" | "waiting" | "closed"} state `waiting` is the time between two tries
 * @property {Transport} transport the one in use or being tried
 * @property {number | null} latency milliseconds that the last answer took; null without a connection
 * @property {number} attempt how many tries have failed in a row; 0 when connected
 * @property {number | null} retryAt when the next try comes, in Unix milliseconds; null unless `waiting`
 * @property {number} queued how many commands wait for a connection
 * @property {string | null} client the id of this connection; null unless `connected`
 * @property {SpanwireError | null} lastError why the last connection ended
 */

/**
 * @typedef {object} ClientEvents
 * @property {Status} status
 * @property {Message} message from a channel to which the server subscribed this client, or, with an
 *   empty channel name, to this client alone
 * @property {{ channel: string, from: Position, to: Position }} gap messages of such a channel may be lost: those
 *   after `from` and up to `to`
 * @property {{ sent: boolean, text: string }} frame everything on the wire, for tools
 */

/**
 * @typedef {object} SessionOptions
 * @property {(why: { reason: "connect" | "refresh" }) => string | Promise<string>} [getToken] asked
 *   when there is no token or it has expired. It may be called again at any time; throw
 *   `unauthorized()` to stop for good. Anything else it throws is tried again, with backoff.
 * @property {string} [token] if it never needs another one
 * @property {any} [data] told to the server at every connect; in the dev profile it becomes `conn_info`
 * @property {string} [name] what this application calls itself, at most 16 characters
 * @property {readonly Transport[]} [transports] which to try, best first; all of them, unless told
 * @property {AbortSignal} [signal] closes the client
 */

const VERSION = "0.1.0";

/** @type {readonly Transport[]} */
const TRANSPORTS = ["websocket", "http_stream", "sse", "poll"];

/**
 * One client's life: connection after connection, and what must outlive them.
 *
 * A connection in the making and one in use are both `#connection`; `#status.state` tells which. At most
 * one timer of the connection's own life runs at a time: the deadline while connecting, the retry while waiting.
 */
export class Session {
  /** @type {Events<ClientEvents>} */
  events = new Events();
  #url;
  #options;
  /** @type {Map<string, Subscription>} */
  #subscriptions = new Map();
  /** Channels to which the server subscribed us, and where to recover each from. @type {Map<string, (Position & { recover: true }) | null>} */
  #serverSide = new Map();
  #outbox;
  #backoff;
  /** @type {Connection | null} */
  #connection = null;
  /** Loaded when a WebSocket has failed, or is known to. Until then we stand at the top of it. @type {Ladder | undefined} */
  #ladder;
  /** Whether a WebSocket has failed since the last connection. */
  #failed = false;
  /** @type {Status} */
  #status = {
    state: "connecting", transport: "websocket", latency: null, attempt: 0,
    retryAt: null, queued: 0, client: null, lastError: null,
  };
  /** @type {string | undefined} */
  #token;
  /** Counts tries, so that the answer to an old one is known as such. */
  #try = 0;
  #since_ms = 0;
  /** @type {any} */
  #timer;
  /** @type {any} */
  #refreshTimer;
  #offWake;

  /**
   * @param {string} url
   * @param {World} world
   * @param {SessionOptions} options
   */
  constructor(url, world, options) {
    this.world = world;
    this.#url = url;
    this.#options = options;
    this.#backoff = new Backoff(world);
    this.#outbox = new Outbox(world, () => this.#tell({}));
    this.#offWake = onWake(world, (why) => this.#wake(why));
    this.#connect();
  }

  /** @returns {Readonly<Status>} */
  get status() {
    const { transport = "websocket" } = this.#ladder ?? {};
    return { ...this.#status, transport, latency: this.#connection?.latency ?? null, queued: this.#outbox.waiting };
  }

  /**
   * The subscription of a channel, made if there is none, and held once more.
   *
   * @param {string} name
   * @param {ChannelOptions} options
   */
  hold(name, options) {
    let subscription = this.#subscriptions.get(name);
    if (!subscription) {
      subscription = new Subscription(name, this, options);
      if (this.#status.state === "closed") subscription.end(this.#status.lastError);
      else this.#subscriptions.set(name, subscription);
      if (this.#connection) subscription.join();
    }
    subscription.holders++;
    return subscription;
  }

  /** @param {Subscription} subscription */
  release(subscription) {
    if (!subscription.holders || --subscription.holders) return;
    this.world.setTimeout(() => {
      if (subscription.holders || subscription.state === "unsubscribed") return;
      this.request("unsubscribe", { channel: subscription.name }, () => {});
      this.drop(subscription, null);
    }, 0);
  }

  /**
   * Forgets a subscription that has ended.
   *
   * @param {Subscription} subscription
   * @param {SpanwireError | null} error
   */
  drop(subscription, error) {
    this.#subscriptions.delete(subscription.name);
    subscription.end(error);
  }

  /**
   * A command of this connection's life only: it is not queued and not sent again.
   *
   * @param {string} method
   * @param {object} params
   * @param {OnReply} reply
   */
  request(method, params, reply) {
    this.#connection?.request(method, JSON.stringify(params), reply);
  }

  /**
   * A command that may wait for a connection.
   *
   * @param {string} method
   * @param {object} params
   * @param {"never" | "always"} repeat
   * @param {CallOptions} [options]
   * @returns {Promise<any>}
   */
  call(method, params, repeat, { signal, timeout = CALL_MS_MAX } = {}) {
    return this.#outbox.add({ method, params: JSON.stringify(params), repeat, ms: timeout, signal });
  }

  /**
   * @param {string} channel
   * @param {any} data
   * @param {PublishOptions} [options]
   * @returns {Promise<PublishResult>}
   */
  async publish(channel, data, { volatile, signal, timeout = PUBLISH_MS_MAX } = {}) {
    const params = JSON.stringify({ channel, data: data ?? null });
    const late = this.#status.state !== "connected" || Number(this.#connection?.buffered) > VOLATILE_BYTES_MAX;
    if (volatile && late) return { dropped: true };
    const repeat = volatile ? "never" : "keyed";
    try {
      const { sw_offset: offset, sw_epoch: epoch } = await this.#outbox.add({ method: "publish", params, repeat, ms: timeout, signal });
      return { offset, epoch };
    } catch (error) {
      if (volatile && /** @type {any} */ (error).code === "unacknowledged") return { dropped: true };
      throw error;
    }
  }

  /** Whatever the next connection needs a token for, it must be a new one. */
  forgetToken() {
    this.#token = undefined;
  }

  /**
   * Ends it all.
   *
   * @param {SpanwireError | null} error null if it was wished
   */
  close(error) {
    if (this.#status.state === "closed") return;
    const reason = error ?? new SpanwireError("closed");
    this.#disconnect();
    this.#offWake();
    this.#tell({ state: "closed", client: null, retryAt: null, lastError: reason });
    for (const subscription of [...this.#subscriptions.values()]) this.drop(subscription, error);
    this.#outbox.close(reason);
  }

  async #connect() {
    const current = ++this.#try;
    this.#deadline(TOKEN_MS_MAX, (late) => this.#wait(late, 0));
    this.#tell({ state: "connecting", retryAt: null });
    try {
      await this.#fetchToken("connect");
      await this.#fetchLadder();
      if (current === this.#try) this.#open();
    } catch (error) {
      if (current === this.#try) this.#wait(/** @type {SpanwireError} */ (error), 0);
    }
  }

  /**
   * @param {number} ms
   * @param {(late: SpanwireError) => void} giveUp
   */
  #deadline(ms, giveUp) {
    this.world.clearTimeout(this.#timer);
    this.#timer = this.world.setTimeout(() => giveUp(new SpanwireError("no_connection", "", true)), ms);
  }

  /** Who can have a WebSocket needs none of this, and loads none of it. Where it cannot be had, a WebSocket has to do. */
  async #fetchLadder() {
    const { world } = this;
    const { transports = TRANSPORTS } = this.#options;
    const needed = this.#failed || transports !== TRANSPORTS || world.storage?.getItem(`spanwire ${this.#url}`);
    if (this.#ladder || !needed) return;
    const { Ladder } = await world.ladder().catch(() => ({}));
    this.#ladder = Ladder && new Ladder(this.#url, world, transports, this.#failed);
  }

  /**
   * @param {"connect" | "refresh"} reason
   * @throws {SpanwireError} `unauthorized`, or `no_token` for anything else that was thrown
   */
  async #fetchToken(reason) {
    const { getToken, token } = this.#options;
    if (!getToken) return void (this.#token = token);
    try {
      this.#token ??= await getToken({ reason });
    } catch (error) {
      if (/** @type {any} */ (error)?.code === "unauthorized") throw error;
      throw new SpanwireError("no_token", "", true, error);
    }
  }

  /** The channels are asked for in the same frame as the connection: one round trip in all. */
  #open() {
    const { world } = this;
    const ladder = this.#ladder;
    try {
      this.#connection = new Connection(ladder ? ladder.socket() : new world.WebSocket(this.#url), world, this);
    } catch (error) {
      return this.lost(new SpanwireError("no_connection", String(error), true, error));
    }
    this.#deadline(ladder?.patience_ms ?? OPEN_MS, (late) => this.lost(late));
    if (ladder) this.#tell({}); // which of them it is now
    const { data, name = "spanwire-js" } = this.#options;
    const subs = Object.fromEntries([...this.#serverSide].filter(([, from]) => from));
    const hello = { token: this.#token, data, name, version: VERSION, headers: { spanwire: "1" }, subs };
    this.request("connect", hello, (error, result) => {
      if (error) this.#refused(error);
      else this.#connected(result);
    });
    for (const subscription of this.#subscriptions.values()) subscription.join();
  }

  /** @param {SpanwireError} error */
  #refused(error) {
    const curable = error.temporary || (error.code === 109 && this.#options.getToken);
    if (error.code === 109) this.forgetToken();
    if (curable) this.#wait(error, 0);
    else this.close(error);
  }

  /** @param {ConnectResult} result */
  #connected(result) {
    const { client, ping = 0, pong = false, subs = {}, sw_ext = [] } = result;
    this.world.clearTimeout(this.#timer);
    this.#since_ms = this.world.now();
    this.#failed = false;
    this.#ladder?.worked(() => this.#climb());
    this.#connection?.expectPings(ping, pong);
    this.#refreshAfter(result);
    this.#outbox.open(/** @type {Connection} */ (this.#connection), sw_ext.includes("idempotent_publish"));
    this.#tell({ state: "connected", attempt: 0, client });
    const before = this.#serverSide;
    this.#serverSide = new Map();
    for (const [channel, subscribed] of Object.entries(subs)) this.#subscribed(channel, subscribed, before.get(channel));
  }

  /**
   * By the server: there is no object for it, only the place to recover it from.
   *
   * @param {string} channel
   * @param {SubscribeResult} result
   * @param {Position | null} [from]
   */
  #subscribed(channel, { recoverable, recovered, offset = 0, epoch = "", publications = [] }, from) {
    this.#serverSide.set(channel, recoverable ? { recover: true, offset, epoch } : null);
    if (from && !recovered) this.events.emit("gap", { channel, from, to: { offset, epoch } });
    for (const publication of publications) this.events.emit("message", { channel, ...publication, recovered: true });
  }

  /** @param {Push} push */
  pushed(push) {
    const { channel = "", pub, message, subscribe, unsubscribe } = push;
    const subscription = this.#subscriptions.get(channel);
    if (subscription) return subscription.pushed(push);
    if (subscribe) this.#subscribed(channel, subscribe);
    if (unsubscribe) this.#serverSide.delete(channel);
    const at = this.#serverSide.get(channel);
    if (at && pub?.offset) at.offset = pub.offset;
    // What still arrives for a channel that we have left is nobody's business.
    const told = this.#serverSide.has(channel) ? pub : message;
    if (told) this.events.emit("message", { channel, ...told, recovered: false });
  }

  /**
   * The connection is over, or could not be made.
   *
   * @param {SpanwireError} error
   */
  lost(error) {
    const { code } = error;
    if (code === 3005 || code === 3014) this.forgetToken();
    if (code === 3014) {
      this.#serverSide.clear();
      for (const subscription of this.#subscriptions.values()) subscription.forget();
    }
    if (this.#status.state === "connected") return this.#wait(error, this.world.now() - this.#since_ms);
    if (Number(code) >= 3000) return this.#wait(error, 0);
    // The server has not said a word: perhaps it can be reached another way.
    const first = !this.#failed;
    this.#failed = true;
    this.#disconnect();
    if (this.#ladder ? this.#ladder.down(code) : first) this.#connect();
    else this.#wait(error, 0);
  }

  /**
   * Tries again later, unless the server does not want us back.
   *
   * @param {SpanwireError} error
   * @param {number} lived_ms
   */
  #wait(error, lived_ms) {
    if (isTerminal(error.code)) return this.close(error);
    this.#disconnect();
    // The server knows better when it has time for us, and has spread those it sent away over time already.
    const own_ms = this.#backoff.next(lived_ms);
    const wait_ms = Math.min(error.retryAfter || own_ms, RETRY_TOLD_MS_MAX);
    const retryAt = this.world.now() + wait_ms;
    this.#timer = this.world.setTimeout(() => this.#connect(), wait_ms);
    this.#tell({ state: "waiting", attempt: this.#backoff.attempt, retryAt, client: null, lastError: error });
    // 1009: something we sent was too large for this server, and would be again.
    this.#outbox.cut(error.code !== 1009);
  }

  /** Changes to a better transport, if nothing is under way that would be lost. */
  #climb() {
    if (!this.#connection?.idle) return false;
    this.#ladder?.top();
    this.#disconnect();
    this.#connect();
    this.#outbox.cut(true);
    return true;
  }

  #disconnect() {
    this.#try++;
    this.world.clearTimeout(this.#timer);
    this.world.clearTimeout(this.#refreshTimer);
    this.#ladder?.rest();
    this.#connection?.end();
    this.#connection = null;
    for (const subscription of this.#subscriptions.values()) subscription.lost();
  }

  /** @param {string} why the name of what woke us */
  #wake(why) {
    const { state } = this.#status;
    if (why === "online") this.#ladder?.forget();
    if (state === "connected") this.#connection?.probe();
    if (state !== "waiting" || why === "offline") return;
    this.world.clearTimeout(this.#timer);
    this.#connect();
  }

  /** @param {{ expires?: boolean, ttl?: number }} result */
  #refreshAfter({ expires, ttl = 0 }) {
    if (!expires || !this.#options.getToken) return;
    // A tenth early, so that a slow backend costs nothing.
    this.#refreshTimer = this.world.setTimeout(() => this.#refresh(), Math.min(ttl * 900, TIMER_MS_MAX));
  }

  /** A refresh that fails is left alone: the server will close with 3005, and connecting asks for a token again. */
  async #refresh() {
    const current = this.#try;
    this.forgetToken();
    const failure = await this.#fetchToken("refresh").catch((error) => error);
    if (current !== this.#try) return;
    if (failure) return isTerminal(failure.code) && this.close(failure);
    this.request("refresh", { token: this.#token }, (error, result) => {
      if (error) this.forgetToken();
      else this.#refreshAfter(result);
    });
  }

  /** @param {Partial<Status>} change */
  #tell(change) {
    Object.assign(this.#status, change);
    this.events.emit("status", this.status);
  }
}

/**
 * Codes after which the server does not want us back.
 *
 * @param {number | string} code
 */
function isTerminal(code) {
  const number = Number(code);
  return code === "unauthorized" || (number >= 3500 && number < 4000) || (number >= 4500 && number < 5000);
}
