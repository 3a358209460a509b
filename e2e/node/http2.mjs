// Many WebSockets over one connection of HTTP/2, by a client that shares nothing with the server:
//
//   node http2.mjs

import assert from "node:assert/strict";
import { CLOSE, connect, opening, PING, PONG, request, Socket, TEXT } from "./websocket.mjs";
import { api, ask, say } from "./world.mjs";

const MANY = 100;
const numbers = (count) => Array.from({ length: count }, (_, number) => number);

/** Opens a session that listens to a channel. */
async function subscribed(session, channel) {
  const socket = await Socket.connect(session);
  const reply = await socket.call({ subscribe: { channel } });
  assert.ok(reply.subscribe, JSON.stringify(reply));
  return socket;
}

/** How many ends with this code the server has counted. */
async function disconnects(session, code) {
  const { body } = await request(session, { ":path": "/metrics" });
  return Number(body.match(new RegExp(`^spanwire_disconnects_total\\{code="${code}"\\} (\\d+)$`, "m"))?.[1] ?? 0);
}

const scenarios = {
  "the server says that CONNECT may name a protocol": async ({ settings }) => {
    assert.equal(settings.enableConnectProtocol, true);
    assert.equal(settings.maxConcurrentStreams, 256);
    assert.equal(settings.maxHeaderListSize, 16384);
  },

  "pages and the server API come over the same connection": async ({ session }) => {
    const page = await request(session, { ":path": "/spanwire.js" });
    assert.equal(page.status, 200);
    assert.equal(Number(page.headers["content-length"]), Buffer.byteLength(page.body));
    const call = { "content-type": "application/json", "x-api-key": process.env.SPANWIRE_KEY };
    const answer = await request(
      session,
      { ":method": "POST", ":path": "/api/info", ...call },
      JSON.stringify({}),
    );
    assert.equal(answer.status, 200);
    assert.ok(JSON.parse(answer.body).result.nodes);
  },

  "a subprotocol is agreed upon, and no key is": async ({ session }) => {
    const offer = { "sec-websocket-protocol": "centrifuge-protobuf, centrifuge-json" };
    const socket = await Socket.open(session, offer);
    assert.equal(socket.head["sec-websocket-protocol"], "centrifuge-protobuf");
    assert.equal(socket.head["sec-websocket-accept"], undefined);
  },

  "what opens no WebSocket is refused with the reason": async ({ session }) => {
    const refused = async (headers) => {
      const stream = await request(session, headers);
      return [stream.status, stream.body.split("\n")[0]];
    };
    const [status, sentence] = await refused({ ":path": "/connection/websocket" });
    assert.equal(status, 405);
    assert.match(sentence, /CONNECT and :protocol = websocket/);
    assert.equal((await refused(opening({ ":protocol": "connect-udp" })))[0], 501);
    assert.equal((await refused(opening({ "sec-websocket-version": "8" })))[0], 426);
    assert.equal((await refused(opening({ origin: "https://evil.test" })))[0], 403);
    assert.equal((await refused(opening({ ":authority": "a.test", host: "b.test" })))[0], 400);
  },

  "a hundred WebSockets of one connection hear each their own channel": async ({ session }) => {
    const sockets = await Promise.all(numbers(MANY).map((n) => subscribed(session, `plain:own-${n}`)));
    await Promise.all(numbers(MANY).map((n) => api("publish", { channel: `plain:own-${n}`, data: { n } })));
    await Promise.all(
      sockets.map((socket, n) => socket.until(`what is for ${n}`, () => socket.heard(`plain:own-${n}`).length > 0)),
    );
    sockets.forEach((socket, n) => {
      assert.deepEqual(socket.pushes.map((push) => push.channel), [`plain:own-${n}`]);
      assert.deepEqual(socket.heard(`plain:own-${n}`), [{ n }]);
    });
    const { body } = await request(session, { ":path": "/metrics" });
    const open = Number(body.match(/^spanwire_http2_streams (\d+)$/m)[1]);
    assert.ok(open >= MANY, `${open} streams`);
    assert.match(body, /^spanwire_http2_connections 1$/m);
    for (const socket of sockets) socket.stream.close();
  },

  "one that reads nothing is let go, and holds up nobody": async ({ session }) => {
    const before = (await disconnects(session, 3008)) + (await disconnects(session, 3009));
    const stalled = await subscribed(session, "flood");
    const reader = await subscribed(session, "flood");
    stalled.stream.pause();
    const line = "x".repeat(32 * 1024);
    for (const n of numbers(100)) {
      await api("publish", { channel: "flood", data: { n, line } });
      await reader.until(`publication ${n}`, () => reader.heard("flood").length > n);
    }
    assert.deepEqual(reader.heard("flood").map(({ n }) => n), numbers(100));
    // Its window stays shut, so that only a reset can tell it.
    await stalled.until("the end of who reads nothing", () => stalled.reset ?? stalled.isClosed);
    const now = (await disconnects(session, 3008)) + (await disconnects(session, 3009));
    assert.equal(now, before + 1);
    assert.ok((await reader.call({ subscribe: { channel: "afterwards" } })).subscribe);
    reader.stream.close();
  },

  "a ping is answered, and a message may come in pieces": async ({ session }) => {
    const socket = await Socket.connect(session);
    socket.send(PING, "still there?");
    assert.equal((await socket.next(PONG)).toString(), "still there?");
    const command = JSON.stringify({ id: 7, subscribe: { channel: "pieces" } });
    socket.send(TEXT, command.slice(0, 9), { fin: false });
    socket.send(PING, "between");
    socket.send(0, command.slice(9));
    assert.equal((await socket.next(PONG)).toString(), "between");
    await api("publish", { channel: "pieces", data: 1 });
    await socket.until("the publication", () => socket.heard("pieces").length === 1);
    socket.stream.close();
  },

  "a close frame is answered with its code, and both halves end": async ({ session }) => {
    const socket = await Socket.connect(session);
    socket.send(CLOSE, Buffer.from([0x03, 0xe8]));
    assert.equal((await socket.closed()).code, 1000);
    await socket.until("the end of the stream", () => socket.isOver);
    assert.equal(socket.reset, null);
  },

  "a close frame behind which the client ends its half is answered too": async ({ session }) => {
    const socket = await Socket.connect(session);
    socket.send(CLOSE, Buffer.from([0x0f, 0xa0]));
    socket.stream.end();
    assert.equal((await socket.closed()).code, 4000);
    await socket.until("the end of the stream", () => socket.isOver);
  },

  "a client that ends its half, or resets the stream, is gone": async ({ session }) => {
    const before = await disconnects(session, 3000);
    const [ended, reset] = [await Socket.connect(session), await Socket.connect(session)];
    ended.stream.end();
    reset.stream.close(8);
    await ended.until("the end of the stream", () => ended.isClosed);
    while ((await disconnects(session, 3000)) < before + 2);
  },

  "broken protocol earns its code": async ({ session }) => {
    const unmasked = await Socket.connect(session);
    unmasked.send(TEXT, "{}", { mask: false });
    assert.equal((await unmasked.closed()).code, 1002);
    const wordy = await Socket.connect(session);
    wordy.send(TEXT, "x".repeat(65537));
    assert.equal((await wordy.closed()).code, 1009);
    const wrong = await Socket.connect(session);
    wrong.send(TEXT, "no command");
    assert.equal((await wrong.closed()).code, 3501);
    assert.ok((await disconnects(session, 1002)) >= 1);
    assert.ok((await disconnects(session, 1009)) >= 1);
  },

  "the server can end a session, with code and reason": async ({ session }) => {
    const socket = await Socket.connect(session);
    await socket.call({ subscribe: { channel: "end" } });
    await api("disconnect", { user: "", disconnect: { code: 4321, reason: "enough" } });
    assert.deepEqual(await socket.closed(), { code: 4321, reason: "enough" });
    socket.send(CLOSE, Buffer.from([0x10, 0xe1]));
    await socket.until("the end of the stream", () => socket.isOver);
  },

  "a drain tells every WebSocket, and the connection goes away": async ({ session }) => {
    const goaway = new Promise((resolve) => session.once("goaway", (code) => resolve(code)));
    const sockets = await Promise.all(numbers(10).map(() => Socket.connect(session)));
    const told = Promise.all(sockets.map((socket) => socket.closed()));
    await ask("terminate");
    for (const { code, reason } of await told) assert.deepEqual([code, reason], [3001, "shutdown"]);
    for (const socket of sockets) socket.send(CLOSE, Buffer.from([0x0b, 0xb9]));
    assert.equal(await goaway, 0);
    await Promise.all(sockets.map((socket) => socket.until("the end", () => socket.isOver)));
  },
};

for (const [sentence, scene] of Object.entries(scenarios)) {
  const connection = await connect();
  try {
    await scene(connection);
    say({ held: sentence });
  } catch (error) {
    say({ failed: sentence, why: String(error?.stack ?? error) });
  } finally {
    connection.end();
  }
}
process.exit(0);
