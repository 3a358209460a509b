/** @import { ListenOptions } from "./events.js" */
/** @import { Subscription } from "./subscription.js" */
/** @import { CallOptions, ChannelOptions, ClientEvents, PublishOptions, PublishResult, SessionOptions } from "./types.js" */
/** @import { World } from "./world.js" */

import { onAbort } from "./abort.js";
import { Channel } from "./channel.js";
import { Session } from "./session.js";
import { stream } from "./stream.js";
import { world } from "./world.js";

/** Where servers have their WebSockets. */
export const PATH = "/connection/websocket";

/** @typedef {SessionOptions & Partial<World>} ConnectOptions */

/**
 * What the patterns that match a name say.
 *
 * @template Map
 * @template {string} Name
 * @typedef {{
 *   [K in keyof Map]: K extends `${infer Start}*` ? (Name extends `${Start}${string}` ? Map[K] : never) : never
 * }[keyof Map]} Starred
 */

/**
 * @template Data
 * @typedef {[Data] extends [never] ? any : Data} Otherwise anything, if nothing was said
 */

/**
 * What is published in a channel, from a map of names to types. A name may end in `*`: with
 * `connect<{ "chat:*": { text: string } }>()`, `client.channel("chat:lobby")` is a channel of texts.
 *
 * @template Map
 * @template {string} Name
 * @typedef {Name extends keyof Map ? Map[Name] : Otherwise<Starred<Map, Name>>} DataOf
 */

/**
 * @template Procedure
 * @typedef {Procedure extends (data: infer Data) => any ? Data : any} Asked
 */

/**
 * @template Procedure
 * @typedef {Procedure extends (...data: any) => infer Answer ? Awaited<Answer> : any} Answered
 */

/**
 * Connects, and keeps connected. Returns at once; what you do before the connection is there waits for it.
 *
 * @template [Channels=Record<string, any>]
 * @template [Procedures=Record<string, (data?: any) => any>]
 * @overload
 * @param {ConnectOptions} [options]
 * @returns {Client<Channels, Procedures>}
 */
/**
 * @template [Channels=Record<string, any>]
 * @template [Procedures=Record<string, (data?: any) => any>]
 * @overload
 * @param {string} url where the server is; the page's own host and `/connection/websocket` unless told
 * @param {ConnectOptions} [options]
 * @returns {Client<Channels, Procedures>}
 */
/**
 * @param {string | ConnectOptions} [url]
 * @param {ConnectOptions} [options]
 * @returns {Client}
 * @throws {TypeError} if the URL is none
 */
export function connect(url = PATH, options = {}) {
  return typeof url === "string" ? new Client(url, options) : new Client(PATH, url);
}

/**
 * A client of the server. Make one with `connect`.
 *
 * @template [Channels=Record<string, any>] from the name of a channel to what is published there
 * @template [Procedures=Record<string, (data?: any) => any>] from the name of a procedure to a function of its data
 */
export class Client {
  #session;
  /** The one handle of each subscription. @type {WeakMap<Subscription, Channel>} */
  #channels = new WeakMap();

  /**
   * @param {string} url
   * @param {ConnectOptions} options
   */
  constructor(url, options) {
    const { href } = new URL(url, globalThis.location?.href);
    this.#session = new Session(href.replace(/^http/, "ws"), world(options), options);
    onAbort(options.signal, () => this.close());
  }

  /** How the connection is doing, at this moment. */
  get status() {
    return this.#session.status;
  }

  /**
   * Listens.
   *
   * @template {keyof ClientEvents} K
   * @param {K} type
   * @param {(event: ClientEvents[K]) => void} listener
   * @param {ListenOptions} [options]
   * @returns {() => void} stops listening
   */
  on(type, listener, options) {
    return this.#session.events.on(type, listener, options);
  }

  /**
   * Resolves when connected, rejects if that will not happen any more.
   *
   * @param {ListenOptions} [options]
   * @returns {Promise<void>}
   */
  async ready(options = {}) {
    const changes = stream(options, (push) => {
      push(this.status);
      return [this.on("status", push)];
    });
    for await (const { state, lastError } of changes) {
      if (state === "connected") return;
      if (state === "closed") throw lastError;
    }
  }

  /**
   * A channel, subscribed. Asked for twice, it is the same object, and must be left twice; the options
   * of the first time hold, but for `presence`, which can be asked for later.
   *
   * @template {string} Name
   * @param {Name} name
   * @param {ChannelOptions} [options]
   * @returns {Channel<DataOf<Channels, Name>>}
   */
  channel(name, options = {}) {
    const subscription = this.#session.subscriptions.hold(name, options);
    const channel = this.#channels.get(subscription) ?? new Channel(this.#session, subscription);
    this.#channels.set(subscription, channel);
    return channel;
  }

  /**
   * Publishes into a channel without subscribing to it. See `Channel.publish`.
   *
   * @template {string} Name
   * @param {Name} channel
   * @param {DataOf<Channels, Name>} data
   * @param {PublishOptions} [options]
   * @returns {Promise<PublishResult>}
   */
  publish(channel, data, options) {
    return this.#session.outbox.publish(channel, data, options);
  }

  /**
   * Calls a procedure of the backend.
   *
   * @template {keyof Procedures & string} Method
   * @param {Method} method
   * @param {Asked<Procedures[Method]>} [data]
   * @param {CallOptions} [options]
   * @returns {Promise<Answered<Procedures[Method]>>} what it answered
   */
  async rpc(method, data, options) {
    return (await this.#session.outbox.call("rpc", { method, data }, "never", options)).data;
  }

  /** Disconnects for good. Channels end, and what waits is rejected with `closed`. */
  close() {
    this.#session.close(null);
  }
}
