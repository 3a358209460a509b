// Runs every scenario in one encoding and says, a JSON object per line, what held:
//
//   node main.mjs json|protobuf

import { scenarios } from "./scenarios.mjs";
import { encodings, say, World } from "./world.mjs";

const encoding = process.argv[2];
if (!(encoding in encodings)) throw new Error(`usage: node main.mjs ${Object.keys(encodings).join("|")}`);

let room = 0;
for (const [sentence, scene] of Object.entries(scenarios)) {
  const world = new World(encoding);
  try {
    await scene(world, `node-${encoding}-${(room += 1)}`);
    say({ held: sentence });
  } catch (error) {
    say({ failed: sentence, why: String(error?.stack ?? error?.message ?? JSON.stringify(error)) });
  } finally {
    world.end();
  }
}

// The line to the test is an open handle; everything else has been ended above.
process.exit(0);
