//! What a stranger may make the HTTP edge keep, and for how long.

use std::time::Duration;

/// Longest head of a request, in bytes (status 431): cookies of 8 KiB and all that browsers send.
pub const HEAD_BYTES_MAX: usize = 16 << 10;

/// Most bytes that are read ahead on a connection before somebody takes them.
pub const READ_AHEAD_BYTES_MAX: usize = 32 << 10;

/// Most requests on one connection; behind the last one it is closed, so that nobody holds one for ever.
pub const KEEP_ALIVE_REQUESTS_MAX: u32 = 10_000;

/// Longest body that is read although its request is refused, in bytes, so that the connection can go on. Nothing of it is
/// kept.
pub const SKIPPED_BYTES_MAX: usize = 256 << 10;

/// How long that may take.
pub const SKIP_TIMEOUT: Duration = Duration::from_secs(5);

/// How much is read and forgotten of a connection that we have ended while its peer still sends, in bytes: two of the longest
/// bodies by default. Behind that the peer finds a reset connection, and perhaps not our answer.
pub const FAREWELL_BYTES_MAX: u64 = 8 << 20;

/// How long that may take.
pub const FAREWELL_TIMEOUT: Duration = Duration::from_secs(5);

/// How long commands may wait for their session to be done with those before them (status 503).
pub const INLET_TIMEOUT: Duration = Duration::from_secs(10);

/// Most requests at a time on one connection of HTTP/2 that a configuration may allow.
pub const STREAMS_MAX: usize = 10_000;

/// How much of one stream of HTTP/2 may come before it is taken, in bytes.
pub const STREAM_WINDOW_BYTES: u32 = 64 << 10;

/// How much of all streams of a connection may come before it is taken, in bytes: some that are held up leave room
/// for the others, and no connection can make us keep more.
pub const CONNECTION_WINDOW_BYTES: u32 = 1 << 20;

/// How much of one stream waits for a socket that is full, in bytes; the rest stays where it comes from.
pub const STREAM_UNSENT_BYTES_MAX: usize = 16 << 10;

/// What the decoder of HTTP/2's headers remembers of a connection, in bytes (RFC 7541 section 4.2).
pub const HEADER_TABLE_BYTES: u32 = 4 << 10;

/// Most requests that were reset before we have looked at them; one more, and the connection ends. Resetting what was
/// just asked for is how a peer makes work without waiting for it (CVE-2023-44487).
pub const PENDING_RESETS_MAX: usize = 20;

/// Most streams of a connection that we may have to reset because the peer broke the protocol there; one more, and the
/// connection ends (RUSTSEC-2024-0003).
pub const ERROR_RESETS_MAX: usize = 64;

/// Most streams that we have reset and still remember, so that what was under way is not taken for an error.
pub const REMEMBERED_RESETS_MAX: usize = 64;

/// How often a peer of HTTP/2 is pinged and looked at. One that has not answered by the next time is gone; one that
/// has asked for nothing since the last time is told to leave.
pub const PULSE: Duration = Duration::from_secs(20);
