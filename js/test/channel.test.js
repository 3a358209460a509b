import assert from "node:assert/strict";
import { test } from "node:test";
import { RECORDS_MS_MAX } from "../spanwire/limits.js";
import * as records from "../spanwire/records.js";
import { Stage, outcome, pub, settled } from "./stage.js";

const joined = { recoverable: true, positioned: true, epoch: "e" };
const offsets = (messages) => messages.map(({ offset }) => offset);

test("a subscribe reply and the pushes behind it in the same frame keep their order", async () => {
  const stage = new Stage();
  await stage.up();
  const { of } = await stage.room({}, 1);
  await stage.down();
  await stage.socket.open();
  const id = (method) => stage.socket.last(method).id;
  // One frame, as a server in a hurry writes it: the connect reply, the recovered publication, a live one.
  stage.socket.receiveNow(
    { id: id("connect"), connect: { client: "c2" } },
    { id: id("subscribe"), subscribe: { ...joined, recovered: true, was_recovering: true, offset: 1, publications: [{ offset: 2, data: "m2" }] } },
    pub(3),
  );
  assert.deepEqual(of("message"), ["m2", "m3"], "told while the frame was read, not later");
});

test("whatever is delivered twice is heard once", async () => {
  const stage = new Stage();
  await stage.up();
  const { of } = await stage.room({}, 2);
  await stage.socket.receive(pub(1), pub(2), pub(3), pub(3), pub(2), pub(4));
  assert.deepEqual(of("message"), ["m3", "m4"]);
  assert.deepEqual(of("gap"), []);
});

test("recovery asks for what follows the last message delivered", async () => {
  const stage = new Stage();
  await stage.up();
  const { of } = await stage.room({}, 5);
  await stage.socket.receive(pub(6), pub(7));
  await stage.down();
  await stage.up();
  const { recover, offset, epoch } = stage.socket.last("subscribe").subscribe;
  assert.deepEqual({ recover, offset, epoch }, { recover: true, offset: 7, epoch: "e" });
  await stage.socket.answer("subscribe", { ...joined, recovered: true, was_recovering: true, offset: 7, publications: [{ offset: 8, data: "m8" }] }, pub(8), pub(9));
  assert.deepEqual(of("message"), ["m6", "m7", "m8", "m9"]);
  assert.deepEqual(of("subscribed").map((event) => event.recovered), [false, true]);
});

test("messages from history and recovery are marked, live ones are not", async () => {
  const stage = new Stage();
  await stage.up();
  const room = stage.client.channel("chat:lobby", { history: 1 });
  const marks = [];
  room.on("message", ({ recovered, channel, info }) => marks.push({ recovered, channel, info }));
  await settled();
  await stage.socket.answer("subscribe", { ...joined, offset: 1 });
  await stage.socket.answer("history", { publications: [{ offset: 1, data: 1, info: { user: "", client: "x" } }], offset: 1, epoch: "e" }, pub(2));
  const info = { user: "", client: "x" };
  assert.deepEqual(marks, [{ recovered: true, channel: "chat:lobby", info }, { recovered: false, channel: "chat:lobby", info: undefined }]);
});

test("a recovery that fails is told as a gap, before anything that comes after it", async () => {
  const stage = new Stage();
  await stage.up();
  const { heard } = await stage.room({}, 5);
  await stage.down();
  await stage.up();
  heard.length = 0;
  await stage.socket.answer("subscribe", { ...joined, recovered: false, was_recovering: true, epoch: "f", offset: 90 }, pub(91));
  assert.deepEqual(heard, [
    ["gap", { channel: "chat:lobby", from: { offset: 5, epoch: "e" }, to: { offset: 90, epoch: "f" } }],
    ["subscribed", { channel: "chat:lobby", recovered: false, data: undefined }],
    ["message", "m91"],
  ]);
});

test("of a channel of which only the latest counts, that is heard, and what was missed before it is a gap", async () => {
  const back = { ...joined, was_recovering: true, recovered: true };
  const gap = (to) => ["gap", { channel: "chat:lobby", from: { offset: 5, epoch: "e" }, to }];
  const subscribed = (recovered) => ["subscribed", { channel: "chat:lobby", recovered, data: undefined }];
  const table = [
    [9, "e", [gap({ offset: 8, epoch: "e" }), ["message", "m9"], subscribed(true)]],
    [6, "e", [["message", "m6"], subscribed(true)]],
    [3, "f", [gap({ offset: 2, epoch: "f" }), ["message", "m3"], subscribed(false)]],
  ];
  for (const [offset, epoch, expected] of table) {
    const stage = new Stage();
    await stage.up();
    const { heard } = await stage.room({}, 5);
    await stage.down();
    await stage.up();
    heard.length = 0;
    const publications = [{ offset, data: `m${offset}` }];
    await stage.socket.answer("subscribe", { ...back, epoch, offset, publications }, pub(offset), pub(offset + 1));
    assert.deepEqual(heard, [...expected, ["message", `m${offset + 1}`]]);
  }
});

test("the latest comes along already the first time, and is no gap", async () => {
  const stage = new Stage();
  await stage.up();
  const { heard } = await stage.room({}, 0, { was_recovering: true, recovered: true, offset: 4, publications: [{ offset: 4, data: "m4" }] });
  assert.deepEqual(heard.map(([type]) => type), ["message", "subscribed"]);
  await stage.socket.receive(pub(5));
  assert.deepEqual(heard.at(-1), ["message", "m5"]);
});

test("a server that forgot how to recover is a gap too", async () => {
  const stage = new Stage();
  await stage.up();
  const { of } = await stage.room({}, 5);
  await stage.down();
  await stage.up();
  await stage.socket.answer("subscribe", {});
  assert.equal(of("gap").length, 1);
});

test("after a gap, history delivers what is left of the missing ones and nothing twice", async () => {
  const stage = new Stage();
  await stage.up();
  const { of } = await stage.room({ history: 10 }, 5);
  await stage.socket.answer("history", { publications: [5, 4].map((offset) => ({ offset, data: `m${offset}` })) });
  await stage.down();
  await stage.up();
  await stage.socket.answer("subscribe", { ...joined, recovered: false, was_recovering: true, offset: 9 });
  await stage.socket.answer("history", { publications: [9, 8, 5, 4].map((offset) => ({ offset, data: `m${offset}` })) });
  assert.deepEqual(of("message"), ["m4", "m5", "m8", "m9"]);
  assert.equal(of("gap").length, 1);
});

test("a hole in the live stream is told before the message that shows it", async () => {
  const stage = new Stage();
  await stage.up();
  const { heard } = await stage.room({}, 1);
  heard.length = 0;
  await stage.socket.receive(pub(2), pub(5));
  assert.deepEqual(heard, [
    ["message", "m2"],
    ["gap", { channel: "chat:lobby", from: { offset: 2, epoch: "e" }, to: { offset: 4, epoch: "e" } }],
    ["message", "m5"],
  ]);
});

test("history comes first and live messages that overtook it come after, each once", async () => {
  const stage = new Stage();
  await stage.up();
  const { heard } = await stage.room({ history: 3 }, 7);
  assert.deepEqual(stage.socket.last("history").history, { channel: "chat:lobby", limit: 3, reverse: true });
  await stage.socket.receive(pub(8), pub(9));
  await stage.socket.answer("history", { publications: [8, 7, 6].map((offset) => ({ offset, data: `m${offset}` })) }, pub(10));
  assert.deepEqual(heard.map(([type, event]) => (type === "message" ? event : type)), ["m6", "m7", "subscribed", "m8", "m9", "m10"]);
});

test("a channel busier than its page of history loses nothing between the two", async () => {
  const stage = new Stage();
  await stage.up();
  const { of } = await stage.room({ history: 2 }, 1);
  await stage.socket.receive(pub(2), pub(3), pub(4), pub(5));
  await stage.socket.answer("history", { publications: [5, 4].map((offset) => ({ offset, data: `m${offset}` })) });
  assert.deepEqual(of("message"), ["m2", "m3", "m4", "m5"]);
  assert.deepEqual(of("gap"), []);
});

test("a cut while history is awaited loses neither the history nor what was held behind it", async () => {
  const stage = new Stage();
  await stage.up();
  const { of } = await stage.room({ history: 3 }, 1);
  await stage.socket.receive(pub(2));
  await stage.down();
  await stage.up();
  assert.equal(stage.socket.last("subscribe").subscribe.recover, undefined, "nothing was delivered, so nothing is recovered");
  await stage.socket.answer("subscribe", { ...joined, offset: 2 });
  await stage.socket.answer("history", { publications: [2, 1].map((offset) => ({ offset, data: `m${offset}` })) });
  assert.deepEqual(of("message"), ["m1", "m2"]);
  assert.deepEqual(of("gap"), []);
});

test("a refused history is told, and live messages go on", async () => {
  const stage = new Stage();
  await stage.up();
  const { heard } = await stage.room({ history: 3 }, 1);
  await stage.socket.receive(pub(2));
  await stage.socket.refuse("history", { code: 103, message: "permission denied" });
  assert.deepEqual(heard.map(([type, event]) => event.code ?? type), [103, "subscribed", "message"]);
});

test("a channel without history restarts with its server, whose offsets mean nothing to it", async () => {
  const stage = new Stage();
  await stage.up();
  const room = stage.client.channel("signal:x");
  const heard = [];
  room.on("message", (message) => heard.push(message.data));
  room.on("gap", () => heard.push("gap"));
  await settled();
  await stage.socket.answer("subscribe", {}, pub(0, "a", "signal:x"), pub(undefined, "b", "signal:x"));
  await stage.down();
  await stage.up();
  assert.equal(stage.socket.last("subscribe").subscribe.recover, undefined);
  await stage.socket.answer("subscribe", {}, pub(undefined, "c", "signal:x"));
  assert.deepEqual(heard, ["a", "b", "c"]);
});

test("presence is the list, then each change; changes that overtook the list still count", async () => {
  const stage = new Stage();
  await stage.up();
  const { room, of } = await stage.room({ presence: true });
  assert.equal(stage.socket.last("subscribe").subscribe.join_leave, true);
  const who = (client) => ({ user: "", client, conn_info: { name: client } });
  const move = (kind, client) => ({ push: { channel: "chat:lobby", [kind]: { info: who(client) } } });
  await stage.socket.receive(move("join", "bob"), move("leave", "eve"));
  await stage.socket.answer("presence", { presence: { ana: who("ana"), eve: who("eve") } }, move("join", "dan"), move("leave", "ana"));
  assert.deepEqual(of("presence").map((members) => [...members.keys()]), [["ana", "bob"], ["ana", "bob", "dan"], ["bob", "dan"]]);
  assert.deepEqual(room.members.get("bob"), who("bob"));
});

test("presence is asked again after a reconnect, because leaves were missed", async () => {
  const stage = new Stage();
  await stage.up();
  const { room } = await stage.room({ presence: true });
  await stage.socket.answer("presence", { presence: { a: { user: "", client: "a" } } });
  await stage.down();
  await stage.up();
  await stage.socket.answer("subscribe", joined);
  await stage.socket.answer("presence", { presence: { b: { user: "", client: "b" } } });
  assert.deepEqual([...room.members.keys()], ["b"]);
});

test("a channel asked for after the connection opened is subscribed, however early that is", async () => {
  const stage = new Stage();
  await settled();
  await stage.socket.open();
  stage.client.channel("between");
  await settled();
  assert.equal(stage.socket.last("subscribe").subscribe.channel, "between");
  await stage.socket.answer("connect", { client: "c" });
  stage.client.channel("after");
  await settled();
  assert.equal(stage.socket.last("subscribe").subscribe.channel, "after");
  assert.equal(stage.socket.commands.filter((command) => command.subscribe).length, 2);
});

test("every channel is subscribed again on each connection", async () => {
  const stage = new Stage();
  const names = ["a", "b", "c"];
  names.forEach((name) => stage.client.channel(name));
  for (let n = 0; n < 3; n++) {
    await stage.up();
    const asked = stage.socket.commands.flatMap((command) => command.subscribe?.channel ?? []);
    assert.deepEqual(asked, names);
    await stage.down();
  }
});

test("the server ends a subscription for good below 2500 and wants it back from there on", async () => {
  for (const [code, returns] of [[2000, false], [2100, false], [2499, false], [2500, true], [2501, true], [2999, true]]) {
    const stage = new Stage();
    await stage.up();
    const { room, of } = await stage.room({}, 3);
    await stage.socket.receive({ push: { channel: "chat:lobby", unsubscribe: { code, reason: "why" } } });
    assert.equal(room.state, returns ? "subscribing" : "unsubscribed", `code ${code}`);
    assert.deepEqual(of("unsubscribed"), returns ? [] : [{ channel: "chat:lobby", code, reason: "why" }]);
    await stage.clock.advance(300);
    const { subscribe } = stage.socket.last("subscribe");
    assert.deepEqual([subscribe.recover, subscribe.offset], returns ? [true, 3] : [undefined, undefined]);
  }
});

test("invalidated state is not used to recover", async () => {
  const stage = new Stage();
  await stage.up();
  await stage.room({}, 3);
  await stage.socket.receive({ push: { channel: "chat:lobby", unsubscribe: { code: 2502 } } });
  await stage.clock.advance(300);
  assert.equal(stage.socket.last("subscribe").subscribe.recover, undefined);

  await stage.socket.answer("subscribe", { ...joined, offset: 4 });
  await stage.down(3014);
  await stage.up();
  assert.equal(stage.socket.last("subscribe").subscribe.recover, undefined);
});

test("a temporary refusal is told and tried again, with growing waits", async () => {
  const stage = new Stage();
  await stage.up({ ping: 0 });
  const room = stage.client.channel("c");
  const errors = [];
  room.on("error", (error) => errors.push(error.code));
  await settled();
  for (const wait of [150, 300, 600]) {
    const before = stage.socket.commands.length;
    await stage.socket.refuse("subscribe", { code: 100, message: "internal server error", temporary: true });
    await stage.clock.advance(wait - 1);
    assert.equal(stage.socket.commands.length, before);
    await stage.clock.advance(1);
    assert.equal(stage.socket.commands.length, before + 1);
  }
  assert.deepEqual(errors, [100, 100, 100]);
  assert.equal(room.state, "subscribing");
});

test("who was told when to subscribe again does so then, and believes no more than two minutes", async () => {
  const stage = new Stage();
  await stage.up({ ping: 0 });
  stage.client.channel("c").on("error", () => {});
  await settled();
  for (const [told, wait] of [[4_000, 4_000], [3_600_000, 120_000]]) {
    const before = stage.socket.commands.length;
    await stage.socket.refuse("subscribe", { code: 111, message: "too many requests", temporary: true, sw_retry_after: told });
    await stage.clock.advance(wait - 1);
    assert.equal(stage.socket.commands.length, before);
    await stage.clock.advance(1);
    assert.equal(stage.socket.commands.length, before + 1);
  }
});

test("a refusal is final, says where help is, and ends loops with the error", async () => {
  const stage = new Stage();
  await stage.up();
  const room = stage.client.channel("nowhere:x");
  const errors = [];
  room.on("error", (error) => errors.push(error));
  const next = outcome(room.events("message").next());
  await settled();
  await stage.socket.refuse("subscribe", { code: 103, message: "permission denied" });
  assert.equal(room.state, "unsubscribed");
  assert.equal((await next).code, 103);
  assert.match(errors[0].message, /^permission denied: 103: see docs\/javascript.md#errors$/);
  assert.equal((await outcome(room.events("message").next())).code, 103, "also for a loop that begins later");
  assert.notEqual(stage.client.channel("nowhere:x"), room, "asking again is a new try");
});

test("for await hears messages in order, and ends when the channel is left", async () => {
  const stage = new Stage();
  await stage.up();
  const { room } = await stage.room();
  const heard = [];
  const loop = (async () => {
    for await (const message of room) heard.push(message.offset);
  })();
  await stage.socket.receive(pub(1), pub(2), pub(3));
  assert.deepEqual(heard, [1, 2, 3]);
  room.leave();
  await stage.clock.advance(0);
  await loop;
});

test("for await survives a reconnect and ends, quietly, when the client is closed", async () => {
  const stage = new Stage();
  await stage.up();
  const { room } = await stage.room();
  const heard = [];
  const loop = (async () => {
    for await (const { offset } of room) heard.push(offset);
  })();
  await stage.down();
  await stage.up();
  await stage.socket.answer("subscribe", { ...joined, recovered: true, was_recovering: true, publications: [{ offset: 1 }] });
  stage.client.close();
  await loop;
  assert.deepEqual(heard, [1]);
});

test("for await throws when the server ends the connection for good", async () => {
  const stage = new Stage();
  await stage.up();
  const { room } = await stage.room();
  const next = outcome(room.events("message").next());
  await stage.socket.drop(3503, "force disconnect");
  assert.equal((await next).code, 3503);
});

test("breaking out of a loop stops the iterator and not the channel", async () => {
  const stage = new Stage();
  await stage.up();
  const { room, of } = await stage.room();
  const loop = (async () => {
    for await (const message of room) if (message.offset === 2) break;
  })();
  await stage.socket.receive(pub(1), pub(2), pub(3));
  await loop;
  await stage.clock.advance(1_000);
  assert.deepEqual(of("message"), ["m1", "m2", "m3"]);
  assert.equal(room.state, "subscribed");
});

test("an iterator keeps what comes before it is asked, and says when that is too much", async () => {
  const stage = new Stage();
  await stage.up();
  const { room } = await stage.room();
  const strict = room.events("message", { buffer: 2 });
  const lossy = room.events("message", { buffer: 2, overflow: "drop-oldest" });
  await stage.socket.receive(pub(1), pub(2), pub(3));
  const take = async (iterator, n) => offsets(await Promise.all(Array.from({ length: n }, async () => (await iterator.next()).value)));
  assert.deepEqual(await take(strict, 2), [1, 2]);
  assert.equal((await outcome(strict.next())).code, "overflow");
  assert.deepEqual(await strict.next(), { value: undefined, done: true });
  assert.deepEqual(await take(lossy, 2), [2, 3]);
});

test("an aborted iterator throws the reason it was given", async () => {
  const stage = new Stage();
  await stage.up();
  const { room } = await stage.room();
  const stop = new AbortController();
  const next = outcome(room.events("message", { signal: stop.signal }).next());
  stop.abort(new Error("enough"));
  assert.equal((await next).error.message, "enough");
  const late = room.events("message", { signal: stop.signal });
  assert.equal((await outcome(late.next())).error.message, "enough");
});

test("a listener is removed by its off and by its signal", async () => {
  const stage = new Stage();
  await stage.up();
  const { room } = await stage.room();
  const heard = [];
  const stop = new AbortController();
  const off = room.on("message", () => heard.push("off"));
  room.on("message", () => heard.push("signal"), { signal: stop.signal });
  await stage.socket.receive(pub(1));
  off();
  stop.abort();
  await stage.socket.receive(pub(2));
  assert.deepEqual(heard, ["off", "signal"]);
});

test("a listener that throws costs nobody else a message, and its error is not swallowed", async (t) => {
  const thrown = [];
  const others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (error) => thrown.push(error.message));
  t.after(() => {
    process.removeAllListeners("uncaughtException");
    others.forEach((listener) => process.on("uncaughtException", listener));
  });
  const stage = new Stage();
  await stage.up();
  const { room } = await stage.room();
  room.on("message", () => {
    throw new Error("my bug");
  });
  const heard = [];
  room.on("message", ({ offset }) => heard.push(offset));
  await stage.socket.receive(pub(1), pub(2));
  assert.deepEqual(heard, [1, 2]);
  assert.deepEqual(thrown, ["my bug", "my bug"]);
});

test("a channel asked for twice is one subscription and must be left twice", async () => {
  const stage = new Stage();
  await stage.up();
  const { room } = await stage.room();
  assert.equal(stage.client.channel("chat:lobby"), room);
  room.leave();
  await stage.clock.advance(1_000);
  assert.equal(room.state, "subscribed");
  room.leave();
  await stage.clock.advance(0);
  assert.equal(room.state, "unsubscribed");
  assert.deepEqual(stage.socket.last("unsubscribe").unsubscribe, { channel: "chat:lobby" });
  assert.equal(stage.socket.commands.filter((command) => command.subscribe).length, 1);
});

test("a channel left and asked for in the same task sends nothing", async () => {
  const stage = new Stage();
  const socket = await stage.up();
  const { room } = await stage.room();
  const before = socket.commands.length;
  room.leave();
  assert.equal(stage.client.channel("chat:lobby"), room);
  await stage.clock.advance(1_000);
  assert.equal(socket.commands.length, before);
  assert.equal(room.state, "subscribed");
});

test("leaving more often than asking does no harm", async () => {
  const stage = new Stage();
  await stage.up();
  const { room } = await stage.room();
  room.leave();
  room.leave();
  const again = stage.client.channel("chat:lobby");
  await stage.clock.advance(1_000);
  assert.equal(again.state, "subscribed");
});

test("what still comes for a channel that was left reaches nobody, not even its successor", async () => {
  const stage = new Stage();
  await stage.up();
  const { room, of } = await stage.room();
  const strays = [];
  stage.client.on("message", (message) => strays.push(message));
  room.leave();
  await stage.clock.advance(0);
  const next = stage.client.channel("chat:lobby");
  next.on("message", (message) => strays.push(message));
  await stage.socket.receive(pub(1));
  assert.deepEqual([of("message"), strays], [[], []]);
});

test("leaving before the reply keeps the channel left", async () => {
  const stage = new Stage();
  await stage.up();
  const room = stage.client.channel("chat:lobby");
  await settled();
  room.leave();
  await stage.clock.advance(0);
  const { id } = stage.socket.last("subscribe");
  await stage.socket.receive({ id, subscribe: joined });
  assert.equal(room.state, "unsubscribed");
});

test("`using` leaves at the end of the block", { skip: !Symbol.dispose && "this runtime has no Symbol.dispose" }, async () => {
  const stage = new Stage();
  await stage.up();
  const { room } = await stage.room();
  room[Symbol.dispose]();
  await stage.clock.advance(0);
  assert.equal(room.state, "unsubscribed");
});

test("what a server-side subscription brings is heard by the client", async () => {
  const stage = new Stage();
  const heard = [];
  stage.client.on("message", ({ channel, data, recovered }) => heard.push([channel, data, recovered]));
  const socket = await stage.up({ subs: { "#ana": {} } });
  await socket.receive(pub(2, 2, "#ana"), { push: { channel: "#ana", unsubscribe: { code: 2000 } } }, pub(3, 3, "#ana"));
  await socket.receive({ push: { channel: "late", subscribe: {} } }, pub(0, 4, "late"), { push: { message: { data: 5 } } });
  assert.deepEqual(heard, [["#ana", 2, false], ["late", 4, false], ["", 5, false]]);
});

test("presence can be asked for later, while subscribing or subscribed, and costs no message", async () => {
  const stage = new Stage();
  await stage.up();
  const early = stage.client.channel("chat:early");
  await settled();
  stage.client.channel("chat:early", { presence: true });
  await settled();
  const [first, second] = stage.socket.commands.filter(({ subscribe }) => subscribe);
  assert.deepEqual([first.subscribe.join_leave, second.subscribe.join_leave], [undefined, true]);
  await stage.socket.receive({ id: first.id, subscribe: {} }, { id: second.id - 1, unsubscribe: {} });
  assert.equal(early.state, "subscribing", "the first answer is about a subscription that has been given up");
  await stage.socket.receive({ id: second.id, subscribe: {} });
  assert.equal(early.state, "subscribed");

  const { room, of } = await stage.room({}, 3);
  await stage.socket.receive(pub(4));
  stage.client.channel("chat:lobby", { presence: true });
  await settled();
  assert.deepEqual(stage.socket.commands.slice(-2).map((command) => Object.keys(command)[1]), ["unsubscribe", "subscribe"]);
  assert.equal(stage.socket.last("subscribe").subscribe.offset, 4);
  await stage.socket.answer("subscribe", { ...joined, recovered: true, offset: 5, publications: [{ offset: 5, data: "m5" }] });
  await stage.socket.answer("presence", { presence: { a: { client: "a", user: "" } } });
  assert.deepEqual(of("message"), ["m4", "m5"]);
  assert.deepEqual([...room.members.keys()], ["a"]);
  stage.client.channel("chat:lobby", { presence: true });
  assert.equal(stage.socket.last("subscribe").subscribe.offset, 4, "asked for twice, nothing more is said");
});

/** Records that come when the test says so; or do not. */
function slowRecords() {
  const asked = [];
  return { asked, records: () => new Promise((resolve, reject) => asked.push({ come: () => resolve(records), fail: () => reject(new TypeError("no such file")) })) };
}

test("what deals with history and presence is loaded by who asks for either, and for nobody else", async () => {
  const { asked, records } = slowRecords();
  const stage = new Stage({ records });
  await stage.up();
  await stage.room({});
  assert.equal(asked.length, 0);
  const page = outcome(stage.client.channel("chat:lobby").history());
  assert.equal(asked.length, 1);
  asked[0].come();
  await settled();
  await stage.socket.answer("history", { publications: [], offset: 0, epoch: "e" });
  assert.deepEqual((await page).value.messages, []);
  stage.client.channel("b", { history: 1 });
  stage.client.channel("c", { presence: true });
  assert.equal(asked.length, 3);
});

test("a channel is subscribed before what follows is said, and its live messages wait for the history before them", async () => {
  const { asked, records } = slowRecords();
  const stage = new Stage({ records });
  const room = stage.client.channel("chat:lobby", { history: 2, presence: true });
  const said = outcome(room.publish("m4"));
  const heard = [];
  for (const type of ["message", "presence", "subscribed", "join"]) room.on(type, (event) => heard.push(event.data ?? event.size ?? event.client ?? type));
  await stage.up();
  const methods = () => stage.socket.commands.map((command) => Object.keys(command)[1]);
  assert.deepEqual(methods(), ["connect", "subscribe", "publish"]);
  const b = { user: "", client: "b" };
  await stage.socket.answer("subscribe", { ...joined, offset: 1 }, pub(2), { push: { channel: "chat:lobby", join: { info: b } } });
  assert.deepEqual(heard, ["b"]);
  assert.deepEqual(methods(), ["connect", "subscribe", "publish"], "neither can be asked for yet");
  for (const load of asked) load.come();
  await settled();
  await stage.socket.answer("presence", { presence: { a: { user: "", client: "a" }, b } });
  await stage.socket.answer("history", { publications: [{ offset: 1, data: "m1" }] }, pub(3));
  await stage.socket.answer("publish", {}, pub(4));
  assert.deepEqual(heard, ["b", 2, "m1", "subscribed", "m2", "m3", "m4"]);
  assert.equal((await said).error, undefined);
});

test("records that cannot be had are told, cost no message, and are asked for again on the next connection", async () => {
  const { asked, records } = slowRecords();
  const stage = new Stage({ records });
  await stage.up();
  const room = stage.client.channel("chat:lobby", { history: 2, presence: true });
  const heard = [];
  for (const type of ["message", "error", "subscribed", "presence"]) room.on(type, (event) => heard.push(event.code ?? event.data ?? type));
  const failing = (from) => asked.slice(from).forEach((load) => load.fail());
  failing(0);
  const { cause, temporary } = (await outcome(Promise.all([room.history(), failing(1)]))).error;
  assert.deepEqual([cause.message, temporary], ["no such file", true]);
  await stage.socket.answer("subscribe", { ...joined, offset: 1 }, pub(2));
  assert.deepEqual(heard, []);
  failing(2);
  await settled();
  assert.deepEqual(heard, ["not_loaded", "subscribed", "m2"]);
  await stage.down();
  await stage.up();
  await stage.socket.answer("subscribe", { ...joined, recovered: true, offset: 2, publications: [] });
  asked.at(-1).come();
  await settled();
  await stage.socket.answer("presence", { presence: {} });
  assert.deepEqual(heard.slice(3), ["subscribed", "presence"]);
});

test("records that never come do not hold messages for ever", async () => {
  const { records } = slowRecords();
  const stage = new Stage({ records });
  await stage.up();
  const room = stage.client.channel("chat:lobby", { history: 2 });
  const heard = [];
  for (const type of ["message", "error", "subscribed"]) room.on(type, (event) => heard.push(event.code ?? event.data ?? type));
  await settled();
  await stage.socket.answer("subscribe", { ...joined, offset: 1 }, pub(2));
  await stage.clock.advance(RECORDS_MS_MAX - 1);
  assert.deepEqual(heard, []);
  await stage.clock.advance(1);
  await settled();
  await stage.socket.receive(pub(3));
  assert.deepEqual(heard, ["not_loaded", "subscribed", "m2", "m3"]);
});

test("of a channel that is left, or lost, while its records are on their way nothing is asked", async () => {
  const { asked, records } = slowRecords();
  const stage = new Stage({ records });
  await stage.up();
  const room = stage.client.channel("chat:lobby", { history: 2, presence: true });
  await settled();
  const lost = stage.client.channel("b", { presence: true });
  await stage.socket.answer("subscribe", { ...joined, offset: 1 });
  room.leave();
  await stage.clock.advance(0);
  await stage.down();
  for (const load of asked) load.come();
  await stage.up();
  const methods = stage.socket.commands.map((command) => Object.keys(command)[1]);
  assert.deepEqual(methods, ["connect", "subscribe"]);
  assert.deepEqual([room.state, lost.state], ["unsubscribed", "subscribing"]);
});

test("messages go on while what presence takes is loaded for a channel that is subscribed", async () => {
  const { asked, records } = slowRecords();
  const stage = new Stage({ records });
  await stage.up();
  const { room, of } = await stage.room({}, 3);
  stage.client.channel("chat:lobby", { presence: true });
  await settled();
  assert.equal(stage.socket.last("subscribe").subscribe.join_leave, true);
  await stage.socket.answer("subscribe", { ...joined, recovered: true, offset: 3, publications: [] }, pub(4));
  assert.deepEqual(of("message"), ["m4"]);
  for (const load of asked) load.come();
  await settled();
  await stage.socket.answer("presence", { presence: { a: { client: "a", user: "" } } });
  assert.deepEqual([...room.members.keys()], ["a"]);
});
