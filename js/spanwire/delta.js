/** @import { Publication, Reply } from "./wire.js" */

import { connection } from "./connection.js";
import { PATCHED_BYTES_MAX } from "./limits.js";

/** What the next patch of a channel is about: the payload before it. @typedef {Uint8Array} Base */

/**
 * The last payloads of each client's channels. They outlive the connection, because who comes back and has missed nothing is
 * told what follows by a patch. @type {WeakMap<object, Map<string, Base>>}
 */
const kept = new WeakMap();

/**
 * Asks for every channel that the server tells only what is different in a publication, and puts it together again. A server
 * does that in namespaces with `allowed_delta_types`; elsewhere nothing changes.
 *
 *     import { delta } from "/spanwire/delta.js";
 *     const rt = connect({ connection: delta });
 *
 * It stands between a connection and its client, where everything has the order of the wire: patches are about what was
 * *sent* before, whether or not it has been delivered yet. What cannot be put together, for it lacks its base or comes to
 * another checksum, reaches nobody: the channel is subscribed again from its last message on, and what is told first then is
 * whole.
 *
 * @type {typeof connection}
 */
export const delta = (socket, owner) => {
  const bases = kept.get(owner) ?? new Map();
  kept.set(owner, bases);
  /** Channels that were asked for, by the id of the command. @type {Map<number, string>} */
  const asked = new Map();
  /** Channels that come by patches on this connection. @type {Set<string>} */
  const patched = new Set();

  /**
   * @param {string} channel
   * @param {Publication & { delta?: boolean }} publication
   */
  const whole = (channel, { delta, ...publication }) => {
    const told = new TextEncoder().encode(publication.data);
    const base = delta ? apply(bases.get(channel), told) : told;
    bases.set(channel, base);
    return { ...publication, data: JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(base)) };
  };

  /**
   * @param {string} channel
   * @param {Reply & Record<string, any>} reply
   */
  const subscribed = (channel, reply) => {
    const { delta, recovered, publications = [] } = reply["subscribe"] ?? {};
    if (!recovered || publications.length) bases.delete(channel);
    if (!delta) return reply;
    patched.add(channel);
    const all = publications.map((/** @type {Publication} */ publication) => whole(channel, publication));
    return { ...reply, subscribe: { ...reply["subscribe"], publications: all } };
  };

  /** @param {Reply} reply */
  const read = (reply) => {
    const { id = 0, push } = reply;
    const channel = asked.get(id) ?? push?.channel ?? "";
    try {
      if (asked.delete(id)) return subscribed(channel, reply);
      if (push?.pub && patched.has(channel)) return { push: { ...push, pub: whole(channel, push.pub) } };
      return reply;
    } catch {
      bases.delete(channel);
      patched.delete(channel);
      owner.ask("unsubscribe", { channel });
      const message = "a patch does not fit";
      return push ? { push: { channel, unsubscribe: { code: 2500, reason: message } } } : { id, error: { code: 100, message, temporary: true } };
    }
  };

  const inner = connection(socket, { ...owner, heard: (reply) => owner.heard(read(reply)) });
  return {
    ...inner,

    send(line) {
      const [start = "", id, method] = /^\{"id":(\d+),"(subscribe|unsubscribe)":\{/.exec(line) ?? [];
      if (!method) return inner.send(line);
      const { channel } = JSON.parse(line)[method];
      patched.delete(channel); // what still comes was sent to a subscription that is no more
      if (method === "unsubscribe") return inner.send(line);
      asked.set(Number(id), channel);
      inner.send(`${start}"delta":"fossil",${line.slice(start.length)}`);
    },
  };
};

/** The digits of numbers in a patch, by their value. */
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";

/**
 * A payload from its base and a patch in Fossil's format.
 *
 * @param {Base | undefined} base
 * @param {Uint8Array} patch
 * @returns {Uint8Array}
 * @throws {RangeError} if it is malformed, about another base, or says that the payload is larger than `PATCHED_BYTES_MAX`
 */
export function apply(base, patch) {
  let at = 0;
  /** @param {boolean} holds */
  const demand = (holds) => {
    if (!holds) throw new RangeError(`a patch is malformed, or about something else, at byte ${at}`);
  };
  const mark = () => String.fromCharCode(patch[at++] ?? 0);
  const number = () => {
    const start = at;
    let number = 0;
    for (let digit; (digit = DIGITS.indexOf(mark())) >= 0; ) {
      number = number * 64 + digit;
      demand(number < 2 ** 32);
    }
    demand(--at > start);
    return number;
  };

  demand(!!base);
  const length = number();
  demand(mark() === "\n" && length <= PATCHED_BYTES_MAX);
  const payload = new Uint8Array(length);
  let filled = 0;
  /**
   * @param {Uint8Array} source
   * @param {number} from
   * @param {number} count
   */
  const add = (source, from, count) => {
    demand(from + count <= source.length && filled + count <= length);
    payload.set(source.subarray(from, from + count), filled);
    filled += count;
  };

  for (;;) {
    const count = number();
    const kind = mark();
    if (kind === "@") {
      add(/** @type {Uint8Array} */ (base), number(), count);
      demand(mark() === ",");
    } else if (kind === ":") {
      add(patch, at, count);
      at += count;
    } else {
      demand(kind === ";" && filled === length && at === patch.length && checksum(payload) === count);
      return payload;
    }
  }
}

/**
 * The sum of it all, taken as words of 32 bits with the most significant byte first.
 *
 * @param {Uint8Array} payload
 */
const checksum = (payload) => payload.reduce((sum, byte, n) => (sum + (byte << (24 - 8 * (n % 4)))) >>> 0, 0);
