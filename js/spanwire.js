// The browser client of Spanwire, in one import.
//
//     import { connect } from "/spanwire.js";
//
//     const rt = connect({ data: { name: "Ana" } });
//     const room = rt.channel("chat:lobby", { history: 50, presence: true });
//
//     room.on("message", (m) => console.log(m.info?.conn_info?.name, m.data));
//     room.on("gap", () => console.log("some messages were lost for good"));
//     await room.publish({ text: "hello" });
//
// What you may rely on, on a channel whose namespace keeps history: every publication arrives
// once and in order, however often the connection drops, or you are told of a gap.
//
// No dependencies and no build step: these files are what the browser runs.

/**
 * @template [Data=any]
 * @typedef {import("./spanwire/channel.js").Channel<Data>} Channel
 */
/**
 * @template [Channels=Record<string, any>]
 * @template [Procedures=Record<string, (data?: any) => any>]
 * @typedef {import("./spanwire/client.js").Client<Channels, Procedures>} Client
 */

export { connect } from "./spanwire/client.js";
export { SpanwireError, unauthorized } from "./spanwire/error.js";
