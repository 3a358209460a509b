// The protocol, as far as this client speaks it: types only. Names are those of the wire.

/**
 * @typedef {object} ClientInfo who published, joined or left
 * @property {string} user empty for an anonymous client
 * @property {string} client the id of one connection
 * @property {any} [conn_info] what the server knows about the connection; in the dev profile, the `data` of connect
 * @property {any} [chan_info] what the server knows about the subscription
 */

/**
 * @typedef {object} Publication
 * @property {any} data
 * @property {ClientInfo} [info] present if a client published it
 * @property {number} [offset]
 * @property {string} [epoch]
 * @property {number} [time] Unix milliseconds
 * @property {Record<string, string>} [tags]
 */

/**
 * @typedef {object} Position a place in the stream of a channel
 * @property {number} offset of the last publication before this place; the first one is 1
 * @property {string} epoch names the stream that offsets belong to; a new stream has a new one
 */

/**
 * @typedef {object} SubscribeResult
 * @property {boolean} [recoverable]
 * @property {boolean} [positioned]
 * @property {boolean} [recovered]
 * @property {boolean} [was_recovering]
 * @property {string} [epoch]
 * @property {number} [offset]
 * @property {Publication[]} [publications]
 * @property {any} [data]
 */

/**
 * @typedef {object} ConnectResult
 * @property {string} client
 * @property {string} [session] for the posts of fallbacks: who we are, and
 * @property {string} [node] where
 * @property {number} [ping] seconds between the server's pings
 * @property {boolean} [pong] whether they must be answered
 * @property {boolean} [expires]
 * @property {number} [ttl] seconds
 * @property {any} [data]
 * @property {Record<string, SubscribeResult>} [subs] server-side subscriptions
 * @property {string[]} [sw_ext] extensions that this connection may use
 */

/**
 * @typedef {object} Push
 * @property {string} [channel]
 * @property {Publication} [pub]
 * @property {{ info: ClientInfo }} [join]
 * @property {{ info: ClientInfo }} [leave]
 * @property {{ code: number, reason?: string }} [unsubscribe]
 * @property {SubscribeResult} [subscribe]
 * @property {{ data: any }} [message]
 * @property {{ code: number, reason?: string }} [disconnect]
 */

/**
 * @typedef {object} Reply
 * @property {number} [id]
 * @property {{ code: number, message: string, temporary?: boolean, sw_retry_after?: number }} [error]
 * @property {Push} [push]
 */

export {};
