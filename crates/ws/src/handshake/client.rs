//! The client's side of the handshake (RFC 6455 section 4.1).

use std::fmt;

use super::answer::Answer;
use super::field::Field;
use super::key::Key;
use super::{Refusal, field, head};
use crate::deflate::{Parameters, WINDOW_BITS_MAX, WINDOW_BITS_MIN, Window};
use crate::{Extensions, HeadLimits};

/// What a client asks for.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    /// The value of `Host`: a name, with `:port` if it is not the scheme's own.
    pub host: &'a str,
    /// Path and query, as in `/connection/websocket?format=protobuf`.
    pub target: &'a str,
    /// The subprotocols that the client speaks, its favourite first.
    pub subprotocols: &'a [&'a str],
    /// Further headers, as `Origin` or `Authorization`. Those of the handshake itself are ours to send.
    pub headers: &'a [(&'a str, &'a str)],
    /// The compression to offer, if any.
    pub deflate: Option<Parameters>,
}

/// An offer that can be sent, with the key that its answer must match.
#[derive(Clone, Copy, Debug)]
pub struct Handshake<'a> {
    offer: Offer<'a>,
    key: Key,
}

/// The server agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Welcome<'a, 'b> {
    /// The subprotocol that the server chose from the offer.
    pub subprotocol: Option<&'a str>,
    /// The extensions to speak with.
    pub extensions: Extensions,
    /// What arrived behind the head: the first frames.
    pub leftover: &'b [u8],
}

/// An offer that cannot be written as HTTP, by a fault of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OfferError {
    /// The host is empty, or has characters that end a header.
    Host,
    /// The target does not start with `/`, or has blanks, control characters or characters beyond ASCII.
    Target,
    /// A subprotocol is not a token.
    Subprotocol,
    /// A header's name is not a token, or is one of the handshake's own, or its value has line breaks.
    Header,
    /// A window is offered that is not of 9 to 15 bits, or the server's without a number.
    Window,
}

/// The answer does not open a WebSocket (section 4.1, the client's checks). Hang up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerError {
    /// The head is not HTTP.
    HeadMalformed,
    /// The head is longer than [`HeadLimits::bytes_max`].
    HeadTooLong,
    /// The head has more lines than [`HeadLimits::headers_max`].
    TooManyHeaders,
    /// The status is not 101 but this: a refusal, a redirection, or no WebSocket server at all.
    Status(u16),
    /// No `Upgrade: websocket`.
    UpgradeMissing,
    /// No `upgrade` in `Connection`.
    ConnectionMissing,
    /// `Sec-WebSocket-Accept` is missing, repeated, or does not match our key.
    AcceptMismatch,
    /// The server chose a subprotocol that was not offered, or chose twice.
    SubprotocolNotOffered,
    /// The server agreed to an extension that was not offered.
    ExtensionNotOffered,
    /// The server agreed to compression, but not to what was offered, or in a way that cannot be done here (RFC 7692
    /// section 7.1).
    CompressionMismatch,
}

/// The headers that only the handshake itself may write.
const RESERVED: [&str; 10] = [
    "connection",
    "content-length",
    "host",
    "sec-websocket-accept",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "transfer-encoding",
    "upgrade",
];

impl<'a> Handshake<'a> {
    /// Prepares an offer. `nonce` must be drawn anew for each connection from a source of chance.
    ///
    /// # Errors
    ///
    /// The offer holds something that HTTP cannot carry, or that would smuggle in a header.
    pub fn new(offer: Offer<'a>, nonce: [u8; 16]) -> Result<Self, OfferError> {
        let is_printable = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if offer.host.is_empty() || !is_printable(offer.host) {
            return Err(OfferError::Host);
        }
        if !offer.target.starts_with('/') || !is_printable(offer.target) {
            return Err(OfferError::Target);
        }
        if offer.subprotocols.iter().any(|name| field::token(name.as_bytes()).is_none()) {
            return Err(OfferError::Subprotocol);
        }
        if !offer.headers.iter().all(|(name, value)| is_header(name, value)) {
            return Err(OfferError::Header);
        }
        if !offer.deflate.is_none_or(can_be_offered) {
            return Err(OfferError::Window);
        }
        Ok(Self { offer, key: Key::of_nonce(nonce) })
    }

    /// Appends the whole HTTP/1.1 request. Send no frame before the answer has been verified.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        let mut line = |parts: &[&str]| parts.iter().for_each(|part| out.extend_from_slice(part.as_bytes()));
        line(&["GET ", self.offer.target, " HTTP/1.1\r\n"]);
        line(&["Host: ", self.offer.host, "\r\n"]);
        line(&["Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"]);
        line(&["Sec-WebSocket-Key: ", self.key.as_str(), "\r\n"]);
        if let Some((first, others)) = self.offer.subprotocols.split_first() {
            line(&["Sec-WebSocket-Protocol: ", first]);
            others.iter().for_each(|name| line(&[", ", name]));
            line(&["\r\n"]);
        }
        if let Some(parameters) = self.offer.deflate {
            line(&["Sec-WebSocket-Extensions: ", &parameters.to_string(), "\r\n"]);
        }
        self.offer.headers.iter().for_each(|(name, value)| line(&[name, ": ", value, "\r\n"]));
        line(&["\r\n"]);
    }

    /// Checks the answer at the front of `bytes`, which are all so far; `None` asks for more.
    ///
    /// # Errors
    ///
    /// The server refused, or is none. The answer is the same however the bytes came.
    pub fn verify<'b>(
        &self,
        bytes: &'b [u8],
        limits: &HeadLimits,
    ) -> Result<Option<Welcome<'a, 'b>>, AnswerError> {
        let mut answer = Answer::default();
        let parsed = head::parse_response(bytes, limits, |name, value| answer.add(name, value));
        let Some((status, len)) = parsed.map_err(AnswerError::of_head)? else { return Ok(None) };
        if status != 101 {
            return Err(AnswerError::Status(status));
        }
        let (subprotocol, extensions) = answer.check(&self.offer, &self.key)?;
        Ok(Some(Welcome { subprotocol, extensions, leftover: &bytes[len..] }))
    }
}

/// What `Retry-After` of an answer that is no welcome says, as it stands there: seconds or a date (RFC 9110 section 10.2.3).
pub fn retry_after<'b>(bytes: &'b [u8], limits: &HeadLimits) -> Option<&'b [u8]> {
    let mut field = Field::Absent;
    let add = |name: &str, value: &'b [u8]| {
        if name.eq_ignore_ascii_case("retry-after") {
            field.add(value);
        }
    };
    head::parse_response(bytes, limits, add).ok()?;
    if let Field::Once(value) = field { Some(value) } else { None }
}

/// Whether a server can agree to this in a way that we can keep.
fn can_be_offered(parameters: Parameters) -> bool {
    let fits = |window| match window {
        Window::Unsaid => true,
        Window::Any => false,
        Window::Bits(bits) => (WINDOW_BITS_MIN..=WINDOW_BITS_MAX).contains(&bits),
    };
    let client = parameters.client_max_window_bits;
    fits(parameters.server_max_window_bits) && (client == Window::Any || fits(client))
}

/// Whether this may be sent as a header of the caller's.
fn is_header(name: &str, value: &str) -> bool {
    field::token(name.as_bytes()).is_some()
        && !RESERVED.iter().any(|reserved| name.eq_ignore_ascii_case(reserved))
        && !value.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t')
}

impl AnswerError {
    const fn of_head(refusal: Refusal) -> Self {
        match refusal {
            Refusal::HeadTooLong => Self::HeadTooLong,
            Refusal::TooManyHeaders => Self::TooManyHeaders,
            _ => Self::HeadMalformed,
        }
    }
}

impl fmt::Display for OfferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => "the host cannot be sent in a header",
            Self::Target => "the target must be a path of printable ASCII",
            Self::Subprotocol => "a subprotocol is not a token",
            Self::Header => "a header cannot be sent, or belongs to the handshake",
            Self::Window => "a window that is offered must be of 9 to 15 bits",
        })
    }
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HeadMalformed => "the answer is not HTTP/1.1",
            Self::HeadTooLong => "the answer's headers are too long",
            Self::TooManyHeaders => "the answer has too many headers",
            Self::Status(status) => return write!(f, "the server answered {status}, not 101"),
            Self::UpgradeMissing => "the answer does not say Upgrade: websocket",
            Self::ConnectionMissing => "the answer does not say Connection: Upgrade",
            Self::AcceptMismatch => "Sec-WebSocket-Accept does not match our key",
            Self::SubprotocolNotOffered => "the server chose a subprotocol that was not offered",
            Self::ExtensionNotOffered => "the server chose an extension that was not offered",
            Self::CompressionMismatch => "the server agreed to compression that was not offered like that",
        })
    }
}

impl std::error::Error for OfferError {}
impl std::error::Error for AnswerError {}
