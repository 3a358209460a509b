/** @import { Publication, Reply } from "./wire.js" */

import { connection } from "./connection.js";
import { PATCHED_BYTES_MAX } from "./limits.js";

/** What the next patch of a channel is about: the payload before it. @typedef {Uint8Array} Base */

const MISFIT = "a patch does not fit";

/**
 * The last payload of each channel of a client; null where a patch did not fit. They outlive the connection, because a server
 * may tell who comes back and has missed nothing what follows by a patch, as Centrifugo does; but not the channel.
 *
 * @type {WeakMap<object, Map<string, Base | null>>}
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
 * another checksum, reaches nobody: the channel is subscribed again from its last message on, and told without patches until
 * it is left, since what did not fit once might never fit.
 *
 * @type {typeof connection}
 */
export const delta = (socket, owner) => {
  const bases = kept.get(owner) ?? new Map();
  kept.set(owner, bases);
  /** Channels that patches were asked for, by the id of the command. @type {Map<number, string>} */
  const asked = new Map();
  /**
   * Channels that the client is in or comes back to, each with the id of its last subscribe: earlier ones are abandoned.
   *
   * @type {Map<string, number>}
   */
  const wanted = new Map();
  /** Channels that come by patches on this connection. @type {Set<string>} */
  const patched = new Set();

  /** @param {string} channel */
  const forget = (channel) => wanted.has(channel) || bases.delete(channel);

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
    const { error, subscribe = {} } = reply;
    const { delta, recovered, publications = [] } = subscribe;
    if (error?.temporary) return reply;
    if (!delta || !recovered || publications.length) bases.delete(channel);
    if (!delta) return reply;
    patched.add(channel);
    const all = publications.map((/** @type {Publication} */ publication) => whole(channel, publication));
    return { ...reply, subscribe: { ...subscribe, publications: all } };
  };

  /** @param {Reply & Record<string, any>} reply */
  const read = (reply) => {
    const { id = 0, push } = reply;
    const channel = asked.get(id) ?? push?.channel ?? "";
    try {
      // What a client wants, it has asked for by now: nobody comes back to the others.
      if (reply["connect"]) for (const channel of bases.keys()) forget(channel);
      if (asked.delete(id) && wanted.get(channel) === id) return subscribed(channel, reply);
      if (push?.pub && patched.has(channel)) return { push: { ...push, pub: whole(channel, push.pub) } };
      if (Number(push?.unsubscribe?.code) < 2500) bases.delete(channel); // for good
      return reply;
    } catch {
      owner.ask("unsubscribe", { channel });
      wanted.set(channel, id);
      bases.set(channel, null);
      if (push) return { push: { channel, unsubscribe: { code: 2500, reason: MISFIT } } };
      return { id, error: { code: 100, message: MISFIT, temporary: true } };
    }
  };

  const inner = connection(socket, { ...owner, heard: (reply) => owner.heard(read(reply)) });
  return {
    ...inner,

    send(line) {
      const [start = "", digits, method] = /^\{"id":(\d+),"(subscribe|unsubscribe)":\{/.exec(line) ?? [];
      if (!method) return inner.send(line);
      const { channel } = JSON.parse(line)[method];
      patched.delete(channel); // what still comes was sent to a subscription that is no more
      if (method === "unsubscribe") {
        wanted.delete(channel);
        queueMicrotask(() => forget(channel)); // unless it is asked for again in the same moment
        return inner.send(line);
      }
      const id = Number(digits);
      wanted.set(channel, id);
      if (bases.get(channel) === null) return inner.send(line);
      asked.set(id, channel);
      inner.send(`${start}"delta":"fossil",${line.slice(start.length)}`);
    },
  };
};

/** The digits of numbers in a patch, by their value. */
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";

/**
 * A payload from its base and a patch in Fossil's format.
 *
 * @param {Base | null | undefined} base
 * @param {Uint8Array} patch
 * @returns {Uint8Array}
 * @throws {RangeError} if it is malformed, about another base, or says that the payload is larger than `PATCHED_BYTES_MAX`
 */
export function apply(base, patch) {
  let at = 0;
  /** @param {boolean} holds */
  const demand = (holds) => {
    if (!holds) throw new RangeError(`a patch is malformed, or of another base, at byte ${at}`);
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
