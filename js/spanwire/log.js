/** @import { Client } from "./client.js" */

/** A token opens doors, and consoles are shown around. @type {(key: string, value: unknown) => unknown} */
const withoutTokens = (key, value) => (key === "token" && value ? "(a token)" : value);

/** @param {string} line */
function read(line) {
  try {
    return Object(JSON.parse(line, withoutTokens));
  } catch {
    return { "not the protocol": line };
  }
}

/**
 * What a line on the wire is about, in a few words: `publish chat:lobby #3`, or `chat:lobby pub 12`.
 *
 * @param {Record<string, any>} message
 */
function title({ id, error, push, ...fields }) {
  if (error) return `#${id} refused: ${error.code} ${error.message}`;
  const { channel, ...told } = push ?? fields;
  const [[kind, about] = ["ping", {}]] = Object.entries(told);
  const words = push ? [channel, kind, about.offset] : [kind, about.channel ?? about.method, id && `#${id}`];
  return words.filter(Boolean).join(" ");
}

/**
 * Prints everything on the wire, a folded group for each command, reply and push; for the eyes of whoever develops.
 *
 * @param {Client<any, any>} client
 * @param {Pick<Console, "groupCollapsed" | "log" | "groupEnd">} [console] where to
 * @returns {() => void} stops it
 */
export function log(client, console = globalThis.console) {
  return client.on("frame", ({ sent, text }) => {
    for (const line of text.split("\n").filter(Boolean)) {
      const message = read(line);
      console.groupCollapsed(`${sent ? ">" : "<"} ${title(message)}`);
      console.log(message);
      console.groupEnd();
    }
  });
}
