import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeHttp, welcome } from "./http.js";
import { Stage, outcome, settled } from "./stage.js";

/** A client that takes this way and no other, with its first command sent. */
async function taking(transport) {
  const http = new FakeHttp();
  const stage = new Stage({ transports: [transport], ...http.options });
  await settled();
  return { http, stage, rt: stage.client };
}

const lines = (...replies) => replies.map((reply) => `${JSON.stringify(reply)}\n`).join("");
const pub = (offset) => ({ push: { channel: "a", pub: { offset, data: `m${offset}` } } });

/** A stream over HTTP, with one channel joined. */
async function streaming() {
  const all = await taking("http_stream");
  const heard = [];
  all.rt.channel("a").on("message", ({ data }) => heard.push(data));
  const down = all.http.last("/connection/http_stream");
  await down.say(lines(welcome()));
  await all.http.last("/emulation").answer(204);
  await down.say(lines({ id: 2, subscribe: {} }));
  return { ...all, down, heard };
}

test("a stream brings a reply per line, however the network splits it", async () => {
  const { down, heard } = await streaming();
  const text = lines(pub(1), { push: { channel: "a", pub: { data: "é" } } }, pub(3));
  const bytes = new TextEncoder().encode(text);
  const cut = text.indexOf("é") + 1; // between the two bytes of the é
  await down.say(bytes.slice(0, 7));
  assert.deepEqual(heard, []);
  await down.say(bytes.slice(7, cut));
  await down.say(bytes.slice(cut));
  assert.deepEqual(heard, ["m1", "é", "m3"]);
});

test("no character but a line break ends a reply", async () => {
  const data = "a\u2028b\u2029c\u0085d";
  const { http, down, heard, rt } = await streaming();
  await down.say(`${JSON.stringify({ push: { channel: "a", pub: { data } } })}\r\n`);
  await down.say(`{"push":{"channel":"a",\r"pub":{"data":2}}}\n`);
  assert.deepEqual(heard, [data, 2]);
  assert.equal(rt.status.state, "connected");
  assert.equal(http.paths.filter((path) => path === "/connection/http_stream").length, 1);
});

test("a stream that ends is a connection lost, and a disconnect in it says why", async () => {
  const { down, rt } = await streaming();
  await down.end();
  assert.equal(rt.status.state, "waiting");
  assert.equal(rt.status.lastError.code, 1006);
  const told = await streaming();
  await told.down.say(lines({ push: { disconnect: { code: 3503, reason: "force disconnect" } } }));
  assert.equal(told.rt.status.state, "closed");
  assert.equal(told.rt.status.lastError.code, 3503);
  assert.equal(told.down.signal.aborted, true);
});

test("commands go up one post at a time, in order, and those that wait share the next one", async () => {
  const { http, rt } = await streaming();
  const asked = [1, 2, 3].map((n) => outcome(rt.rpc(`m${n}`)));
  await settled();
  const more = [4, 5].map((n) => outcome(rt.rpc(`m${n}`)));
  await settled();
  const posts = http.requests.filter(({ path }) => path === "/emulation").slice(1);
  assert.equal(posts.length, 1);
  assert.deepEqual(posts[0].commands.map(({ rpc }) => rpc.method), ["m1", "m2", "m3"]);
  const { session, node } = JSON.parse(posts[0].body);
  assert.deepEqual({ session, node }, { session: "s", node: "n" });
  await posts[0].answer(204);
  assert.deepEqual(http.last("/emulation").commands.map(({ rpc }) => rpc.method), ["m4", "m5"]);
  rt.close();
  await Promise.all([...asked, ...more]);
});

test("what waits is split where one post could not carry it", async () => {
  const { http, rt } = await streaming();
  const asked = [outcome(rt.rpc("first"))];
  await settled();
  for (const letter of "abc") {
    asked.push(outcome(rt.rpc(letter, letter.repeat(9_000))));
    await settled(); // a frame each
  }
  await http.last("/emulation").answer(204);
  const methods = () => http.last("/emulation").commands.map(({ rpc }) => rpc.method);
  assert.deepEqual(methods(), ["a"]);
  await http.last("/emulation").answer(204);
  assert.deepEqual(methods(), ["b"]);
  rt.close();
  await Promise.all(asked);
});

test("a post that fails ends the connection, for nobody knows what became of its commands", async () => {
  const { http, down, rt } = await streaming();
  const asked = outcome(rt.rpc("m"));
  await settled();
  await http.last("/emulation").lose();
  assert.equal(rt.status.state, "waiting");
  assert.equal((await asked).code, "unacknowledged");
  assert.equal(down.signal.aborted, true);
});

test("a page that is no stream of replies is found out", async () => {
  const { http, rt } = await taking("http_stream");
  await http.last("/connection/http_stream").answer(200, "<html>Please log in to the hotel's network</html>\n\n");
  assert.equal(rt.status.state, "waiting");
  const polling = await taking("poll");
  await polling.http.last("/connection/poll").answer(200, "<html>");
  assert.equal(polling.rt.status.state, "waiting");
});

test("events are the same stream, whatever stands before and between the replies", async () => {
  const { http, stage, rt } = await taking("sse");
  const heard = [];
  rt.channel("a").on("message", ({ data }) => heard.push(data));
  const down = http.last("/connection/sse");
  const events = (...replies) => replies.map((reply) => `data: ${JSON.stringify(reply)}\n\n`).join("");
  await down.say("\r\n");
  await down.say(events(welcome(down.commands[0].id)));
  const posted = http.last("/emulation");
  assert.equal(posted.commands[0].subscribe.channel, "a");
  await posted.answer(204);
  await down.say(`: a comment\n\n${events({ id: posted.commands[0].id, subscribe: {} }, pub(1)).slice(0, -5)}`);
  assert.deepEqual(heard, []);
  await down.say(events(pub(1)).slice(-5) + events({ push: { channel: "a", pub: { data: "a\nb { data: c" } } }));
  assert.deepEqual(heard, ["m1", "a\nb { data: c"]);
  await down.end();
  assert.equal(down.signal.aborted, true);
  assert.equal(stage.client.status.state, "waiting");
});

test("each poll acknowledges the batch before it", async () => {
  const { http, rt } = await taking("poll");
  const heard = [];
  rt.channel("a").on("message", ({ data }) => heard.push(data));
  const answer = (batch, ...replies) => http.last("/connection/poll").answer(200, JSON.stringify({ batch, replies }));
  await answer(1, welcome());
  await http.last("/emulation").answer(204);
  assert.equal(JSON.parse(http.last("/connection/poll").body).ack, 1);
  await answer(2, { id: 2, subscribe: {} }, pub(1));
  assert.deepEqual(JSON.parse(http.last("/connection/poll").body), { session: "s", node: "n", ack: 2 });
  await answer(2);
  assert.deepEqual(JSON.parse(http.last("/connection/poll").body), { session: "s", node: "n", ack: 2 });
  await answer(3, pub(2));
  assert.deepEqual(heard, ["m1", "m2"]);
});

test("a poll whose answer was lost is asked again, once; an opening is not", async () => {
  const { http, rt } = await taking("poll");
  await http.last("/connection/poll").lose();
  assert.equal(http.requests.length, 1);
  const again = await taking("poll");
  await again.http.last("/connection/poll").answer(200, JSON.stringify({ batch: 1, replies: [welcome()] }));
  const before = again.http.requests.length;
  await again.http.last("/connection/poll").lose();
  assert.equal(again.http.requests.length, before + 1);
  assert.equal(again.http.requests.at(-1).body, again.http.requests.at(-2).body);
  assert.equal(again.rt.status.state, "connected");
  await again.http.last("/connection/poll").lose();
  assert.equal(again.rt.status.state, "waiting");
  assert.equal(rt.status.state, "waiting");
});

test("silence is death here too, and a ping is answered by a post", async () => {
  const { http, stage, rt } = await taking("http_stream");
  const down = http.last("/connection/http_stream");
  const { connect, ...reply } = welcome();
  await down.say(lines({ ...reply, connect: { ...connect, ping: 25, pong: true } }, {}));
  assert.deepEqual(http.last("/emulation").commands, [{}]);
  await stage.clock.advance(35_000);
  assert.equal(rt.status.lastError.code, "no_ping");
  assert.equal(down.signal.aborted, true);
});
