/** What the codes mean for a person. The server's own words are enough for the rest. */
const WORDS = {
  1000: "closed in good order",
  1001: "the other side went away",
  1006: "the line broke, and nobody said goodbye",
  1011: "the server failed",
  1012: "the server restarts",
  1013: "the server could not be reached",
  bad_frame: "what came was not the protocol",
  hidden: "the page was left",
  no_connection: "no connection could be made",
  no_ping: "the server fell silent",
  no_token: "no token could be had",
  unauthorized: "signed out",
  closed: "closed by this page",
};

/** An error with its code, in words. */
export function words({ code, message }) {
  const said = WORDS[code] ?? message.replace(new RegExp(`:? ?${code}.*$`), "");
  if (typeof code !== "number") return said || code;
  return said ? `${code}, ${said}` : String(code);
}
