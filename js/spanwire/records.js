// What a server keeps of a channel besides its stream of messages: who is here, and what was said before. The first channel
// that asks for either loads this; a page of live messages never does.

/** @import { HistoryOptions, HistoryPage } from "./channel.js" */
/** @import { Session } from "./session.js" */
/** @import { Stay, Subscription } from "./subscription.js" */
/** @import { CallOptions } from "./types.js" */
/** @import { ClientInfo, Publication, Push } from "./wire.js" */

/** @typedef {typeof import("./records.js")} Records */

/**
 * A page of what was published before. See `Channel`.
 *
 * @param {Session["call"]} call
 * @param {string} channel
 * @param {HistoryOptions} [options]
 * @returns {Promise<HistoryPage>}
 */
export async function history(call, channel, { limit = 50, before, since, ...options } = {}) {
  const reverse = since === undefined;
  const offset = Number(before ?? since);
  const wish = { channel, limit, reverse, since: offset >= 0 ? { offset } : undefined };
  const { publications = [], ...top } = await call("history", wish, "always", options);
  if (reverse) publications.reverse();
  const message = (/** @type {Publication} */ publication) => ({ channel, ...publication, recovered: true });
  return { messages: publications.map(message), ...top };
}

/**
 * Who is here, asked of the server now. See `Channel`.
 *
 * @param {Session["call"]} call
 * @param {string} channel
 * @param {CallOptions} [options]
 */
export const presence = async (call, channel, options) => membersOf(await call("presence", { channel }, "always", options));

/**
 * Brings the history before the live publications of a channel that was just subscribed. Messages go out oldest first, so
 * the live ones are held until it is here.
 *
 * @param {Subscription} subscription
 * @param {Stay} stay
 * @param {number} limit
 * @param {number} end where the live ones begin
 * @param {(live: Publication[]) => void} settled called when everything before has been delivered, with what follows
 */
export function catchUp({ ask, complain, deliver }, { held = [] }, limit, end, settled) {
  ask("history", { limit, reverse: true }, (error, page) => {
    if (error) complain(error);
    // A busy channel may have said more since we subscribed than the page of history holds, so the two are merged.
    const all = [...(page?.publications ?? []), ...held].sort(({ offset: a = 0 }, { offset: b = 0 }) => a - b);
    const before = all.filter(({ offset = 0 }) => offset <= end);
    for (const publication of before) deliver(publication, true);
    settled(all.slice(before.length));
  });
}

/**
 * Asks who is in a channel that was just subscribed, and keeps the list.
 *
 * @param {Subscription} subscription
 * @param {Stay} stay
 */
export function attend(subscription, stay) {
  /** @type {Push[]} */
  const moves = [];
  stay.moved = (push) => moves.push(push);
  subscription.ask("presence", {}, (error, result) => {
    /** @param {Push[]} moves */
    const move = (...moves) => {
      // Whoever was told keeps what they were told.
      const members = (subscription.members = new Map(subscription.members));
      for (const { join, leave } of moves) {
        if (join) members.set(join.info.client, join.info);
        if (leave) members.delete(leave.info.client);
      }
      subscription.events.emit("presence", members);
    };
    stay.moved = move;
    if (error) return subscription.complain(error);
    subscription.members = membersOf(result);
    // The list may be older or younger than these. Applied once more, they are right either way.
    move(...moves);
  });
}

/**
 * @param {{ presence?: Record<string, ClientInfo> }} result
 * @returns {Map<string, ClientInfo>} by the id of their connection
 */
const membersOf = ({ presence = {} }) => new Map(Object.entries(presence));
