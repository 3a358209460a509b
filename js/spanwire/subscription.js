/** @import { ClientInfo, Position, Publication, Push, SubscribeResult } from "./wire.js" */
/** @import { Session } from "./session.js" */
/** @import { ChannelEvents, ChannelOptions } from "./types.js" */

import { Backoff } from "./backoff.js";
import { SpanwireError } from "./error.js";
import { Events } from "./events.js";

/**
 * The life of one channel on this client: it is joined on every connection, knows the position up to
 * which everything was delivered, and puts what comes into order.
 *
 * The position moves when a message is *delivered*, not when it arrives. So whatever was held back
 * when a connection broke is simply asked for again on the next one.
 */
export class Subscription {
  /** @type {"subscribing" | "subscribed" | "unsubscribed"} */
  state = "subscribing";
  /** Why it ended; null if it did not, or because it was wished. @type {SpanwireError | null} */
  error = null;
  /** @type {Map<string, ClientInfo>} */
  members = new Map();
  /** How many holders of the channel have not left it yet. */
  holders = 0;
  #session;
  #options;
  #backoff;
  /** Everything up to here was delivered. @type {Position} */
  #at = { offset: 0, epoch: "" };
  /** Whether the server can bring us forward from `#at`. */
  #recoverable = false;
  /** Whether offsets on this subscription have no holes. */
  #positioned = false;
  /** Live publications that must wait for the history before them. @type {Publication[] | null} */
  #held = null;
  /** Joins and leaves that must wait for the list they change. @type {Push[] | null} */
  #heldMoves = null;
  #since_ms = 0;
  /** The latest request to subscribe. @type {object | undefined} */
  #asked;
  /** @type {any} */
  #retry;

  /**
   * @param {string} name
   * @param {Session} session
   * @param {ChannelOptions | null} options null if it was the server that subscribed us: then it is the server that does
   *   so again, and nobody can leave
   * @param {Events<ChannelEvents & { end: SpanwireError | null }>} events
   */
  constructor(name, session, options, events) {
    this.name = name;
    this.#session = session;
    this.#options = options;
    const { since } = options ?? {};
    if (since) this.#at = { ...since };
    this.#recoverable = !!since;
    this.events = events;
    this.#backoff = new Backoff(session.world);
  }

  /** From now on the list of who is here is kept, too. */
  addPresence() {
    if (!this.#options || this.#options.presence) return;
    this.#options = { ...this.#options, presence: true };
    if (!this.#session.connection) return;
    // A server tells of joins and leaves only those who said so when they subscribed.
    this.#session.request("unsubscribe", { channel: this.name }, () => {});
    this.join();
  }

  /** What a request says in order to be brought forward from where we were; undefined if it is not to be. */
  get recovery() {
    return this.#recoverable ? { recover: true, ...this.#at } : undefined;
  }

  /** Subscribes on the new connection, from where we were. */
  join() {
    if (!this.#options || this.state === "unsubscribed") return;
    this.lost();
    const { presence } = this.#options;
    const wish = { channel: this.name, positioned: true, recoverable: true, join_leave: !!presence, ...this.recovery };
    const asked = (this.#asked = {});
    this.#session.request("subscribe", wish, (error, result) => {
      if (this.#asked !== asked || this.state !== "subscribing") return; // left while we asked, or asked again
      if (!error) this.accepted(result);
      else if (error.temporary) {
        this.#complain(error);
        this.#joinLater(0);
      } else this.#session.subscriptions.drop(this, error);
    });
  }

  /** The connection is gone. What was held back is not ours yet: it will be asked for again. */
  lost() {
    this.#session.world.clearTimeout(this.#retry);
    this.#held = this.#heldMoves = null;
    if (this.state === "subscribed") this.state = "subscribing";
  }

  /** The server says that what we know is worthless. */
  forget() {
    this.#recoverable = false;
  }

  /**
   * It is over. Iterators end, by throwing if there is an error to tell.
   *
   * @param {SpanwireError | null} error
   */
  end(error) {
    if (this.state === "unsubscribed") return;
    this.lost();
    this.state = "unsubscribed";
    this.error = error;
    const iterated = this.events.emit("end", error);
    if (error) this.#complain(error, iterated);
  }

  /** @param {Push} push */
  pushed({ pub, join, leave, unsubscribe }) {
    if (this.state !== "subscribed") return; // meant for a subscription that we have left
    if (pub) {
      if (this.#held) this.#held.push(pub);
      else this.#deliver(pub, false, this.#positioned);
    }
    if (join || leave) {
      if (this.#heldMoves) this.#heldMoves.push({ join, leave });
      else this.#moved({ join, leave });
    }
    if (unsubscribe) this.#unsubscribed(unsubscribe);
  }

  /** @param {SubscribeResult} result */
  accepted(result) {
    const { offset = 0, epoch = "", publications = [] } = result;
    const from = this.#recoverable ? { ...this.#at } : null;
    // Of another stream, only what is the latest can be had.
    const recovered = !!result.recovered && from?.epoch === epoch;
    this.state = "subscribed";
    this.#since_ms = this.#session.world.now();
    this.#positioned = !!(result.positioned || result.recoverable);
    if (this.#options?.presence) this.#askPresence();
    if (from && !recovered) this.#tell("gap", { from, to: { offset: (publications[0]?.offset ?? offset + 1) - 1, epoch } });

    // Offsets of another stream say nothing about this one.
    if (from?.epoch !== epoch) this.#at = { offset: 0, epoch };
    for (const publication of publications) this.#deliver(publication, true, recovered);
    if (this.#options?.history && !recovered) this.#askHistory(this.#options.history, result);
    else this.#settled(result, recovered);
  }

  /**
   * @param {SpanwireError} error
   * @param {boolean} [told] whether somebody knows already
   */
  #complain(error, told) {
    // Nobody listens and nobody iterates: a silent refusal would cost someone an afternoon.
    if (!this.events.emit("error", error) && !told) console.error(`spanwire: ${this.name}: ${error.message}`);
  }

  /**
   * @param {"message" | "gap" | "subscribed" | "unsubscribed"} type
   * @param {any} event
   */
  #tell(type, event) {
    this.events.emit(type, { channel: this.name, ...event });
  }

  /**
   * Messages go out oldest first, so the live ones wait until the history before them is here.
   *
   * @param {number} limit
   * @param {SubscribeResult} result
   */
  #askHistory(limit, result) {
    /** @type {Publication[]} */
    const held = (this.#held = []);
    this.#session.request("history", { channel: this.name, limit, reverse: true }, (error, history) => {
      if (this.#held !== held) return; // lost or left while we asked
      this.#held = null;
      if (error) this.#complain(error);
      // A busy channel may have said more since we subscribed than the page of history holds, so the two are merged.
      const all = [...(history?.publications ?? []), ...held].sort((a, b) => Number(a.offset) - Number(b.offset));
      const end = result.positioned ? (result.offset ?? 0) : Infinity;
      const before = all.filter(({ offset = 0 }) => offset <= end);
      for (const publication of before) this.#deliver(publication, true);
      this.#settled(result, false);
      for (const publication of all.slice(before.length)) this.#deliver(publication, false, this.#positioned);
    });
  }

  /**
   * All that was owed is delivered: from here on we can be brought forward.
   *
   * @param {SubscribeResult} result
   * @param {boolean} recovered
   */
  #settled({ offset = 0, epoch = "", recoverable, data }, recovered) {
    this.#at = { offset: Math.max(this.#at.offset, offset), epoch };
    this.#recoverable = !!recoverable;
    this.#tell("subscribed", { recovered, data });
  }

  /**
   * @param {Publication} publication
   * @param {boolean} recovered
   * @param {boolean} [follows] whether it has to follow on what came before it
   */
  #deliver(publication, recovered, follows) {
    const { offset = 0 } = publication;
    const from = { ...this.#at };
    if (offset && (recovered || this.#positioned)) {
      if (offset <= from.offset) return; // it came before, live or from history
      this.#at.offset = offset;
    }
    // Only where nothing but the latest counts does the server leave a hole. If one comes elsewhere, it is told as well.
    if (follows && offset > from.offset + 1) this.#tell("gap", { from, to: { ...from, offset: offset - 1 } });
    if (this.state === "subscribed") this.#tell("message", { ...publication, recovered }); // unless a listener ended it
  }

  #askPresence() {
    /** @type {Push[]} */
    const held = (this.#heldMoves = []);
    this.#session.request("presence", { channel: this.name }, (error, result) => {
      if (this.#heldMoves !== held) return;
      this.#heldMoves = null;
      if (error) return this.#complain(error);
      this.members = new Map(Object.entries(result.presence ?? {}));
      // The list may be older or younger than these. Applied once more, they are right either way.
      held.forEach((push) => this.#apply(push));
      this.events.emit("presence", this.members);
    });
  }

  /** @param {Push} push */
  #moved(push) {
    this.members = new Map(this.members); // whoever was told keeps what they were told
    this.#apply(push);
    if (this.#options?.presence) this.events.emit("presence", this.members);
    if (push.join) this.events.emit("join", push.join.info);
    if (push.leave) this.events.emit("leave", push.leave.info);
  }

  /** @param {Push} push */
  #apply({ join, leave }) {
    if (join) this.members.set(join.info.client, join.info);
    if (leave) this.members.delete(leave.info.client);
  }

  /** @param {{ code: number, reason?: string }} unsubscribe */
  #unsubscribed({ code, reason = "" }) {
    if (code < 2500 || !this.#options) {
      this.#tell("unsubscribed", { code, reason });
      return this.#session.subscriptions.drop(this, null);
    }
    // The server wants us back: it lost track of our position, or what we know is out of date.
    if (code === 2502) {
      this.#session.token.forget();
      this.forget();
    }
    const lived_ms = this.#session.world.now() - this.#since_ms;
    this.lost();
    this.#joinLater(lived_ms);
  }

  /** @param {number} lived_ms */
  #joinLater(lived_ms) {
    this.#retry = this.#session.world.setTimeout(() => this.join(), this.#backoff.next(lived_ms));
  }
}
