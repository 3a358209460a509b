// Many tabs on one connection: the real client in each tab, the switchboard, and a mock server behind it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../spanwire.js";
import { Line } from "../spanwire/line.js";
import { mock } from "../spanwire/mock.js";
import * as records from "../spanwire/records.js";
import { Switchboard } from "../spanwire/switchboard.js";
import { FakeClock, outcome, settled } from "./stage.js";

/** A browser whose tabs share a connection to a mock server. */
class Browser {
  clock = new FakeClock();
  online = new EventTarget();

  constructor(server = mock(), more = {}) {
    this.server = server;
    this.waker = new EventTarget();
    const awake = () => this.online.dispatchEvent(new Event("online"));
    this.board = new Switchboard("ws://mock", { ...this.world(this.waker), WebSocket: server.WebSocket, ...more }, awake);
  }

  world(waker) {
    const { setTimeout, clearTimeout } = this.clock;
    return { setTimeout, clearTimeout, now: () => this.clock.now, random: () => 0.5, waker };
  }

  /** A tab, and what it heard in the room. */
  tab(options = {}) {
    const { board } = this;
    class TabLine extends Line {
      constructor() {
        super((line) => {
          const extension = { opened: () => line.opened(), tell: (reply) => line.tell(reply), end: (code, reason) => line.end(code, reason) };
          line.heard = (command) => board.heard(extension, command);
          line.left = () => board.leave(extension);
          board.accept(extension);
        });
      }
    }
    const rt = connect("ws://mock", { ...this.world(this.online), WebSocket: TabLine });
    const room = rt.channel("chat:lobby", options);
    const heard = [];
    room.on("message", ({ data }) => heard.push(data));
    room.on("gap", () => heard.push("gap"));
    return { rt, room, heard };
  }

  /** Until everything that was said has been heard. */
  async rest() {
    for (let round = 0; round < 5; round++) await settled();
  }

  async cut(meanwhile = () => {}) {
    this.server.goOffline();
    await this.rest();
    meanwhile();
    this.server.goOnline();
    this.waker.dispatchEvent(new Event("online"));
    await this.rest();
  }
}

test("tabs share one connection, and are one member", async () => {
  const browser = new Browser();
  const [a, b] = [browser.tab({ presence: true }), browser.tab({ presence: true })];
  await Promise.all([a.rt.ready(), b.rt.ready()]);
  await browser.rest();
  assert.equal(browser.server.connections, 1);
  assert.equal(browser.server.members("chat:lobby").length, 1);
  assert.deepEqual([a.room.members.size, b.room.members.size], [1, 1]);
  assert.equal(a.rt.status.client, b.rt.status.client);
  await a.room.publish("hello");
  await browser.rest();
  assert.deepEqual([a.heard, b.heard], [["hello"], ["hello"]]);
});

test("who listens last hangs up, and who closes leaves the rest in peace", async () => {
  const browser = new Browser();
  const [a, b] = [browser.tab(), browser.tab()];
  await browser.rest();
  a.rt.close();
  await browser.rest();
  browser.server.publish("chat:lobby", 1);
  await browser.rest();
  assert.deepEqual([a.heard, b.heard], [[], [1]]);
  b.room.leave();
  await browser.clock.advance(10);
  await browser.rest();
  assert.equal(browser.server.members("chat:lobby").length, 0);
  assert.equal(browser.server.connections, 1);
});

test("a tab that comes later gets history and what is live, and presence if it is the first to ask", async () => {
  const browser = new Browser();
  const a = browser.tab();
  await browser.rest();
  for (const n of [1, 2, 3]) browser.server.publish("chat:lobby", n);
  await browser.rest();
  const b = browser.tab({ history: 2, presence: true });
  await browser.rest();
  browser.server.publish("chat:lobby", 4);
  await browser.rest();
  assert.deepEqual([a.heard, b.heard], [[1, 2, 3, 4], [2, 3, 4]]);
  assert.equal(b.room.members.size, 1);
  const other = connect("ws://mock", { ...browser.world(new EventTarget()), WebSocket: browser.server.WebSocket });
  other.channel("chat:lobby");
  await browser.rest();
  assert.equal(b.room.members.size, 2, "joins are heard");
});

test("after a cut every tab has what it missed, once and in order, and says so meanwhile", async () => {
  const browser = new Browser();
  const [a, b] = [browser.tab(), browser.tab()];
  await browser.rest();
  browser.server.publish("chat:lobby", 1);
  await browser.rest();
  const states = [];
  a.rt.on("status", ({ state }) => states.push(state));
  await browser.cut(() => {
    for (const n of [2, 3]) browser.server.publish("chat:lobby", n);
  });
  assert.deepEqual([...new Set(states)], ["waiting", "connecting", "connected"]);
  browser.server.publish("chat:lobby", 4);
  await browser.rest();
  assert.deepEqual([a.heard, b.heard], [[1, 2, 3, 4], [1, 2, 3, 4]]);
});

test("those who are here are not woken by those who come", async () => {
  const browser = new Browser();
  browser.tab();
  await browser.rest();
  let woken = 0;
  browser.online.addEventListener("online", () => woken++);
  browser.tab();
  await browser.rest();
  assert.equal(woken, 0);
  await browser.cut();
  assert.equal(woken, 1);
});

test("what no tab comes back for is given up half a minute after the return of the connection", async () => {
  const browser = new Browser();
  const a = browser.tab();
  await browser.rest();
  browser.server.goOffline();
  await browser.rest();
  a.rt.close();
  browser.server.goOnline();
  browser.waker.dispatchEvent(new Event("online"));
  await browser.rest();
  assert.equal(browser.server.members("chat:lobby").length, 1);
  await browser.clock.advance(31_000);
  await browser.rest();
  assert.equal(browser.server.members("chat:lobby").length, 0);
});

test("what cannot be recovered is a gap in every tab", async () => {
  const browser = new Browser(mock({ history: 2 }));
  const [a, b] = [browser.tab(), browser.tab()];
  await browser.rest();
  browser.server.publish("chat:lobby", 1);
  await browser.rest();
  await browser.cut(() => {
    for (const n of [2, 3, 4, 5]) browser.server.publish("chat:lobby", n);
  });
  browser.server.publish("chat:lobby", 6);
  await browser.rest();
  assert.deepEqual([a.heard, b.heard], [[1, "gap", 6], [1, "gap", 6]]);
});

test("what a tab publishes while there is no connection is published once", async () => {
  const browser = new Browser();
  const a = browser.tab();
  await browser.rest();
  let queued;
  await browser.cut(() => (queued = a.room.publish("later")));
  assert.equal((await queued).offset, 1);
  await browser.rest();
  assert.deepEqual(browser.server.published("chat:lobby"), ["later"]);
});

test("the first tab of a connection is recovered by the server, which need not allow it to page through history", async () => {
  const server = mock();
  server.publish("chat:lobby", 1);
  server.publish("chat:lobby", 2);
  const asked = [];
  const { WebSocket } = server;
  server.WebSocket = class extends WebSocket {
    send(text) {
      asked.push(text);
      super.send(text);
    }
  };
  const browser = new Browser(server);
  const { heard } = browser.tab({ since: { offset: 1, epoch: server.epoch("chat:lobby") } });
  await browser.rest();
  assert.deepEqual(heard, [2]);
  assert.match(asked.join(), /"recover":true/);
  assert.doesNotMatch(asked.join(), /"history"/);
});

test("refusals and procedures reach the tab that asked", async () => {
  const browser = new Browser();
  browser.server.refuse("secret");
  browser.server.rpc("add", ([a, b]) => a + b);
  const a = browser.tab();
  const errors = [];
  a.rt.channel("secret").on("error", ({ code }) => errors.push(code));
  assert.equal(await a.rt.rpc("add", [1, 2]), 3);
  assert.equal((await outcome(a.rt.rpc("unknown"))).code, 104);
  assert.deepEqual(errors, [103]);
  a.rt.channel("secret").on("error", ({ code }) => errors.push(code));
  await browser.rest();
  assert.deepEqual(errors, [103, 103], "and is asked anew the next time");
});

test("the end of the connection for good is the end in every tab", async () => {
  const browser = new Browser();
  const [a, b] = [browser.tab(), browser.tab()];
  await browser.rest();
  browser.server.cut(3500, "invalid token");
  await browser.rest();
  assert.deepEqual([a.rt.status.state, b.rt.status.state], ["closed", "closed"]);
  assert.equal(a.rt.status.lastError.code, 3500);
});

test("a tab that asks for presence is let in once the server tells who comes, though its records cannot be had", async () => {
  const browser = new Browser(mock(), { records: () => Promise.reject(new TypeError("no such file")) });
  const a = browser.tab();
  await browser.rest();
  const late = [browser.tab({ presence: true }), browser.tab({ presence: true })];
  const came = [];
  for (const { room } of late) room.on("join", ({ client }) => came.push(client));
  await browser.rest();
  assert.deepEqual(late.map(({ room }) => room.state), ["subscribed", "subscribed"]);
  const other = connect("ws://mock", { ...browser.world(new EventTarget()), WebSocket: browser.server.WebSocket });
  other.channel("chat:lobby");
  browser.server.publish("chat:lobby", 1);
  await browser.rest();
  assert.deepEqual(came, [other.status.client, other.status.client]);
  assert.deepEqual([a, ...late].map(({ heard }) => heard), [[1], [1], [1]]);
});
