// What a page loads: `npm run size` prints it, and fails when it has grown beyond its limit. `npm run size -- --others`
// measures the SDKs of others in the same way; it fetches them from the registry into a folder of its own.
//
// Bundled and minified by esbuild, once more minified by terser, and compressed by gzip: what a careful build would
// deliver. Served as they are, the modules are larger, and every one of them is cached.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { minify } from "terser";

/**
 * What is measured: a name, what a page writes to have it, what is not counted with it because it is loaded later or not at
 * all, and how large it may be. What is loaded later has a row of its own. Where all is put into one file, a bundler adds a
 * wrapper of its own around what would have been loaded, which is not measured here; docs/javascript.md says how large it is.
 */
const LATER = ["./ladder.js", "./records.js"];
const OURS = [
  ["core", 'export * from "./spanwire.js"', LATER, 5_120],
  ["with every fallback", 'export * from "./spanwire.js"; export * from "./spanwire/ladder.js"', LATER, 6_144],
  ["history and presence, besides", 'export * from "./spanwire/records.js"', [], 640],
  ["deltas, besides", 'export * from "./spanwire/delta.js"', ["./connection.js"], 1_240],
  ["React hooks alone", 'export * from "./spanwire/react.js"', ["react"], 700],
  ["shared, as a tab loads it", 'export * from "./spanwire/shared.js"', [...LATER, "./exchange.js"], 6_400],
];

const OTHERS = {
  "centrifuge@5.8.0": 'export { Centrifuge } from "centrifuge"',
  "socket.io-client@4.8.4": 'export { io } from "socket.io-client"',
  "phoenix@1.8.16": 'export { Socket, Presence } from "phoenix"',
  "pusher-js@8.6.0": 'export { default } from "pusher-js"',
  "ably@2.28.0": 'export { Realtime } from "ably"',
  "partysocket@1.3.0": 'export { WebSocket } from "partysocket"',
  "@supabase/realtime-js@2.109.0": 'export { RealtimeClient } from "@supabase/realtime-js"',
  "@nats-io/nats-core@3.4.0": 'export { wsconnect } from "@nats-io/nats-core"',
};

/**
 * @param {string} contents of the module that a page would write
 * @param {string[]} external modules that are loaded later, or never
 * @param {string} resolveDir
 */
async function measure(contents, external, resolveDir) {
  const options = { bundle: true, minify: true, format: "esm", platform: "browser", target: "es2022", write: false };
  const { outputFiles } = await build({ stdin: { contents, resolveDir }, external, logLevel: "error", ...options });
  const { code } = await minify(outputFiles[0].text, { module: true, ecma: 2022, compress: { passes: 3 } });
  return { minified: Buffer.byteLength(code), bytes: gzipSync(code, { level: 9 }).length };
}

/**
 * @param {string} name
 * @param {{ minified: number, bytes: number }} size
 */
function print(name, { minified, bytes }) {
  console.log(`${name.padEnd(30)} ${String(minified).padStart(7)} B minified ${String(bytes).padStart(7)} B gzip`);
}

for (const [name, contents, external, limit] of OURS) {
  const size = await measure(contents, external, import.meta.dirname);
  print(name, size);
  if (size.bytes > limit) {
    console.error(`${name}: more than ${limit} bytes; make it smaller, or say why it has to grow`);
    process.exitCode = 1;
  }
}

if (process.argv.includes("--others")) {
  const folder = mkdtempSync(join(tmpdir(), "sizes-"));
  try {
    writeFileSync(join(folder, "package.json"), "{}");
    for (const [name, contents] of Object.entries(OTHERS)) {
      execFileSync("npm", ["install", "--silent", "--no-audit", "--no-fund", name], { cwd: folder });
      print(name, await measure(contents, [], folder));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
