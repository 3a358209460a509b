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
 * the live ones wait until it is here.
 *
 * @param {Subscription} subscription
 * @param {Stay} stay
 * @param {number} limit
 * @param {number} end where the live ones begin
 * @param {() => void} settled called when everything before has been delivered
 */
export function catchUp({ ask, complain, deliver }, stay, limit, end, settled) {
  /** @type {Publication[]} */
  const live = (stay.held = []);
  ask("history", { limit, reverse: true }, (error, page) => {
    stay.held = undefined;
    if (error) complain(error);
    // A busy channel may have said more since we subscribed than the page of history holds, so the two are merged.
    const all = [...(page?.publications ?? []), ...live].sort(({ offset: a = 0 }, { offset: b = 0 }) => a - b);
    const before = all.filter(({ offset = 0 }) => offset <= end);
    for (const publication of before) deliver(publication, true);
    settled();
    for (const publication of all.slice(before.length)) deliver(publication, false);
  });
}

/**
 * Asks who is in a channel that was just subscribed.
 *
 * @param {Subscription} subscription
 * @param {Stay} stay
 */
export function attend(subscription, stay) {
  /** @type {Push[]} */
  const moves = (stay.moves = []);
  subscription.ask("presence", {}, (error, result) => {
    stay.moves = undefined;
    if (error) return subscription.complain(error);
    const members = (subscription.members = membersOf(result));
    // The list may be older or younger than these. Applied once more, they are right either way.
    for (const push of moves) apply(members, push);
    subscription.events.emit("presence", members);
  });
}

/**
 * Somebody came or went.
 *
 * @param {Subscription} subscription
 * @param {Stay} stay
 * @param {Push} push
 */
export function moved(subscription, { moves }, push) {
  if (moves) return void moves.push(push);
  const members = (subscription.members = new Map(subscription.members)); // whoever was told keeps what they were told
  apply(members, push);
  subscription.events.emit("presence", members);
}

/**
 * @param {{ presence?: Record<string, ClientInfo> }} result
 * @returns {Map<string, ClientInfo>} by the id of their connection
 */
const membersOf = ({ presence = {} }) => new Map(Object.entries(presence));

/**
 * @param {Map<string, ClientInfo>} members
 * @param {Push} push
 */
function apply(members, { join, leave }) {
  if (join) members.set(join.info.client, join.info);
  if (leave) members.delete(leave.info.client);
}
