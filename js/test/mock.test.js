// The server for users' own tests, used as they would: the real client, a clock of their own.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../spanwire.js";
import { mock } from "../spanwire/mock.js";
import { FakeClock, outcome, settled } from "./stage.js";

/** A client of a mock server, whose time passes when it is told to. */
function scene(options, server = mock(options)) {
  const clock = new FakeClock();
  const { setTimeout, clearTimeout } = clock;
  const waker = new EventTarget();
  const { WebSocket } = server;
  const rt = connect("ws://mock", { WebSocket, setTimeout, clearTimeout, now: () => clock.now, random: () => 0.5, waker });
  return { server, clock, waker, rt };
}

/** A channel, and what was heard in it. */
function listen(rt, name = "chat:lobby", options = {}) {
  const room = rt.channel(name, options);
  const heard = [];
  room.on("message", ({ data }) => heard.push(data));
  room.on("gap", () => heard.push("gap"));
  return { room, heard };
}

test("a test needs neither a network nor a clock", async () => {
  const server = mock();
  const rt = connect("ws://mock", { WebSocket: server.WebSocket });
  const { room, heard } = listen(rt);
  await rt.ready();
  const { offset } = await room.publish("hello");
  assert.equal(offset, 1);
  assert.equal(server.publish("chat:lobby", "from the backend"), 2);
  await settled();
  assert.deepEqual(heard, ["hello", "from the backend"]);
  assert.deepEqual(server.published("chat:lobby"), heard);
  rt.close();
  assert.equal(server.connections, 0);
});

test("two clients see each other come, speak and go", async () => {
  const { server, rt: ann } = scene();
  const { rt: bob } = scene({}, server);
  const { room, heard } = listen(ann, "chat:lobby", { presence: true });
  const sizes = [];
  room.on("presence", (members) => sizes.push(members.size));
  await ann.ready();
  await settled();
  const bobs = bob.channel("chat:lobby");
  await bob.ready();
  await bobs.publish("hi");
  await settled();
  assert.deepEqual(heard, ["hi"]);
  assert.equal(server.members("chat:lobby").length, 2);
  bob.close();
  await settled();
  assert.deepEqual(sizes, [1, 2, 1]);
  ann.close();
});

test("what was missed during a cut is recovered, and what cannot be is a gap", async () => {
  const { server, clock, rt } = scene({ history: 2 });
  const { heard } = listen(rt);
  await rt.ready();
  await settled();
  server.cut();
  server.publish("chat:lobby", 1);
  server.publish("chat:lobby", 2);
  await clock.advance(1_000);
  assert.deepEqual(heard, [1, 2]);
  server.cut();
  for (const n of [3, 4, 5]) server.publish("chat:lobby", n);
  await clock.advance(1_000);
  server.publish("chat:lobby", 6);
  await settled();
  assert.deepEqual(heard, [1, 2, "gap", 6]);
  server.restart();
  await clock.advance(1_000);
  assert.deepEqual(heard.slice(4), ["gap"]);
  rt.close();
});

test("what is published offline arrives once when the network returns", async () => {
  const { server, waker, rt } = scene();
  const { room, heard } = listen(rt);
  await rt.ready();
  await settled();
  server.goOffline();
  await settled();
  const sent = room.publish("later");
  assert.equal(rt.status.queued, 1);
  server.goOnline();
  waker.dispatchEvent(new Event("online"));
  assert.equal((await sent).offset, 1);
  await settled();
  assert.deepEqual(heard, ["later"]);
  rt.close();
});

test("refusals, procedures and their errors reach the client", async () => {
  const { server, rt } = scene();
  server.refuse("secret");
  server.rpc("add", ([a, b]) => a + b);
  server.rpc("later", async (data) => data);
  server.rpc("fail", () => {
    throw { code: 1234, message: "no" };
  });
  const errors = [];
  rt.channel("secret").on("error", ({ code }) => errors.push(code));
  assert.equal(await rt.rpc("add", [1, 2]), 3);
  assert.equal(await rt.rpc("later", "x"), "x");
  assert.equal((await outcome(rt.rpc("fail"))).code, 1234);
  assert.equal((await outcome(rt.rpc("unknown"))).code, 104);
  assert.deepEqual(errors, [103]);
  rt.close();
});

test("history is paged, and a server takes people out of a channel", async () => {
  const { server, rt } = scene();
  for (let n = 1; n <= 10; n++) server.publish("chat:lobby", n);
  const { room, heard } = listen(rt, "chat:lobby", { history: 3 });
  const page = await room.history({ limit: 2, before: 8 });
  assert.deepEqual(page.messages.map(({ data }) => data), [6, 7]);
  await settled();
  assert.deepEqual(heard, [8, 9, 10]);
  server.unsubscribe("chat:lobby");
  await settled();
  assert.equal(room.state, "unsubscribed");
  rt.close();
});

test("a channel goes on from a place that was kept, or tells of a gap", async () => {
  const { server, rt } = scene({ history: 3 });
  for (let n = 1; n <= 5; n++) server.publish("one", n);
  const since = { offset: 3, epoch: server.epoch("one") };
  const kept = listen(rt, "one", { since });
  const lost = listen(rt, "two", { since });
  await rt.ready();
  await settled();
  assert.deepEqual([kept.heard, lost.heard], [[4, 5], ["gap"]]);
  rt.close();
});
