// What a page tells the client and hears from it: types only.

/** @import { SpanwireError } from "./error.js" */
/** @import { Transport } from "./ladder.js" */
/** @import { ClientInfo, Position } from "./wire.js" */

/**
 * @typedef {object} Status
 * @property {"connecting" | "connected" | "waiting" | "closed"} state `waiting` is the time between two tries
 * @property {Transport} transport the one in use or being tried
 * @property {number | null} latency milliseconds that the last answer took; null without a connection
 * @property {number} attempt how many tries have failed in a row; 0 when connected
 * @property {number | null} retryAt when the next try comes, in Unix milliseconds; null unless `waiting`
 * @property {number} queued how many commands wait for a connection
 * @property {string | null} client the id of this connection; null unless `connected`
 * @property {SpanwireError | null} lastError why the last connection ended
 */

/**
 * @typedef {object} ClientEvents
 * @property {Status} status
 * @property {Message} message from a channel to which the server subscribed this client, or, with an
 *   empty channel name, to this client alone
 * @property {{ channel: string, from: Position, to: Position }} gap messages of such a channel may be lost: those
 *   after `from` and up to `to`
 * @property {{ channel: string, recovered: boolean, data: any }} subscribed such a channel is there, and all that was owed has come
 * @property {{ channel: string, code: number, reason: string }} unsubscribed the server took such a channel away
 * @property {{ sent: boolean, text: string }} frame everything on the wire, for tools
 */

/**
 * @typedef {object} SessionOptions
 * @property {(why: { reason: "connect" | "refresh" }) => string | Promise<string>} [getToken] asked
 *   when there is no token or it has expired. It may be called again at any time; throw
 *   `unauthorized()` to stop for good. Anything else it throws is tried again, with backoff.
 * @property {string} [token] if it never needs another one
 * @property {any} [data] told to the server at every connect; in the dev profile it becomes `conn_info`
 * @property {string} [name] what this application calls itself, at most 16 characters
 * @property {readonly Transport[]} [transports] which to try, best first; all of them, unless told
 * @property {AbortSignal} [signal] closes the client
 */

/**
 * @typedef {object} ChannelOptions
 * @property {number} [history] how many of the latest messages to deliver before live ones; none unless told
 * @property {Position} [since] go on from this place, the last one that you have seen: what came after it is delivered, or told as
 *   a `gap`. For a page that keeps what it heard beyond its own life
 * @property {boolean} [presence] whether to keep the list of who is here; false unless told
 */

/**
 * A publication, as listeners get it.
 *
 * @template [Data=any]
 * @typedef {object} Message
 * @property {string} channel
 * @property {Data} data
 * @property {ClientInfo} [info] who published it, if a client did
 * @property {number} [offset] its place in the stream of the channel, if the channel has one
 * @property {Record<string, string>} [tags]
 * @property {number} [time] Unix milliseconds
 * @property {boolean} recovered true if it comes from history, and not as it happened
 */

/**
 * @template [Data=any]
 * @typedef {object} ChannelEvents
 * @property {Message<Data>} message
 * @property {Map<string, ClientInfo>} presence everybody who is here now, by the id of their connection
 * @property {ClientInfo} join
 * @property {ClientInfo} leave
 * @property {{ channel: string, recovered: boolean, data: any }} subscribed everything that was owed has been delivered; what follows is live.
 *   `recovered` is true if this closed an interruption without a loss
 * @property {{ channel: string, from: Position, to: Position }} gap messages after `from` and up to `to` may be lost. The
 *   channel goes on (with what its history still has, if `history` was asked for)
 * @property {{ channel: string, code: number, reason: string }} unsubscribed the server ended the subscription
 * @property {SpanwireError} error the channel, its history or its presence was refused. A `temporary` refusal of the channel is
 *   tried again; any other is the end of it
 */

/**
 * @typedef {object} CallOptions
 * @property {AbortSignal} [signal] gives up waiting; what was sent stays sent
 * @property {number} [timeout] milliseconds to wait for the answer, the time offline included; 10,000 unless told
 */

/**
 * @typedef {CallOptions & { volatile?: boolean }} PublishOptions
 *   With `volatile`, what cannot go out right now is dropped instead of queued: for cursors, typing
 *   and games, where the next one is better. The `timeout` of a publication is 60,000 unless told.
 */

/**
 * @typedef {object} PublishResult
 * @property {number} [offset] the offset it was given, if the server tells
 * @property {string} [epoch] the stream that the offset belongs to
 * @property {boolean} [dropped] true if it was volatile and is lost
 */

export {};
