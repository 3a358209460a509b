//! How long HTTP waits for a peer.

use std::time::Duration;

use super::reader::Reader;

const SECOND: Duration = Duration::from_secs(1);
/// With more, nobody is waited for but whoever holds connections on purpose.
const MOST: Duration = Duration::from_secs(3600);

/// What a connection may take its time for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HttpTimeouts {
    /// A request's head, and the time until there is a next one.
    pub(crate) head: Duration,
    /// A request's body.
    pub(crate) body: Duration,
    /// Reading nothing of an answer.
    pub(crate) write: Duration,
}

impl HttpTimeouts {
    /// Reads what stands below `http_server`; the defaults are those of Centrifugo, which has no options for them.
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let mut timeout = |key, doc, default| reader.duration(key, doc, default, SECOND..=MOST);
        Self {
            head: timeout(
                "http_server.read_header_timeout",
                "how long the head of a request may take, and a connection stay without a next one",
                10 * SECOND,
            ),
            body: timeout("http_server.read_timeout", "how long the body of a request may take", 30 * SECOND),
            write: timeout(
                "http_server.write_timeout",
                "how long a peer may read nothing of an answer",
                10 * SECOND,
            ),
        }
    }
}
