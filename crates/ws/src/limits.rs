//! Everything that a stranger can make us keep has its bound here.

/// Bounds on what a peer may send on an open connection.
///
/// They are passed to each call rather than kept in each connection: a million connections share one value, and
/// a limit can change while they live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest payload of one data frame, in bytes. Checked when the header has arrived, before any payload.
    pub frame_bytes_max: usize,
    /// The longest message, in bytes, over all its fragments. An unfinished message keeps at most twice of what
    /// has arrived and never more than this; so this is what a connection can cost.
    pub message_bytes_max: usize,
    /// The most frames in one message. Empty fragments cost no memory, but each costs work and brings nothing.
    /// A message in one frame is always welcome.
    pub fragments_max: u32,
    /// The most bytes that each byte of a compressed message may become, beyond the first
    /// [`INFLATE_FREE_BYTES`](Self::INFLATE_FREE_BYTES). DEFLATE reaches 1,032; this bounds what a message can cost us
    /// in time, as `message_bytes_max` does in memory, which holds before and after inflating.
    pub inflate_ratio_max: u32,
}

impl Limits {
    /// What any compressed message may become, in bytes, however dense it is.
    pub const INFLATE_FREE_BYTES: usize = 16 * 1024;
}

impl Default for Limits {
    /// 64 KiB in a frame and in a message, which Centrifugo allows too, in at most 4,096 fragments: enough for
    /// clients that flush every 16 bytes. A compressed message may grow 200-fold; JSON that says anything stays below
    /// 50.
    fn default() -> Self {
        Self {
            frame_bytes_max: 64 * 1024,
            message_bytes_max: 64 * 1024,
            fragments_max: 4096,
            inflate_ratio_max: 200,
        }
    }
}

/// Bounds on the head (first line and headers) of a handshake's request or response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// The longest head, in bytes, with the empty line that ends it.
    pub bytes_max: usize,
    /// The most header lines; more than [`HeadLimits::HEADERS_CAP`] are never allowed.
    pub headers_max: usize,
}

impl HeadLimits {
    /// The table of headers lives on the stack while a head is parsed; this is its size.
    pub const HEADERS_CAP: usize = 100;
}

impl Default for HeadLimits {
    /// 8 KiB and 64 lines: browsers send about 15 lines, and cookies rarely pass 4 KiB.
    fn default() -> Self {
        Self { bytes_max: 8 * 1024, headers_max: 64 }
    }
}
