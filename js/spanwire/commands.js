/** @import { Connection } from "./connection.js" */
/** @import { CallOptions, PublishOptions, PublishResult } from "./types.js" */
/** @import { Reply } from "./wire.js" */
/** @import { World } from "./world.js" */

import { SpanwireError } from "./error.js";
import { CALL_MS_MAX, FRAME_BYTES_MAX, PUBLISH_MS_MAX, QUEUE_MAX, VOLATILE_BYTES_MAX } from "./limits.js";

/** @typedef {(error: any, result?: any) => void} OnReply */

/**
 * Whether a command may be sent again when its answer was lost: reading may, writing may not, and publishing may if the
 * server knows it by its key.
 *
 * @typedef {"never" | "always" | "keyed"} Repeat
 */

/**
 * @typedef {object} Command
 * @property {number} id
 * @property {string} text as JSON: the name of the request field and its value
 * @property {OnReply | undefined} done
 * @property {Repeat} [repeat] if it outlives the connection
 * @property {boolean} [keyed] whether it was given a key
 * @property {number} sent when it was sent the last time; 0 if it was not
 */

/** @param {NonNullable<Reply["error"]>} error */
const refusal = ({ code, message, temporary, sw_retry_after: retryAfter }) =>
  new SpanwireError(code, message, { temporary: temporary || code < 100, retryAfter });

const unacknowledged = () => new SpanwireError("unacknowledged");

/**
 * What the client wants of the server, from the wish to the answer; bounded in number and in age.
 *
 * Some of it belongs to one connection and ends with it. The rest waits here while there is none, and leaves in the order
 * in which it came. A command that was sent and not answered is never sent again unless that is harmless: we would rather
 * say `unacknowledged` than do something twice.
 *
 * @param {World} world
 * @param {() => void} changed called when the number of waiting commands has changed
 */
export function commands({ now, random, setTimeout, clearTimeout }, changed) {
  /** By their id, oldest first: a map keeps the order of insertion. @type {Map<number, Command>} */
  const owed = new Map();
  /** What is open. @type {Connection | null} */
  let connection = null;
  /** Whether the server has let us in. */
  let ready = false;
  /** Whether this server knows publications by their key. */
  let keys = false;
  /** @type {SpanwireError | undefined} why nothing is accepted any more */
  let closed;
  /** @type {number | null} */
  let latency = null;
  let lastId = 0;
  // Two draws make about a hundred bits, so that no two clients of a channel ever share a key.
  const keyPrefix = `${random()}-${random()}`;

  /** How many commands wait for a connection. */
  const waiting = () => (ready ? 0 : [...owed.values()].filter(({ repeat }) => repeat).length);

  /**
   * @param {Command} command
   * @param {any} error
   * @param {any} [result]
   */
  const settle = (command, error, result) => {
    if (owed.delete(command.id)) command.done?.(error, result);
  };

  /** @param {Command} command */
  const send = (command) => {
    if (keys && command.repeat === "keyed" && !command.keyed) {
      // One key for the life of the publication: it is what makes the second sending harmless.
      command.keyed = true;
      command.text = command.text.replace("{", `{"sw_key":"${keyPrefix}-${command.id}",`);
    }
    const text = `{"id":${command.id},${command.text}}`;
    if (new TextEncoder().encode(text).length > FRAME_BYTES_MAX) return settle(command, new SpanwireError("too_large"));
    command.sent = now();
    connection?.send(text);
  };

  /**
   * @param {string} method
   * @param {string} params as JSON
   * @param {OnReply} [done]
   * @param {Repeat} [repeat]
   */
  const add = (method, params, done, repeat) => {
    /** @type {Command} */
    const command = { id: ++lastId, text: `"${method}":${params}`, done, repeat, sent: 0 };
    owed.set(lastId, command);
    if (ready || !repeat) send(command);
    return command;
  };

  /**
   * @param {string} method
   * @param {object} params
   * @param {Repeat} repeat
   * @param {CallOptions} [options]
   * @returns {Promise<any>} the result
   */
  const call = (method, params, repeat, { signal, timeout = CALL_MS_MAX } = {}) =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (closed) throw closed;
      if (waiting() >= QUEUE_MAX) throw new SpanwireError("queue_full");
      // This throws for what JSON cannot say; nothing may have been set by then that would outlive the call.
      const text = JSON.stringify(params);
      const timer = setTimeout(() => settle(command, command.sent ? unacknowledged() : new SpanwireError("expired")), timeout);
      const until = new AbortController();
      const aborted = () => settle(command, signal?.reason);
      signal?.addEventListener("abort", aborted, until);
      /** @type {OnReply} */
      const done = (error, result) => {
        clearTimeout(timer);
        until.abort();
        if (error) reject(error);
        else resolve(result);
        if (!ready) changed();
      };
      const command = add(method, text, done, repeat);
      if (!ready) changed();
    });

  return {
    call,

    /**
     * A command of this connection's life only: it is not queued and not sent again.
     *
     * @param {string} method
     * @param {object} params
     * @param {OnReply} [reply] called in the order of the wire; never, if the connection ends first
     */
    ask(method, params, reply) {
      if (connection) add(method, JSON.stringify(params), reply);
    },

    /**
     * @param {string} channel
     * @param {any} data
     * @param {PublishOptions} [options]
     * @returns {Promise<PublishResult>}
     */
    async publish(channel, data = null, { volatile, timeout = PUBLISH_MS_MAX, ...options } = {}) {
      if (volatile && (!ready || /** @type {Connection} */ (connection).socket.bufferedAmount > VOLATILE_BYTES_MAX)) return { dropped: true };
      try {
        const result = await call("publish", { channel, data }, volatile ? "never" : "keyed", { timeout, ...options });
        return { offset: result.sw_offset, epoch: result.sw_epoch };
      } catch (error) {
        if (volatile && /** @type {any} */ (error).code === "unacknowledged") return { dropped: true };
        throw error;
      }
    },

    waiting,

    /** Milliseconds between the last answered command and its reply; null without a connection. */
    latency: () => latency,

    /** Whether nothing is under way, so that nobody would miss an answer. */
    idle: () => !owed.size,

    /** @param {Reply & Record<string, any>} reply */
    heard({ id = 0, error, ...results }) {
      const command = owed.get(id);
      if (!command) return;
      latency = now() - command.sent;
      if (error) settle(command, refusal(error));
      else settle(command, null, Object.values(results)[0] ?? {});
    },

    /** @param {Connection} opened on which may be asked */
    open(opened) {
      connection = opened;
    },

    /**
     * Sends what has waited, in order.
     *
     * @param {boolean} keyed whether this server knows publications by their key
     */
    ready(keyed) {
      ready = true;
      keys = keyed;
      for (const command of [...owed.values()]) {
        // Sent with a key to a server that knew keys; this one does not, so once more could be twice.
        if (command.keyed && !keys) settle(command, unacknowledged());
        else if (command.repeat) send(command);
      }
    },

    /**
     * The connection is gone, and the answers that it owed with it.
     *
     * @param {boolean} again false if sending the same things again would end the next connection too
     * @param {SpanwireError} [error] if it is for good: nothing that waits will be sent, and nothing more is accepted
     */
    close(again, error) {
      connection = latency = null;
      closed = error;
      for (const command of [...owed.values()]) {
        const { repeat, sent, keyed } = command;
        if (!repeat) owed.delete(command.id);
        else if (sent && !(again && (keyed || repeat === "always"))) settle(command, unacknowledged());
        else if (error) settle(command, error);
      }
      ready = false;
    },
  };
}
