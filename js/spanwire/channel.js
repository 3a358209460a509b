/// <reference lib="esnext.disposable" preserve="true" />
/** @import { ClientInfo } from "./wire.js" */
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
 * A channel, as you hold it. Get one from `client.channel(name)`.
 *
 * It stays subscribed through every reconnect, until everybody who asked for it has called `leave()`.
 *
 * @template [Data=any] what is published here
 * @typedef {object} ChannelMembers
 * @property {string} name the name, namespace included
 * @property {"subscribing" | "subscribed" | "unsubscribed"} state where the subscription is: `unsubscribed` is for good
 * @property {Map<string, ClientInfo>} members who is here, by the id of their connection; empty unless the channel was asked
 *   for with `presence`
 * @property {<K extends keyof ChannelEvents>(type: K, listener: (event: ChannelEvents<Data>[K]) => void, options?: ListenOptions) => () => void} on
 *   listens, and returns what stops it
 * @property {<K extends keyof ChannelEvents>(type: K, options?: StreamOptions) => AsyncIterableIterator<ChannelEvents<Data>[K]>} events
 *   the events as an iterator, which begins to listen at once. Breaking out of the loop stops the iterator only. When the
 *   channel ends, so does the loop: quietly if it was left or the server unsubscribed it, with a `SpanwireError` if it was
 *   refused
 * @property {(data: Data, options?: PublishOptions) => Promise<PublishResult>} publish publishes anything that JSON can say,
 *   copied now, and resolves when the server has accepted it. Without a connection it waits in a queue that is bounded in
 *   number and age. If the connection breaks before the answer, a server with the extension `idempotent_publish` gets it once
 *   more and stores it once; with any other server the promise is rejected with `unacknowledged`, because sending again might
 *   publish twice
 * @property {(options?: HistoryOptions) => Promise<HistoryPage<Data>>} history a page of what was published before
 * @property {(options?: CallOptions) => Promise<Map<string, ClientInfo>>} presence who is here, asked of the server now, by the
 *   id of their connection
 * @property {() => void} leave gives the channel back. When everybody who asked for it has, it is unsubscribed one task later:
 *   a component that is unmounted and mounted again in between sends nothing
 */

/**
 * @template [Data=any]
 * @typedef {Readonly<ChannelMembers<Data>> & Disposable & AsyncIterable<Message<Data>>} Channel `using room =
 *   client.channel(name)` leaves at the end of the block; `for await (const message of channel)` is the same as
 *   `events("message")`
 */

/**
 * What somebody holds of a subscription.
 *
 * @param {Session} session
 * @param {Subscription} subscription
 * @returns {Channel}
 */
export function channel({ call, publish, records }, subscription) {
  const { name: channel, events: { on }, leave } = subscription;

  /** @type {Channel["events"]} */
  const events = (type, options = {}) =>
    stream(options, (push, end, until) => {
      on(type, push, until);
      on("end", end, until);
      if (subscription.state === "unsubscribed") end(subscription.error);
    });

  return {
    name: channel,
    on,
    events,
    leave,

    get state() {
      return subscription.state;
    },

    get members() {
      return subscription.members;
    },

    publish: (data, options) => publish(channel, data, options),

    history: async (options) => (await records()).history(call, channel, options),
    presence: async (options) => (await records()).presence(call, channel, options),

    [Symbol.asyncIterator]: () => events("message"),

    // Older browsers do not have the symbol. There nobody can write `using`, and nobody misses what is named "undefined".
    [Symbol.dispose]: leave,
  };
}
