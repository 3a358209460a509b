import assert from "node:assert/strict";
import { test } from "node:test";
import { unauthorized } from "../spanwire.js";
import { backoff } from "../spanwire/backoff.js";
import { Stage, outcome, settled } from "./stage.js";

test("connect and the subscribes of the same moment share the first frame", async () => {
  const stage = new Stage({ data: { name: "Ana" } });
  stage.client.channel("a");
  stage.client.channel("b");
  await settled();
  await stage.socket.open();
  const [connect, a, b] = stage.socket.frames[0];
  assert.deepEqual(connect.connect.headers, { spanwire: "1" });
  assert.deepEqual(connect.connect.data, { name: "Ana" });
  assert.deepEqual([a.subscribe.channel, b.subscribe.channel], ["a", "b"]);
  assert.equal(stage.socket.frames.length, 1);
});

test("commands of one moment share a frame, and a long moment makes several", async () => {
  const stage = new Stage();
  const socket = await stage.up();
  socket.frames.length = 0;
  const text = "x".repeat(6_000);
  const all = Array.from({ length: 5 }, (_, n) => outcome(stage.client.publish("c", { n, text })));
  await settled();
  assert.deepEqual(socket.frames.map((frame) => frame.length), [2, 2, 1]);
  assert.deepEqual(socket.commands.map((command) => command.publish.data.n), [0, 1, 2, 3, 4]);
  stage.client.close();
  await Promise.all(all);
});

test("a command that no frame can hold is refused here and not sent", async () => {
  const stage = new Stage();
  const socket = await stage.up();
  const { code } = await outcome(stage.client.publish("c", "é".repeat(33_000)));
  assert.equal(code, "too_large");
  assert.equal(socket.last("publish"), undefined);
  assert.equal(stage.client.status.state, "connected");
});

/** A backoff at this moment of the outage, with this chance. */
const waiter = (draw, time = { ms: 0 }) => backoff({ random: () => draw, now: () => time.ms });

test("waits are drawn from the whole of a window that doubles from 300 ms to 5 s", () => {
  const waits = (draw) => {
    const waiting = waiter(draw);
    return Array.from({ length: 8 }, () => Math.round(waiting.next()));
  };
  assert.deepEqual(waits(0), Array(8).fill(0));
  assert.deepEqual(waits(1), [300, 600, 1200, 2400, 4800, 5000, 5000, 5000]);
});

test("an outage of a minute widens the window to 20 s, and the next one begins anew", () => {
  const time = { ms: 0 };
  const waits = waiter(1, time);
  for (let n = 0; n < 8; n++) waits.next();
  time.ms = 59_999;
  assert.equal(waits.next(), 5_000);
  time.ms = 60_000;
  assert.equal(waits.next(), 20_000);
  waits.worked();
  time.ms = 70_000;
  assert.equal(waits.next(), 300);
});

test("a thousand failures later the wait is still a number within its bounds", () => {
  const waits = waiter(Math.random());
  for (let n = 0; n < 2_000; n++) {
    const wait = waits.next();
    assert.ok(wait >= 0 && wait <= 20_000, `wait ${n} is ${wait}`);
  }
});

test("only a connection that lived ten seconds forgives the failures before it", async () => {
  const stage = new Stage();
  const attempts = [];
  for (const lived of [0, 9_999, 10_000]) {
    await stage.up();
    await stage.clock.advance(lived);
    await stage.socket.drop();
    attempts.push(stage.client.status.attempt);
    await stage.retry();
  }
  assert.deepEqual(attempts, [1, 2, 1]);
});

test("the status tells when the next try comes, and why", async () => {
  const stage = new Stage();
  await stage.up();
  await stage.socket.drop(3001, "shutdown");
  const { state, retryAt, lastError, client, latency } = stage.client.status;
  assert.deepEqual({ state, client, latency }, { state: "waiting", client: null, latency: null });
  assert.equal(retryAt, stage.clock.now + 150);
  assert.equal(lastError.code, 3001);
  assert.match(lastError.message, /shutdown/);
  await stage.clock.advance(149);
  assert.equal(stage.sockets.length, 1);
  await stage.clock.advance(1);
  assert.equal(stage.sockets.length, 2);
});

test("codes say who may return", async () => {
  const table = [
    [1000, true], [1006, true], [1009, true], [2999, true], [3000, true], [3012, true], [3499, true],
    [3500, false], [3503, false], [3999, false], [4000, true], [4499, true], [4500, false], [4999, false], [5000, true],
  ];
  for (const [code, returns] of table) {
    const stage = new Stage();
    await stage.up();
    await stage.socket.drop(code, "because");
    assert.equal(stage.client.status.state, returns ? "waiting" : "closed", `code ${code}`);
    assert.equal(stage.client.status.lastError.code, code);
  }
});

test("a socket that never opens is given up after four seconds", async () => {
  const stage = new Stage();
  await settled();
  await stage.clock.advance(3_999);
  assert.equal(stage.client.status.state, "connecting");
  await stage.clock.advance(1);
  assert.equal(stage.sockets[0].closed, true);
  assert.equal(stage.client.status.lastError.code, "no_connection");
});

test("a socket that cannot even be made is tried again", async () => {
  const stage = new Stage({
    WebSocket: class {
      constructor() {
        throw new Error("no sockets here");
      }
    },
  });
  await settled();
  assert.equal(stage.client.status.state, "waiting");
  assert.match(stage.client.status.lastError.message, /no sockets here/);
});

test("a ping is answered, once, when the server asked for it", async () => {
  for (const [pong, answers] of [[true, 1], [false, 0]]) {
    const stage = new Stage();
    const socket = await stage.up({ pong });
    const before = socket.commands.length;
    await socket.receive({});
    assert.deepEqual(socket.commands.slice(before), Array(answers).fill({}));
  }
});

test("a connection is dead when a ping is ten seconds late, and any frame is a sign of life", async () => {
  const stage = new Stage();
  const socket = await stage.up();
  await stage.clock.advance(34_000);
  await socket.receive({});
  await stage.clock.advance(34_999);
  assert.equal(stage.client.status.state, "connected");
  await stage.clock.advance(1);
  assert.equal(stage.client.status.lastError.code, "no_ping");
  assert.equal(socket.closed, true);
});

test("a server that does not ping is not expected to", async () => {
  const stage = new Stage();
  await stage.up({ ping: 0, pong: false });
  await stage.clock.advance(3_600_000);
  assert.equal(stage.client.status.state, "connected");
});

test("waking up ends the wait between two tries", async () => {
  for (const name of ["online", "pageshow", "visibilitychange"]) {
    const stage = new Stage();
    await stage.up();
    await stage.socket.drop();
    stage.waker.dispatchEvent(new Event(name));
    await settled();
    assert.equal(stage.sockets.length, 2, name);
    assert.equal(stage.clock.pending, 1, "the old wait is not left behind");
  }
});

test("a page that goes into the background does not wake anything", async () => {
  const stage = new Stage();
  await stage.up();
  await stage.socket.drop();
  stage.waker.visibilityState = "hidden";
  stage.waker.dispatchEvent(new Event("visibilitychange"));
  await settled();
  assert.equal(stage.sockets.length, 1);
});

test("losing the network is no reason to hurry, but one to ask whether the connection lives", async () => {
  const stage = new Stage();
  const socket = await stage.up();
  await stage.clock.advance(1_000);
  stage.waker.dispatchEvent(new Event("offline"));
  await settled();
  assert.ok(socket.last("unsubscribe"), "it asks");
  await stage.clock.advance(2_000);
  assert.equal(stage.client.status.state, "waiting");
  stage.waker.dispatchEvent(new Event("offline"));
  await settled();
  assert.equal(stage.sockets.length, 1);
});

test("a page that is left has no connection, and has one again as soon as it is shown", async () => {
  const stage = new Stage();
  await stage.up();
  const { of } = await stage.room({}, 3);
  const left = stage.socket;
  const asked = outcome(stage.client.rpc("m"));
  await settled();
  stage.waker.dispatchEvent(new Event("pagehide"));
  assert.equal(left.closed, true, "or no browser would keep the page");
  assert.equal(left.last("rpc").rpc.method, "m", "what was said before is sent");
  assert.equal(stage.client.status.lastError.code, "hidden");
  assert.equal((await asked).code, "unacknowledged");
  stage.waker.dispatchEvent(new Event("pageshow"));
  await stage.up();
  assert.equal(stage.socket.last("subscribe").subscribe.offset, 3);
  await stage.socket.answer("subscribe", { recoverable: true, positioned: true, recovered: true, epoch: "e", offset: 4, publications: [{ offset: 4, data: "m4" }] });
  assert.deepEqual(of("message"), ["m4"]);
  assert.deepEqual(of("gap"), []);
});

test("waking up asks a connection whether it lives, and gives it two seconds", async () => {
  const stage = new Stage();
  const socket = await stage.up();
  await stage.clock.advance(1_000);
  stage.waker.dispatchEvent(new Event("online"));
  await settled();
  await socket.answer("unsubscribe");
  await stage.clock.advance(2_000);
  assert.equal(stage.client.status.state, "connected");

  stage.waker.dispatchEvent(new Event("online"));
  await stage.clock.advance(2_000);
  assert.equal(stage.client.status.lastError.code, "no_ping");
});

test("something that is not the protocol ends the connection, and is said", async () => {
  const stage = new Stage();
  const socket = await stage.up();
  socket.onmessage({ data: "<html>" });
  assert.equal(stage.client.status.lastError.code, "bad_frame");
});

test("replies to nobody, unknown pushes and null are no offence", async () => {
  const stage = new Stage();
  const socket = await stage.up();
  await socket.receive({ id: 999, rpc: {} }, { push: { channel: "x", news: {} } }, { push: {} }, null, 7);
  assert.equal(stage.client.status.state, "connected");
});

test("an expired token is replaced, any other refusal of connect is final", async () => {
  const asked = [];
  const stage = new Stage({ getToken: async ({ reason }) => `t${asked.push(reason)}` });
  await settled();
  await stage.socket.open();
  assert.equal(stage.socket.last("connect").connect.token, "t1");
  await stage.socket.refuse("connect", { code: 109, message: "token expired" });
  await stage.retry();
  await stage.socket.open();
  assert.equal(stage.socket.last("connect").connect.token, "t2");
  await stage.socket.refuse("connect", { code: 103, message: "permission denied" });
  assert.equal(stage.client.status.state, "closed");
  assert.deepEqual(asked, ["connect", "connect"]);
});

test("a server that sends a client away says when it may come back", async () => {
  for (const [told, comes] of [[2_500, 2_500], [600_000, 120_000], [0, 150]]) {
    const stage = new Stage();
    await settled();
    await stage.socket.open();
    await stage.socket.refuse("connect", { code: 111, message: "too many requests", temporary: true, sw_retry_after: told });
    assert.equal(stage.client.status.retryAt, stage.clock.now + comes);
  }
});

test("a server that ends may say when to come back, and is believed as long as that is sensible", async () => {
  for (const [reason, comes] of [
    ["shutdown, retry in 2500 ms", 2_500],
    ["shutdown, retry in 600000 ms", 120_000],
    ["shutdown, retry in 0 ms", 150],
    ["shutdown", 150],
  ]) {
    const stage = new Stage();
    await stage.up();
    await stage.socket.drop(3001, reason);
    assert.equal(stage.client.status.retryAt, stage.clock.now + comes, reason);
  }
});

test("an expired token that cannot be replaced is final", async () => {
  const stage = new Stage({ token: "old" });
  await settled();
  await stage.socket.open();
  await stage.socket.refuse("connect", { code: 109, message: "token expired" });
  assert.equal(stage.client.status.state, "closed");
  assert.equal(stage.client.status.lastError.code, 109);
});

test("a token is kept through a drop and replaced after 3005 and 3014", async () => {
  const stage = new Stage({ getToken: (() => { let n = 0; return async () => `t${++n}`; })() });
  await stage.up();
  const tokens = [];
  for (const code of [1006, 3005, 3014, 1006]) {
    await stage.down(code);
    await stage.up();
    tokens.push(stage.socket.last("connect").connect.token);
  }
  assert.deepEqual(tokens, ["t1", "t2", "t3", "t3"]);
});

test("a token is refreshed before it expires, and again after that", async () => {
  const reasons = [];
  const stage = new Stage({ getToken: async ({ reason }) => `t${reasons.push(reason)}` });
  const socket = await stage.up({ ping: 0, expires: true, ttl: 100 });
  await stage.clock.advance(90_000);
  assert.deepEqual(socket.last("refresh").refresh, { token: "t2" });
  await socket.answer("refresh", { expires: true, ttl: 50 });
  await stage.clock.advance(45_000);
  assert.deepEqual(socket.last("refresh").refresh, { token: "t3" });
  assert.deepEqual(reasons, ["connect", "refresh", "refresh"]);
});

test("a refresh that is refused for now is tried again, with a new token, while the connection lives", async () => {
  let asked = 0;
  let isDown = false;
  const getToken = async () => {
    if (isDown) throw new Error("backend down");
    return `t${++asked}`;
  };
  const stage = new Stage({ getToken });
  const socket = await stage.up({ ping: 0, expires: true, ttl: 100 });
  const refreshes = () => socket.commands.flatMap(({ refresh }) => refresh?.token ?? []);
  await stage.clock.advance(90_000);
  await socket.refuse("refresh", { code: 111, message: "too many requests", temporary: true, sw_retry_after: 2_000 });
  await stage.clock.advance(1_999);
  assert.deepEqual(refreshes(), ["t2"]);
  await stage.clock.advance(1);
  assert.deepEqual(refreshes(), ["t2", "t3"]);
  isDown = true;
  await socket.refuse("refresh", { code: 100, message: "internal server error", temporary: true });
  await stage.clock.advance(300);
  assert.deepEqual(refreshes(), ["t2", "t3"]);
  isDown = false;
  await stage.clock.advance(600);
  assert.deepEqual(refreshes(), ["t2", "t3", "t4"]);
  await socket.answer("refresh", { expires: true, ttl: 100 });
  await stage.clock.advance(89_999);
  assert.deepEqual(refreshes(), ["t2", "t3", "t4"]);
});

test("a refresh that is refused for good is not tried again, nor one of a connection that is over", async () => {
  const stage = new Stage({ getToken: async () => "t" });
  const refreshes = () => stage.sockets.flatMap(({ commands }) => commands.filter(({ refresh }) => refresh)).length;
  await stage.up({ ping: 0, expires: true, ttl: 100 });
  await stage.clock.advance(90_000);
  await stage.socket.refuse("refresh", { code: 109, message: "token expired" });
  await stage.clock.advance(60_000);
  assert.equal(refreshes(), 1);
  await stage.down(3005);
  await stage.up({ ping: 0, expires: true, ttl: 100 });
  await stage.clock.advance(90_000);
  await stage.socket.refuse("refresh", { code: 111, message: "too many requests", temporary: true, sw_retry_after: 60_000 });
  await stage.down();
  await stage.up({ ping: 0 });
  await stage.clock.advance(60_000);
  assert.equal(refreshes(), 2);
});

test("a token that lives for a year does not refresh at once", async () => {
  let asked = 0;
  const stage = new Stage({ getToken: async () => `t${++asked}` });
  await stage.up({ ping: 0, expires: true, ttl: 31_536_000 });
  await stage.clock.advance(86_400_000);
  assert.equal(asked, 1);
});

test("a failing getToken is asked again with backoff, unauthorized() stops", async () => {
  let asked = 0;
  const stage = new Stage({
    getToken: () => {
      if (++asked < 3) throw new Error("backend down");
      throw unauthorized("signed out");
    },
  });
  await settled();
  assert.equal(stage.client.status.lastError.code, "no_token");
  assert.equal(stage.client.status.lastError.cause.message, "backend down");
  await stage.retry();
  await stage.retry();
  assert.equal(asked, 3);
  assert.equal(stage.client.status.state, "closed");
  assert.equal(stage.client.status.lastError.code, "unauthorized");
});

test("a token that comes after the client was closed opens nothing", async () => {
  let give;
  const stage = new Stage({ getToken: () => new Promise((resolve) => (give = resolve)) });
  await settled();
  stage.client.close();
  give("late");
  await settled();
  assert.equal(stage.sockets.length, 0);
});

test("a token that comes too late takes the place of none that came after it", async () => {
  const gives = [];
  const stage = new Stage({ getToken: () => new Promise((resolve) => gives.push(resolve)) });
  await stage.clock.advance(10_000);
  await stage.retry();
  gives[1]("new");
  await stage.up();
  gives[0]("old");
  await settled();
  await stage.down();
  await stage.up();
  assert.equal(stage.socket.last("connect").connect.token, "new");
});

test("ready resolves when connected, rejects when that will not happen, and can be given up", async () => {
  const stage = new Stage();
  const ready = stage.client.ready();
  const stop = new AbortController();
  const given = outcome(stage.client.ready({ signal: stop.signal }));
  stop.abort(new Error("enough"));
  assert.equal((await given).error.message, "enough");
  await stage.up();
  await ready;
  await stage.client.ready();
  await stage.socket.drop(3503, "force disconnect");
  assert.equal((await outcome(stage.client.ready())).code, 3503);
});

test("closing leaves no timer, no socket and no listener behind", async () => {
  const stage = new Stage({ getToken: async () => "t" });
  const socket = await stage.up({ expires: true, ttl: 100 });
  const room = stage.client.channel("chat:lobby", { history: 10, presence: true });
  const lost = outcome(room.publish("unsent"));
  stage.waker.dispatchEvent(new Event("online"));
  stage.client.close();
  await settled();
  assert.equal(socket.closed, true);
  assert.equal(stage.clock.pending, 0);
  assert.equal(stage.client.status.state, "closed");
  assert.equal(room.state, "unsubscribed");
  assert.equal((await lost).code, "unacknowledged");
  stage.waker.dispatchEvent(new Event("online"));
  await stage.clock.advance(60_000);
  assert.equal(stage.sockets.length, 1);
});

test("an aborted signal closes the client", async () => {
  const stop = new AbortController();
  const stage = new Stage({ signal: stop.signal });
  await stage.up();
  stop.abort();
  assert.equal(stage.client.status.state, "closed");
  const never = new Stage({ signal: AbortSignal.abort() });
  await settled();
  assert.equal(never.sockets.length, 0);
});

test("a listener that closes the client from any status leaves nothing running", async () => {
  for (const state of ["connecting", "connected", "waiting"]) {
    const stage = new Stage();
    let armed = state !== "connecting";
    stage.client.on("status", (status) => armed && status.state === state && stage.client.close());
    await stage.up();
    armed = true;
    await stage.socket.drop();
    await stage.clock.advance(60_000);
    assert.equal(stage.client.status.state, "closed", state);
    assert.equal(stage.clock.pending, 0, state);
  }
});

for (const name of ["online", "pageshow", "visibilitychange"]) {
  test(`\`${name}\` has a waiting client try at once`, async () => {
    const stage = new Stage();
    await stage.up();
    await stage.socket.drop();
    assert.equal(stage.client.status.state, "waiting");
    stage.waker.dispatchEvent(new Event(name));
    await settled();
    assert.equal(stage.sockets.length, 2);
  });
}

test("a socket's error is always listened to, or Node would end the process", async () => {
  const stage = new Stage();
  await stage.up();
  assert.equal(typeof stage.socket.onerror, "function");
  await stage.socket.drop();
  assert.equal(typeof stage.sockets[0].onerror, "function", "also of one that is over");
});
