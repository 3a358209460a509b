// The code of docs/javascript.md, run as it stands there: over a mock server, with a page around it that has little.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { connect } from "../spanwire.js";
import { mock } from "../spanwire/mock.js";
import { settled } from "./stage.js";

const text = await readFile(new URL("../../docs/javascript.md", import.meta.url), "utf8");
const blocks = [...text.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code);
const folder = await mkdtemp(join(tmpdir(), "spanwire-docs-"));
after(() => rm(folder, { recursive: true }));

test("there is code on the page, and prose about all of its parts", () => assert.ok(blocks.length >= 7, `${blocks.length} blocks`));

test("every word that an error can have for a code is explained on the page", async () => {
  const folder = new URL("../spanwire/", import.meta.url);
  const files = ["client", "commands", "connection", "error", "fallback", "ladder", "session", "stream", "subscription"];
  const code = await Promise.all(files.map((name) => readFile(new URL(`${name}.js`, folder), "utf8")));
  const words = new Set([...code.join("").matchAll(/(?:SpanwireError\(|code: )"(\w+)"/g)].map(([, word]) => word));
  assert.ok(words.size >= 11, [...words].join());
  for (const word of words) assert.ok(text.includes(`| \`${word}\` |`), word);
});

/** A block as a module that is done when its last statement is. */
async function moduleOf(code, n) {
  const js = new URL("..", import.meta.url);
  const withPaths = code.replace(/from "\/(.*)"/g, (_, path) => `from ${JSON.stringify(new URL(path, js).href)}`);
  const imports = [...withPaths.matchAll(/^import .*$/gm)].join("\n");
  const body = withPaths.replace(/^import .*$/gm, "");
  const file = join(folder, `${n}.mjs`);
  await writeFile(file, `${imports}\nexport default async ({ rt: given, console, draw, show, fetch }) => {\n${given(body)}\n};`);
  return (await import(pathToFileURL(file).href)).default;
}

/** Those that make no client of their own get one. */
const given = (body) => (/const rt =/.test(body) ? body : `const rt = given;\n${body}`);

for (const [n, code] of blocks.entries()) {
  test(`block ${n + 1} does what it says: ${code.trim().split("\n").find((line) => line && !line.startsWith("import"))}`, async () => {
    const server = mock();
    server.rpc("add", ([a, b]) => a + b);
    const clients = [];
    class WebSocket extends server.WebSocket {
      constructor(url) {
        super(url);
        clients.push(url);
      }
    }
    Object.assign(globalThis, { WebSocket, location: { href: "http://localhost/" } });
    const said = [];
    const page = {
      rt: connect(),
      console: { log: (...words) => said.push(words.join(" ")) },
      draw: (data) => said.push(`drawn ${data}`),
      show: (state) => said.push(state),
      fetch: async () => new Response("a token"),
    };
    const run = await moduleOf(code, n);
    const done = run(page);
    await page.rt.ready().catch(() => {});
    await settled();
    // Whoever loops hears something, and its loop ends with the client.
    for (const channel of ["chat:lobby", "ticks"]) server.publish(channel, channel);
    await settled();
    if (!/AbortController/.test(code)) page.rt.close();
    await done;
    page.rt.close();
    assert.ok(clients.length, "it connected");
    if (/console\.log|draw\(/.test(code)) assert.ok(said.length, "it said something");
    if (/AbortController/.test(code)) assert.equal(said.at(-1), "AbortError");
  });
}
