// Runs every scenario in one encoding and says, a JSON object per line, what held:
//
//   node main.mjs json|protobuf [websocket|http_stream|sse]

import { scenarios } from "./scenarios.mjs";
import { encodings, means, say, transports, World } from "./world.mjs";

const encoding = process.argv[2];
const transport = process.argv[3] ?? "websocket";
if (!(encoding in encodings) || !(transport in transports)) {
  const choices = [encodings, transports].map((known) => Object.keys(known).join("|"));
  throw new Error(`usage: node main.mjs ${choices.join(" ")}`);
}

let room = 0;
for (const [sentence, scene] of Object.entries(scenarios)) {
  const world = new World(encoding, await means(transport));
  try {
    await scene(world, `node-${encoding}-${transport}-${(room += 1)}`);
    say({ held: sentence });
  } catch (error) {
    say({ failed: sentence, why: String(error?.stack ?? error?.message ?? JSON.stringify(error)) });
  } finally {
    world.end();
  }
}

// The line to the test is an open handle; everything else has been ended above.
process.exit(0);
