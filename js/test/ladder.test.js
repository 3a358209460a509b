import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeHttp, FakeStorage, welcome } from "./http.js";
import { Stage, outcome, settled } from "./stage.js";

const ALL = ["websocket", "http_stream", "sse", "poll"];

/** A client that may take any way, and both ends of each. */
async function climber({ random = () => 0.5, ...options } = {}) {
  const http = new FakeHttp();
  const stage = new Stage({ transports: ALL, random, ...http.options, ...options });
  await settled();
  return { http, stage, rt: stage.client };
}

/** Answers the connect command of a long poll. */
async function letIn(http) {
  const poll = http.last("/connection/poll");
  await poll.answer(200, JSON.stringify({ batch: 1, replies: [welcome(poll.commands[0].id)] }));
}

/** Brings a climber down to long polls, each way refused at once. */
async function down({ http, stage }) {
  await stage.socket.drop();
  await http.last("/connection/http_stream").answer(403);
  await http.last("/connection/sse").answer(403);
  await letIn(http);
}

test("each way that is refused leads to the next one at once", async () => {
  const { http, stage, rt } = await climber();
  const tried = [rt.status.transport];
  await stage.socket.drop();
  tried.push(rt.status.transport);
  await http.last("/connection/http_stream").answer(403);
  tried.push(rt.status.transport);
  await http.last("/connection/sse").answer(403);
  tried.push(rt.status.transport);
  await letIn(http);
  assert.deepEqual(tried, ALL);
  const { state, transport, attempt } = rt.status;
  assert.deepEqual({ state, transport, attempt }, { state: "connected", transport: "poll", attempt: 0 });
  assert.ok(!stage.statuses.some((status) => status.state === "waiting"), "nothing was waited for");
});

test("a way that hangs is given up, and the whole way down takes less than three seconds more", async () => {
  const { http, stage, rt } = await climber();
  await stage.clock.advance(3_999);
  assert.deepEqual(http.paths, []);
  await stage.clock.advance(1);
  assert.equal(stage.sockets[0].closed, true);
  const began = stage.clock.now;
  await stage.clock.advance(1_000);
  assert.equal(http.last("/connection/http_stream").signal.aborted, true);
  await stage.clock.advance(1_000);
  assert.equal(http.last("/connection/sse").signal.aborted, true);
  assert.ok(stage.clock.now - began < 3_000);
  await letIn(http);
  assert.equal(rt.status.state, "connected");
});

test("a network that is only slow gets more time each time round", async () => {
  const { http, stage, rt } = await climber();
  const waits = [];
  for (let round = 0; round < 4; round++) {
    const began = stage.clock.now;
    const socket = stage.sockets.at(-1);
    while (!socket.closed) await stage.clock.advance(500);
    waits.push(stage.clock.now - began);
    while (rt.status.state !== "waiting") await stage.clock.advance(250);
    await stage.retry();
  }
  assert.deepEqual(waits, [4_000, 8_000, 16_000, 16_000]);
  assert.equal(http.paths.filter((path) => path === "/connection/sse").length, 4);
});

test("a server that is down is not asked in every way it has, until that seems to be wrong", async () => {
  const { http, stage, rt } = await climber();
  for (const rounds of [1, 2]) {
    await stage.socket.drop();
    await http.last("/connection/http_stream").lose();
    assert.equal(rt.status.state, "waiting");
    assert.equal(http.requests.length, rounds);
    await stage.retry();
    assert.equal(rt.status.transport, "websocket");
  }
  await stage.socket.drop();
  await http.last("/connection/http_stream").lose();
  assert.equal(rt.status.transport, "sse");
});

test("a server that says it is full is believed", async () => {
  for (const status of [429, 503]) {
    const { http, stage, rt } = await climber();
    await stage.socket.drop();
    await http.last("/connection/http_stream").answer(status);
    assert.equal(rt.status.state, "waiting");
    assert.match(rt.status.lastError.message, new RegExp(status));
  }
});

test("what the server itself refuses is refused whatever the transport", async () => {
  const { http, stage, rt } = await climber();
  await stage.socket.open();
  await stage.socket.drop(3500, "invalid token");
  assert.equal(rt.status.state, "closed");
  assert.deepEqual(http.paths, []);
});

test("a page that gets a WebSocket loads nothing else", async () => {
  let loads = 0;
  const stage = new Stage({ transports: undefined, ladder: async () => (loads++, {}) });
  await stage.up();
  await stage.down();
  await stage.up();
  assert.equal(loads, 0);
});

test("where the other transports cannot be loaded, WebSockets have to do, and are not hammered", async () => {
  const stage = new Stage({ transports: undefined, ladder: async () => { throw new Error("offline"); } });
  await settled();
  await stage.socket.drop();
  assert.equal(stage.sockets.length, 2);
  await stage.socket.drop();
  assert.equal(stage.client.status.state, "waiting");
  await stage.retry();
  await stage.up();
  assert.equal(stage.client.status.transport, "websocket");
});

test("what worked is remembered by the browser, for this server and for a while", async () => {
  const storage = new FakeStorage();
  const first = await climber({ storage: () => storage });
  await down(first);
  first.rt.close();
  assert.deepEqual([...storage.keys()], ["spanwire ws://test/connection/websocket"]);

  const next = await climber({ storage: () => storage });
  assert.equal(next.rt.status.transport, "poll");
  assert.equal(next.stage.sockets.length, 0);

  const http = new FakeHttp();
  const later = new Stage({ transports: ALL, storage: () => storage, ...http.options, now: () => 1_000_000 + 451_000 });
  await settled();
  assert.equal(later.client.status.transport, "websocket");
  assert.equal(storage.size, 0);
});

test("what cannot be remembered, or was never written by us, does no harm", async () => {
  const full = new FakeStorage();
  full.setItem = () => { throw new Error("quota"); };
  const { rt, ...rest } = await climber({ storage: () => full });
  await down({ ...rest, rt });
  assert.equal(rt.status.state, "connected");
  for (const rubbish of ["", "carrier_pigeon 9e99", "poll", "poll never", "<script>"]) {
    const storage = new FakeStorage([["spanwire ws://test/connection/websocket", rubbish]]);
    const { stage } = await climber({ storage: () => storage });
    await stage.clock.advance(60_000);
    assert.notEqual(stage.client.status.state, "closed", rubbish);
  }
});

test("another network is tried from the top again", async () => {
  const storage = new FakeStorage();
  const all = await climber({ storage: () => storage });
  await down(all);
  all.stage.waker.dispatchEvent(new Event("online"));
  await settled();
  assert.equal(storage.size, 0);
  assert.equal(all.rt.status.transport, "poll", "what works goes on");
  await all.http.last("/connection/poll").lose();
  await all.http.last("/connection/poll").lose();
  await all.stage.retry();
  assert.equal(all.rt.status.transport, "websocket");
});

test("what was remembered and does not work any more is forgotten", async () => {
  const storage = new FakeStorage();
  const first = await climber({ storage: () => storage });
  await down(first);
  first.rt.close();
  const { http, stage, rt } = await climber({ storage: () => storage });
  await http.last("/connection/poll").answer(404);
  assert.equal(rt.status.state, "waiting");
  assert.equal(storage.size, 0);
  await stage.retry();
  assert.equal(rt.status.transport, "websocket");
});

test("hours after a climb, each way is tried once on the way down", async () => {
  const { http, stage, rt } = await climber();
  await down({ http, stage });
  await stage.clock.advance(450_000);
  await stage.sockets.at(-1).open();
  await stage.up({ ping: 0 });
  await stage.clock.advance(3_600_000);
  const [sockets, requests] = [stage.sockets.length, http.requests.length];
  await stage.down();
  await stage.socket.drop();
  assert.equal(rt.status.transport, "http_stream");
  assert.deepEqual([stage.sockets.length, http.requests.length], [sockets + 1, requests + 1]);
});

test("a WebSocket is tried again in the background, and taken when nothing is under way", async () => {
  const { http, stage, rt } = await climber();
  const room = rt.channel("chat:lobby");
  const heard = [];
  room.on("message", ({ data }) => heard.push(data));
  await down({ http, stage });
  const { id } = http.requests.find(({ path }) => path === "/connection/poll").commands.find(({ subscribe }) => subscribe);
  const joined = { id, subscribe: { recoverable: true, positioned: true, epoch: "e", offset: 4 } };
  assert.deepEqual(http.last("/connection/poll").commands, [], "the polls after the first bring no commands");
  await http.last("/connection/poll").answer(200, JSON.stringify({ batch: 2, replies: [joined, { push: { channel: "chat:lobby", pub: { offset: 5, data: "m5" } } }] }));

  const asked = outcome(rt.rpc("slow", 1, { timeout: 1_000_000 }));
  await settled();
  await stage.clock.advance(450_000);
  const scout = stage.sockets[1];
  await scout.open();
  assert.equal(scout.closed, true);
  assert.equal(scout.frames.length, 0);
  assert.equal(rt.status.transport, "poll", "somebody waits for an answer");
  await stage.clock.advance(1_000);
  assert.equal(rt.status.transport, "poll", "and still waits");

  const [rpc] = http.last("/emulation").commands;
  await http.last("/connection/poll").answer(200, JSON.stringify({ batch: 3, replies: [{ id: rpc.id, rpc: { data: 2 } }] }));
  await http.last("/emulation").answer(204);
  assert.equal((await asked).value, 2);
  await stage.clock.advance(1_000);
  await stage.sockets.at(-1).open();
  assert.equal(http.last("/connection/poll").signal.aborted, true);
  assert.equal(rt.status.transport, "websocket");
  await stage.up();
  const { recover, offset, epoch } = stage.socket.last("subscribe").subscribe;
  assert.deepEqual({ recover, offset, epoch }, { recover: true, offset: 5, epoch: "e" });
  await stage.socket.answer("subscribe", { recovered: true, recoverable: true, positioned: true, epoch: "e", offset: 6, publications: [{ offset: 6, data: "m6" }] });
  assert.deepEqual(heard, ["m5", "m6"]);
});

test("a WebSocket that still cannot be had changes nothing", async () => {
  const { http, stage, rt } = await climber();
  await down({ http, stage });
  for (const wait_ms of [450_000, 300_000, 300_000]) {
    const before = stage.sockets.length;
    await stage.clock.advance(wait_ms - 1);
    assert.equal(stage.sockets.length, before);
    await stage.clock.advance(1);
    await stage.socket.drop();
    const { state, transport } = rt.status;
    assert.deepEqual({ state, transport }, { state: "connected", transport: "poll" });
  }
});

test("closing looks no further up and leaves nothing behind", async () => {
  const { http, stage, rt } = await climber();
  await down({ http, stage });
  rt.close();
  await settled();
  assert.equal(stage.clock.pending, 0);
  assert.equal(http.last("/connection/poll").signal.aborted, true);
});

test("only what is listed is tried, in the order of the list", async () => {
  const { http, stage, rt } = await climber({ transports: ["sse", "websocket"] });
  assert.equal(rt.status.transport, "sse");
  await http.last("/connection/sse").answer(403);
  assert.equal(rt.status.transport, "websocket");
  await stage.up();
  assert.deepEqual(http.paths, ["/connection/sse"]);
});
