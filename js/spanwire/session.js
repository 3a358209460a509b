/** @import { ConnectResult, Push } from "./wire.js" */
/** @import { World } from "./world.js" */
/** @import { OnReply } from "./connection.js" */
/** @import { ChannelOptions, Message } from "./subscription.js" */

import { Backoff } from "./backoff.js";
import { Connection } from "./connection.js";
import { SpanwireError } from "./error.js";
import { Events } from "./events.js";
import { CALL_MS_MAX, CONNECT_MS_MAX, PUBLISH_MS_MAX, TIMER_MS_MAX, VOLATILE_BYTES_MAX } from "./limits.js";
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
 * @property {"websocket"} transport
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
 * @property {AbortSignal} [signal] closes the client
 */

const VERSION = "0.1.0";

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
  /** Channels to which the server subscribed us. @type {Set<string>} */
  #serverSide = new Set();
  #outbox;
  #backoff;
  /** @type {Connection | null} */
  #connection = null;
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
    this.#backoff = new Backoff(world.random);
    this.#outbox = new Outbox(world, () => this.#tell({}));
    this.#offWake = onWake(world, (worthRetrying) => this.#wake(worthRetrying));
    this.#connect();
  }

  /** @returns {Readonly<Status>} */
  get status() {
    return { ...this.#status, latency: this.#connection?.latency ?? null, queued: this.#outbox.waiting };
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
    const late = () => this.lost(new SpanwireError("no_connection", "", true));
    this.#timer = this.world.setTimeout(late, CONNECT_MS_MAX);
    this.#tell({ state: "connecting", retryAt: null });
    try {
      await this.#fetchToken("connect");
      if (current === this.#try) this.#open();
    } catch (error) {
      if (current === this.#try) this.lost(/** @type {SpanwireError} */ (error));
    }
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
    try {
      this.#connection = new Connection(this.#url, this.world, this);
    } catch (error) {
      return this.lost(new SpanwireError("no_connection", String(error), true, error));
    }
    const { data, name = "spanwire-js" } = this.#options;
    const hello = { token: this.#token, data, name, version: VERSION, headers: { spanwire: "1" } };
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
    if (curable) this.lost(error);
    else this.close(error);
  }

  /** @param {ConnectResult} result */
  #connected(result) {
    const { client, ping = 0, pong = false, subs = {}, sw_ext = [] } = result;
    this.world.clearTimeout(this.#timer);
    this.#since_ms = this.world.now();
    this.#serverSide = new Set(Object.keys(subs));
    this.#connection?.expectPings(ping, pong);
    this.#refreshAfter(result);
    this.#outbox.open(/** @type {Connection} */ (this.#connection), sw_ext.includes("idempotent_publish"));
    this.#tell({ state: "connected", attempt: 0, client });
  }

  /** @param {Push} push */
  pushed(push) {
    const { channel = "", pub, message, subscribe, unsubscribe } = push;
    const subscription = this.#subscriptions.get(channel);
    if (subscription) return subscription.pushed(push);
    if (subscribe) this.#serverSide.add(channel);
    if (unsubscribe) this.#serverSide.delete(channel);
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
    if (isTerminal(code)) return this.close(error);
    const lived_ms = this.#status.state === "connected" ? this.world.now() - this.#since_ms : 0;
    if (code === 3005 || code === 3014) this.forgetToken();
    this.#disconnect();
    for (const subscription of this.#subscriptions.values()) {
      subscription.lost();
      if (code === 3014) subscription.forget();
    }
    const wait_ms = this.#backoff.next(lived_ms);
    const retryAt = this.world.now() + wait_ms;
    this.#timer = this.world.setTimeout(() => this.#connect(), wait_ms);
    this.#tell({ state: "waiting", attempt: this.#backoff.attempt, retryAt, client: null, lastError: error });
    // 1009: something we sent was too large for this server, and would be again.
    this.#outbox.cut(code !== 1009);
  }

  #disconnect() {
    this.#try++;
    this.world.clearTimeout(this.#timer);
    this.world.clearTimeout(this.#refreshTimer);
    this.#connection?.end();
    this.#connection = null;
  }

  /** @param {boolean} worthRetrying */
  #wake(worthRetrying) {
    const { state } = this.#status;
    if (state === "connected") this.#connection?.probe();
    if (state !== "waiting" || !worthRetrying) return;
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
