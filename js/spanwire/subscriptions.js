/** @import { ConnectResult, Push, SubscribeResult } from "./wire.js" */
/** @import { SpanwireError } from "./error.js" */
/** @import { Session } from "./session.js" */
/** @import { ChannelOptions } from "./types.js" */

import { Events } from "./events.js";
import { Subscription } from "./subscription.js";

/**
 * The channels of a client: those it asked for, and those that the server gave it. There is no handle for the latter,
 * so what happens in them is told to the client itself.
 */
export class Subscriptions {
  #session;
  /** @type {Map<string, Subscription>} */
  #held = new Map();
  /** @type {Map<string, Subscription>} */
  #given = new Map();

  /** @param {Session} session */
  constructor(session) {
    this.#session = session;
  }

  /**
   * The subscription of a channel, made if there is none, and held once more.
   *
   * @param {string} name
   * @param {ChannelOptions} options
   */
  hold(name, options) {
    const session = this.#session;
    const { state, lastError } = session.status;
    let subscription = this.#held.get(name);
    if (!subscription) {
      subscription = new Subscription(name, session, options, new Events());
      if (state === "closed") subscription.end(lastError);
      else this.#held.set(name, subscription);
      if (session.connection) subscription.join();
    } else if (options.presence) subscription.addPresence();
    subscription.holders++;
    return subscription;
  }

  /** @param {Subscription} subscription */
  release(subscription) {
    if (!subscription.holders || --subscription.holders) return;
    // One task later, because whoever lets go may be about to hold again: a component that is mounted anew.
    this.#session.world.setTimeout(() => {
      if (subscription.holders || subscription.state === "unsubscribed") return;
      this.#session.request("unsubscribe", { channel: subscription.name }, () => {});
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
    for (const map of [this.#held, this.#given])
      if (map.get(subscription.name) === subscription) map.delete(subscription.name);
    subscription.end(error);
  }

  /** @param {(subscription: Subscription) => void} deed */
  each(deed) {
    [...this.#held.values(), ...this.#given.values()].forEach(deed);
  }

  /** The server says that what we know is worthless. */
  forget() {
    this.each((subscription) => subscription.forget());
  }

  /** What the next connect request says of the channels that the server gave us: from where to go on. */
  get given() {
    return Object.fromEntries([...this.#given].map(([name, { recovery }]) => [name, recovery]));
  }

  /** @param {NonNullable<ConnectResult["subs"]>} subs all that the server gives us on this connection */
  accepted(subs) {
    const before = this.#given;
    this.#given = new Map();
    for (const [name, result] of Object.entries(subs)) this.#give(name, result, before.get(name));
  }

  /** @param {Push} push */
  pushed(push) {
    const { channel = "", subscribe, message } = push;
    const subscription = this.#held.get(channel) ?? this.#given.get(channel);
    if (subscribe) this.#give(channel, subscribe);
    // What still arrives for a channel that we have left is nobody's business.
    subscription?.pushed(push);
    if (message) this.#session.events.emit("message", { channel, ...message, recovered: false });
  }

  /**
   * @param {string} name
   * @param {SubscribeResult} result
   * @param {Subscription} [subscription]
   */
  #give(name, result, subscription = new Subscription(name, this.#session, null, /** @type {any} */ (this.#session.events))) {
    this.#given.set(name, subscription);
    subscription.accepted(result);
  }
}
