/** @import { ConnectResult, Push, SubscribeResult } from "./wire.js" */
/** @import { Events } from "./events.js" */
/** @import { Home, Subscription } from "./subscription.js" */
/** @import { ChannelOptions, ClientEvents, Status } from "./types.js" */

import { listeners } from "./events.js";
import { subscription } from "./subscription.js";

/** @typedef {ReturnType<typeof subscriptions>} Subscriptions */

/**
 * The channels of a client: those it asked for, and those that the server gave it. There is no handle for the latter,
 * so what happens in them is told to the client itself.
 *
 * @param {Home & { status: () => Status, events: Events<ClientEvents> }} session
 */
export function subscriptions(session) {
  /** @type {Map<string, Subscription>} */
  const held = new Map();
  /** @type {Map<string, Subscription>} */
  const given = new Map();

  /**
   * @param {string} name
   * @param {SubscribeResult} result
   * @param {Subscription} [again]
   */
  const give = (name, result, again = subscription(name, session, given, null, /** @type {any} */ (session.events))) => {
    given.set(name, again);
    again.subscribed(result);
  };

  return {
    /**
     * The subscription of a channel, made if there is none, and held once more.
     *
     * @param {string} name
     * @param {ChannelOptions} options
     */
    hold(name, options) {
      const { state, lastError } = session.status();
      const holding = held.get(name) ?? subscription(name, session, held, options, listeners());
      holding.hold(options);
      if (state === "closed") holding.end(lastError);
      return holding;
    },

    /** @param {(each: Subscription) => void} deed */
    each(deed) {
      [...held.values(), ...given.values()].forEach(deed);
    },

    /** What the next connect request says of the channels that the server gave us: from where to go on. */
    subs: () => Object.fromEntries([...given].map(([name, { recover }]) => [name, recover()])),

    /** @param {ConnectResult["subs"]} subs all that the server gives us on this connection */
    subscribed(subs) {
      const before = new Map(given);
      given.clear();
      for (const [name, result] of Object.entries(subs ?? {})) give(name, result, before.get(name));
    },

    /** @param {Push} push */
    pushed(push) {
      const { channel = "", subscribe, message } = push;
      const told = held.get(channel) ?? given.get(channel);
      if (subscribe) give(channel, subscribe);
      // What still arrives for a channel that we have left is nobody's business.
      told?.pushed(push);
      if (message) session.events.emit("message", { channel, ...message, recovered: false });
    },
  };
}
