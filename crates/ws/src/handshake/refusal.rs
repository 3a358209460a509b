//! Why a request is not upgraded, and the HTTP answer that says so.

use std::fmt;

/// A request that does not become a WebSocket. Each variant is one reason, one status and one sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The head is not HTTP.
    HeadMalformed,
    /// The head is longer than [`HeadLimits::bytes_max`](crate::HeadLimits::bytes_max).
    HeadTooLong,
    /// The head has more lines than [`HeadLimits::headers_max`](crate::HeadLimits::headers_max).
    TooManyHeaders,
    /// The method is not GET (RFC 6455 section 4.1, item 2).
    MethodNotGet,
    /// Over HTTP/2, not an extended CONNECT (RFC 8441 section 4).
    MethodNotConnect,
    /// An extended CONNECT asks for another protocol than `websocket` (RFC 8441 section 5).
    ProtocolNotSpoken,
    /// HTTP before 1.1 (section 4.1, item 2).
    HttpTooOld,
    /// No `Host`, or more than one (section 4.2.1, item 2).
    HostNotOnce,
    /// The request announces a body, whose bytes would be read as frames.
    BodyAnnounced,
    /// No `Upgrade: websocket`: an ordinary request (section 4.2.1, item 3).
    UpgradeMissing,
    /// No `upgrade` in `Connection`, often lost at a proxy (section 4.2.1, item 4).
    ConnectionMissing,
    /// `Sec-WebSocket-Key` is missing, repeated, or not 16 bytes in base64 (section 4.2.1, item 5).
    KeyIllegal,
    /// `Sec-WebSocket-Version` is missing, repeated, or not 13 (section 4.2.1, item 6, and section 4.4).
    VersionNotSpoken,
    /// `Sec-WebSocket-Protocol` lists something that is not a token (section 4.1, item 10).
    SubprotocolMalformed,
    /// More subprotocols are offered than [`SUBPROTOCOLS_MAX`](super::SUBPROTOCOLS_MAX).
    TooManySubprotocols,
    /// `Origin` is repeated, or not text (section 4.1, item 8).
    OriginMalformed,
    /// The origin is not welcome here (section 4.2.2, item 4).
    OriginRefused,
}

impl Refusal {
    /// The HTTP status code.
    pub const fn status(self) -> u16 {
        match self {
            Self::HeadMalformed
            | Self::HostNotOnce
            | Self::BodyAnnounced
            | Self::ConnectionMissing
            | Self::KeyIllegal
            | Self::SubprotocolMalformed
            | Self::TooManySubprotocols
            | Self::OriginMalformed => 400,
            Self::OriginRefused => 403,
            Self::MethodNotGet | Self::MethodNotConnect => 405,
            Self::UpgradeMissing | Self::VersionNotSpoken => 426,
            Self::HeadTooLong | Self::TooManyHeaders => 431,
            Self::ProtocolNotSpoken => 501,
            Self::HttpTooOld => 505,
        }
    }

    /// A sentence for the person who wonders: the fact, and where it helps, the way out.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::HeadMalformed => "The request is not HTTP/1.1.",
            Self::HeadTooLong => "The request's headers are too long.",
            Self::TooManyHeaders => "The request has too many headers.",
            Self::MethodNotGet => "A WebSocket is opened with GET.",
            Self::MethodNotConnect => {
                "Over HTTP/2, a WebSocket is opened with CONNECT and :protocol = websocket (RFC 8441)."
            }
            Self::ProtocolNotSpoken => "The :protocol spoken here is websocket.",
            Self::HttpTooOld => "A WebSocket is opened over HTTP/1.1; a proxy may have sent 1.0.",
            Self::HostNotOnce => "The request must have one Host header.",
            Self::BodyAnnounced => "A request that opens a WebSocket must not have a body.",
            Self::UpgradeMissing => "This address speaks WebSocket; send Upgrade: websocket.",
            Self::ConnectionMissing => {
                "Upgrade came without Connection: Upgrade; a proxy may have removed it."
            }
            Self::KeyIllegal => "Sec-WebSocket-Key must be there once and be 16 bytes in base64.",
            Self::VersionNotSpoken => "Sec-WebSocket-Version must be 13.",
            Self::SubprotocolMalformed => "Sec-WebSocket-Protocol must be a list of tokens.",
            Self::TooManySubprotocols => "Sec-WebSocket-Protocol offers too many subprotocols.",
            Self::OriginMalformed => "Origin must be there at most once and be plain text.",
            Self::OriginRefused => "This origin is not allowed here.",
        }
    }

    /// A name in snake case, for metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HeadMalformed => "head_malformed",
            Self::HeadTooLong => "head_too_long",
            Self::TooManyHeaders => "too_many_headers",
            Self::MethodNotGet => "method_not_get",
            Self::MethodNotConnect => "method_not_connect",
            Self::ProtocolNotSpoken => "protocol_not_spoken",
            Self::HttpTooOld => "http_too_old",
            Self::HostNotOnce => "host_not_once",
            Self::BodyAnnounced => "body_announced",
            Self::UpgradeMissing => "upgrade_missing",
            Self::ConnectionMissing => "connection_missing",
            Self::KeyIllegal => "key_illegal",
            Self::VersionNotSpoken => "version_not_spoken",
            Self::SubprotocolMalformed => "subprotocol_malformed",
            Self::TooManySubprotocols => "too_many_subprotocols",
            Self::OriginMalformed => "origin_malformed",
            Self::OriginRefused => "origin_refused",
        }
    }

    /// The headers that the status asks for, beside those of any answer with a body.
    pub const fn headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::MethodNotGet => &[("Allow", "GET")],
            Self::MethodNotConnect => &[("Allow", "CONNECT")],
            // RFC 9110 section 15.5.22: 426 names the protocol; `Connection` keeps it to this hop.
            Self::UpgradeMissing => &[("Upgrade", "websocket"), ("Connection", "Upgrade")],
            Self::VersionNotSpoken => {
                &[("Sec-WebSocket-Version", "13"), ("Upgrade", "websocket"), ("Connection", "Upgrade")]
            }
            _ => &[],
        }
    }

    /// Appends the whole HTTP/1.1 answer, with the sentence as its body. Hang up after it.
    pub fn encode_into(self, out: &mut Vec<u8>) {
        let (status, reason) = (self.status(), self.reason());
        let mut answer = format!("HTTP/1.1 {status} {}\r\n", phrase(status));
        let mut connection = "close".to_owned();
        for &(name, value) in self.headers() {
            if name == "Connection" {
                connection = format!("close, {value}");
            } else {
                answer.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        let length = reason.len() + 1;
        answer.push_str(&format!("Connection: {connection}\r\nContent-Type: text/plain\r\n"));
        answer.push_str(&format!("Content-Length: {length}\r\n\r\n{reason}\n"));
        out.extend_from_slice(answer.as_bytes());
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.reason(), self.status())
    }
}

impl std::error::Error for Refusal {}

/// The phrase that HTTP/1.1 puts beside the status.
const fn phrase(status: u16) -> &'static str {
    match status {
        403 => "Forbidden",
        405 => "Method Not Allowed",
        426 => "Upgrade Required",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        505 => "HTTP Version Not Supported",
        _ => "Bad Request",
    }
}
