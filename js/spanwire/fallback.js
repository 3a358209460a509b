/** @import { World } from "./world.js" */

import { BATCH_CHARS_MAX } from "./limits.js";

/**
 * Brings what the server says, until it throws why no more will come.
 *
 * @typedef {(socket: Emulated, first: string) => Promise<never>} Download `first` is the first frame, which begins with `connect`
 */

/**
 * @typedef {object} Emulated
 * @property {number} readyState
 * @property {number} bufferedAmount
 * @property {URL} url
 * @property {World} world
 * @property {AbortSignal} over
 * @property {{ session?: string, node?: string }} place
 * @property {(text: string) => void} send
 * @property {(data: string) => void} heard
 * @property {(to: URL, body: string) => Promise<Response>} request
 * @property {() => void} close
 * @property {() => void} [onopen]
 * @property {(event: { data: string }) => void} [onmessage]
 * @property {(event: { code: number, reason: string }) => void} [onclose]
 */

/**
 * A socket made of HTTP requests, in the shape of a WebSocket, so that nothing else has to know.
 *
 * What comes down is the business of a `Download`. Commands go up by posts. The first frame opens it all; later ones
 * wait for the answer to `connect`, which says where to post, and each for the post before it: two at a time could
 * overtake each other.
 *
 * @param {Download} download
 * @param {URL} url
 * @param {World} world
 */
export function emulated(download, url, world) {
  const over = new AbortController();
  /** What each post will carry. @type {string[]} */
  const posts = [];
  let opened = false;
  let posting = false;

  const post = async () => {
    if (posting || !socket.place.session) return;
    posting = true;
    try {
      for (let data; (data = posts.shift()); ) {
        await socket.request(new URL("../emulation", url), JSON.stringify({ ...socket.place, data }));
      }
    } catch (error) {
      fail(error);
    }
    posting = false;
  };

  /** @param {any} error */
  const fail = ({ code = 1006, reason = "" }) => {
    if (over.signal.aborted) return;
    over.abort();
    socket.onclose?.({ code, reason });
  };

  /** @type {Emulated} */
  const socket = {
    /** As a WebSocket's: it is open at once, because the first frame is what opens it. */
    readyState: 1,
    /** Who the server says we are. */
    place: {},
    /** Aborted when this is over, so that no request outlives it. */
    over: over.signal,
    url,
    world,

    /** Characters that were not posted yet. */
    get bufferedAmount() {
      return posts.join("").length;
    },

    send(text) {
      if (opened) {
        const last = posts.at(-1);
        if (last && last.length + text.length < BATCH_CHARS_MAX) posts.splice(-1, 1, `${last}\n${text}`);
        else posts.push(text);
        post();
      } else {
        opened = true;
        download(socket, text).catch(fail);
      }
    },

    close: () => over.abort(),

    /** Takes replies, one per line. */
    heard(data) {
      if (!socket.place.session) {
        const { session, node } = JSON.parse(data.split("\n", 1)[0] ?? "").connect ?? {};
        socket.place = { session, node };
      }
      socket.onmessage?.({ data });
      post();
    },

    /** @throws the code and the reason to close with: 1013 if it is the server that does not answer, or not now */
    async request(to, body) {
      const request = { method: "POST", body, signal: over.signal, credentials: /** @type {const} */ ("include") };
      // Where there is no answer, the status is 0.
      const response = await (world.fetch ?? fetch)(to, request).catch(() => Response.error());
      const { ok, status } = response;
      if (!ok) throw { code: /^(0|429|503)$/.test(`${status}`) ? 1013 : 1006, reason: `HTTP ${status}` };
      return response;
    },
  };
  queueMicrotask(() => socket.onopen?.());
  return socket;
}

/**
 * One answer that never ends, a reply per line: bare, or as an event, which some proxies let through that hold back any
 * other answer until it ends.
 *
 * @type {Download}
 */
export async function stream(socket, first) {
  const { body } = await socket.request(socket.url, first);
  const reader = /** @type {any} */ (body).pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ; ) {
    const { value, done } = await reader.read();
    if (done) throw {};
    const lines = (rest + value).split("\n");
    rest = lines.pop() ?? "";
    // Whatever stands before a reply on its line is the framing of events.
    const replies = lines.join("\n").match(/{.*/g);
    if (replies) socket.heard(replies.join("\n"));
  }
}

/** Answers that end, one after the other: where every stream is held back. @type {Download} */
export async function longPoll(socket, data) {
  for (let body = JSON.stringify({ data }); ; ) {
    const ask = async () => (await socket.request(socket.url, body)).json();
    // A poll whose answer was lost is answered alike when it is asked again; an opening would open twice.
    const { batch, replies } = await ask().catch((error) => (socket.place.session ? ask() : Promise.reject(error)));
    if (replies.length) socket.heard(replies.map((/** @type {unknown} */ reply) => JSON.stringify(reply)).join("\n"));
    body = JSON.stringify({ ...socket.place, ack: batch });
  }
}
