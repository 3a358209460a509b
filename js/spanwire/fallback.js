/** @import { World } from "./world.js" */

import { BATCH_CHARS_MAX } from "./limits.js";

/** Who the server says we are, once it has answered `connect`. @typedef {{ session?: string, node?: string }} Place */

/**
 * @typedef {object} Emulated
 * @property {number} readyState
 * @property {number} bufferedAmount
 * @property {(text: string) => void} send
 * @property {() => void} close
 * @property {() => void} [onopen]
 * @property {(event: { data: string }) => void} [onmessage]
 * @property {(event: { code: number, reason: string }) => void} [onclose]
 */

/**
 * A socket made of HTTP requests, in the shape of a WebSocket, so that nothing else has to know.
 *
 * What the server says comes as one answer that never ends, or as answers to one poll after the other. Commands go up by
 * posts. The first frame opens it all; later ones wait for the answer to `connect`, which says where to post, and each for
 * the post before it: two at a time could overtake each other.
 *
 * @param {URL} url
 * @param {World} world
 * @param {boolean} polls
 * @param {Place} place
 */
export function emulated(url, world, polls, place) {
  const over = new AbortController();
  /** What was not posted yet. @type {string[]} */
  const posts = [];
  let opened = false;
  let posting = false;

  /** @param {any} error */
  const fail = ({ code = 1006, reason = "" }) => {
    if (over.signal.aborted) return;
    over.abort();
    socket.onclose?.({ code, reason });
  };

  /**
   * @param {URL} to
   * @param {string} body
   * @throws the code and the reason to close with: 1013 if it is the server that does not answer, or not now
   */
  const request = async (to, body) => {
    const request = { method: "POST", body, signal: over.signal, credentials: /** @type {const} */ ("include") };
    // Where there is no answer, the status is 0.
    const response = await (world.fetch ?? fetch)(to, request).catch(() => Response.error());
    const reason = `HTTP ${response.status}`;
    if (!response.ok) throw { code: / (0|429|503)$/.test(reason) ? 1013 : 1006, reason };
    return response;
  };

  const post = () => {
    if (posting || !posts.length || !place.session) return;
    posting = true;
    let data = posts.shift();
    while (posts.length && `${data}${posts[0]}`.length < BATCH_CHARS_MAX) data += `\n${posts.shift()}`;
    request(new URL("../emulation", url), JSON.stringify({ ...place, data })).then(() => {
      posting = false;
      post();
    }, fail);
  };

  /** @param {string} data replies, one per line */
  const heard = (data) => {
    socket.onmessage?.({ data });
    post();
  };

  /**
   * One answer that never ends, a reply per line: bare, or as an event, which some proxies let through that hold back any
   * other answer until it ends.
   *
   * @param {string} first
   */
  const stream = async (first) => {
    const { body } = await request(url, first);
    const reader = /** @type {any} */ (body).pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = ""; ; ) {
      const { value, done } = await reader.read();
      if (done) throw {};
      const lines = (rest + value).split("\n");
      rest = lines.pop() ?? "";
      // Whatever stands before a reply on its line is the framing of events. A dot would end a reply where JSON does not.
      const replies = lines.join("\n").match(/{[^\n]*/g);
      if (replies) heard(replies.join("\n"));
    }
  };

  /**
   * Answers that end, one after the other: where every stream is held back.
   *
   * @param {string} data
   */
  const poll = async (data) => {
    for (let body = JSON.stringify({ data }); ; ) {
      const ask = async () => (await request(url, body)).json();
      // A poll whose answer was lost is answered alike when it is asked again; an opening would open twice.
      const { batch, replies } = await ask().catch((error) => (place.session ? ask() : Promise.reject(error)));
      if (replies.length) heard(replies.map((/** @type {unknown} */ reply) => JSON.stringify(reply)).join("\n"));
      body = JSON.stringify({ ...place, ack: batch });
    }
  };

  /** @type {Emulated} */
  const socket = {
    /** As a WebSocket's: it is open at once, because the first frame is what opens it. */
    readyState: 1,

    /** Characters that were not posted yet. */
    get bufferedAmount() {
      return posts.join("").length;
    },

    send(text) {
      if (opened) {
        posts.push(text);
        post();
      } else {
        opened = true;
        (polls ? poll : stream)(text).catch(fail);
      }
    },

    close: () => over.abort(),
  };
  queueMicrotask(() => socket.onopen?.());
  return socket;
}
