// Every bound of the client, with the reason for its value. Times are in milliseconds.

/** The first retry comes within this time: quick for a person, yet spread out for a server that lost everybody. */
export const RETRY_MS_MIN = 300;

/** No retry waits longer than this while an outage is young: most are short, and somebody is looking at the page. */
export const YOUNG_RETRY_MS_MAX = 5_000;

/** For so long an outage is young. */
export const YOUNG_MS = 60_000;

/** No retry waits longer than this ever, so that a server which returns has everybody back soon after. */
export const RETRY_MS_MAX = 20_000;

/** A server that sends us away may tell when to come back; later than this we do not believe it. */
export const RETRY_TOLD_MS_MAX = 120_000;

/** A connection that lived this long was a good one, and forgives the failures before it. */
export const STEADY_MS = 10_000;

/** How much later than announced a server's ping may come before we call the connection dead. */
export const PING_MARGIN_MS = 10_000;

/** How long a connection may stay silent when asked whether it survived a sleep or a change of network. */
export const PROBE_MS = 2_000;

/** How long it may take to get a token. */
export const TOKEN_MS_MAX = 10_000;

/** How long the file may take that deals with history and presence, before a channel goes on without. */
export const RECORDS_MS_MAX = 10_000;

/** How long a transport may take to open and to bring the answer to `connect`, before the next one is tried. */
export const OPEN_MS = 4_000;

/** The same for a stream over HTTP: a proxy that holds one back is found out when the page has waited already. */
export const STREAM_MS = 1_000;

/** How long to be content with a fallback before a WebSocket is tried again; up to twice that, by chance. */
export const CLIMB_MS = 300_000;

/** How long a call waits for its answer, the time spent offline included. */
export const CALL_MS_MAX = 10_000;

/** How long a publication may wait for its acknowledgement, the time spent offline included. */
export const PUBLISH_MS_MAX = 60_000;

/** How many commands may wait for a connection. */
export const QUEUE_MAX = 256;

/** How many events an iterator keeps for a loop that is slower than its channel. */
export const STREAM_MAX = 1_024;

/** Largest frame a server takes by default, in bytes of UTF-8. */
export const FRAME_BYTES_MAX = 65_536;

/** Commands of one moment share a frame up to this many characters, which stay a legal frame even at three bytes each. */
export const BATCH_CHARS_MAX = 16_384;

/** With more than this many bytes unsent, what is volatile is already late and is dropped. */
export const VOLATILE_BYTES_MAX = 16_384;

/** How many keys of publications a shared connection remembers: those of an outage, and of all tabs together. */
export const KEYS_MAX = 1_024;

/** How many publications of a channel a shared connection remembers, for tabs that come back after it was lost. */
export const RECENT_MAX = 256;

/** How long after its return a shared connection keeps a channel that no tab has asked for again. */
export const FEED_MS = 30_000;

/** How large a publication may be that comes as a patch, in bytes: a few bytes of it can announce any length. */
export const PATCHED_BYTES_MAX = 1_048_576;

/** Longest delay a timer can hold; a longer one would fire at once. */
export const TIMER_MS_MAX = 2 ** 31 - 1;
