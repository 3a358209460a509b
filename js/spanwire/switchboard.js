/** @import { ConnectOptions } from "./client.js" */
/** @import { ChannelOptions, Status } from "./types.js" */
/** @import { Push } from "./wire.js" */

import { SpanwireError } from "./error.js";
import { Feed, placeOf } from "./feed.js";
import { FEED_MS, KEYS_MAX } from "./limits.js";
import { session } from "./session.js";
import { world } from "./world.js";

/**
 * The other end of a tab's socket.
 *
 * @typedef {object} Extension
 * @property {() => void} opened says that it is open
 * @property {(reply: object) => void} tell says a reply or a push
 * @property {(code: number, reason: string) => void} end says that it is over
 */

/**
 * Many tabs on one connection: towards the server one client, towards the tabs a server.
 *
 * Each tab keeps positions of its own, so what a server promises to it is promised here. A tab is let in while there is a
 * connection and is sent away with it, for the same reason: so what its status says is true.
 */
export class Switchboard {
  #session;
  #world;
  #connected;
  /** @type {any} */
  #sweep;
  /** Whether there is a connection. */
  #up = false;
  /** Who wants in: they wait for a connection, then they may speak, and when they have said who they are, they may hear.
   * @type {Map<Extension, "waiting" | "open" | "in">} */
  #extensions = new Map();
  /** @type {Map<string, Feed>} */
  #feeds = new Map();
  /** By their key, so that a tab which was sent away may say them again. @type {Map<string, Promise<object>>} */
  #published = new Map();

  /**
   * @param {string} url
   * @param {ConnectOptions} options
   * @param {() => void} connected called when there is a connection, and tabs may come in
   */
  constructor(url, options, connected) {
    this.#connected = connected;
    this.#world = world(options);
    const { events, channels } = (this.#session = session(url, this.#world));
    events.on("status", (status) => this.#changed(status));
    events.on("message", ({ channel, recovered, ...pub }) => this.#tellAll(channel ? { channel, pub } : { message: { data: pub.data } }));
    events.on("subscribed", ({ channel }) => this.#tellAll({ channel, subscribe: placeOf(channels.subs()[channel]) }));
    events.on("unsubscribed", ({ channel, code, reason }) => this.#tellAll({ channel, unsubscribe: { code, reason } }));
    // Whoever comes back says from where to go on, and so is told what is missing.
    events.on("gap", () => this.#sendAway(1012, "gap"));
  }

  /** @param {Extension} extension */
  accept(extension) {
    this.#extensions.set(extension, "waiting");
    this.#changed(this.#session.status());
  }

  /** @param {Extension} extension that has closed, or is gone */
  leave(extension) {
    this.#extensions.delete(extension);
    for (const feed of this.#feeds.values()) if (feed.left(extension)) this.#hangUp(feed);
  }

  /** How many tabs are here. */
  get size() {
    return this.#extensions.size;
  }

  /** Whether it is over for good. */
  get closed() {
    return this.#session.status().state === "closed";
  }

  /** Ends it all. */
  close() {
    const { clearTimeout } = this.#world;
    clearTimeout(this.#sweep);
    this.#session.close(null);
  }

  /**
   * @param {Extension} extension
   * @param {Record<string, any>} command
   */
  async heard(extension, { id, ...methods }) {
    const [method, params] = Object.entries(methods)[0] ?? [];
    if (!method) return; // a pong
    try {
      const deed = this.#deeds[method];
      if (!deed) throw new SpanwireError(108, "not available");
      await deed(params, (result) => extension.tell({ id, [method]: result }), extension);
    } catch (error) {
      const { code = 100, message, temporary } = /** @type {SpanwireError} */ (error);
      extension.tell({ id, error: { code, message, temporary } });
    }
  }

  /**
   * What tabs may ask for. A reply is given by calling back, so that nothing comes between it and what belongs behind it.
   *
   * @type {Record<string, (params: any, reply: (result: object) => void, extension: Extension) => any>}
   */
  #deeds = {
    connect: async ({ subs = {} }, reply, extension) => {
      const { client } = this.#session.status();
      const recovered = Object.entries(this.#session.channels.subs()).map(async ([channel, recovery]) => {
        const top = placeOf(recovery);
        return [channel, subs[channel] ? await this.#recovered(channel, subs[channel], top) : top];
      });
      reply({ client, subs: Object.fromEntries(await Promise.all(recovered)), sw_ext: ["idempotent_publish"] });
      if (this.#extensions.has(extension)) this.#extensions.set(extension, "in");
    },

    subscribe: async ({ channel, recover, join_leave, offset, epoch }, reply, extension) => {
      const since = recover ? { since: { offset, epoch } } : {};
      const feed = this.#feeds.get(channel) ?? this.#feed(channel, { presence: join_leave, ...since });
      feed.joins(extension);
      try {
        if (join_leave) feed.subscription.presence(); // or somebody could come unheard, between this tab's list and then
        const top = await feed.ready();
        const result = recover ? await this.#recovered(channel, { offset, epoch }, top) : top;
        reply(result);
        feed.joined(extension, top.offset);
      } catch (error) {
        feed.left(extension);
        this.#hangUp(feed);
        throw error;
      }
    },

    unsubscribe: ({ channel }, reply, extension) => {
      const feed = this.#feeds.get(channel);
      if (feed?.left(extension)) this.#hangUp(feed);
      reply({});
    },

    publish: async ({ channel, data, sw_key }, reply) => {
      const publish = async () => {
        const { offset, epoch } = await this.#session.publish(channel, data);
        return { sw_offset: offset, sw_epoch: epoch };
      };
      const published = this.#published.get(sw_key) ?? publish();
      if (sw_key) this.#published.set(sw_key, published);
      const [oldest] = this.#published.keys();
      if (oldest && this.#published.size > KEYS_MAX) this.#published.delete(oldest);
      reply(await published);
    },

    history: async (params, reply) => reply(await this.#session.call("history", params, "always")),
    presence: async (params, reply) => reply(await this.#session.call("presence", params, "always")),
    rpc: async (params, reply) => reply(await this.#session.call("rpc", params, "never")),
  };

  /**
   * @param {string} channel
   * @param {ChannelOptions} options from where its first tab goes on: a server may let it recover, and not page through history
   */
  #feed(channel, options) {
    const feed = new Feed(this.#session.channels.hold(channel, options), () => this.#feeds.delete(channel));
    this.#feeds.set(channel, feed);
    return feed;
  }

  /** @param {Status} status */
  #changed({ state, lastError }) {
    const code = Number(lastError?.code);
    const reason = lastError?.message ?? "";
    if (state === "connected") this.#letIn();
    if (state === "connected" && !this.#up) this.#returned();
    this.#up = state === "connected";
    if (state === "waiting") this.#sendAway(code || 1006, reason);
    if (state === "closed") {
      this.#letIn(); // so that they hear why
      this.#sendAway(code >= 3500 ? code : 4500, reason);
    }
  }

  #letIn() {
    for (const [extension, state] of [...this.#extensions]) {
      if (state !== "waiting") continue;
      this.#extensions.set(extension, "open");
      extension.opened();
    }
  }

  /** There is a connection again. What nobody comes back for is given up after a while. */
  #returned() {
    const { setTimeout, clearTimeout } = this.#world;
    clearTimeout(this.#sweep);
    this.#sweep = setTimeout(() => {
      for (const feed of this.#feeds.values()) this.#hangUp(feed);
    }, FEED_MS);
    this.#connected();
  }

  /**
   * Sends away who is in. What they listened to stays for a while, for they will be back.
   *
   * @param {number} code
   * @param {string} reason
   */
  #sendAway(code, reason) {
    for (const [extension, state] of [...this.#extensions]) {
      if (state === "waiting") continue;
      this.#extensions.delete(extension);
      for (const feed of this.#feeds.values()) feed.left(extension);
      extension.end(code, reason);
    }
  }

  /** @param {Push} push */
  #tellAll(push) {
    for (const [extension, state] of this.#extensions) if (state === "in") extension.tell({ push });
  }

  /** @param {Feed} feed that nobody may be listening to any more */
  #hangUp(feed) {
    if (feed.size) return;
    this.#feeds.delete(feed.subscription.name);
    feed.subscription.leave();
  }

  /**
   * What a subscription is told that wants to go on from somewhere: all that it missed, or that something is missing.
   *
   * @param {string} channel
   * @param {{ offset?: number, epoch?: string }} from
   * @param {{ offset: number, epoch: string }} top
   */
  async #recovered(channel, { offset = 0, epoch }, top) {
    const missed = top.offset - offset;
    if (epoch !== top.epoch || missed < 0) return { ...top, recovered: false };
    const recent = this.#feeds.get(channel)?.recent(offset, top.offset) ?? [];
    if (recent.length === missed) return { ...top, recovered: true, publications: recent };
    const wish = { channel, limit: missed, since: { offset, epoch } };
    const { publications = [] } = await this.#session.call("history", wish, "always").catch(() => ({}));
    const whole = publications.length === missed && publications[0].offset === offset + 1;
    return { ...top, recovered: whole, publications: whole ? publications : [] };
  }
}
