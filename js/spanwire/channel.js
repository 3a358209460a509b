/// <reference lib="esnext.disposable" preserve="true" />
/** @import { ClientInfo, Publication } from "./wire.js" */
/** @import { Session } from "./session.js" */
/** @import { Subscription } from "./subscription.js" */
/** @import { CallOptions, ChannelEvents, Message, PublishOptions, PublishResult } from "./types.js" */
/** @import { ListenOptions } from "./events.js" */
/** @import { StreamOptions } from "./stream.js" */

import { stream } from "./stream.js";

/**
 * @typedef {CallOptions & { limit?: number, before?: number, since?: number }} HistoryOptions
 *   `limit` is how many at most (50 unless told; the server has a limit of its own). `before` gives
 *   the newest ones with a smaller offset, `since` the oldest ones with a larger offset; with
 *   neither, the newest of all.
 */

/**
 * @template [Data=any]
 * @typedef {{ messages: Message<Data>[], offset: number, epoch: string }} HistoryPage
 *   messages are oldest first, whichever way they were asked for; offset and epoch are those of the
 *   end of the stream, not of the page
 */

/**
 * Older browsers do not have it; there, nobody can write `using`, and any other symbol does.
 *
 * @type {typeof Symbol.dispose}
 */
const dispose = Symbol.dispose ?? /** @type {any} */ (Symbol("dispose"));

/**
 * A channel, as you hold it. Get one from `client.channel(name)`.
 *
 * It stays subscribed through every reconnect, until everybody who asked for it has called `leave()`.
 *
 * @template [Data=any] what is published here
 */
export class Channel {
  #session;
  #subscription;

  /**
   * @param {Session} session
   * @param {Subscription} subscription
   */
  constructor(session, subscription) {
    this.#session = session;
    this.#subscription = subscription;
  }

  /** The name, namespace included. */
  get name() {
    return this.#subscription.name;
  }

  /** Where the subscription is: `subscribing`, `subscribed`, or `unsubscribed` for good. */
  get state() {
    return this.#subscription.state;
  }

  /** Who is here, by the id of their connection; empty unless the channel was asked for with `presence`. */
  get members() {
    return this.#subscription.members;
  }

  /**
   * Listens.
   *
   * @template {keyof ChannelEvents} K
   * @param {K} type
   * @param {(event: ChannelEvents<Data>[K]) => void} listener
   * @param {ListenOptions} [options]
   * @returns {() => void} stops listening
   */
  on(type, listener, options) {
    return this.#subscription.events.on(type, listener, options);
  }

  /**
   * The events as an iterator, which begins to listen at once.
   *
   * Breaking out of the loop stops the iterator only. When the channel ends, so does the loop: quietly
   * if it was left or the server unsubscribed it, with a `SpanwireError` if it was refused.
   *
   * @template {keyof ChannelEvents} K
   * @param {K} type
   * @param {StreamOptions} [options]
   * @returns {AsyncIterableIterator<ChannelEvents<Data>[K]>}
   */
  events(type, options = {}) {
    const { events, state, error } = this.#subscription;
    return stream(options, (push, end) => {
      const offs = [events.on(type, push), events.on("end", end)];
      if (state === "unsubscribed") end(error);
      return offs;
    });
  }

  /** `for await (const message of channel)`: the same as `events("message")`. */
  [Symbol.asyncIterator]() {
    return this.events("message");
  }

  /**
   * Publishes, and resolves when the server has accepted it.
   *
   * Without a connection it waits in a queue that is bounded in number and age. If the connection
   * breaks before the answer, a server with the extension `idempotent_publish` gets it once more and
   * stores it once; with any other server the promise is rejected with `unacknowledged`, because
   * sending again might publish twice.
   *
   * @param {Data} data anything that JSON can say; it is copied now
   * @param {PublishOptions} [options]
   * @returns {Promise<PublishResult>}
   */
  async publish(data, options) {
    return this.#session.outbox.publish(this.name, data, options);
  }

  /**
   * A page of what was published before.
   *
   * @param {HistoryOptions} [options]
   * @returns {Promise<HistoryPage<Data>>}
   */
  async history({ limit = 50, before, since, ...options } = {}) {
    const reverse = since === undefined;
    const offset = before ?? since;
    const wish = { channel: this.name, limit, reverse, since: offset === undefined ? undefined : { offset } };
    const { publications = [], ...top } = await this.#session.outbox.call("history", wish, "always", options);
    if (reverse) publications.reverse();
    const channel = this.name;
    const message = (/** @type {Publication} */ publication) => ({ channel, ...publication, recovered: true });
    return { messages: publications.map(message), ...top };
  }

  /**
   * Who is here, asked of the server now.
   *
   * @param {CallOptions} [options]
   * @returns {Promise<Map<string, ClientInfo>>} by the id of their connection
   */
  async presence(options) {
    const result = await this.#session.outbox.call("presence", { channel: this.name }, "always", options);
    return new Map(Object.entries(result.presence ?? {}));
  }

  /**
   * Gives the channel back. When everybody who asked for it has, it is unsubscribed one task later: a
   * component that is unmounted and mounted again in between sends nothing.
   */
  leave() {
    this.#session.subscriptions.release(this.#subscription);
  }

  /** `using room = client.channel(name)` leaves at the end of the block. */
  [dispose]() {
    this.leave();
  }
}
