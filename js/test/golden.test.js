// The golden messages of the wire crate: what every implementation of the protocol must read and may send.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { commands } from "../spanwire/commands.js";
import { connection } from "../spanwire/connection.js";
import { FakeSocket, Stage, outcome, settled } from "./stage.js";

const file = new URL("../../crates/wire/testdata/messages.json", import.meta.url);
const golden = JSON.parse(readFileSync(file, "utf8")).map(({ json, ...rest }) => ({ ...rest, json, message: JSON.parse(json) }));

/** A connection that is open and wants pongs, what is asked over it, and all that it tells. */
function listening() {
  const told = { pushes: [], lost: [] };
  const socket = new FakeSocket("ws://test");
  const world = { setTimeout: () => 0, clearTimeout: () => {}, now: () => 0, random: () => 0.5 };
  const asked = commands(world, () => {});
  const over = connection(socket, {
    ...world,
    after: () => {},
    events: { emit: () => {} },
    open: () => asked.open(over),
    heard: (reply) => (reply.push ? told.pushes.push(reply.push) : asked.heard(reply)),
    lost: (error) => told.lost.push(error),
  });
  over.ping(0, true);
  return { asked, socket, told };
}

const replies = golden.filter(({ kind }) => kind === "reply");

test("there are golden replies with results, errors and pushes", () => {
  for (const field of ["connect", "subscribe", "publish", "presence", "history", "rpc", "refresh", "error", "push"])
    assert.ok(replies.some(({ message }) => field in message), field);
});

for (const { name, message } of replies) {
  test(`a golden reply is read: ${name}`, async () => {
    const { asked, socket, told } = listening();
    await socket.open();
    const [method = "rpc"] = Object.keys(message).filter((key) => key !== "id" && key !== "error");
    const answers = [];
    asked.ask(method, {}, (error, result) => answers.push({ error, result }));
    await settled();
    const text = JSON.stringify({ ...message, ...(message.id && { id: 1 }) });
    socket.onmessage({ data: text });
    await settled();
    const { disconnect } = message.push ?? {};
    assert.deepEqual(told.lost.map(({ code }) => code), disconnect ? [disconnect.code] : []);
    if (disconnect) assert.equal(socket.closed, true);
    else if (message.push) assert.deepEqual(told.pushes, [message.push]);
    else if (!message.id) assert.deepEqual(socket.commands.at(-1), {}, "a ping is answered");
    else if (message.error) assert.equal(answers[0].error.code, message.error.code);
    else assert.deepEqual(answers, [{ error: null, result: message[method] ?? {} }]);
  });
}

test("every push of the golden ones finds a client that copes with it", async () => {
  const stage = new Stage();
  await stage.up();
  stage.client.channel("room:42", { presence: true });
  await settled();
  await stage.socket.answer("subscribe", { recoverable: true, positioned: true, epoch: "abcd" });
  await stage.socket.receive(...replies.filter(({ message }) => message.push && !message.push.disconnect).map(({ message }) => message));
  assert.equal(stage.client.status.state, "connected");
});

test("what we send is made of members that the protocol has", async () => {
  const known = new Map();
  for (const { kind, message } of golden) {
    if (kind !== "command") continue;
    for (const [method, params] of Object.entries(message))
      known.set(method, new Set([...(known.get(method) ?? []), ...Object.keys(Object(params))]));
  }
  const stage = new Stage({ data: {}, getToken: async () => "t" });
  await stage.up({ expires: true, ttl: 20, sw_ext: ["idempotent_publish"] });
  const { room } = await stage.room({ history: 5, presence: true });
  const asked = [room.publish(1), room.history({ before: 5 }), room.presence(), stage.client.rpc("m", 1)].map(outcome);
  await stage.clock.advance(18_000);
  room.leave();
  await stage.clock.advance(0);
  const written = stage.socket.commands;
  for (const command of written) {
    const { id, ...methods } = command;
    for (const [method, params] of Object.entries(methods))
      for (const member of Object.keys(params)) assert.ok(known.get(method)?.has(member), `${method}.${member}`);
  }
  const methods = new Set(written.flatMap(({ id, ...rest }) => Object.keys(rest)));
  assert.deepEqual([...methods].sort(), ["connect", "history", "presence", "publish", "refresh", "rpc", "subscribe", "unsubscribe"]);
  stage.client.close();
  await Promise.all(asked);
});
