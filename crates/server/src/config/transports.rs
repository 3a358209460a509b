//! Ways besides WebSockets.

use std::time::Duration;

use super::reader::Reader;

/// Which transports are open, and what they take.
#[derive(Clone, Debug)]
pub(crate) struct Transports {
    pub(crate) http_stream: Way,
    pub(crate) sse: Way,
    pub(crate) poll: Poll,
    pub(crate) uni_websocket: bool,
    pub(crate) uni_sse: Way,
    pub(crate) uni_http_stream: Way,
    /// Longest body of a request that brings commands, in bytes.
    pub(crate) emulation_body_bytes_max: usize,
    /// Whether `/connection/init` answers.
    pub(crate) init: bool,
}

/// A transport over HTTP.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    pub(crate) enabled: bool,
    /// Longest body of a request, in bytes.
    pub(crate) body_bytes_max: usize,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Poll {
    pub(crate) way: Way,
    /// How long a request is held for something to say.
    pub(crate) hold: Duration,
    /// How long a client may stay away between two requests.
    pub(crate) grace: Duration,
}

const BODY: &str = "how many bytes the body of a request may have";
const BODY_BYTES: usize = 65_536;
const BODY_BYTES_MAX: usize = 64 << 20;

impl Transports {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            http_stream: Way {
                enabled: reader.flag(
                    "http_stream.enabled",
                    "whether clients may connect by HTTP streaming",
                    true,
                ),
                body_bytes_max: body(reader, "http_stream.max_request_body_size"),
            },
            sse: Way {
                enabled: reader.flag(
                    "sse.enabled",
                    "whether clients may connect by server-sent events",
                    true,
                ),
                body_bytes_max: body(reader, "sse.max_request_body_size"),
            },
            poll: Poll::read(reader),
            uni_websocket: reader.flag(
                "uni_websocket.enabled",
                "whether clients that only hear may connect by WebSocket",
                false,
            ),
            uni_sse: Way {
                enabled: reader.flag(
                    "uni_sse.enabled",
                    "whether clients that only hear may connect by server-sent events",
                    false,
                ),
                body_bytes_max: body(reader, "uni_sse.max_request_body_size"),
            },
            uni_http_stream: Way {
                enabled: reader.flag(
                    "uni_http_stream.enabled",
                    "whether clients that only hear may connect by HTTP streaming",
                    false,
                ),
                body_bytes_max: body(reader, "uni_http_stream.max_request_body_size"),
            },
            emulation_body_bytes_max: body(reader, "emulation.max_request_body_size"),
            init: reader.flag("init.enabled", "whether /connection/init answers", true),
        }
    }

    /// Whether there are sessions whose commands come by requests of their own.
    pub(crate) fn needs_emulation(&self) -> bool {
        self.http_stream.enabled || self.sse.enabled || self.poll.way.enabled
    }
}

impl Poll {
    fn read(reader: &mut Reader<'_>) -> Self {
        let second = Duration::from_secs(1);
        Self {
            way: Way {
                enabled: reader.flag("poll.enabled", "whether clients may connect by long polling", true),
                body_bytes_max: body(reader, "poll.max_request_body_size"),
            },
            hold: reader.duration(
                "poll.hold",
                "how long a poll waits for something to say",
                25 * second,
                second..=60 * second,
            ),
            grace: reader.duration(
                "poll.grace",
                "how long a client that polls may stay away between two polls",
                20 * second,
                second..=600 * second,
            ),
        }
    }
}

fn body(reader: &mut Reader<'_>, key: &'static str) -> usize {
    reader.count(key, BODY, BODY_BYTES, 1024..=BODY_BYTES_MAX)
}
