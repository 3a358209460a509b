/** Where it says, for every code, what to do. The words would cost every page that loads us. */
const HINT = "see docs/javascript.md#errors";

/** What no retry will change: some of the client's words, and disconnects after which the server does not want us back. */
const FINAL = /^([34][5-9]..|closed|overflow|too_large|unauthorized)$/;

/**
 * Anything that went wrong, from either side of the connection.
 *
 * `code` is a number when the server said it (the error, unsubscribe and disconnect codes of the
 * protocol) and a word when the client did.
 */
export class SpanwireError extends Error {
  /**
   * @param {number | string} code
   * @param {string} [message] what the server said; empty if the code is a word and says it
   * @param {{ temporary?: boolean, cause?: unknown, retryAfter?: number }} [more] `temporary` as the code says, unless told
   */
  constructor(code, message = "", { temporary = !FINAL.test(/** @type {string} */ (code)), cause, retryAfter } = {}) {
    super(`${message && `${message}: `}${code}: ${HINT}`, { cause });
    this.name = "SpanwireError";
    /** What happened. */
    this.code = code;
    /** True if the same thing may succeed later without a change. */
    this.temporary = temporary;
    /** When the server would have us again, in milliseconds, if it said so. */
    this.retryAfter = retryAfter;
    /** Where to find what to do about it. */
    this.hint = HINT;
  }
}

/**
 * Throw this from `getToken` to stop for good: the person is signed out, and no retry will help.
 *
 * @param {string} [message] shown in `status.lastError`
 */
export const unauthorized = (message = "") => new SpanwireError("unauthorized", message);
