//! What a stranger may make the HTTP edge keep, and for how long.

use std::time::Duration;

/// Longest head of a request, in bytes (status 431): cookies of 8 KiB and all that browsers send.
pub const HEAD_BYTES_MAX: usize = 16 << 10;

/// Most bytes that are read ahead on a connection before somebody takes them.
pub const READ_AHEAD_BYTES_MAX: usize = 32 << 10;

/// Longest body of an API request, in bytes (status 413). A broadcast to ten thousand channels fits in.
pub const BODY_BYTES_MAX: usize = 4 << 20;

/// How long a request's head may take, and how long a connection may stay without a next one.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a request's body may take (status 408).
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a peer may read nothing of an answer.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
