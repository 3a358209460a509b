// Any text through every transport of a real server: `node transports.mjs ws://HOST/connection/websocket`.
// Prints a line of JSON: what was heard over each.

import { connect } from "../../spanwire.js";

const [url] = process.argv.slice(2);
const WebSocket = globalThis.WebSocket ?? (await import("../../../e2e/node/node_modules/ws/wrapper.mjs")).default;

// What ends a line somewhere, and what a line of events may begin with.
const text = 'a\u2028b\u2029c\u0085d\re\nf\r\n\ndata: {"g":1}\u0000"\\é€😀';
const told = {};
for (const transport of ["websocket", "http_stream", "sse", "poll"]) {
  const rt = connect(url, { WebSocket, transports: [transport] });
  const room = rt.channel(`chat:${transport}`);
  const heard = room.events("message");
  await room.publish({ text });
  const { data } = (await heard.next()).value;
  told[rt.status.transport] = { whole: data.text === text, attempt: rt.status.attempt };
  rt.close();
}
console.log(JSON.stringify(told));
process.exit(0);
