/** @import { Connection } from "./connection.js" */
/** @import { CallOptions, PublishOptions, PublishResult } from "./types.js" */
/** @import { World } from "./world.js" */

import { onAbort } from "./abort.js";
import { SpanwireError } from "./error.js";
import { CALL_MS_MAX, PUBLISH_MS_MAX, QUEUE_MAX, VOLATILE_BYTES_MAX } from "./limits.js";

/**
 * @typedef {object} Command
 * @property {string} method
 * @property {string} params as JSON
 * @property {"never" | "always" | "keyed"} repeat whether it may be sent again when its answer was
 *   lost: reading may, writing may not, and publishing may if the server knows it by its key
 * @property {number} ms how long it may wait for its answer
 * @property {AbortSignal} [signal]
 */

/** @typedef {Command & { sent: boolean, sealed?: string, settle: (error: unknown, result?: any) => void }} Entry */

/**
 * What the client wants of the server, from the wish to the answer; bounded in number and in age.
 *
 * Commands wait here while there is no connection and leave in the order in which they came. A command
 * that was sent and not answered is never sent again unless that is harmless: the outbox would rather
 * say `unacknowledged` than do something twice.
 */
export class Outbox {
  /** Oldest first: a set keeps the order of insertion. @type {Set<Entry>} */
  #entries = new Set();
  /** @type {{ connection: Connection, keys: boolean } | null} */
  #link = null;
  /** @type {unknown} why nothing is accepted any more */
  #closed;
  #world;
  #changed;
  #keyPrefix;
  #keys = 0;

  /**
   * @param {World} world
   * @param {() => void} changed called when the number of waiting commands has changed
   */
  constructor(world, changed) {
    this.#world = world;
    this.#changed = changed;
    // Two draws make about a hundred bits, so that no two clients of a channel ever share a key.
    this.#keyPrefix = `${world.random()}-${world.random()}`;
  }

  /** Commands that wait for a connection. */
  get waiting() {
    return this.#link ? 0 : this.#entries.size;
  }

  /**
   * @param {string} method
   * @param {object} params
   * @param {Command["repeat"]} repeat
   * @param {CallOptions} [options]
   * @returns {Promise<any>} the result
   */
  async call(method, params, repeat, { signal, timeout = CALL_MS_MAX } = {}) {
    return this.#add({ method, params: JSON.stringify(params), repeat, ms: timeout, signal });
  }

  /**
   * @param {string} channel
   * @param {any} data
   * @param {PublishOptions} [options]
   * @returns {Promise<PublishResult>}
   */
  async publish(channel, data = null, { volatile, timeout = PUBLISH_MS_MAX, ...options } = {}) {
    if (volatile && !(Number(this.#link?.connection.buffered) <= VOLATILE_BYTES_MAX)) return { dropped: true };
    try {
      const result = await this.call("publish", { channel, data }, volatile ? "never" : "keyed", { timeout, ...options });
      return { offset: result.sw_offset, epoch: result.sw_epoch };
    } catch (error) {
      if (volatile && /** @type {any} */ (error).code === "unacknowledged") return { dropped: true };
      throw error;
    }
  }

  /**
   * @param {Command} command
   * @returns {Promise<any>} the result
   */
  #add(command) {
    const { signal, ms } = command;
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (this.#closed) throw this.#closed;
      if (this.waiting >= QUEUE_MAX) throw new SpanwireError("queue_full", "", true);
      /** @type {Entry} */
      const entry = {
        ...command,
        sent: false,
        settle: (error, result) => {
          this.#entries.delete(entry);
          this.#world.clearTimeout(timer);
          offAbort();
          if (error) reject(error);
          else resolve(result);
          if (!this.#link) this.#changed();
        },
      };
      const timer = this.#world.setTimeout(() => entry.settle(tooLate(entry)), ms);
      const offAbort = onAbort(signal, entry.settle);
      this.#entries.add(entry);
      if (this.#link) this.#send(entry);
      else this.#changed();
    });
  }

  /**
   * Sends what has waited, in order.
   *
   * @param {Connection} connection
   * @param {boolean} keys whether this server knows publications by their key
   */
  open(connection, keys) {
    this.#link = { connection, keys };
    for (const entry of [...this.#entries]) {
      // Sent with a key to a server that knew keys; this one does not, so once more could be twice.
      if (entry.sent && entry.repeat === "keyed" && !keys) entry.settle(unacknowledged());
      else this.#send(entry);
    }
  }

  /**
   * The connection is gone, and the answers that it owed with it.
   *
   * @param {boolean} again false if sending the same things again would end the next connection too
   */
  cut(again) {
    if (!this.#link) return;
    const { keys } = this.#link;
    this.#link = null;
    for (const entry of [...this.#entries]) {
      const repeatable = entry.repeat === "always" || (entry.repeat === "keyed" && keys);
      if (!again || !repeatable) entry.settle(unacknowledged());
    }
    if (this.#entries.size) this.#changed();
  }

  /**
   * For good: nothing that waits will be sent, and nothing more is accepted.
   *
   * @param {unknown} error
   */
  close(error) {
    this.#closed = error;
    this.#link = null;
    for (const entry of [...this.#entries]) entry.settle(entry.sent ? unacknowledged() : error);
  }

  /** @param {Entry} entry */
  #send(entry) {
    const { connection, keys } = /** @type {{ connection: Connection, keys: boolean }} */ (this.#link);
    if (keys && entry.repeat === "keyed") {
      // One key for the life of the publication: it is what makes the second sending harmless.
      entry.sealed ??= `{"sw_key":"${this.#keyPrefix}-${++this.#keys}",${entry.params.slice(1)}`;
    }
    entry.sent = true;
    connection.request(entry.method, entry.sealed ?? entry.params, entry.settle);
  }
}

/** @param {Entry} entry */
const tooLate = ({ sent }) => (sent ? unacknowledged() : new SpanwireError("expired", "", true));

const unacknowledged = () => new SpanwireError("unacknowledged", "", true);
