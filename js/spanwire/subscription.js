/** @import { ClientInfo, Publication, Push, SubscribeResult } from "./wire.js" */
/** @import { Channel } from "./channel.js" */
/** @import { OnReply } from "./commands.js" */
/** @import { SpanwireError } from "./error.js" */
/** @import { Events } from "./events.js" */
/** @import { Records } from "./records.js" */
/** @import { ChannelEvents, ChannelOptions } from "./types.js" */
/** @import { World } from "./world.js" */

import { backoff } from "./backoff.js";

/**
 * @typedef {object} Asking what a session does for its subscriptions
 * @property {(method: string, params: object, reply: OnReply) => void} ask
 * @property {(ms: number, callback: () => void) => void} after calls back, unless the connection is over by then
 * @property {() => void} expire
 * @property {() => Promise<Records>} records loads what deals with history and with who is here
 */

/** @typedef {World & Asking} Home where subscriptions live: their client's session */

/** @typedef {ReturnType<typeof subscription>} Subscription */

/**
 * What ends when the connection is lost, or the channel is subscribed anew.
 *
 * @typedef {object} Stay
 * @property {Publication[]} [held] live publications that must wait for the history before them
 * @property {(push: Push) => void} [moved] keeps the list of who is here, since it was asked for
 */

/**
 * The life of one channel on this client: it is joined on every connection, knows the position up to
 * which everything was delivered, and puts what comes into order.
 *
 * The position moves when a message is *delivered*, not when it arrives. So whatever was held back
 * when a connection broke is simply asked for again on the next one.
 *
 * @param {string} name
 * @param {Home} session
 * @param {Map<string, any>} home where it is to be found until it ends
 * @param {ChannelOptions | null} options null if it was the server that subscribed us: then it is the server that does
 *   so again, and nobody can leave
 * @param {Events<ChannelEvents & { end: SpanwireError | null }>} events
 */
export function subscription(name, session, home, options, events) {
  let { since, history, presence } = options ?? {};
  const { setTimeout } = session;
  const retry = backoff(session);
  /** @type {"subscribing" | "subscribed" | "unsubscribed"} */
  let state = "subscribing";
  /** Everything up to here was delivered. */
  let at = { offset: 0, epoch: "", ...since };
  /** Whether the server can bring us forward from there. */
  let recoverable = !!since;
  /** Whether offsets on this subscription have no holes. @type {boolean | undefined} */
  let positioned;
  /** Another one whenever answers that are still owed have lost their meaning. @type {Stay} */
  let stay = {};
  /** How many who asked for the channel have not left it yet. */
  let holders = 0;

  /**
   * @template {any[]} Told
   * @param {(...told: Told) => void} [callback]
   * @returns {(...told: Told) => void} the same, unless what it was meant for is over by then
   */
  const unlessLost = (callback) => {
    const here = stay;
    return (...told) => {
      if (here === stay) callback?.(...told);
    };
  };

  /**
   * @param {string} method
   * @param {object} params
   * @param {OnReply} [reply]
   */
  const ask = (method, params, reply) => session.ask(method, { channel: name, ...params }, unlessLost(reply));

  /**
   * @param {"message" | "gap" | "subscribed" | "unsubscribed"} type
   * @param {any} event
   */
  const tell = (type, event) => events.emit(type, { channel: name, ...event });

  /**
   * @param {SpanwireError} error
   * @param {boolean} [told] whether somebody knows already
   */
  const complain = (error, told) => {
    // Nobody listens and nobody iterates: a silent refusal would cost someone an afternoon.
    if (!events.emit("error", error) && !told) console.error(`spanwire: ${name}: ${error.message}`);
  };

  /** What a request says in order to be brought forward from where we were; undefined if we cannot be. */
  const recovery = () => (recoverable ? { recover: true, ...at } : undefined);

  /** The connection is gone. What was held back is not ours yet: it will be asked for again. */
  const lost = () => {
    stay = {};
    if (state === "subscribed") state = "subscribing";
  };

  /**
   * Calls back with what deals with history and presence. What the server says meanwhile is heard. If it cannot be had the
   * channel goes on without, as it does when history or presence are refused.
   *
   * @param {(records: Records) => void} callback
   * @param {(error: SpanwireError) => void} [failed]
   */
  const withRecords = (callback, failed = complain) => session.records().then(unlessLost(callback), unlessLost(failed));

  /** Subscribes, from where we were. */
  const join = () => {
    if (!options) return;
    lost();
    ask("subscribe", { positioned: true, recoverable: true, join_leave: presence, ...recovery() }, (error, result) => {
      if (!error) subscribed(result);
      else if (error.temporary) {
        complain(error);
        joinLater(error.retryAfter);
      } else end(error);
    });
  };

  /** @param {number} [told] milliseconds, if the server said when */
  const joinLater = (told) => {
    lost();
    session.after(retry.next(told), unlessLost(join));
  };

  /**
   * It is over. Iterators end, by throwing if there is an error to tell.
   *
   * @param {SpanwireError | null} error
   */
  const end = (error) => {
    if (state === "unsubscribed") return;
    lost();
    state = "unsubscribed";
    home.delete(name);
    self.error = error;
    const iterated = events.emit("end", error);
    if (error) complain(error, iterated);
  };

  /** @param {SubscribeResult} result */
  const subscribed = (result) => {
    const { offset = 0, epoch = "", publications = [], recoverable: keeps = false, data } = result;
    // Of another stream, only what is the latest can be had.
    const recovered = recoverable && at.epoch === epoch && !!result.recovered;
    state = "subscribed";
    retry.worked();
    positioned = result.positioned || keeps;
    if (presence) withRecords(({ attend }) => attend(self, stay));
    if (recoverable && !recovered) tell("gap", { from: at, to: { offset: (publications[0]?.offset ?? offset + 1) - 1, epoch } });

    // Offsets of another stream say nothing about this one.
    if (at.epoch !== epoch) at = { offset: 0, epoch };
    for (const publication of publications) deliver(publication, true, recovered);

    /**
     * All that was owed is delivered: from here on we can be brought forward.
     *
     * @param {Publication[]} [live] those that had to wait for it
     */
    const settled = (live = []) => {
      at = { offset: Math.max(at.offset, offset), epoch };
      recoverable = keeps;
      stay.held = undefined;
      tell("subscribed", { recovered, data });
      for (const publication of live) deliver(publication, false);
    };
    if (history && !recovered) {
      stay.held = [];
      withRecords(
        ({ catchUp }) => catchUp(self, stay, history, positioned ? offset : Infinity, settled),
        (error) => {
          if (!presence) complain(error); // else it is told already
          settled(stay.held);
        },
      );
    } else settled();
  };

  /**
   * @param {Publication} publication
   * @param {boolean} recovered
   * @param {boolean} [follows] whether it has to follow on what came before it
   */
  const deliver = (publication, recovered, follows = !recovered && positioned) => {
    const { offset = 0 } = publication;
    const from = at;
    if (offset && (positioned || recovered)) {
      if (offset <= from.offset) return; // it came before, live or from history
      at = { ...from, offset };
    }
    // Only where nothing but the latest counts does the server leave a hole. If one comes elsewhere, it is told as well.
    if (follows && offset > from.offset + 1) tell("gap", { from, to: { ...from, offset: offset - 1 } });
    if (state === "subscribed") tell("message", { ...publication, recovered }); // unless a listener ended it
  };

  /** @param {{ code: number, reason?: string }} unsubscribe */
  const unsubscribed = ({ code, reason = "" }) => {
    if (code < 2500 || !options) {
      tell("unsubscribed", { code, reason });
      return end(null);
    }
    // The server wants us back: it lost track of our position, or what we know is out of date.
    if (code === 2502) {
      session.expire();
      recoverable = false;
    }
    joinLater();
  };

  /** From now on the list of who is here is kept, too. */
  const addPresence = () => {
    if (presence) return;
    presence = true;
    // A server tells of joins and leaves only those who said so when they subscribed.
    ask("unsubscribe", {});
    join();
  };

  const self = {
    name,
    events,
    join,
    lost,
    subscribed,
    end,
    ask,
    complain,
    deliver,
    recover: recovery,
    /** Who is here, by the id of their connection. @type {Map<string, ClientInfo>} */
    members: new Map(),
    /** What they hold. @type {Channel | undefined} */
    channel: undefined,
    /** Why it ended; null if it did not, or because it was wished. @type {SpanwireError | null} */
    error: null,

    get state() {
      return state;
    },

    presence: addPresence,

    /** The server says that what we know is worthless. */
    forget() {
      recoverable = false;
    },

    /** @param {ChannelOptions} options of one more who holds the channel */
    hold(options) {
      holders++;
      if (options.presence) addPresence();
    },

    /** Gives back what was held. */
    leave() {
      if (!holders || --holders) return;
      // One task later, because whoever lets go may be about to hold again: a component that is mounted anew.
      setTimeout(() => {
        if (holders || state === "unsubscribed") return;
        ask("unsubscribe", {});
        end(null);
      }, 0);
    },

    /** @param {Push} push */
    pushed(push) {
      const { pub, join, leave, unsubscribe } = push;
      if (state !== "subscribed") return; // meant for a subscription that we have left
      if (pub) stay.held?.push(pub) ?? deliver(pub, false);
      if (join || leave) stay.moved?.(push);
      if (join) events.emit("join", join.info);
      if (leave) events.emit("leave", leave.info);
      if (unsubscribe) unsubscribed(unsubscribe);
    },
  };
  home.set(name, self);
  if (history || presence) session.records().catch(() => {}); // begun now, it is here when the server has answered
  join();
  return self;
}
