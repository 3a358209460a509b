/** @import { World } from "./world.js" */

import { onAbort } from "./abort.js";
import { BATCH_CHARS_MAX } from "./limits.js";

/**
 * Brings what the server says, until it throws why no more will come.
 *
 * @typedef {(socket: Emulated, first: string) => Promise<never>} Download `first` is the first frame, which begins with `connect`
 */

/**
 * A socket made of HTTP requests, in the shape of a WebSocket, so that nothing else has to know.
 *
 * What comes down is the business of a `Download`. Commands go up by posts. The first frame opens it all; later ones
 * wait for the answer to `connect`, which says where to post, and each for the post before it: two at a time could
 * overtake each other.
 */
export class Emulated {
  /** As a WebSocket's. It takes frames at once, because the first one opens it. */
  readyState = 1;
  /** @type {((event: { data: string }) => void) | null} */
  onmessage = null;
  /** @type {((event: { code: number, reason: string }) => void) | null} */
  onclose = null;
  /** Who the server says we are. @type {{ session: string, node: string } | undefined} */
  place;
  /** Aborted when this is over, so that no request outlives it. */
  over = new AbortController();
  #download;
  #opened = false;
  #posting = false;
  /** @type {string[]} */
  #frames = [];

  /**
   * @param {Download} download
   * @param {URL} url
   * @param {World} world
   */
  constructor(download, url, world) {
    this.#download = download;
    this.url = url;
    this.world = world;
  }

  /** Characters that were not posted yet. */
  get bufferedAmount() {
    return this.#frames.join("").length;
  }

  /** @param {string} text */
  send(text) {
    if (this.#opened) {
      this.#frames.push(text);
      this.#post();
    } else {
      this.#opened = true;
      this.#download(this, text).catch((error) => this.#fail(error));
    }
  }

  close() {
    this.readyState = 3;
    this.over.abort();
  }

  /** @param {string} data one or more replies, one per line */
  heard(data) {
    if (!this.place) {
      const { session, node } = JSON.parse(data.split("\n", 1)[0] ?? "").connect ?? {};
      this.place = { session, node };
    }
    this.onmessage?.({ data });
    this.#post();
  }

  /**
   * @param {URL} url
   * @param {string} body
   * @returns {Promise<Response>}
   * @throws the code and the reason to close with: 1013 if it is the server that does not answer, or not now
   */
  async request(url, body) {
    const unreachable = (/** @type {Error} */ { message }) => Promise.reject({ code: 1013, reason: message });
    const request = { method: "POST", body, signal: this.over.signal, credentials: /** @type {const} */ ("include") };
    const response = await (this.world.fetch ?? fetch)(url, request).catch(unreachable);
    const { ok, status } = response;
    if (!ok) throw { code: status === 503 || status === 429 ? 1013 : 1006, reason: `HTTP ${status}` };
    return response;
  }

  async #post() {
    if (this.#posting || !this.place?.session) return;
    this.#posting = true;
    try {
      for (let data; (data = this.#batch()); ) {
        await this.request(new URL("../emulation", this.url), JSON.stringify({ ...this.place, data }));
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#posting = false;
  }

  /** Of the frames that wait, as many as one post may carry; at least one, if there is one. */
  #batch() {
    let length = 0;
    const tooMany = this.#frames.findIndex((text, n) => (length += text.length) > BATCH_CHARS_MAX && n > 0);
    return this.#frames.splice(0, tooMany < 0 ? Infinity : tooMany).join("\n");
  }

  /** @param {any} error */
  #fail({ code = 1006, reason = "" }) {
    if (this.readyState === 3) return;
    this.close();
    this.onclose?.({ code, reason });
  }
}

/** One answer that never ends, a reply per line. @type {Download} */
async function httpStream(socket, first) {
  const { body } = await socket.request(socket.url, first);
  const reader = /** @type {any} */ (body).pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ; ) {
    const { value, done } = await reader.read();
    if (done) throw {};
    const lines = (rest + value).split("\n");
    rest = lines.pop() ?? "";
    if (lines.length) socket.heard(lines.join("\n"));
  }
}

/** Events, which some proxies let through that hold back any other answer until it ends. @type {Download} */
function serverSentEvents(socket, first) {
  return new Promise((_, reject) => {
    // The address has to be short, so it brings no more than `connect`.
    const [connect = "", ...rest] = first.split("\n");
    const url = `${socket.url}?cf_connect=${encodeURIComponent(connect)}`;
    const source = new (socket.world.EventSource ?? EventSource)(url, { withCredentials: true });
    source.onmessage = ({ data }) => socket.heard(data);
    source.onerror = () => reject({});
    onAbort(socket.over.signal, () => source.close());
    if (rest.length) socket.send(rest.join("\n"));
  });
}

/** Answers that end, one after the other: where every stream is held back. @type {Download} */
async function longPoll(socket, data) {
  for (let body = JSON.stringify({ data }); ; ) {
    const ask = async () => (await socket.request(socket.url, body)).json();
    // A poll whose answer was lost is answered alike when it is asked again; an opening would open twice.
    const { batch, replies } = await ask().catch((error) => (socket.place ? ask() : Promise.reject(error)));
    if (replies.length) socket.heard(replies.map((/** @type {unknown} */ reply) => JSON.stringify(reply)).join("\n"));
    body = JSON.stringify({ ...socket.place, ack: batch });
  }
}

/** By name, which is also where the server has them. */
export const FALLBACKS = { http_stream: httpStream, sse: serverSentEvents, poll: longPoll };
