// The stock client beside an axum application that has a hub in it, `crates/server/examples/rpc.rs`. Says, a JSON
// object per line, what held.

import assert from "node:assert/strict";
import WebSocket from "ws";
import { ask, Heard, next, say, within, World } from "./world.mjs";

/** Past the line that the test can cut. */
const direct = () => new World("json", [
  process.env.SPANWIRE_API.replace(/^http/, "ws").replace(/api$/, "connection/websocket"),
  { websocket: WebSocket },
]);

async function listening(client) {
  const tasks = client.newSubscription("tasks:all");
  const heard = new Heard(tasks, "publication", (publication) => publication.data.title);
  const subscribed = next(tasks, "subscribed");
  tasks.subscribe();
  await subscribed;
  return { tasks, heard };
}

const scenarios = {
  "a client is known by what on_connect says": async (world) => {
    const refused = await next(world.client(), "disconnected");
    assert.equal(refused.code, 103);
    const { client } = await next(world.client({ token: "ana" }), "connected");
    assert.ok(client);
  },

  "a call is answered, and its error has the application's code": async (world) => {
    const client = world.client({ token: "ana" });
    const { data } = await within("the sum", client.rpc("add", [40, 2]));
    assert.equal(data, 42);
    await assert.rejects(client.rpc("tasks.finish", { id: 99 }), { code: 404, message: "there is no task 99" });
  },

  "a change that the application publishes is heard": async (world) => {
    const client = world.client({ token: "ana" });
    const { heard } = await listening(client);
    await client.rpc("tasks.add", { title: "sweep" });
    await heard.until("the task", (titles) => titles.includes("sweep"));
  },

  "a cut line loses nothing and repeats nothing": async (world) => {
    const { tasks, heard } = await listening(world.client({ token: "ana" }));
    const elsewhere = direct();
    try {
      const other = elsewhere.client({ token: "ben" });
      await next(other, "connected");
      const cut = next(tasks, "subscribing");
      await ask("cut");
      await cut;
      await other.rpc("tasks.add", { title: "one" });
      await other.rpc("tasks.add", { title: "two" });
      const back = next(tasks, "subscribed");
      await ask("mend");
      assert.equal((await back).recovered, true);
      await heard.until("both tasks", (titles) => titles.length >= 2);
      assert.deepEqual(heard.all, ["one", "two"]);
    } finally {
      elsewhere.end();
    }
  },
};

for (const [sentence, scene] of Object.entries(scenarios)) {
  const world = new World("json");
  try {
    await scene(world);
    say({ held: sentence });
  } catch (error) {
    say({ failed: sentence, why: String(error?.stack ?? error?.message ?? JSON.stringify(error)) });
  } finally {
    world.end();
  }
}

process.exit(0);
