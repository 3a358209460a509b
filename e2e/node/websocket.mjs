// WebSockets on streams of HTTP/2 (RFC 8441), by hand: Node's http2 carries the bytes, and the frames are made here.

import { randomBytes } from "node:crypto";
import http2 from "node:http2";
import { within } from "./world.mjs";

export const TEXT = 0x1;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

/** A connection of HTTP/2, without TLS unless another address is given; and what the server has said of itself. */
export async function connect(options = {}, address = process.env.SPANWIRE_URL.replace("ws://", "http://")) {
  const session = http2.connect(new URL(address).origin, options);
  // Whoever awaits something of it says what was missing.
  session.on("error", () => {});
  const settings = await within(
    "the server's settings",
    new Promise((resolve) => session.once("remoteSettings", resolve)),
  );
  return { session, settings, end: () => session.destroy() };
}

/** Asks for anything, and returns the status, the headers and the body. */
export async function request(session, headers, body) {
  const stream = session.request(headers);
  if (body !== undefined) stream.end(body);
  const head = await within(
    "a response",
    new Promise((resolve, reject) => {
      stream.once("response", resolve);
      stream.once("error", reject);
    }),
  );
  const text = [];
  stream.setEncoding("utf8");
  for await (const chunk of stream) text.push(chunk);
  return { status: head[":status"], headers: head, body: text.join("") };
}

/** The headers that open a WebSocket. */
export const opening = (extra = {}) => ({
  ":method": "CONNECT",
  ":protocol": "websocket",
  ":path": "/connection/websocket",
  "sec-websocket-version": "13",
  ...extra,
});

/** A masked frame, as every client sends them. */
export function frame(opcode, payload = Buffer.alloc(0), { fin = true, mask = true } = {}) {
  payload = Buffer.from(payload);
  const head = [(fin ? 0x80 : 0) | opcode];
  const bit = mask ? 0x80 : 0;
  if (payload.length < 126) head.push(bit | payload.length);
  else if (payload.length < 65536) head.push(bit | 126, payload.length >> 8, payload.length & 0xff);
  else head.push(bit | 127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((shift) => (payload.length >>> shift) & 0xff));
  if (!mask) return Buffer.concat([Buffer.from(head), payload]);
  const key = randomBytes(4);
  return Buffer.concat([Buffer.from(head), key, payload.map((byte, index) => byte ^ key[index & 3])]);
}

/** One WebSocket, which answers the protocol's pings by itself. */
export class Socket {
  /** Frames that nobody has asked for yet, and replies by the ids of their commands. */
  frames = [];
  pushes = [];
  #replies = new Map();
  #id = 0;
  #unread = Buffer.alloc(0);
  #changed = () => {};

  constructor(stream) {
    this.stream = stream;
    this.reset = null;
    this.isOver = false;
    stream.on("data", (chunk) => this.#read(chunk));
    stream.on("error", (error) => this.#note(() => (this.reset = error)));
    stream.on("end", () => this.#note(() => (this.isOver = true)));
    stream.on("close", () => this.#note(() => (this.isClosed = true)));
  }

  static async open(session, extra) {
    const stream = session.request(opening(extra), { endStream: false });
    const head = await within(
      "the handshake",
      new Promise((resolve, reject) => {
        stream.once("response", resolve);
        stream.once("error", reject);
      }),
    );
    if (head[":status"] !== 200) throw new Error(`the handshake was answered with ${head[":status"]}`);
    const socket = new Socket(stream);
    socket.head = head;
    return socket;
  }

  /** Opens, and begins a session. */
  static async connect(session) {
    const socket = await Socket.open(session);
    const reply = await socket.call({ connect: {} });
    if (!reply.connect?.client) throw new Error(`connect was answered ${JSON.stringify(reply)}`);
    return socket;
  }

  send(opcode, payload, options) {
    this.stream.write(frame(opcode, payload, options));
  }

  /** Sends a command and waits for its reply. */
  async call(command) {
    const id = (this.#id += 1);
    this.send(TEXT, JSON.stringify({ id, ...command }));
    await this.until(`the reply to ${JSON.stringify(command)}`, () => this.#replies.has(id));
    return this.#replies.get(id);
  }

  /** Waits for a frame of this kind, and returns its payload. */
  async next(opcode) {
    const found = () => this.frames.find((frame) => frame.opcode === opcode);
    await this.until(`a frame of kind ${opcode}`, found);
    const frame = found();
    this.frames.splice(this.frames.indexOf(frame), 1);
    return frame.payload;
  }

  /** Waits for the close frame, and returns its code and reason. */
  async closed() {
    const payload = await this.next(CLOSE);
    return { code: payload.length < 2 ? null : payload.readUInt16BE(0), reason: payload.subarray(2).toString() };
  }

  /** What was published in the channel, as far as it is here. */
  heard(channel) {
    return this.pushes.filter((push) => push.channel === channel && push.pub).map((push) => push.pub.data);
  }

  until(what, condition) {
    const satisfied = new Promise((resolve) => {
      const before = this.#changed;
      this.#changed = () => {
        before();
        if (condition()) resolve();
      };
      this.#changed();
    });
    return within(what, satisfied);
  }

  #note(change) {
    change();
    this.#changed();
  }

  #read(chunk) {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    for (let read; (read = this.#cut()); ) this.#take(read);
    this.#changed();
  }

  /** The next whole frame of what has come. */
  #cut() {
    const bytes = this.#unread;
    if (bytes.length < 2) return null;
    let [length, start] = [bytes[1] & 0x7f, 2];
    if (length === 126) [length, start] = [bytes.length < 4 ? Infinity : bytes.readUInt16BE(2), 4];
    if (length === 127) [length, start] = [bytes.length < 10 ? Infinity : bytes.readUInt32BE(6), 10];
    if (bytes.length < start + length) return null;
    this.#unread = bytes.subarray(start + length);
    return { opcode: bytes[0] & 0xf, payload: bytes.subarray(start, start + length) };
  }

  #take(frame) {
    if (frame.opcode !== TEXT) return this.frames.push(frame);
    for (const line of frame.payload.toString().split("\n")) {
      const message = JSON.parse(line);
      if (message.id) this.#replies.set(message.id, message);
      else if (message.push) this.pushes.push(message.push);
      else this.send(TEXT, "{}");
    }
  }
}
