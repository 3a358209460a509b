// What the stock JavaScript client must be able to do. Each key is the sentence it proves; the test that runs us
// holds the same list, so that a scenario cannot go missing in silence.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { api, ask, Heard, metrics, next, secondsFromNow, token, within } from "./world.mjs";

/** The refusal of a call that must be refused. */
const refusal = (promise) => promise.then(
  (answer) => assert.fail(`answered ${JSON.stringify(answer)}`),
  (error) => error,
);

/** A payload that is as long as every other, and much like them. */
const offer = (n) => ({
  symbol: "SPAN", name: "Перекладина 跨度", price: 1000 + n, mood: ["😀", "😁", "😂"][n % 3],
  note: "what stays the same from one to the next is most of it",
});

/** What the server has counted of payloads that were told whole, and what it saved by patches, in bytes. */
async function deltaBytes() {
  const lines = (await metrics()).split("\n");
  const figure = (name) => Number(lines.find((line) => line.startsWith(`${name} `))?.split(" ")[1]);
  return {
    whole: figure('spanwire_delta_bytes_total{kind="whole"}'),
    saved: figure("spanwire_delta_saved_bytes_total"),
  };
}

/** Subscribes and waits until the server has agreed. */
async function subscribed(client, channel, options) {
  const subscription = client.newSubscription(channel, options);
  const agreed = next(subscription, "subscribed");
  subscription.subscribe();
  await agreed;
  return subscription;
}

/** The filter that docs/permissions.md shows. */
function documentedFilter() {
  const page = readFileSync(new URL("../../docs/permissions.md", import.meta.url), "utf8");
  const [, filter] = /tagsFilter: (\{[^]*?\n {2}\}),/.exec(page);
  return Function(`return ${filter}`)();
}

const numbers = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

export const scenarios = {
  "a client hears its own publication": async (world, room) => {
    const subscription = await subscribed(world.client(), room);
    const heard = next(subscription, "publication");
    await subscription.publish(world.pack({ text: "Grüße, 世界 \n\"quoted\"" }));
    const publication = await heard;
    assert.deepEqual(world.unpack(publication.data), { text: "Grüße, 世界 \n\"quoted\"" });
    assert.equal(publication.offset, 1);
    assert.ok(publication.info.client);
  },

  "presence names everyone and its stats count users": async (world, room) => {
    const ana = await subscribed(world.client({ token: token({ sub: "ana", info: { name: "Ana" } }) }), room);
    await subscribed(world.client({ token: token({ sub: "ben" }) }), room);
    await subscribed(world.client({ token: token({ sub: "ben" }) }), room);
    const { clients } = await ana.presence();
    assert.deepEqual(Object.values(clients).map((info) => info.user).sort(), ["ana", "ben", "ben"]);
    const [card] = Object.values(clients).filter((info) => info.user === "ana");
    assert.deepEqual(world.unpack(card.connInfo), { name: "Ana" });
    assert.deepEqual(await ana.presenceStats(), { numClients: 3, numUsers: 2 });
  },

  "join and leave are heard by the others": async (world, room) => {
    const ana = await subscribed(world.client(), room);
    const joins = new Heard(ana, "join", ({ info }) => info.user);
    const leaves = new Heard(ana, "leave", ({ info }) => info.user);
    const ben = await subscribed(world.client({ token: token({ sub: "ben" }) }), room);
    await joins.until("ben to join", (all) => all.includes("ben"));
    ben.unsubscribe();
    await leaves.until("ben to leave", (all) => all.includes("ben"));
  },

  "history pages forwards and backwards": async (world, room) => {
    const subscription = await subscribed(world.client(), room);
    for (const n of numbers(1, 5)) await subscription.publish(world.pack(n));
    const page = async (options) => {
      const { publications } = await subscription.history(options);
      return publications.map(({ data }) => world.unpack(data));
    };
    const { publications, offset, epoch } = await subscription.history({ limit: 0 });
    assert.deepEqual([publications, offset], [[], 5]);
    assert.ok(epoch);
    assert.deepEqual(await page({ limit: -1 }), [1, 2, 3, 4, 5]);
    assert.deepEqual(await page({ limit: 2 }), [1, 2]);
    assert.deepEqual(await page({ limit: 2, since: { offset: 2, epoch } }), [3, 4]);
    assert.deepEqual(await page({ limit: 2, reverse: true }), [5, 4]);
    assert.deepEqual(await page({ limit: 2, reverse: true, since: { offset: 4, epoch } }), [3, 2]);
    assert.equal((await refusal(subscription.history({ limit: 1, since: { offset: 2, epoch: "other" } }))).code, 112);
  },

  "a channel without presence or history says not available": async (world, room) => {
    const subscription = await subscribed(world.client(), `plain:${room}`);
    assert.equal((await refusal(subscription.presence())).code, 108);
    assert.equal((await refusal(subscription.presenceStats())).code, 108);
    assert.equal((await refusal(subscription.history({ limit: 1 }))).code, 108);
  },

  "rpc without a handler answers 108": async (world) => {
    const client = world.client();
    await client.ready();
    assert.equal((await refusal(client.rpc("search", world.pack({ q: "tea" })))).code, 108);
  },

  "an unknown namespace is refused with 102": async (world, room) => {
    const subscription = world.client().newSubscription(`nowhere:${room}`);
    const gone = next(subscription, "unsubscribed");
    subscription.subscribe();
    assert.equal((await gone).code, 102);
  },

  "a closed channel is refused with 103": async (world, room) => {
    const client = world.client({ token: token({ sub: "ana" }) });
    const subscription = client.newSubscription(`closed:${room}`);
    const gone = next(subscription, "unsubscribed");
    subscription.subscribe();
    assert.equal((await gone).code, 103);
    assert.equal((await refusal(client.publish(`closed:${room}`, world.pack(1)))).code, 103);
  },

  "leaving and returning works in the same breath": async (world, room) => {
    const subscription = await subscribed(world.client(), room);
    for (const n of numbers(1, 10)) {
      subscription.unsubscribe();
      const back = next(subscription, "subscribed");
      subscription.subscribe();
      await back;
      const heard = next(subscription, "publication");
      await subscription.publish(world.pack(n));
      assert.equal(world.unpack((await heard).data), n);
    }
  },

  "a cut line loses nothing and repeats nothing": async (world, room) => {
    const client = world.client();
    const subscription = await subscribed(client, room);
    const heard = new Heard(subscription, "publication", ({ data, offset }) => [offset, world.unpack(data)]);
    await api("publish", { channel: room, data: 1 });
    await heard.count(1);
    const lost = next(client, "connecting");
    await ask("cut");
    await lost;
    for (const n of numbers(2, 40)) await api("publish", { channel: room, data: n });
    const back = next(subscription, "subscribed");
    await ask("mend");
    const { wasRecovering, recovered } = await back;
    assert.deepEqual([wasRecovering, recovered], [true, true]);
    await api("publish", { channel: room, data: 41 });
    await heard.until("number 41", (all) => all.some(([, n]) => n === 41));
    assert.deepEqual(heard.all, numbers(1, 41).map((n) => [n, n]));
  },

  "deltas are patches on the wire, and every payload comes out, also behind a cut": async (world, room) => {
    const channel = `delta:${room}`;
    const client = world.client();
    const before = await deltaBytes();
    const subscription = await subscribed(client, channel, { delta: "fossil" });
    const heard = new Heard(subscription, "publication", ({ data, offset }) => [offset, world.unpack(data)]);
    // Two of them are the same, and neighbours share bytes of their characters.
    const offers = numbers(1, 21).map((n) => offer(n === 4 ? 3 : n));
    for (const data of offers.slice(0, 10)) await api("publish", { channel, data });
    await heard.count(10);
    const after = await deltaBytes();
    const [whole, saved] = [after.whole - before.whole, after.saved - before.saved];
    // No exact figures: what came with the answer to a client that had to come back meanwhile is not counted.
    assert.ok(saved > whole, `patches saved ${saved} bytes, and ${whole} were told whole`);
    const lost = next(client, "connecting");
    await ask("cut");
    await lost;
    for (const data of offers.slice(10, 20)) await api("publish", { channel, data });
    const back = next(subscription, "subscribed");
    await ask("mend");
    assert.equal((await back).recovered, true);
    await api("publish", { channel, data: offers[20] });
    await heard.count(21);
    assert.deepEqual(heard.all, offers.map((data, index) => [index + 1, data]));
  },

  "what history no longer holds is told, not hidden": async (world, room) => {
    const channel = `small:${room}`;
    const client = world.client();
    const subscription = await subscribed(client, channel);
    const heard = new Heard(subscription, "publication", ({ data }) => world.unpack(data));
    const lost = next(client, "connecting");
    await ask("cut");
    await lost;
    for (const n of numbers(1, 5)) await api("publish", { channel, data: n });
    const back = next(subscription, "subscribed");
    await ask("mend");
    const { wasRecovering, recovered } = await back;
    assert.deepEqual([wasRecovering, recovered], [true, false]);
    await api("publish", { channel, data: 6 });
    await heard.until("number 6", (all) => all.includes(6));
    assert.deepEqual(heard.all, [6]);
  },

  "of a last value, who comes back gets the latest alone": async (world, room) => {
    const channel = `last:${room}`;
    const client = world.client();
    const subscription = await subscribed(client, channel);
    const heard = new Heard(subscription, "publication", ({ data, offset }) => [offset, world.unpack(data)]);
    await api("publish", { channel, data: 1 });
    await heard.count(1);
    const lost = next(client, "connecting");
    await ask("cut");
    await lost;
    for (const n of numbers(2, 9)) await api("publish", { channel, data: n });
    const back = next(subscription, "subscribed");
    await ask("mend");
    const { wasRecovering, recovered } = await back;
    assert.deepEqual([wasRecovering, recovered], [true, true]);
    await api("publish", { channel, data: 10 });
    await heard.count(3);
    assert.deepEqual(heard.all, [1, 9, 10].map((n) => [n, n]));
  },

  "of a last value, who comes for the first time gets it with the answer": async (world, room) => {
    const channel = `now:${room}`;
    for (const n of numbers(1, 3)) await api("publish", { channel, data: n });
    const subscription = world.client().newSubscription(channel);
    const heard = new Heard(subscription, "publication", ({ data }) => world.unpack(data));
    subscription.subscribe();
    await heard.count(1);
    await api("publish", { channel, data: 4 });
    await heard.count(2);
    assert.deepEqual(heard.all, [3, 4]);
  },

  "a filter by tags lets through what fits, live and recovered": async (world, room) => {
    const channel = `tagged:${room}`;
    const publish = (n, tags) => api("publish", { channel, data: n, tags });
    const client = world.client();
    const subscription = await subscribed(client, channel, { tagsFilter: documentedFilter() });
    const heard = new Heard(subscription, "publication", ({ data }) => world.unpack(data));
    await publish(1, { ticker: "ACME", price: "100" });
    await publish(2, { ticker: "ACME", price: "99.49" });
    await publish(3, { ticker: "OTHER", price: "100" });
    await publish(4);
    await publish(5, { ticker: "INIT", price: "99.5" });
    await heard.count(2);
    const lost = next(client, "connecting");
    await ask("cut");
    await lost;
    for (const n of numbers(6, 20)) await publish(n, { ticker: n % 2 ? "ACME" : "OTHER", price: "120" });
    const back = next(subscription, "subscribed");
    await ask("mend");
    const { wasRecovering, recovered } = await back;
    assert.deepEqual([wasRecovering, recovered], [true, true]);
    await publish(21, { ticker: "OTHER", price: "120" });
    await publish(22, { ticker: "ACME", price: "120" });
    await heard.until("number 22", (all) => all.includes(22));
    assert.deepEqual(heard.all, [1, 5, 7, 9, 11, 13, 15, 17, 19, 22]);
  },

  "a filter that is none is refused with 107": async (world, room) => {
    const client = world.client();
    const wishes = { [`tagged:${room}`]: { key: "team", cmp: "like", val: "r%" }, [`small:${room}`]: { key: "team", cmp: "eq", val: "red" } };
    for (const [channel, tagsFilter] of Object.entries(wishes)) {
      const subscription = client.newSubscription(channel, { tagsFilter });
      const gone = next(subscription, "unsubscribed");
      subscription.subscribe();
      assert.equal((await gone).code, 107, channel);
    }
  },

  "channels of the token are subscribed by the server, and recover": async (world, room) => {
    const client = world.client({ token: token({ sub: "ana", channels: [room] }) });
    const heard = new Heard(client, "publication", ({ channel, data }) => [channel, world.unpack(data)]);
    const first = await next(client, "subscribed");
    assert.deepEqual([first.channel, first.recoverable], [room, true]);
    await client.publish(room, world.pack(1));
    await heard.count(1);
    const lost = next(client, "connecting");
    await ask("cut");
    await lost;
    for (const n of numbers(2, 5)) await api("publish", { channel: room, data: n });
    const back = next(client, "subscribed");
    await ask("mend");
    const { wasRecovering, recovered } = await back;
    assert.deepEqual([wasRecovering, recovered], [true, true]);
    await heard.count(5);
    assert.deepEqual(heard.all, numbers(1, 5).map((n) => [room, n]));
  },

  "the server can end a subscription": async (world, room) => {
    const user = `leaver of ${room}`;
    const subscription = await subscribed(world.client({ token: token({ sub: user }) }), room);
    const gone = next(subscription, "unsubscribed");
    await api("unsubscribe", { user, channel: room });
    assert.equal((await gone).code, 2000);
    assert.deepEqual(await api("presence", { channel: room }), { presence: {} });
  },

  "the server can end a connection for good": async (world, room) => {
    const user = `outcast of ${room}`;
    const client = world.client({ token: token({ sub: user }) });
    await client.ready();
    const gone = next(client, "disconnected");
    await api("disconnect", { user });
    const { code, reason } = await gone;
    assert.deepEqual([code, reason], [3503, "force disconnect"]);
  },

  "an application's own disconnect code reaches its client": async (world, room) => {
    const user = `banned of ${room}`;
    const client = world.client({ token: token({ sub: user }) });
    await client.ready();
    const gone = next(client, "disconnected");
    await api("disconnect", { user, disconnect: { code: 4501, reason: "house rules" } });
    const { code, reason } = await gone;
    assert.deepEqual([code, reason], [4501, "house rules"]);
  },

  "a forged token is refused for good": async (world) => {
    const client = world.client({ token: token({ sub: "ana" }, "another secret") });
    assert.equal((await next(client, "disconnected")).code, 3500);
  },

  "an expired token is renewed before connecting": async (world, room) => {
    let renewals = 0;
    const client = world.client({
      token: token({ sub: "ana", exp: secondsFromNow(-60) }),
      getToken: async () => {
        renewals += 1;
        return token({ sub: "ana" });
      },
    });
    const errors = new Heard(client, "error", ({ error }) => error.code);
    await within("the connection", client.ready());
    assert.equal(renewals, 1);
    assert.deepEqual(errors.all, [109]);
    await subscribed(client, room);
  },

  // Only an accepted renewal tells the client when to renew again, so the second one proves the first.
  "a connection outlives its tokens": async (world, room) => {
    let renewals = 0;
    let twice;
    const second = new Promise((resolve) => (twice = resolve));
    const client = world.client({
      token: token({ sub: "ana", exp: secondsFromNow(2) }),
      getToken: async () => {
        renewals += 1;
        if (renewals === 2) twice();
        return token({ sub: "ana", exp: secondsFromNow(2) });
      },
    });
    await client.ready();
    const departures = new Heard(client, "connecting", ({ code, reason }) => [code, reason]);
    const subscription = await subscribed(client, room);
    await within("two renewals", second);
    const heard = next(subscription, "publication");
    await subscription.publish(world.pack("still here"));
    assert.equal(world.unpack((await heard).data), "still here");
    assert.deepEqual(departures.all, []);
  },

  "a subscription outlives its tokens": async (world, room) => {
    const channel = `closed:${room}`;
    const short = () => token({ sub: "ana", channel, exp: secondsFromNow(2) });
    let renewals = 0;
    let twice;
    const second = new Promise((resolve) => (twice = resolve));
    const client = world.client({ token: token({ sub: "ana" }) });
    const subscription = await subscribed(client, channel, {
      token: short(),
      getToken: async () => {
        renewals += 1;
        if (renewals === 2) twice();
        return short();
      },
    });
    const departures = new Heard(subscription, "subscribing", ({ code, reason }) => [code, reason]);
    const endings = new Heard(subscription, "unsubscribed", ({ code, reason }) => [code, reason]);
    await within("two renewals", second);
    const heard = next(subscription, "publication");
    await api("publish", { channel, data: "still here" });
    assert.equal(world.unpack((await heard).data), "still here");
    assert.deepEqual([departures.all, endings.all], [[], []]);
  },
};
