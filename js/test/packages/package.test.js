// The package as a stranger gets it: packed, installed into an empty project, imported by name in every runtime that
// this machine has, and type-checked from outside.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";

const run = promisify(execFile);
const js = fileURLToPath(new URL("../..", import.meta.url));
let project;
let files;

/** A program of another runtime, if it can be found. */
async function found(name) {
  for (const folder of process.env.PATH.split(delimiter)) {
    const path = join(folder, name);
    if (await access(path).then(() => true, () => false)) return path;
  }
}

before(async () => {
  project = await mkdtemp(join(tmpdir(), "spanwire-package-"));
  const { stdout } = await run("npm", ["pack", "--json", "--silent", "--pack-destination", project], { cwd: js });
  const [packed] = Object.values(JSON.parse(stdout.slice(stdout.search(/^[[{]/m))));
  files = packed.files.map(({ path }) => path);
  await writeFile(join(project, "package.json"), JSON.stringify({ name: "stranger", private: true, type: "module" }));
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", join(project, packed.filename)], { cwd: project });
});

after(() => rm(project, { recursive: true, force: true }));

test("it has the client with its types, and nothing that only we need", () => {
  for (const path of ["spanwire.js", "spanwire/client.js", "types/spanwire.d.ts", "README.md"]) assert.ok(files.includes(path), path);
  assert.deepEqual(files.filter((path) => !/^(spanwire|types)\/|^(spanwire\.js|package\.json|README\.md)$/.test(path)), []);
});

const CONSUMER = `
  import { connect, SpanwireError } from "spanwire";
  import { delta } from "spanwire/delta";
  import { mock } from "spanwire/mock";
  import * as records from "spanwire/records";
  const server = mock();
  const rt = connect("ws://mock", { WebSocket: server.WebSocket, connection: delta, records: async () => records });
  const room = rt.channel("chat:lobby", { history: 5, presence: true });
  const messages = room.events("message");
  await room.publish("hello");
  for await (const { data, offset } of messages) {
    if (offset === 1) server.publish("chat:lobby", "again");
    else if (data === "again") break;
  }
  const refused = await rt.rpc("unknown").catch((error) => error instanceof SpanwireError && error.code);
  rt.close();
  console.log(JSON.stringify({ refused, published: server.published("chat:lobby") }));
`;

for (const [name, program, ...options] of [["Node", process.execPath], ["Node 22", "node22"], ["Deno", "deno", "run", "-A"], ["Bun", "bun"]]) {
  test(`it is imported by name and works in ${name}`, async (t) => {
    const path = program === process.execPath ? program : await found(program);
    if (!path) return t.skip(`${program} is not in the PATH`);
    await writeFile(join(project, "consumer.js"), CONSUMER);
    const { stdout } = await run(path, [...options, "consumer.js"], { cwd: project, timeout: 60_000 });
    assert.deepEqual(JSON.parse(stdout), { refused: 104, published: ["hello", "again"] });
  });
}

test("a bundler is told of what the mock server imports only for it to be at hand", async () => {
  // From here, because of what is installed esbuild tells no warnings.
  const stdin = { contents: 'export { mock } from "./spanwire/mock.js"', resolveDir: js };
  const { warnings } = await build({ stdin, bundle: true, format: "esm", write: false, logLevel: "silent" });
  assert.deepEqual(warnings.map(({ text }) => text), []);
});

test("its types say from outside what they say at home, under the strictest settings", async () => {
  const types = await readFile(join(js, "test/types.ts"), "utf8");
  const names = { "../spanwire.js": "spanwire", "../spanwire/mock.js": "spanwire/mock", "../spanwire/delta.js": "spanwire/delta", "../spanwire/records.js": "spanwire/records", "../spanwire/react.js": "spanwire/react", "../spanwire/shared.js": "spanwire/shared" };
  const outside = types.replace(/from "([^"]+)"/g, (_, path) => `from "${names[path]}"`);
  assert.ok(outside.includes('from "spanwire/react"'));
  await writeFile(join(project, "types.ts"), outside);
  const compilerOptions = {
    strict: true, noEmit: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, skipLibCheck: false,
    target: "es2022", lib: ["es2022", "dom", "dom.iterable"], module: "nodenext", types: [],
  };
  await writeFile(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["types.ts"] }));
  await run(process.execPath, [join(js, "node_modules/typescript/bin/tsc"), "-p", project]).catch(({ stdout }) => assert.fail(stdout));
});
