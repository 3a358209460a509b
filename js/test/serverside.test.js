import assert from "node:assert/strict";
import { test } from "node:test";
import { Stage, pub } from "./stage.js";

const place = (offset, more) => ({ recoverable: true, positioned: true, epoch: "e", offset, ...more });

/** A client that the server subscribed to a channel at offset 4, and that heard 5. */
async function subscribed() {
  const stage = new Stage();
  const told = [];
  for (const type of ["message", "gap"]) stage.client.on(type, (event) => told.push([type, event.data ?? event, event.recovered]));
  await stage.up({ subs: { "#ann": place(4) } });
  await stage.socket.receive(pub(5, "m5", "#ann"));
  return { stage, told };
}

test("a channel of the server is recovered after a cut, from the last message on", async () => {
  const { stage, told } = await subscribed();
  await stage.down();
  await stage.socket.open();
  assert.deepEqual(stage.socket.last("connect").connect.subs, { "#ann": { recover: true, offset: 5, epoch: "e" } });
  const publications = [6, 7].map((offset) => ({ offset, data: `m${offset}` }));
  await stage.up({ subs: { "#ann": place(7, { recovered: true, publications }) } });
  await stage.socket.receive(pub(8, "m8", "#ann"));
  assert.deepEqual(told, [["message", "m5", false], ["message", "m6", true], ["message", "m7", true], ["message", "m8", false]]);
  await stage.down();
  await stage.socket.open();
  assert.equal(stage.socket.last("connect").connect.subs["#ann"].offset, 8);
});

test("what cannot be recovered there is told as a gap", async () => {
  const { stage, told } = await subscribed();
  await stage.down();
  await stage.up({ subs: { "#ann": place(90, { epoch: "f", recovered: false }) } });
  const [type, gap] = told.at(-1);
  assert.equal(type, "gap");
  assert.equal(gap.channel, "#ann");
  assert.deepEqual([gap.from.offset, gap.from.epoch, gap.to], [5, "e", { offset: 90, epoch: "f" }]);
});

test("nothing is recovered that keeps no history, was taken away, or was invalidated", async () => {
  const stage = new Stage();
  const asked = async () => {
    await stage.socket.open();
    return stage.socket.last("connect").connect.subs;
  };
  await stage.up({ subs: { plain: {}, "#ann": place(1), gone: place(1) } });
  await stage.socket.receive({ push: { channel: "gone", unsubscribe: { code: 2000 } } });
  await stage.socket.receive({ push: { channel: "later", subscribe: place(2) } });
  await stage.down();
  assert.deepEqual(Object.keys(await asked()).sort(), ["#ann", "later"]);
  await stage.up({ subs: { "#ann": place(1, { recovered: true }) } });
  await stage.down();
  assert.deepEqual(Object.keys(await asked()), ["#ann"], "the server did not subscribe us to the other one again");
  await stage.up({ subs: { "#ann": place(1, { recovered: true }) } });
  await stage.down(3014);
  assert.deepEqual(await asked(), {});
});

test("a hole in such a channel is told, what comes twice is heard once, and its end is said", async () => {
  const { stage, told } = await subscribed();
  const ended = [];
  stage.client.on("unsubscribed", (event) => ended.push(event));
  await stage.socket.receive(pub(5, "m5", "#ann"), pub(8, "m8", "#ann"));
  assert.deepEqual(told.slice(1).map(([type]) => type), ["gap", "message"]);
  assert.deepEqual([told[1][1].from.offset, told[1][1].to.offset, told[2][1]], [5, 7, "m8"]);
  await stage.socket.receive({ push: { channel: "#ann", unsubscribe: { code: 2000, reason: "why" } } }, pub(9, "m9", "#ann"));
  assert.deepEqual(ended, [{ channel: "#ann", code: 2000, reason: "why" }]);
  assert.equal(told.length, 3);
});
