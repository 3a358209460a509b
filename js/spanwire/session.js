/** @import { ConnectResult, Reply } from "./wire.js" */
/** @import { World } from "./world.js" */
/** @import { Connection } from "./connection.js" */
/** @import { Events } from "./events.js" */
/** @import { Ladder } from "./ladder.js" */
/** @import { Records } from "./records.js" */
/** @import { Subscriptions } from "./subscriptions.js" */
/** @import { ClientEvents, SessionOptions, Status } from "./types.js" */

import { backoff } from "./backoff.js";
import { commands } from "./commands.js";
import { SpanwireError } from "./error.js";
import { listeners } from "./events.js";
import { OPEN_MS, RECORDS_MS_MAX, TIMER_MS_MAX, TOKEN_MS_MAX } from "./limits.js";
import { subscriptions } from "./subscriptions.js";
import { onWake } from "./world.js";

const VERSION = "0.1.0";

/** @typedef {ReturnType<typeof session>} Session */

/**
 * One client's life: connection after connection, and what must outlive them.
 *
 * It goes from phase to phase: a token and a way are looked for, a socket is opened, it is in use, or the next try is
 * waited for. What was begun in one phase, timers above all, ends with it.
 *
 * @param {string} url
 * @param {World & SessionOptions} options
 */
export function session(url, options) {
  const { WebSocket, now, setTimeout, clearTimeout, getToken, transports, data, name = "spanwire-js" } = options;
  /** @type {Events<ClientEvents>} */
  const events = listeners();
  const retry = backoff(options);
  const renewal = backoff(options);
  const awake = new AbortController();
  /** @type {Omit<Status, "transport" | "latency" | "queued">} */
  const status = { state: "connecting", attempt: 0, retryAt: null, client: null, lastError: null };
  /** One in the making, or in use. @type {Connection | null} */
  let current = null;
  /** Loaded when a WebSocket has failed, or is known to. Who can have one needs no other way. @type {Ladder | undefined} */
  let ladder;
  /** Whether a WebSocket has failed since the last connection. */
  let failed = false;
  /** @type {string | undefined} */
  let token = options.token;
  /** The timers of this phase. Another set in every one, so that what was waited for in one is known to be of it. */
  let phase = new Set();

  /** @param {Partial<Status>} [change] */
  const tell = (change) => {
    Object.assign(status, change);
    events.emit("status", self.status());
  };

  /** Another phase begins, and with it ends whatever was waited for in the last one. */
  const begin = () => {
    phase.forEach((timer) => clearTimeout(timer));
    phase = new Set();
  };

  /**
   * Calls back unless the phase is over by then.
   *
   * @param {number} ms
   * @param {() => void} callback
   */
  const after = (ms, callback) => {
    const here = phase;
    const timer = setTimeout(() => {
      here.delete(timer);
      callback();
    }, ms);
    here.add(timer);
  };

  /** Whatever a token is needed for next, it must be a new one. */
  const expire = () => {
    if (getToken) token = undefined;
  };

  /**
   * Gets a way and a token, unless the phase is over by then.
   *
   * @param {"connect" | "refresh"} reason
   * @param {() => void} go
   * @param {(error: SpanwireError) => void} fail with `unauthorized`, or `no_token` for anything else that was thrown
   */
  const prepare = async (reason, go, fail) => {
    const here = phase;
    await here; // so that whatever comes of it comes when the caller is done
    try {
      try {
        if (!ladder && (failed || transports || options.storage().getItem(`spanwire ${url}`)))
          ladder = (await options.ladder()).ladder(url, self, failed);
      } catch {
        // There is no storage, or no ladder to be had: then a WebSocket has to do.
      }
      const found = await (token ?? getToken?.({ reason }));
      if (here !== phase) return; // by now there may be a newer one
      token = found;
      go();
    } catch (error) {
      const told = /** @type {any} */ (error);
      if (here === phase) fail(told?.code === "unauthorized" ? told : new SpanwireError("no_token", "", { cause: error }));
    }
  };

  const connect = () => {
    begin();
    after(TOKEN_MS_MAX, () => wait(new SpanwireError("no_connection")));
    prepare("connect", open, wait);
    tell({ state: "connecting", retryAt: null });
  };

  const open = () => {
    begin();
    try {
      current = options.connection(ladder?.socket() ?? new WebSocket(url), self);
    } catch (error) {
      return self.lost(new SpanwireError("no_connection", `${error}`, { cause: error }));
    }
    after(ladder?.timeout() ?? OPEN_MS, () => self.lost(new SpanwireError("no_connection")));
    if (ladder) tell(); // which of them it is now
  };

  /** @param {ConnectResult} result */
  const connected = (result) => {
    const { client, ping, pong, subs, sw_ext = [] } = result;
    begin();
    retry.worked();
    failed = false;
    ladder?.worked(result);
    current?.ping(ping, pong);
    renewBefore(result);
    outbox.ready(sw_ext.includes("idempotent_publish"));
    tell({ state: "connected", attempt: 0, client });
    channels.subscribed(subs);
  };

  /**
   * Tries again later, unless that would change nothing.
   *
   * @param {SpanwireError} error
   */
  const wait = (error) => {
    const { code, temporary, retryAfter } = error;
    const expired = /^(109|3005|3014)$/.test(/** @type {string} */ (code));
    if (expired) expire();
    if (code === 3014) channels.each((channel) => channel.forget());
    if (!temporary && !(expired && getToken)) return close(error);
    const wait_ms = retry.next(retryAfter);
    // 1009: something we sent was too large for this server, and would be again.
    disconnect(code !== 1009);
    after(wait_ms, connect);
    tell({ state: "waiting", attempt: retry.attempt, retryAt: now() + wait_ms, client: null, lastError: error });
  };

  /**
   * Ends the connection, in the making or in use, for what lives longer to go on without.
   *
   * @param {boolean} [again] see `commands`
   * @param {SpanwireError} [closed]
   */
  const disconnect = (again = true, closed) => {
    begin();
    ladder?.rest();
    current?.end();
    current = null;
    outbox.close(again, closed);
    channels.each((channel) => channel.lost());
  };

  /**
   * Ends it all.
   *
   * @param {SpanwireError | null} error null if it was wished
   */
  const close = (error) => {
    if (status.state === "closed") return;
    const lastError = error ?? new SpanwireError("closed");
    tell({ state: "closed", client: null, retryAt: null, lastError });
    disconnect(false, lastError);
    awake.abort();
    channels.each((channel) => channel.end(error));
  };

  /** @param {{ expires?: boolean, ttl?: number }} result `ttl` in seconds */
  const renewBefore = ({ expires, ttl = 0 }) => {
    // A tenth of its life early, so that a slow backend costs nothing.
    if (expires && getToken) after(Math.min(ttl * 900, TIMER_MS_MAX), renew);
  };

  /**
   * Tries again for as long as the connection lives. If it comes to nothing the server will close with 3005, and
   * connecting asks for a token again.
   */
  const renew = () => {
    expire();
    /** @param {SpanwireError} error */
    const renewLater = ({ retryAfter }) => after(renewal.next(retryAfter), renew);
    const refresh = () =>
      outbox.ask("refresh", { token }, (error, result) => {
        if (!error) {
          renewal.worked();
          renewBefore(result);
        } else if (error.temporary) renewLater(error);
        else expire();
      });
    prepare("refresh", refresh, (error) => {
      if (error.temporary) renewLater(error);
      else close(error);
    });
  };

  const outbox = commands(options, () => tell());
  const self = {
    ...options,
    ...outbox, // what is asked and answered is its business; opening and closing is ours
    events,
    after,
    expire,
    close,

    /** Another connection, at once: there is a better transport. */
    change() {
      disconnect();
      connect();
    },

    /** Not for ever: a page whose network swallows a file still has its messages. */
    records: () =>
      new Promise((/** @type {(records: Records) => void} */ resolve, reject) => {
        after(RECORDS_MS_MAX, reject);
        options.records().then(resolve, reject);
      }).catch((cause) => {
        throw new SpanwireError("not_loaded", "", { cause });
      }),

    /** @returns {Readonly<Status>} */
    status: () => ({ ...status, transport: ladder?.transport() ?? "websocket", latency: outbox.latency(), queued: outbox.waiting() }),

    /** @param {Reply} reply */
    heard(reply) {
      if (reply.push) channels.pushed(reply.push);
      else outbox.heard(reply);
    },

    /** The channels are asked for in the same frame as the connection: one round trip in all. */
    open() {
      outbox.open(/** @type {Connection} */ (current));
      const hello = { token, data, name, version: VERSION, headers: { spanwire: "1" }, subs: channels.subs() };
      outbox.ask("connect", hello, (error, result) => {
        if (error) wait(error);
        else connected(result);
      });
      channels.each((channel) => channel.join());
    },

    /**
     * The connection is over, or could not be made.
     *
     * @param {SpanwireError} error
     */
    lost(error) {
      if (status.state === "connected" || /** @type {any} */ (error.code) >= 3000) return wait(error);
      // The server has not said a word: perhaps it can be reached another way.
      disconnect();
      const another = ladder ? ladder.down(error.code) : !failed;
      failed = true;
      if (another) connect();
      else wait(error);
    },
  };
  /** @type {Subscriptions} */
  const channels = subscriptions(self);
  onWake(options, awake, (why) => {
    // A browser keeps a page that was left, to show it again at once; but none that has a connection.
    if (why === "pagehide") return wait(new SpanwireError("hidden"));
    if (why === "online") ladder?.forget();
    if (status.state === "connected") {
      // A client cannot ping in this protocol. Leaving a channel it never joined is the cheapest command with a reply.
      outbox.ask("unsubscribe", { channel: "spanwire-probe" });
      current?.probe();
    }
    if (status.state === "waiting" && why !== "offline") connect();
  });
  connect();
  return { ...self, channels };
}
