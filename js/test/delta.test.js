// Publications told by patches: the format, by the vectors that the server is held to, and what a client makes of them.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { apply, delta } from "../spanwire/delta.js";
import { PATCHED_BYTES_MAX } from "../spanwire/limits.js";
import { Stage, pub, settled } from "./stage.js";

const vectors = JSON.parse(readFileSync(new URL("../../crates/wire/testdata/deltas.json", import.meta.url), "utf8"));
const made = vectors.made.filter(({ patch }) => patch !== null);
const bytes = (text, encoding) => (encoding === "protobuf" ? Uint8Array.from(Buffer.from(text, "hex")) : new TextEncoder().encode(text));

const joined = { recoverable: true, positioned: true, epoch: "e", delta: true };
const text = (n) => JSON.stringify({ symbol: "SPAN", price: n, note: "a text that stays as it is" });
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";
const number = (n) => (n < 64 ? DIGITS[n] : number(Math.floor(n / 64)) + DIGITS[n % 64]);

/** A patch that keeps what two texts begin with. */
function patch(base, target) {
  let same = 0;
  while (same < base.length && base[same] === target[same]) same++;
  const rest = target.slice(same);
  const sum = [...bytes(target)].reduce((sum, byte, n) => (sum + byte * 256 ** (3 - (n % 4))) % 2 ** 32, 0);
  return `${number(target.length)}\n${number(same)}@0,${number(rest.length)}:${rest}${number(sum)};`;
}

/** A client that takes deltas, with one channel, and what it heard there. */
async function listening(options = {}) {
  const stage = new Stage({ connection: delta });
  await stage.up({ ping: 0 });
  const room = await stage.room(options, 0, joined);
  return { stage, ...room, prices: () => room.of("message").map(({ price }) => price) };
}
const told = (offset, data, more) => ({ push: { channel: "chat:lobby", pub: { offset, data, ...more } } });
const patched = (offset, from, to) => told(offset, patch(text(from), text(to)), { delta: true });

test("every patch that the server makes comes to its target", () => {
  assert.ok(made.length >= 10);
  for (const { name, encoding, base, target, patch } of made)
    assert.deepEqual(apply(bytes(base, encoding), bytes(patch, encoding)), bytes(target, encoding), name);
});

test("what is no patch is refused, and never anything but refused", () => {
  for (const { name, base, patch } of vectors.refused) assert.throws(() => apply(bytes(base), bytes(patch)), RangeError, name);
  for (const { name, encoding, base, target, patch } of made) {
    const whole = bytes(patch, encoding);
    for (let length = 0; length < whole.length; length++)
      assert.throws(() => apply(bytes(base, encoding), whole.slice(0, length)), RangeError, `${name}, cut at ${length}`);
    for (let at = 0; at < whole.length; at++)
      for (const flip of [1, 2, 64]) {
        const other = whole.map((byte, n) => (n === at ? byte ^ flip : byte));
        // A number may be written in other digits; then it is the same payload. Anything else is told.
        try {
          assert.deepEqual(apply(bytes(base, encoding), other), bytes(target, encoding), `${name}, byte ${at} by ${flip}`);
        } catch (error) {
          assert.ok(error instanceof RangeError, `${name}, byte ${at} by ${flip}: ${error.message}`);
        }
      }
  }
});

test("a patch that announces more than may be is refused before anything is set aside for it", () => {
  const digits = number(PATCHED_BYTES_MAX + 1);
  const refusedAt = (base, patch) => {
    try {
      return apply(base, patch);
    } catch (error) {
      return Number(/at byte (\d+)$/.exec(error.message)[1]);
    }
  };
  const behindTheLength = digits.length + 1;
  assert.equal(refusedAt(new Uint8Array(1), bytes(`${digits}\n1@0,0;`)), behindTheLength);
  // As large as may be, it is refused for what comes later.
  assert.ok(refusedAt(new Uint8Array(1), bytes(`${number(PATCHED_BYTES_MAX)}\n1@0,0;`)) > behindTheLength);
  assert.equal(refusedAt(undefined, bytes(patch("a", "a"))), 0);
});

test("patches become whole messages, in the frame of the reply and in later ones", async () => {
  const { stage, prices } = await listening();
  assert.equal(stage.socket.last("subscribe").subscribe.delta, "fossil");
  await stage.socket.receive(told(1, text(1)), patched(2, 1, 2), patched(3, 2, 3), told(4, text(40)), patched(5, 40, 5));
  assert.deepEqual(prices(), [1, 2, 3, 40, 5]);
});

test("where the server does not do it, nothing changes", async () => {
  const stage = new Stage({ connection: delta });
  await stage.up();
  const { of } = await stage.room({}, 0);
  await stage.socket.receive(pub(1, { a: 1 }), pub(2, "text"));
  assert.deepEqual(of("message"), [{ a: 1 }, "text"]);
});

test("who comes back and has missed nothing goes on with patches, and who has missed something begins with a whole one", async () => {
  const { stage, prices, of } = await listening();
  await stage.socket.receive(told(1, text(1)), patched(2, 1, 2));
  await stage.down();
  await stage.up({ ping: 0 });
  await stage.socket.answer("subscribe", { ...joined, recovered: true, offset: 2 }, patched(3, 2, 3));
  await stage.down();
  await stage.up({ ping: 0 });
  const publications = [{ offset: 4, data: text(4) }, { offset: 5, data: patch(text(4), text(5)), delta: true }];
  await stage.socket.answer("subscribe", { ...joined, recovered: true, offset: 5, publications }, patched(6, 5, 6));
  assert.deepEqual(prices(), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(of("gap"), []);
});

test("what waits for history is put together before it is delivered", async () => {
  const { stage, prices } = await listening({ history: 2 });
  await stage.socket.receive(told(1, text(1)), patched(2, 1, 2));
  assert.deepEqual(prices(), []);
  await stage.socket.answer("history", { publications: [] }, patched(3, 2, 3));
  assert.deepEqual(prices(), [1, 2, 3]);
});

test("a patch that does not fit reaches nobody; the channel is subscribed again without patches, and misses nothing", async () => {
  const { stage, prices, of } = await listening();
  await stage.socket.receive(told(1, text(1)), patched(2, 2, 2), patched(3, 2, 3));
  assert.deepEqual(prices(), [1]);
  assert.deepEqual(stage.socket.last("unsubscribe").unsubscribe, { channel: "chat:lobby" });
  await stage.clock.advance(300);
  const { recover, offset, delta } = stage.socket.last("subscribe").subscribe;
  assert.deepEqual({ recover, offset, delta }, { recover: true, offset: 1, delta: undefined });
  const publications = [2, 3].map((n) => ({ offset: n, data: { price: n } }));
  await stage.socket.answer("subscribe", { ...joined, delta: undefined, recovered: true, offset: 3, publications });
  assert.deepEqual(prices(), [1, 2, 3]);
  assert.deepEqual(of("gap"), []);
});

test("where a patch did not fit none is asked for again, neither on the next connection nor before the channel is left", async () => {
  const { stage, room } = await listening();
  await stage.socket.receive(told(1, text(1)), patched(2, 2, 2));
  await stage.clock.advance(300);
  await stage.socket.answer("subscribe", { ...joined, delta: undefined, recovered: true, offset: 1 });
  await stage.down();
  await stage.up({ ping: 0 });
  assert.equal(stage.socket.last("subscribe").subscribe.delta, undefined);
  await stage.socket.answer("subscribe", { ...joined, delta: undefined, recovered: true, offset: 1 });
  room.leave();
  await stage.clock.advance(0);
  await stage.socket.answer("unsubscribe");
  stage.client.channel("chat:lobby");
  await settled();
  assert.equal(stage.socket.last("subscribe").subscribe.delta, "fossil");
});

test("an answer with a patch that does not fit is a refusal for now", async () => {
  const { stage, prices, of } = await listening();
  await stage.down();
  await stage.up({ ping: 0 });
  const publications = [{ offset: 1, data: patch(text(0), text(1)), delta: true }];
  await stage.socket.answer("subscribe", { ...joined, recovered: true, offset: 1, publications });
  assert.deepEqual(of("error").map(({ code, temporary }) => [code, temporary]), [[100, true]]);
  await stage.clock.advance(300);
  const { recover, delta } = stage.socket.last("subscribe").subscribe;
  assert.deepEqual({ recover, delta }, { recover: true, delta: undefined });
  const whole = [{ offset: 1, data: { price: 1 } }];
  await stage.socket.answer("subscribe", { ...joined, delta: undefined, recovered: true, offset: 1, publications: whole });
  assert.deepEqual(prices(), [1]);
});

/** A channel that was left and asked for again before the server had answered. */
async function abandoned() {
  const stage = new Stage({ connection: delta });
  await stage.up({ ping: 0 });
  const first = stage.client.channel("chat:lobby");
  await settled();
  const { id } = stage.socket.last("subscribe");
  first.leave();
  await stage.clock.advance(0);
  const heard = [];
  const room = stage.client.channel("chat:lobby");
  room.on("message", ({ data }) => heard.push(data));
  await settled();
  return { stage, id, room, heard };
}

test("the answer to a subscription that was abandoned says nothing about the one after it", async () => {
  const { stage, id, room, heard } = await abandoned();
  await stage.socket.receive({ id, subscribe: joined });
  await stage.socket.answer("subscribe", { ...joined, delta: undefined });
  await stage.socket.receive(told(1, { price: 1 }), told(2, "text"));
  assert.equal(room.state, "subscribed");
  assert.deepEqual(heard, [{ price: 1 }, "text"]);
});

test("a patch that does not fit, for a subscription that was abandoned, leaves the one after it alone", async () => {
  const { stage, id, room, heard } = await abandoned();
  const publications = [{ offset: 1, data: patch(text(0), text(1)), delta: true }];
  const count = stage.socket.commands.length;
  await stage.socket.receive({ id, subscribe: { ...joined, offset: 1, recovered: true, publications } });
  assert.equal(stage.socket.commands.length, count);
  await stage.socket.answer("subscribe", joined, told(1, text(1)), patched(2, 1, 2));
  assert.equal(room.state, "subscribed");
  assert.deepEqual(heard.map(({ price }) => price), [1, 2]);
});

/** Told by a patch what follows on the first price, a client that has kept it hears it, and one that has let it go does not. */
const keeps = async (stage, prices) => {
  await stage.socket.answer("subscribe", { ...joined, recovered: true, offset: 1 }, patched(2, 1, 2));
  return prices().at(-1) === 2;
};

test("a channel that is left and asked for again in the same moment goes on with patches", async () => {
  const { stage, room, prices } = await listening();
  await stage.socket.receive(told(1, text(1)));
  stage.client.channel("chat:lobby", { presence: true });
  await settled();
  assert.equal(stage.socket.commands.filter(({ unsubscribe }) => unsubscribe).length, 1);
  assert.equal(room.state, "subscribing");
  assert.equal(await keeps(stage, prices), true);
});

test("a refusal for now lets nothing go", async () => {
  const { stage, prices } = await listening();
  await stage.socket.receive(told(1, text(1)));
  await stage.down();
  await stage.up({ ping: 0 });
  await stage.socket.refuse("subscribe", { code: 111, message: "too many requests", temporary: true });
  await stage.clock.advance(300);
  assert.equal(await keeps(stage, prices), true);
});

/** What may end a stay in a channel, so that its last payload is let go. */
const ends = {
  "it is left": async ({ stage, room }) => {
    room.leave();
    await stage.clock.advance(0);
  },
  "it is left without a connection": async ({ stage, room }) => {
    await stage.socket.drop();
    room.leave();
    await stage.clock.advance(0);
    await stage.retry();
    await stage.up({ ping: 0 });
  },
  "the server ends it": ({ stage }) => stage.socket.receive({ push: { channel: "chat:lobby", unsubscribe: { code: 2000 } } }),
  "it comes without patches": async ({ stage }) => {
    await stage.down();
    await stage.up({ ping: 0 });
    await stage.socket.answer("subscribe", { ...joined, delta: undefined, recovered: true, offset: 1 });
    await stage.down();
    await stage.up({ ping: 0 });
  },
};
for (const [end, happen] of Object.entries(ends))
  test(`nothing of a channel is kept once ${end}`, async () => {
    const scene = await listening();
    await scene.stage.socket.receive(told(1, text(1)));
    await happen(scene);
    const room = scene.stage.client.channel("chat:lobby", { since: { offset: 1, epoch: "e" } });
    const heard = [];
    room.on("message", ({ data }) => heard.push(data));
    await settled();
    assert.equal(await keeps(scene.stage, () => heard.map(({ price }) => price)), false);
    assert.equal(room.state, "subscribing");
  });
