import assert from "node:assert/strict";
import { test } from "node:test";
import { log } from "../spanwire/log.js";
import { Stage, outcome, pub, settled } from "./stage.js";

/** A console that keeps what it is told. */
function listening() {
  const titles = [];
  const shown = [];
  const console = { groupCollapsed: (title) => titles.push(title), log: (message) => shown.push(message), groupEnd: () => {} };
  return { console, titles, shown };
}

test("everything on the wire has a line that says what it is about", async () => {
  const stage = new Stage();
  const { console, titles, shown } = listening();
  const stop = log(stage.client, console);
  await stage.up();
  await stage.room({});
  await stage.socket.receive(pub(12), {});
  const asked = [outcome(stage.client.publish("chat:lobby", 1)), outcome(stage.client.rpc("add"))];
  await settled();
  await stage.socket.refuse("publish", { code: 103, message: "permission denied" });
  assert.deepEqual(titles, [
    "> connect #1",
    "< connect #1",
    "> subscribe chat:lobby #2",
    "< subscribe #2",
    "< chat:lobby pub 12",
    "< ping",
    "> ping",
    "> publish chat:lobby #3",
    "> rpc add #4",
    "< #3 refused: 103 permission denied",
  ]);
  assert.equal(shown[4].push.pub.data, "m12");
  stop();
  await stage.socket.receive(pub(13));
  assert.equal(titles.length, 10, "stopped, it is silent");
  stage.client.close();
  await Promise.all(asked);
});

test("what is not the protocol is printed as it came", async () => {
  const stage = new Stage();
  const { console, titles, shown } = listening();
  log(stage.client, console);
  await stage.up();
  stage.socket.onmessage({ data: "<html>" });
  await settled();
  assert.equal(titles.at(-1), "< not the protocol");
  assert.deepEqual(shown.at(-1), { "not the protocol": "<html>" });
});

test("a token is never printed", async () => {
  const stage = new Stage({ getToken: () => "s3cret" });
  const { console, shown } = listening();
  log(stage.client, console);
  await stage.up({ expires: true, ttl: 20 });
  await stage.clock.advance(18_000);
  assert.equal(stage.socket.last("refresh").refresh.token, "s3cret");
  assert.deepEqual(shown.filter(({ connect, refresh }) => connect?.token ?? refresh).map((said) => (said.connect ?? said.refresh).token), [
    "(a token)",
    "(a token)",
  ]);
  assert.ok(!JSON.stringify(shown).includes("s3cret"));
});
