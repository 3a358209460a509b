/** @import { Channel } from "./channel.js" */
/** @import { ListenOptions } from "./events.js" */
/** @import { CallOptions, ChannelOptions, ClientEvents, PublishOptions, PublishResult, SessionOptions, Status } from "./types.js" */
/** @import { World } from "./world.js" */

import { channel } from "./channel.js";
import { onAbort } from "./events.js";
import { session } from "./session.js";
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
 * A client of the server.
 *
 * @template [Channels=Record<string, any>] from the name of a channel to what is published there
 * @template [Procedures=Record<string, (data?: any) => any>] from the name of a procedure to a function of its data
 * @typedef {object} Client
 * @property {Readonly<Status>} status how the connection is doing, at this moment
 * @property {<K extends keyof ClientEvents>(type: K, listener: (event: ClientEvents[K]) => void, options?: ListenOptions) => () => void} on
 *   listens, and returns what stops it
 * @property {(options?: ListenOptions) => Promise<void>} ready resolves when connected, rejects if that will not happen any more
 * @property {<Name extends string>(name: Name, options?: ChannelOptions) => Channel<DataOf<Channels, Name>>} channel a channel,
 *   subscribed. Asked for twice, it is the same object, and must be left twice; the options of the first time hold, but for
 *   `presence`, which can be asked for later
 * @property {<Name extends string>(channel: Name, data: DataOf<Channels, Name>, options?: PublishOptions) => Promise<PublishResult>} publish
 *   publishes into a channel without subscribing to it. See `Channel`
 * @property {<Method extends keyof Procedures & string>(method: Method, data?: Asked<Procedures[Method]>, options?: CallOptions) => Promise<Answered<Procedures[Method]>>} rpc
 *   calls a procedure of the backend, and resolves with what it answered
 * @property {() => void} close disconnects for good. Channels end, and what waits is rejected with `closed`
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
  if (typeof url !== "string") return connect(PATH, url);
  const { href } = new URL(url, globalThis.location?.href);
  const life = session(href.replace(/^http/, "ws"), world(options));
  const { events: { on }, status, channels, call, publish } = life;
  const close = () => life.close(null);
  onAbort(options.signal, close);
  return {
    on,
    publish,
    close,

    get status() {
      return status();
    },

    async ready(options = {}) {
      const changes = stream(options, (push, _, until) => {
        push(status());
        on("status", push, until);
      });
      for await (const { state, lastError } of changes) {
        if (state === "connected") return;
        if (state === "closed") throw lastError;
      }
    },

    channel(name, options = {}) {
      const held = channels.hold(name, options);
      return (held.channel ??= channel(life, held));
    },

    rpc: async (method, data, options) => (await call("rpc", { method, data }, "never", options)).data,
  };
}
