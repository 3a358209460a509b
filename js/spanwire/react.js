/** @import { Channel } from "./channel.js" */
/** @import { Client, DataOf } from "./client.js" */
/** @import { SpanwireError } from "./error.js" */
/** @import { ChannelOptions, Message, PublishOptions, PublishResult, Status } from "./types.js" */
/** @import { ClientInfo } from "./wire.js" */

import { useMemo, useSyncExternalStore } from "react";

/**
 * @template [Data=any]
 * @typedef {object} Room what `useChannel` gives a component; another object at each change
 * @property {Channel["state"]} state
 * @property {Message<Data>[]} messages the latest ones, oldest first
 * @property {Map<string, ClientInfo>} members who is here, if `presence` was asked for
 * @property {number} gaps how often messages were lost for good since the component was mounted
 * @property {SpanwireError | null} error the last refusal, until the channel is subscribed; `not_loaded` until the connection ends
 * @property {(data: Data, options?: PublishOptions) => Promise<PublishResult>} publish the same function at each change
 */

/** @typedef {ChannelOptions & { keep?: number }} UseChannelOptions `keep` is how many messages to keep; 100 unless told */

/**
 * How the connection is doing.
 *
 * @param {Client<any, any>} client
 * @returns {Status}
 */
export function useStatus(client) {
  const store = useMemo(() => {
    let { status } = client;
    const subscribe = (/** @type {() => void} */ changed) => {
      const off = client.on("status", (next) => {
        status = next;
        changed();
      });
      ({ status } = client); // it may have changed between the rendering and now
      return off;
    };
    return { subscribe, read: () => status };
  }, [client]);
  return useSyncExternalStore(store.subscribe, store.read, store.read);
}

/**
 * A channel, for as long as the component is mounted. Components that use the same one share its subscription, and one
 * that React mounts twice in a row, as StrictMode does, subscribes once.
 *
 * @template [Channels=Record<string, any>]
 * @template {string} [Name=string]
 * @param {Client<Channels, any>} client
 * @param {Name} name
 * @param {UseChannelOptions} [options] those of the first rendering hold
 * @returns {Room<DataOf<Channels, Name>>}
 */
export function useChannel(client, name, options) {
  // The options are an object literal in most components, so a change of them is none.
  const store = useMemo(() => roomStore(client, name, options), [client, name]);
  return useSyncExternalStore(store.subscribe, store.read, store.read);
}

/**
 * Who is in a channel, by the id of their connection.
 *
 * @param {Client<any, any>} client
 * @param {string} name
 * @returns {Map<string, ClientInfo>}
 */
export function usePresence(client, name) {
  return useChannel(client, name, { presence: true }).members;
}

/**
 * @param {Client<any, any>} client
 * @param {string} name
 * @param {UseChannelOptions} [options]
 */
function roomStore(client, name, { keep = 100, ...options } = {}) {
  /** @type {Room} */
  let room = {
    state: "subscribing",
    messages: [],
    members: new Map(),
    gaps: 0,
    error: null,
    publish: (data, options) => client.publish(name, data, options),
  };
  /** @type {Channel | undefined} */
  let last;

  /** @param {() => void} changed */
  const subscribe = (changed) => {
    const channel = client.channel(name, options);
    // Left while it was hidden: its history comes again, so what it said before is not kept beside it.
    if (last && last !== channel) room = { ...room, messages: [] };
    last = channel;
    /** What has happened since the last rendering. @type {((room: Room) => void)[]} */
    let changes = [];

    /** @param {(room: Room) => void} [change] */
    const update = (change = () => {}) => {
      if (changes.push(change) > 1) return;
      // What one frame brought makes one rendering.
      queueMicrotask(() => {
        const next = { ...room, messages: [...room.messages], state: channel.state, members: channel.members };
        for (const change of changes.splice(0)) change(next);
        next.messages.splice(0, next.messages.length - keep);
        room = next;
        changed();
      });
    };

    /** @param {boolean} missing whether it is a missing file that is tried again, or a refusal that is over */
    const forgive = (missing) =>
      update((room) => {
        if ((room.error?.code === "not_loaded") === missing) room.error = null;
      });

    const offs = [
      channel.on("message", (message) => update(({ messages }) => messages.push(message))),
      channel.on("gap", () => update((room) => room.gaps++)),
      channel.on("error", (error) => update((room) => (room.error = error))),
      channel.on("subscribed", () => forgive(false)),
      channel.on("unsubscribed", () => update()),
      channel.on("presence", () => update()),
      // A connection that is lost takes the subscription with it.
      client.on("status", ({ state }) => (state === "connected" ? update() : forgive(true))),
    ];
    update();
    return () => {
      for (const off of offs) off();
      channel.leave();
    };
  };
  return { subscribe, read: () => room };
}
