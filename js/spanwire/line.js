/** @import { ClientInfo } from "./wire.js" */

/**
 * A WebSocket without a network: what a client takes for its socket, and whoever accepts it for a client.
 */
export class Line {
  readyState = 0;
  bufferedAmount = 0;
  /** @type {(() => void) | null} */
  onopen = null;
  /** @type {((event: { data: string }) => void) | null} */
  onmessage = null;
  /** @type {((event: { code: number, reason: string }) => void) | null} */
  onclose = null;
  /** @type {(() => void) | null} */
  onerror = null;

  /** Of the other end: who the client is. @type {ClientInfo} */
  info = { user: "", client: "" };
  /** Of the other end: hears each command. @type {(command: Record<string, any>) => void} */
  heard = () => {};
  /** Of the other end: hears that the client has closed. */
  left = () => {};
  /** What is to be said, by the task. @type {string[]} */
  #replies = [];

  /** @param {(line: Line) => void} accept called when the client has had time to listen */
  constructor(accept) {
    queueMicrotask(() => this.readyState === 0 && accept(this));
  }

  /** @param {string} text */
  send(text) {
    // As from a network: not within the call that sends.
    for (const line of text.split("\n")) queueMicrotask(() => this.readyState === 1 && this.heard(JSON.parse(line)));
  }

  close() {
    if (this.readyState === 1) this.left();
    this.readyState = 3;
  }

  /** From the other end: it is open. */
  opened() {
    this.readyState = 1;
    this.onopen?.();
  }

  /**
   * From the other end: a reply. Those of one moment share a frame, as a server's do.
   *
   * @param {object} reply
   */
  tell(reply) {
    if (this.#replies.push(JSON.stringify(reply)) > 1) return;
    queueMicrotask(() => {
      const data = this.#replies.splice(0).join("\n");
      if (this.readyState === 1) this.onmessage?.({ data });
    });
  }

  /**
   * From the other end: it is over.
   *
   * @param {number} code
   * @param {string} reason
   */
  end(code, reason) {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }
}
