// What the types promise, checked by `npm run check` and never run. Each line after an expected error must be one.

import { connect, unauthorized, SpanwireError } from "../spanwire.js";
import { mock } from "../spanwire/mock.js";
import { delta } from "../spanwire/delta.js";
import * as records from "../spanwire/records.js";
import { shared } from "../spanwire/shared.js";
import { useChannel, usePresence, useStatus } from "../spanwire/react.js";

type Channels = { "chat:*": { text: string }; ticks: { price: number } };
type Procedures = { add(terms: [number, number]): number; slow(): Promise<string> };
const rt = connect<Channels, Procedures>();

// A channel knows what is published in it, by its exact name or by a pattern; an unknown one takes anything.
rt.channel("ticks").on("message", ({ data }) => data.price.toFixed(2));
rt.channel("chat:lobby").publish({ text: "hello" });
rt.channel("elsewhere").publish([1, 2, 3]);
connect("wss://example.org/connection/websocket").channel("anything").publish(1);
// @ts-expect-error a text is not a price
rt.channel("chat:lobby").publish({ price: 1 });
// @ts-expect-error there is no such event
rt.channel("chat:lobby").on("massage", () => {});
// @ts-expect-error a message has data, and it is a text
rt.channel("chat:lobby").on("message", ({ data }) => data.price);

// What is loaded when it is needed may be passed, and what a page imports for itself fits.
connect({ records: async () => records, connection: delta });
// @ts-expect-error it is asked for, not given
connect({ records });

// The client's own publish knows them too.
rt.publish("ticks", { price: 1 });
// @ts-expect-error a price is a number
rt.publish("ticks", { price: "1" });

// The same goes for loops, pages and events of a client.
for await (const { data } of rt.channel("chat:lobby")) data.text.trim();
for await (const gap of rt.channel("ticks").events("gap", { overflow: "drop-oldest" })) gap.from.offset.toFixed();
// @ts-expect-error there is no such way to overflow
rt.channel("ticks").events("gap", { overflow: "drop-newest" });
(await rt.channel("ticks").history({ before: 10 })).messages.map(({ data }) => data.price);
rt.on("status", ({ state }) => state === "connected");
// @ts-expect-error there is no such state
rt.on("status", ({ state }) => state === "online");
// @ts-expect-error a status is told, not set
rt.status.state = "connected";

// A procedure has a name, takes something and answers something; without a map of them, anything.
(await rt.rpc("add", [1, 2])).toFixed();
(await rt.rpc("slow")).trim();
(await connect().rpc("whatever", 1)).anything;
// @ts-expect-error there is no such procedure
rt.rpc("sub", [1, 2]);
// @ts-expect-error it adds numbers
rt.rpc("add", ["1", "2"]);
// @ts-expect-error and answers with one
(await rt.rpc("add", [1, 2])).trim();

connect({ transports: ["websocket", "poll"] });
// @ts-expect-error there is no such transport
connect({ transports: ["pigeon"] });
// @ts-expect-error a token is a text
connect({ getToken: () => 1 });

// A channel can be held by a block, and a token can be refused.
{
  using room = rt.channel("chat:lobby", { history: 50, presence: true });
  const names: string[] = [...room.members.values()].map(({ conn_info }) => conn_info.name);
  names.sort();
}
connect({ getToken: () => { throw unauthorized(); } });
export const isTemporary = (error: unknown) => error instanceof SpanwireError && error.temporary;

// Hooks know the channels of their client.
useChannel(rt, "ticks").messages.map(({ data }) => data.price);
useChannel(rt, "chat:lobby", { history: 5, keep: 10 }).publish({ text: "" });
// @ts-expect-error a text is not a price
useChannel(rt, "chat:lobby").publish({ price: 1 });
usePresence(rt, "chat:lobby").get("id")?.user.trim();
useStatus(rt).queued.toFixed();

// All tabs on one connection look like one tab.
shared<Channels, Procedures>("/connection/websocket", { worker: false }).channel("ticks").publish({ price: 1 });
// @ts-expect-error a price is no text
shared<Channels>().channel("ticks").publish({ text: "" });

// A mock server is what a client takes for a network.
connect("ws://mock", { WebSocket: mock({ history: 5 }).WebSocket });
// @ts-expect-error a channel has a name
mock().publish(1, 2);
