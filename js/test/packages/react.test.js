// The hooks, in React as it is published, over a document that is none: what they render, and what they send.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Window } from "happy-dom";
import { connect } from "../../spanwire.js";
import { mock } from "../../spanwire/mock.js";
import * as records from "../../spanwire/records.js";
import { settled } from "../stage.js";

const window = new Window();
Object.assign(globalThis, { window, document: window.document, navigator: window.navigator, IS_REACT_ACT_ENVIRONMENT: true });
after(() => window.close());

const { StrictMode, act, createElement, memo, useState } = await import("react");
const { createRoot } = await import("react-dom/client");
const { useChannel, usePresence, useStatus } = await import("../../spanwire/react.js");

/** A component of a test, mounted as an application would in development. */
async function mount(Component, { rt = undefined, server = mock(), ...props } = {}) {
  const frames = [];
  rt ??= connect("ws://mock", { WebSocket: server.WebSocket });
  rt.on("frame", ({ sent, text }) => sent && frames.push(...text.split("\n").map((line) => JSON.parse(line))));
  const root = createRoot(document.createElement("div"));
  const render = (more) => act(() => root.render(createElement(StrictMode, null, createElement(Component, { rt, ...props, ...more }))));
  await render({});
  await act(() => rt.ready());
  await act(settled);
  return { rt, server, frames, root, render, count: (method) => frames.filter((frame) => method in frame).length };
}

/** All that happened because of something, rendered. */
const rendered = (deed) =>
  act(async () => {
    await deed();
    await settled();
  });

test("a component that StrictMode mounts twice subscribes once, and hears everything once", async () => {
  let room;
  const Chat = ({ rt }) => ((room = useChannel(rt, "chat:lobby", { history: 10 })), null);
  const server = mock();
  server.publish("chat:lobby", "before");
  const scene = await mount(Chat, { server });
  assert.equal(scene.count("subscribe"), 1);
  assert.equal(scene.count("unsubscribe"), 0);
  await rendered(() => server.publish("chat:lobby", "after"));
  assert.deepEqual(room.messages.map(({ data }) => data), ["before", "after"]);
  assert.equal(room.state, "subscribed");
  const left = new Promise((resolve) => scene.rt.on("frame", ({ sent, text }) => sent && text.includes("unsubscribe") && resolve()));
  await act(() => scene.root.unmount());
  await left;
  await settled();
  assert.equal(server.members("chat:lobby").length, 0);
  scene.rt.close();
});

test("two components share a subscription, and the last one to go ends it", async () => {
  const One = memo(({ rt }) => createElement("p", null, useChannel(rt, "chat:lobby", { presence: true }).messages.length));
  const Two = ({ rt, both = true }) => [createElement(One, { rt, key: 1 }), both && createElement(One, { rt, key: 2 })];
  const scene = await mount(Two);
  assert.equal(scene.count("subscribe"), 1);
  await scene.render({ both: false });
  await rendered(() => scene.server.publish("chat:lobby", 1));
  assert.equal(scene.count("unsubscribe"), 0);
  await act(() => scene.root.unmount());
  scene.rt.close();
});

test("another name is another channel, and nothing of the first one stays", async () => {
  let room;
  const Chat = ({ rt, name = "one" }) => ((room = useChannel(rt, name)), null);
  const scene = await mount(Chat);
  await rendered(() => scene.server.publish("one", 1));
  assert.equal(room.messages.length, 1);
  await scene.render({ name: "two" });
  await rendered(() => scene.server.publish("two", 2));
  assert.deepEqual(room.messages.map(({ data }) => data), [2]);
  await act(() => scene.root.unmount());
  scene.rt.close();
});

test("what one frame brings is one rendering, of the latest messages", async () => {
  let renderings = 0;
  let room;
  const Ticker = ({ rt }) => (renderings++, (room = useChannel(rt, "ticks", { keep: 5 })), null);
  const scene = await mount(Ticker);
  renderings = 0;
  await rendered(() => {
    for (let n = 0; n < 100; n++) scene.server.publish("ticks", n);
  });
  assert.ok(renderings <= 2, `${renderings} renderings, which StrictMode doubles`);
  assert.deepEqual(room.messages.map(({ data }) => data), [95, 96, 97, 98, 99]);
  await act(() => scene.root.unmount());
  scene.rt.close();
});

test("status, presence, gaps and refusals are rendered", async () => {
  const seen = {};
  function All({ rt }) {
    const [options] = useState({ presence: true });
    seen.status = useStatus(rt).state;
    seen.members = usePresence(rt, "chat:lobby").size;
    seen.gaps = useChannel(rt, "chat:lobby", options).gaps;
    seen.error = useChannel(rt, "secret").error?.code;
    return null;
  }
  const server = mock();
  server.refuse("secret");
  const waker = new EventTarget();
  const rt = connect("ws://mock", { WebSocket: server.WebSocket, waker });
  const scene = await mount(All, { server, rt });
  assert.deepEqual(seen, { status: "connected", members: 1, gaps: 0, error: 103 });
  await rendered(() => server.restart());
  assert.equal(seen.status, "waiting");
  await rendered(() => waker.dispatchEvent(new Event("online")));
  assert.deepEqual([seen.status, seen.gaps], ["connected", 1]);
  await act(() => scene.root.unmount());
  rt.close();
});

test("that history and presence cannot be had stays to be seen beside the messages, until they can", async () => {
  let room;
  const Chat = ({ rt }) => ((room = useChannel(rt, "chat:lobby", { history: 10, presence: true })), null);
  const server = mock();
  const waker = new EventTarget();
  let served = false;
  const found = async () => {
    if (!served) throw new Error("not found");
    return records;
  };
  const rt = connect("ws://mock", { WebSocket: server.WebSocket, wakers: [waker], records: found });
  const scene = await mount(Chat, { server, rt });
  await rendered(() => server.publish("chat:lobby", "hello"));
  assert.deepEqual([room.state, room.error?.code, room.members.size], ["subscribed", "not_loaded", 0]);
  assert.deepEqual(room.messages.map(({ data }) => data), ["hello"]);
  served = true;
  await rendered(() => server.cut());
  assert.equal(room.error, null);
  await rendered(() => {
    waker.dispatchEvent(new Event("online"));
    return rt.ready();
  });
  assert.deepEqual([room.state, room.error, room.members.size], ["subscribed", null, 1]);
  await act(() => scene.root.unmount());
  rt.close();
});
