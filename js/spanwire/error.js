/**
 * What to do about an error, by code, where its message does not say enough. Each costs every page that loads us.
 * @type {Record<string | number, string>}
 */
const HINTS = {
  103: "see the namespace's allow_ options",
  109: "pass getToken",
  overflow: "raise buffer",
  unacknowledged: "it may have happened",
};

/**
 * Anything that went wrong, from either side of the connection.
 *
 * `code` is a number when the server said it (the error, unsubscribe and disconnect codes of the
 * protocol) and a word when the client did:
 *
 * | code             | meaning                                                                 |
 * |------------------|-------------------------------------------------------------------------|
 * | `unacknowledged` | sent, but the answer never came; it may or may not have happened         |
 * | `expired`        | waited too long for a connection; it was never sent                      |
 * | `queue_full`     | too much waits for a connection already; it was never sent               |
 * | `too_large`      | larger than a frame may be                                               |
 * | `overflow`       | an iterator's buffer is full                                             |
 * | `closed`         | the client was closed                                                    |
 * | `unauthorized`   | `getToken` declared that there is no token to be had                     |
 * | `no_token`       | `getToken` failed; it is asked again                                     |
 * | `no_connection`  | the connection could not be made                                         |
 * | `no_ping`        | the connection fell silent                                               |
 * | `bad_frame`      | the server sent something that is not the protocol                       |
 */
export class SpanwireError extends Error {
  /**
   * @param {number | string} code
   * @param {string} [message] what the server said; empty if the code is a word and says it
   * @param {boolean} [temporary]
   * @param {unknown} [cause]
   */
  constructor(code, message = "", temporary = false, cause) {
    const hint = HINTS[code] ?? "";
    super([message, code, hint].filter(Boolean).join(": "), { cause });
    this.name = "SpanwireError";
    /** What happened. */
    this.code = code;
    /** True if the same thing may succeed later without a change. */
    this.temporary = temporary;
    /** When the server would have us again, in milliseconds, if it said so. @type {number | undefined} */
    this.retryAfter = undefined;
    /** What to do about it; empty if the message says it all. */
    this.hint = hint;
  }
}

/**
 * Throw this from `getToken` to stop for good: the person is signed out, and no retry will help.
 *
 * @param {string} [message] shown in `status.lastError`
 */
export const unauthorized = (message = "") => new SpanwireError("unauthorized", message);
