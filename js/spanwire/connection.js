/** @import { Events } from "./events.js" */
/** @import { ClientEvents } from "./types.js" */
/** @import { Reply } from "./wire.js" */
/** @import { World } from "./world.js" */

import { SpanwireError } from "./error.js";
import { BATCH_CHARS_MAX, PING_MARGIN_MS, PROBE_MS } from "./limits.js";

/**
 * @typedef {object} Owner what a connection tells, always in the order of the wire
 * @property {World["now"]} now
 * @property {(ms: number, callback: () => void) => void} after calls back, unless the connection is over by then
 * @property {Pick<Events<ClientEvents>, "emit">} events hears of every frame
 * @property {(method: string, params: object) => void} ask
 * @property {() => void} open
 * @property {(reply: Reply) => void} heard an answer, or a push
 * @property {(error: SpanwireError) => void} lost once, unless the owner ended it; replies still owed will not come
 */

/** @typedef {ReturnType<typeof connection>} Connection */

/**
 * One socket, from opening to end: frames and signs of life. Knows nothing of commands and channels.
 *
 * Replies and pushes may share a frame, and what a push means depends on the replies before it. So
 * everything here is told by plain calls, in order, while the frame is read. Promises begin further out:
 * a reply that waited for its microtask would let the pushes behind it overtake.
 *
 * @param {WebSocket} socket or what can pass for one
 * @param {Owner} owner
 */
export function connection(socket, { now, after, events, open, heard, lost }) {
  /** What is to be sent at the end of this moment, a command per line. */
  let frame = "";
  /** When there was a sign of life. */
  let heard_ms = 0;
  /** @type {boolean | undefined} */
  let pongs;

  /** @param {string} line */
  const send = (line) => {
    if (frame.length + line.length > BATCH_CHARS_MAX) flush();
    if (!frame) queueMicrotask(flush);
    frame += frame && "\n";
    frame += line;
  };

  const flush = () => {
    const text = frame;
    frame = "";
    if (!text || socket.readyState !== 1) return;
    socket.send(text);
    events.emit("frame", { sent: true, text });
  };

  /** Ends the connection from this side, after what was still to be sent. The owner is not told. */
  const end = () => {
    flush();
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(); // not awaited: on a dead network the other side's answer takes minutes, or never comes
  };

  /** @param {{ code: number | string, reason?: string }} why */
  const fail = ({ code, reason }) => {
    end();
    // A server that ends has its clients come back at different moments. A close frame has no other place to say when.
    const retryAfter = Number(/retry in (\d+) ms/.exec(/** @type {string} */ (reason))?.[1]) || undefined;
    lost(new SpanwireError(code, reason, { retryAfter }));
  };

  /** @param {string} line */
  const read = (line) => {
    /** @type {Reply} */
    let reply;
    try {
      reply = Object(JSON.parse(line));
    } catch {
      return fail({ code: "bad_frame" });
    }
    const { id, push } = reply;
    if (push?.disconnect) fail(push.disconnect); // where there is no close frame
    else if (id || push) heard(reply);
    else if (pongs) send("{}");
  };

  /**
   * Checks once per silence, not once per message: a busy connection moves no timer.
   *
   * @param {number} silence_ms
   * @param {number} [wait_ms]
   */
  const watch = (silence_ms, wait_ms = silence_ms) =>
    after(wait_ms, () => {
      const left = heard_ms + silence_ms - now();
      if (left > 0) watch(silence_ms, left);
      else fail({ code: "no_ping" });
    });

  socket.onopen = open;
  socket.onmessage = ({ data }) => {
    heard_ms = now();
    events.emit("frame", { sent: false, text: data });
    // One line may lead to what ends the connection, and then the rest is nobody's.
    for (const line of data.split("\n")) if (line && socket.onmessage) read(line);
  };
  socket.onclose = fail;
  // The close that follows says what there is to say; but Node's sockets throw if nobody listens.
  socket.onerror = () => {};

  return {
    send,
    end,

    /** Its `bufferedAmount` says how many bytes it has not sent yet. */
    socket,

    /**
     * From now on silence means death.
     *
     * @param {number} [ping_s] how often the server pings; 0 if it does not
     * @param {boolean} [pong] whether it wants an answer. One that it did not ask for is an offence.
     */
    ping(ping_s, pong) {
      pongs = pong;
      if (ping_s) watch(ping_s * 1000 + PING_MARGIN_MS);
    },

    /** Ends the connection if there is no sign of life soon. */
    probe() {
      const asked = now();
      after(PROBE_MS, () => {
        if (heard_ms < asked) fail({ code: "no_ping" });
      });
    },
  };
}
