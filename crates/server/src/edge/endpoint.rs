//! Where WebSockets are opened, and what is spoken there.

use spanwire_hub::{Opening, Upstream};
use spanwire_wire::Encoding;

use super::transports::query::greeting;

/// The subprotocol of JSON sessions.
const JSON: &str = "centrifuge-json";
/// The subprotocol of Protobuf sessions.
const PROTOBUF: &str = "centrifuge-protobuf";

/// A path that speaks WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// `/connection/websocket`: sessions of the Centrifuge protocol.
    Session,
    /// `/connection/uni_websocket`: sessions of clients that only hear.
    UniSession,
    /// `/echo`: every message comes back. Only in the dev profile.
    Echo,
}

impl Endpoint {
    /// The endpoint at a path, if there is one.
    pub(super) fn at(path: &str, has_uni: bool, has_echo: bool) -> Option<Self> {
        match path {
            "/connection/websocket" => Some(Self::Session),
            "/connection/uni_websocket" if has_uni => Some(Self::UniSession),
            "/echo" if has_echo => Some(Self::Echo),
            _ => None,
        }
    }

    /// The subprotocols spoken there. A client that offers Protobuf wants it, or it would not have mentioned it.
    pub(super) fn subprotocols(self) -> &'static [&'static str] {
        match self {
            Self::Session => &[PROTOBUF, JSON],
            Self::UniSession | Self::Echo => &[],
        }
    }
}

/// What a client wants to speak, from the query of its request and the subprotocol that was agreed upon.
///
/// Any mention of Protobuf wins: clients that cannot set one of the two say it with the other. Other parameters are
/// somebody else's, and ignored.
pub(super) fn opening(query: Option<&str>, subprotocol: Option<&str>) -> Opening {
    let has =
        |wanted: &[&str]| query.is_some_and(|query| query.split('&').any(|pair| wanted.contains(&pair)));
    let is_protobuf = subprotocol == Some(PROTOBUF) || has(&["format=protobuf", "cf_protocol=protobuf"]);
    let encoding = if is_protobuf { Encoding::Protobuf } else { Encoding::Json };
    Opening { transport_pings: has(&["cf_ws_frame_ping_pong=true"]), ..Opening::new(encoding) }
}

/// A client that only hears; it may have said what in the query, or does so in its first message.
pub(super) fn uni_opening(query: Option<&str>) -> Opening {
    Opening { upstream: Upstream::Nothing(greeting(query)), ..Opening::new(Encoding::Json) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protobuf_is_spoken_with_whoever_mentions_it() {
        let table = [
            (None, None, Encoding::Json),
            (Some(""), None, Encoding::Json),
            (Some("format=json"), None, Encoding::Json),
            (Some("format=protobuf"), None, Encoding::Protobuf),
            (Some("a=b&cf_protocol=protobuf&c"), None, Encoding::Protobuf),
            (Some("cf_protocol_version=v2"), None, Encoding::Json),
            (Some("xformat=protobuf"), None, Encoding::Json),
            (None, Some(JSON), Encoding::Json),
            (None, Some(PROTOBUF), Encoding::Protobuf),
            (Some("format=protobuf"), Some(JSON), Encoding::Protobuf),
        ];
        for (query, subprotocol, expected) in table {
            let found = opening(query, subprotocol);
            assert_eq!(found.encoding, expected, "{query:?} {subprotocol:?}");
            assert!(!found.transport_pings);
        }
        assert!(opening(Some("cf_ws_frame_ping_pong=true"), None).transport_pings);
    }

    #[test]
    fn the_echo_is_there_only_where_it_is_wanted() {
        assert_eq!(Endpoint::at("/connection/websocket", false, false), Some(Endpoint::Session));
        assert_eq!(Endpoint::at("/echo", false, true), Some(Endpoint::Echo));
        assert_eq!(Endpoint::at("/echo", false, false), None);
        assert_eq!(Endpoint::at("/connection/uni_websocket", true, false), Some(Endpoint::UniSession));
        assert_eq!(Endpoint::at("/connection/uni_websocket", false, true), None);
        assert_eq!(Endpoint::at("/connection/websocket/", false, false), None);
    }
}
