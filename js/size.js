// What a page loads: `npm run size` prints it, and fails when it has grown beyond its limit.
//
// Bundled and minified by esbuild, once more minified by terser, and compressed by gzip: what a careful build would
// deliver. Served as they are, the modules are larger, and every one of them is cached.

import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { minify } from "terser";

/** Bytes after gzip. */
const LIMITS = { core: 6_120, "with every fallback": 7_450 };

/** @param {string[]} external modules that are loaded later, or never */
async function bundle(external) {
  const options = { bundle: true, minify: true, format: "esm", target: "es2022", write: false };
  const { outputFiles } = await build({ entryPoints: ["spanwire.js"], external, ...options });
  const { code } = await minify(outputFiles[0].text, { module: true, ecma: 2022, compress: { passes: 3 } });
  return code;
}

const sizes = Object.entries({ core: ["./ladder.js"], "with every fallback": [] });
for (const [name, external] of sizes) {
  const code = await bundle(external);
  const bytes = gzipSync(code, { level: 9 }).length;
  console.log(`${name.padEnd(20)} ${String(code.length).padStart(7)} B minified ${String(bytes).padStart(7)} B gzip`);
  if (bytes > LIMITS[name]) {
    console.error(`${name}: more than ${LIMITS[name]} bytes; make it smaller, or say why it has to grow`);
    process.exitCode = 1;
  }
}
