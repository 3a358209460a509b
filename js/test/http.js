// A server's end of plain HTTP, held by a test: requests wait until they are answered, refused or lost.

import { settled } from "./stage.js";

/** One request, as the server sees it. */
class FakeRequest {
  /** @type {ReadableStreamDefaultController | undefined} */
  #stream;

  constructor(url, { body, signal }, resolve, reject) {
    Object.assign(this, { path: new URL(url).pathname, body, signal, resolve });
    /** Fails without an answer, as when there is nobody at the other end. */
    this.lose = async () => {
      reject(new TypeError("fetch failed"));
      this.#stream?.error(new TypeError("connection reset"));
      await settled();
    };
    signal.addEventListener("abort", () => reject(signal.reason));
  }

  /** The commands that it brings, in whatever wrapping. */
  get commands() {
    const text = this.body.startsWith('{"data"') || this.body.startsWith('{"session"') ? (JSON.parse(this.body).data ?? "") : this.body;
    return text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  }

  async answer(status, body = "") {
    this.resolve(new Response(status === 204 ? null : body, { status }));
    await settled();
  }

  /** Says a piece of an answer that has no end, split as the network pleases. */
  async say(piece) {
    if (!this.#stream) {
      const body = new ReadableStream({ start: (controller) => void (this.#stream = controller) });
      this.resolve(new Response(body));
    }
    this.#stream.enqueue(typeof piece === "string" ? new TextEncoder().encode(piece) : piece);
    await settled();
  }

  async end() {
    this.#stream.close();
    await settled();
  }
}

/** What `connect` needs to speak plain HTTP with a test. */
export class FakeHttp {
  /** @type {FakeRequest[]} */
  requests = [];

  get options() {
    const { requests } = this;
    return {
      fetch: (url, request) =>
        new Promise((resolve, reject) => requests.push(new FakeRequest(url, request, resolve, reject))),
    };
  }

  /** The last request to this path, which must be there. */
  last(path) {
    const found = this.requests.findLast((request) => request.path === path);
    if (!found) throw new Error(`nobody asked for ${path}, but for ${this.requests.map((request) => request.path)}`);
    return found;
  }

  /** The paths that were asked for, in order. */
  get paths() {
    return this.requests.map(({ path }) => path);
  }
}

/** What a browser remembers, or a test does. */
export class FakeStorage extends Map {
  getItem = (key) => this.get(key) ?? null;
  setItem = (key, value) => void this.set(key, value);
  removeItem = (key) => void this.delete(key);
}

/** The answer to a connect command over plain HTTP. */
export const welcome = (id = 1) => ({ id, connect: { client: "c", session: "s", node: "n" } });
