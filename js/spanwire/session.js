/** @import { ConnectResult, Push } from "./wire.js" */
/** @import { World } from "./world.js" */
/** @import { OnReply } from "./connection.js" */
/** @import { ClientEvents, SessionOptions, Status } from "./types.js" */

import { Backoff } from "./backoff.js";
import { Connection } from "./connection.js";
import { SpanwireError } from "./error.js";
import { Events } from "./events.js";
import { RETRY_TOLD_MS_MAX, TOKEN_MS_MAX } from "./limits.js";
import { Outbox } from "./outbox.js";
import { Route } from "./route.js";
import { Subscriptions } from "./subscriptions.js";
import { Token } from "./token.js";
import { onWake } from "./world.js";

const VERSION = "0.1.0";

/**
 * One client's life: connection after connection, and what must outlive them.
 *
 * A connection in the making and one in use are both `connection`; `#status.state` tells which. At most
 * one timer of the connection's own life runs at a time: the deadline while connecting, the retry while waiting.
 */
export class Session {
  /** @type {Events<ClientEvents>} */
  events = new Events();
  subscriptions = new Subscriptions(this);
  #options;
  #route;
  #backoff;
  /** @type {Connection | null} */
  connection = null;
  /** @type {Omit<Status, "transport" | "latency" | "queued">} */
  #status = { state: "connecting", attempt: 0, retryAt: null, client: null, lastError: null };
  /** Counts tries, so that the answer to an old one is known as such. */
  #try = 0;
  #since_ms = 0;
  /** @type {any} */
  #timer;
  #offWake;

  /**
   * @param {string} url
   * @param {World} world
   * @param {SessionOptions} options
   */
  constructor(url, world, options) {
    this.world = world;
    this.#options = options;
    this.#route = new Route(url, world, options.transports);
    this.#backoff = new Backoff(world);
    this.token = new Token(world, options);
    this.outbox = new Outbox(world, () => this.#tell({}));
    this.#offWake = onWake(world, (why) => this.#wake(why));
    this.#connect();
  }

  /** @returns {Readonly<Status>} */
  get status() {
    const { transport } = this.#route;
    return { ...this.#status, transport, latency: this.connection?.latency ?? null, queued: this.outbox.waiting };
  }

  /**
   * A command of this connection's life only: it is not queued and not sent again.
   *
   * @param {string} method
   * @param {object} params
   * @param {OnReply} reply
   */
  request(method, params, reply) {
    this.connection?.request(method, JSON.stringify(params), reply);
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
    this.subscriptions.each((subscription) => this.subscriptions.drop(subscription, error));
    this.outbox.close(reason);
  }

  async #connect() {
    const current = ++this.#try;
    this.#deadline(TOKEN_MS_MAX, (late) => this.#wait(late, 0));
    this.#tell({ state: "connecting", retryAt: null });
    try {
      const token = await this.token.get("connect");
      await this.#route.prepare();
      if (current === this.#try) this.#open(token);
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

  /**
   * The channels are asked for in the same frame as the connection: one round trip in all.
   *
   * @param {string | undefined} token
   */
  #open(token) {
    try {
      this.connection = new Connection(this.#route.socket(), this.world, this);
    } catch (error) {
      return this.lost(new SpanwireError("no_connection", String(error), true, error));
    }
    this.#deadline(this.#route.patience_ms, (late) => this.lost(late));
    if (this.#route.ladder) this.#tell({}); // which of them it is now
    const { data, name = "spanwire-js" } = this.#options;
    const subs = this.subscriptions.given;
    const hello = { token, data, name, version: VERSION, headers: { spanwire: "1" }, subs };
    this.request("connect", hello, (error, result) => {
      if (error) this.#refused(error);
      else this.#connected(result);
    });
    this.subscriptions.each((subscription) => subscription.join());
  }

  /** @param {SpanwireError} error */
  #refused(error) {
    const expired = error.code === 109 && this.#options.getToken;
    if (expired) this.token.forget();
    if (expired || error.temporary) this.#wait(error, 0);
    else this.close(error);
  }

  /** @param {ConnectResult} result */
  #connected(result) {
    const { client, ping = 0, pong = false, subs = {}, sw_ext = [] } = result;
    const connection = /** @type {Connection} */ (this.connection);
    this.world.clearTimeout(this.#timer);
    this.#since_ms = this.world.now();
    this.#route.worked(() => this.#climb());
    connection.expectPings(ping, pong);
    this.token.expiresAfter(result, () => this.#refresh());
    this.outbox.open(connection, sw_ext.includes("idempotent_publish"));
    this.#tell({ state: "connected", attempt: 0, client });
    this.subscriptions.accepted(subs);
  }

  /** @param {Push} push */
  pushed(push) {
    this.subscriptions.pushed(push);
  }

  /**
   * The connection is over, or could not be made.
   *
   * @param {SpanwireError} error
   */
  lost(error) {
    const { code } = error;
    if (code === 3005 || code === 3014) this.token.forget();
    if (code === 3014) this.subscriptions.forget();
    const lived_ms = this.#status.state === "connected" ? this.world.now() - this.#since_ms : 0;
    if (this.#status.state === "connected" || Number(code) >= 3000) return this.#wait(error, lived_ms);
    // The server has not said a word: perhaps it can be reached another way.
    this.#disconnect();
    if (this.#route.down(code)) this.#connect();
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
    this.#timer = this.world.setTimeout(() => this.#connect(), wait_ms);
    const retryAt = this.world.now() + wait_ms;
    this.#tell({ state: "waiting", attempt: this.#backoff.attempt, retryAt, client: null, lastError: error });
    // 1009: something we sent was too large for this server, and would be again.
    this.outbox.cut(error.code !== 1009);
  }

  /** Changes to a better transport, if nothing is under way that would be lost. */
  #climb() {
    if (!this.connection?.idle) return false;
    this.#route.ladder?.top();
    this.#disconnect();
    this.#connect();
    this.outbox.cut(true);
    return true;
  }

  #disconnect() {
    this.#try++;
    this.world.clearTimeout(this.#timer);
    this.token.rest();
    this.#route.ladder?.rest();
    this.connection?.end();
    this.connection = null;
    this.subscriptions.each((subscription) => subscription.lost());
  }

  /** @param {string} why the name of what woke us */
  #wake(why) {
    const { state } = this.#status;
    if (why === "online") this.#route.ladder?.forget();
    if (state === "connected") this.connection?.probe();
    if (state !== "waiting" || why === "offline") return;
    this.world.clearTimeout(this.#timer);
    this.#connect();
  }

  /** A refresh that fails is left alone: the server will close with 3005, and connecting asks for a token again. */
  async #refresh() {
    const current = this.#try;
    this.token.forget();
    try {
      const token = await this.token.get("refresh");
      if (current !== this.#try) return;
      this.request("refresh", { token }, (error, result) => {
        if (error) this.token.forget();
        else this.token.expiresAfter(result, () => this.#refresh());
      });
    } catch (error) {
      const { code } = /** @type {SpanwireError} */ (error);
      if (current === this.#try && isTerminal(code)) this.close(/** @type {SpanwireError} */ (error));
    }
  }

  /** @param {Partial<Status>} change */
  #tell(change) {
    Object.assign(this.#status, change);
    this.events.emit("status", this.status);
  }
}

/**
 * Codes after which the server does not want us back: 3500 to 3999, and 4500 to 4999.
 *
 * @param {number | string} code
 */
const isTerminal = (code) => code === "unauthorized" || /^[34][5-9]..$/.test(`${code}`);
