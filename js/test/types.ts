// What the types promise, checked by `npm run check` and never run. Each line after an expected error must be one.

import { connect, unauthorized, SpanwireError } from "../spanwire.js";

const rt = connect<{ "chat:*": { text: string }; ticks: { price: number } }>();

// A channel knows what is published in it, by its exact name or by a pattern; an unknown one takes anything.
rt.channel("ticks").on("message", ({ data }) => data.price.toFixed(2));
rt.channel("chat:lobby").publish({ text: "hello" });
rt.channel("elsewhere").publish([1, 2, 3]);
connect("wss://example.org/connection/websocket").channel("anything").publish(1);
// @ts-expect-error a text is not a price
rt.channel("chat:lobby").publish({ price: 1 });
// @ts-expect-error there is no such event
rt.channel("chat:lobby").on("massage", () => {});

// The same goes for loops, pages and events of a client.
for await (const { data } of rt.channel("chat:lobby")) data.text.trim();
(await rt.channel("ticks").history({ before: 10 })).messages.map(({ data }) => data.price);
rt.on("status", ({ state }) => state === "connected");
// @ts-expect-error there is no such state
rt.on("status", ({ state }) => state === "online");

connect({ transports: ["websocket", "poll"] });
// @ts-expect-error there is no such transport
connect({ transports: ["pigeon"] });

// A channel can be held by a block, and a token can be refused.
{
  using room = rt.channel("chat:lobby", { history: 50, presence: true });
  const names: string[] = [...room.members.values()].map(({ conn_info }) => conn_info.name);
  names.sort();
}
connect({ getToken: () => { throw unauthorized(); } });
export const isTemporary = (error: unknown) => error instanceof SpanwireError && error.temporary;
