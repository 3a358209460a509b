// Builds a page that uses the hooks, with React in it as an application in development would have it:
// `node react-page.mjs FOLDER` writes react.html and react.js there.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const PAGE = `
  import { StrictMode, createElement } from "react";
  import { createRoot } from "react-dom/client";
  import { connect } from "/spanwire.js";
  import { useChannel, usePresence, useStatus } from "./spanwire/react.js";

  const rt = (window.rt = connect());
  window.commands = [];
  rt.on("frame", ({ sent, text }) => sent && commands.push(...text.split("\\n").map((line) => JSON.parse(line))));
  window.renderings = 0;

  function Messages() {
    renderings++;
    const { messages, gaps } = useChannel(rt, "chat:ledger", { history: 10 });
    return createElement("ol", { "data-gaps": gaps }, messages.map(({ offset, data }) => createElement("li", { key: offset }, data)));
  }
  const Members = () => createElement("p", { id: "members" }, usePresence(rt, "chat:ledger").size);
  const State = () => createElement("p", { id: "state" }, useStatus(rt).state);

  const root = createRoot(document.querySelector("main"));
  window.mount = () => root.render(createElement(StrictMode, null, createElement(State), createElement(Messages), createElement(Members)));
  window.unmount = () => root.render(null);
  mount();
`;

const [folder] = process.argv.slice(2);
const { outputFiles } = await build({
  stdin: { contents: PAGE, resolveDir: join(import.meta.dirname, "../..") },
  external: ["/spanwire.js"],
  bundle: true,
  format: "esm",
  write: false,
  define: { "process.env.NODE_ENV": '"development"' },
});
writeFileSync(join(folder, "react.js"), outputFiles[0].text);
writeFileSync(join(folder, "react.html"), '<!doctype html><title>react</title><main></main><script type="module" src="/react.js"></script>');
