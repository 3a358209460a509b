import assert from "node:assert/strict";
import { test } from "node:test";
import { Stage, outcome, settled } from "./stage.js";

const idempotent = { sw_ext: ["idempotent_publish"] };
const published = (socket) => socket.commands.flatMap((command) => (command.publish ? [command.publish] : []));

test("publish resolves when the server has accepted it, and rejects with its error", async () => {
  const stage = new Stage();
  await stage.up();
  const good = outcome(stage.client.publish("c", { text: "hi" }));
  await settled();
  await stage.socket.answer("publish");
  assert.deepEqual(await good, { value: { offset: undefined, epoch: undefined } });

  const bad = outcome(stage.client.publish("c", 1));
  await settled();
  await stage.socket.refuse("publish", { code: 103, message: "permission denied" });
  const { code, temporary, error } = await bad;
  assert.deepEqual({ code, temporary }, { code: 103, temporary: false });
  assert.match(error.message, /permission denied.*errors/);
});

test("what is published offline is sent later, in order, as it was when it was said", async () => {
  const stage = new Stage();
  const data = { n: 1 };
  const results = [outcome(stage.client.publish("c", data))];
  data.n = 2;
  results.push(outcome(stage.client.publish("c", data)));
  assert.equal(stage.client.status.queued, 2);
  await stage.up();
  assert.deepEqual(published(stage.socket).map(({ data }) => data.n), [1, 2]);
  assert.equal(stage.client.status.queued, 0);
  for (const { id } of stage.socket.commands.filter((command) => command.publish)) await stage.socket.receive({ id, publish: {} });
  assert.deepEqual((await Promise.all(results)).map((result) => "value" in result), [true, true]);
});

test("publications wait for the subscribes of their connection", async () => {
  const stage = new Stage();
  void outcome(stage.client.channel("c").publish(1));
  await stage.up();
  assert.deepEqual(stage.socket.commands.map((command) => Object.keys(command)[1]), ["connect", "subscribe", "publish"]);
});

test("the offline queue is bounded, and refuses the newest", async () => {
  const stage = new Stage();
  const kept = Array.from({ length: 256 }, (_, n) => outcome(stage.client.publish("c", n)));
  const { code, temporary } = await outcome(stage.client.publish("c", "one too many"));
  assert.deepEqual({ code, temporary }, { code: "queue_full", temporary: true });
  assert.equal(stage.client.status.queued, 256);
  await stage.up();
  assert.equal(published(stage.socket).length, 256);
  stage.client.close();
  await Promise.all(kept);
});

test("what waited for a minute is never sent, and says so", async () => {
  const stage = new Stage({ WebSocket: class { close() {} } });
  const old = outcome(stage.client.publish("c", 1));
  await stage.clock.advance(30_000);
  const young = outcome(stage.client.publish("c", 2));
  await stage.clock.advance(30_000);
  const { code, temporary } = await old;
  assert.deepEqual({ code, temporary }, { code: "expired", temporary: true });
  assert.equal(stage.client.status.queued, 1);
  stage.client.close();
  assert.equal((await young).code, "closed");
});

test("a publication cut off from its answer is not sent twice: it is unacknowledged", async () => {
  const stage = new Stage();
  await stage.up();
  const cut = outcome(stage.client.publish("c", "maybe"));
  await settled();
  await stage.socket.drop();
  const { code, temporary } = await cut;
  assert.deepEqual({ code, temporary }, { code: "unacknowledged", temporary: true });
  const queued = outcome(stage.client.publish("c", "later"));
  await stage.retry();
  await stage.up();
  assert.deepEqual(published(stage.socket), [{ channel: "c", data: "later" }]);
  stage.client.close();
  await queued;
});

test("with idempotent_publish it is sent again under the same key, before what came later", async () => {
  const stage = new Stage();
  await stage.up(idempotent);
  const results = ["a", "b"].map((data) => outcome(stage.client.publish("c", data)));
  await settled();
  const [a, b] = published(stage.socket);
  assert.ok(a.sw_key && b.sw_key && a.sw_key !== b.sw_key);
  await stage.socket.drop();
  results.push(outcome(stage.client.publish("c", "later")));
  assert.equal(stage.client.status.queued, 3);
  await stage.retry();
  await stage.up(idempotent);
  const again = published(stage.socket);
  assert.deepEqual(again.slice(0, 2), [a, b]);
  assert.equal(again[2].data, "later");
  let offset = 0;
  for (const { id, publish } of stage.socket.commands) if (publish) await stage.socket.receive({ id, publish: { sw_offset: ++offset, sw_epoch: "e" } });
  const expected = [1, 2, 3].map((offset) => ({ value: { offset, epoch: "e" } }));
  assert.deepEqual(await Promise.all(results), expected);
});

test("keys of two clients differ", async () => {
  const keys = [];
  for (const draw of [0.1, 0.7]) {
    const stage = new Stage({ random: () => draw });
    await stage.up(idempotent);
    void outcome(stage.client.publish("c", 1));
    await settled();
    keys.push(published(stage.socket)[0].sw_key);
  }
  assert.notEqual(keys[0], keys[1]);
});

test("a server without keys gets none, and nothing again that another had got under one", async () => {
  const stage = new Stage();
  await stage.up(idempotent);
  const sent = outcome(stage.client.publish("c", "sent"));
  await settled();
  await stage.socket.drop();
  const queued = outcome(stage.client.publish("c", "queued"));
  await stage.retry();
  await stage.up();
  assert.equal((await sent).code, "unacknowledged");
  assert.deepEqual(published(stage.socket), [{ channel: "c", data: "queued" }]);
  stage.client.close();
  await queued;
});

test("a frame too large for the server is not sent again, or it would end every connection", async () => {
  const stage = new Stage();
  await stage.up(idempotent);
  const sent = outcome(stage.client.publish("c", "x"));
  await settled();
  await stage.socket.drop(1009, "message too big");
  assert.equal((await sent).code, "unacknowledged");
  assert.equal(stage.client.status.state, "waiting");
});

test("an answer that does not come in time is unacknowledged, even with keys", async () => {
  const stage = new Stage();
  await stage.up({ ...idempotent, ping: 0 });
  const sent = outcome(stage.client.publish("c", "x", { timeout: 500 }));
  await stage.clock.advance(500);
  assert.equal((await sent).code, "unacknowledged");
  await stage.socket.answer("publish");
  assert.equal(stage.client.status.state, "connected", "the late answer is no offence");
});

test("what is volatile is dropped when it cannot go out now, and never sent late", async () => {
  const stage = new Stage();
  const volatile = { volatile: true };
  assert.deepEqual(await stage.client.publish("c", 1, volatile), { dropped: true });
  await stage.up(idempotent);
  stage.socket.bufferedAmount = 16_385;
  assert.deepEqual(await stage.client.publish("c", 2, volatile), { dropped: true });
  stage.socket.bufferedAmount = 0;
  const sent = outcome(stage.client.publish("c", 3, volatile));
  await settled();
  assert.deepEqual(published(stage.socket), [{ channel: "c", data: 3 }]);
  await stage.socket.drop();
  assert.deepEqual(await sent, { value: { dropped: true } });
  await stage.retry();
  await stage.up(idempotent);
  assert.deepEqual(published(stage.socket), []);
});

test("an aborted publication that still waits is never sent", async () => {
  const stage = new Stage();
  const stop = new AbortController();
  const aborted = outcome(stage.client.publish("c", 1, { signal: stop.signal }));
  stop.abort(new Error("changed my mind"));
  assert.equal((await aborted).error.message, "changed my mind");
  await stage.up();
  assert.deepEqual(published(stage.socket), []);
  assert.equal((await outcome(stage.client.publish("c", 1, { signal: stop.signal }))).error.message, "changed my mind");
});

test("what JSON cannot say is refused at once, and undefined is null", async () => {
  const stage = new Stage();
  await stage.up();
  assert.ok((await outcome(stage.client.publish("c", 1n))).error instanceof TypeError);
  void outcome(stage.client.publish("c", undefined));
  await settled();
  assert.deepEqual(published(stage.socket), [{ channel: "c", data: null }]);
});

test("what JSON cannot say leaves nothing behind that would fail later", async () => {
  const stage = new Stage();
  await stage.up();
  const { pending } = stage.clock;
  const stop = new AbortController();
  assert.ok((await outcome(stage.client.publish("c", 1n, { signal: stop.signal }))).error instanceof TypeError);
  assert.equal(stage.clock.pending, pending);
  stop.abort(); // a listener that was left would throw here, which fails the test
  for (let pings = 0; pings < 3; pings++) {
    await stage.clock.advance(20_000);
    await stage.socket.receive({});
  }
  assert.equal(stage.client.status.state, "connected");
});

test("rpc resolves with the data, and is never sent twice", async () => {
  const stage = new Stage();
  const sum = outcome(stage.client.rpc("add", [1, 2]));
  await stage.up();
  assert.deepEqual(stage.socket.last("rpc").rpc, { method: "add", data: [1, 2] });
  await stage.socket.answer("rpc", { data: 3 });
  assert.deepEqual(await sum, { value: 3 });

  const cut = outcome(stage.client.rpc("pay"));
  await settled();
  await stage.down();
  assert.equal((await cut).code, "unacknowledged");
  await stage.up();
  assert.equal(stage.socket.last("rpc"), undefined);
});

test("a call gives up after ten seconds without a connection", async () => {
  const stage = new Stage({ WebSocket: class { close() {} } });
  const call = outcome(stage.client.rpc("add"));
  await stage.clock.advance(10_000);
  assert.equal((await call).code, "expired");
});

test("reading is asked again after a cut, because that is harmless", async () => {
  const stage = new Stage();
  await stage.up();
  const { room } = await stage.room();
  const who = outcome(room.presence());
  await settled();
  await stage.down();
  await stage.up();
  await stage.socket.answer("presence", { presence: { x: { user: "", client: "x" } } });
  assert.deepEqual([...(await who).value.keys()], ["x"]);
});

test("a page of history is oldest first, whichever way it was asked for", async () => {
  const stage = new Stage();
  await stage.up();
  const { room } = await stage.room();
  const table = [
    [{}, { limit: 50, reverse: true }, [3, 2, 1]],
    [{ limit: 3, before: 9 }, { limit: 3, reverse: true, since: { offset: 9 } }, [3, 2, 1]],
    [{ limit: 3, since: 0 }, { limit: 3, reverse: false, since: { offset: 0 } }, [1, 2, 3]],
  ];
  for (const [options, wish, order] of table) {
    const page = outcome(room.history(options));
    await settled();
    assert.deepEqual(stage.socket.last("history").history, { channel: "chat:lobby", ...wish });
    await stage.socket.answer("history", { publications: order.map((offset) => ({ offset, data: offset })), offset: 3, epoch: "e" });
    const { messages, offset, epoch } = (await page).value;
    assert.deepEqual(messages.map((message) => message.offset), [1, 2, 3]);
    assert.deepEqual({ offset, epoch }, { offset: 3, epoch: "e" });
  }
});

test("nothing is accepted after closing", async () => {
  const stage = new Stage();
  const queued = outcome(stage.client.publish("c", 1));
  stage.client.close();
  assert.equal((await queued).code, "closed");
  assert.equal((await outcome(stage.client.publish("c", 1))).code, "closed");
  assert.equal((await outcome(stage.client.rpc("x"))).code, "closed");
  assert.equal(stage.client.channel("c").state, "unsubscribed");
  assert.equal((await stage.client.channel("c").events("message").next().catch((error) => error)).code, "closed");
});

test("latency is the time of the last answer", async () => {
  const stage = new Stage();
  await settled();
  await stage.clock.advance(3_000);
  await stage.socket.open();
  await stage.clock.advance(30);
  await stage.socket.answer("connect", { client: "c" });
  assert.equal(stage.client.status.latency, 30, "the time to open the socket is not counted");
  void outcome(stage.client.publish("c", 1));
  await stage.clock.advance(7);
  await stage.socket.answer("publish");
  assert.equal(stage.client.status.latency, 7);
});

test("everything on the wire can be listened to", async () => {
  const stage = new Stage();
  const frames = [];
  stage.client.on("frame", ({ sent, text }) => frames.push([sent, text]));
  const socket = await stage.up();
  await socket.receive({});
  assert.deepEqual(frames.map(([sent]) => sent), [true, false, false, true]);
  assert.deepEqual(frames.slice(2), [[false, "{}"], [true, "{}"]]);
});
