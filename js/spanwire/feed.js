/** @import { SpanwireError } from "./error.js" */
/** @import { Subscription } from "./subscription.js" */
/** @import { Extension } from "./switchboard.js" */
/** @import { Publication, Push } from "./wire.js" */

import { RECENT_MAX } from "./limits.js";

/**
 * In the words of a subscribe result: where a subscription is.
 *
 * @param {{ offset: number, epoch: string } | undefined} recovery
 */
export function placeOf(recovery) {
  const { offset = 0, epoch = "" } = recovery ?? {};
  return { positioned: !!recovery, recoverable: !!recovery, offset, epoch };
}

/** One channel of a switchboard: a subscription, and the tabs that share it. */
export class Feed {
  /** The latest publications, for tabs that were sent away and come back. @type {Publication[]} */
  #recent = [];
  /** The tabs; those that are not in yet have what waits for them. @type {Map<Extension, Push[] | null>} */
  #tabs = new Map();

  /**
   * @param {Subscription} subscription
   * @param {() => void} ended
   */
  constructor(subscription, ended) {
    this.subscription = subscription;
    const { events, name: channel } = subscription;
    events.on("message", ({ channel: _, recovered, ...pub }) => {
      if (pub.offset && this.#recent.push(pub) > RECENT_MAX) this.#recent.shift();
      this.#tell({ channel, pub });
    });
    events.on("join", (info) => this.#tell({ channel, join: { info } }));
    events.on("leave", (info) => this.#tell({ channel, leave: { info } }));
    // They subscribe again from where they are, and so are told what is missing.
    events.on("gap", () => {
      for (const [tab, waiting] of this.#tabs)
        if (!waiting) tab.tell({ push: { channel, unsubscribe: { code: 2500, reason: "insufficient state" } } });
    });
    events.on("unsubscribed", ({ code, reason }) => this.#tell({ channel, unsubscribe: { code, reason } }));
    events.on("end", ended);
    events.on("error", () => {}); // each tab is told by the answer to its own subscribe
  }

  /**
   * Resolves when the channel is subscribed, with what a server would say of it; rejects when it is refused.
   *
   * @returns {Promise<{ positioned: boolean, recoverable: boolean, offset: number, epoch: string, data: any }>}
   */
  ready() {
    const { subscription } = this;
    return new Promise((resolve, reject) => {
      const here = (/** @type {any} */ data) => {
        offs.forEach((off) => off());
        resolve({ ...placeOf(subscription.recover()), data });
      };
      const refused = (/** @type {SpanwireError | null} */ error) => {
        offs.forEach((off) => off());
        reject(error ?? subscription.error);
      };
      const { events } = subscription;
      const offs = [events.on("subscribed", ({ data }) => here(data)), events.on("error", refused), events.on("end", refused)];
      if (subscription.state === "subscribed") here(undefined);
      if (subscription.state === "unsubscribed") refused(null);
    });
  }

  /** @param {Extension} tab that asks to be let in: from now on, what comes waits for it */
  joins(tab) {
    this.#tabs.set(tab, []);
  }

  /**
   * @param {Extension} tab that has its answer
   * @param {number} offset up to which the answer went
   */
  joined(tab, offset) {
    const waiting = this.#tabs.get(tab);
    if (!waiting) return; // it has left meanwhile
    this.#tabs.set(tab, null);
    for (const push of waiting) if (!(Number(push.pub?.offset) <= offset)) tab.tell({ push });
  }

  /**
   * @param {Extension} tab
   * @returns {boolean} whether it was one of them
   */
  left(tab) {
    return this.#tabs.delete(tab);
  }

  /** How many tabs there are. */
  get size() {
    return this.#tabs.size;
  }

  /**
   * @param {number} from
   * @param {number} to
   * @returns {Publication[]} those between, as far as they are remembered
   */
  recent(from, to) {
    return this.#recent.filter(({ offset = 0 }) => from < offset && offset <= to);
  }

  /** @param {Push} push */
  #tell(push) {
    for (const [tab, waiting] of this.#tabs) {
      if (waiting) waiting.push(push);
      else tab.tell({ push });
    }
  }
}
