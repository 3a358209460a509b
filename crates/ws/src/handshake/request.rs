//! What a handshake's request says, as far as it matters here.

use super::field::{self, Field};
use crate::deflate;

/// The most subprotocols that a client may offer. Stock clients offer one or two.
pub const SUBPROTOCOLS_MAX: usize = 32;

/// The parts of a request that decide about the upgrade, read in one pass over its headers.
///
/// Reading judges nothing; [`server::accept`](super::server::accept) does, so that each fault has its
/// [`Refusal`](super::Refusal) in one order of importance.
#[derive(Clone, Debug)]
pub struct Request<'h> {
    pub(super) method: &'h str,
    pub(super) version: (u8, u8),
    /// `:protocol` of an extended CONNECT (RFC 8441 section 4).
    pub(super) protocol: Option<&'h str>,
    pub(super) host: Field<'h>,
    pub(super) upgrades_to_websocket: bool,
    pub(super) connection_upgrades: bool,
    pub(super) key: Field<'h>,
    pub(super) websocket_version: Field<'h>,
    pub(super) origin: Field<'h>,
    pub(super) offers: Offers<'h>,
    pub(super) deflate: deflate::Offers,
    pub(super) has_body: bool,
}

/// The subprotocols that a client offered, on one line or on several (RFC 6455 section 11.3.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Offers<'h> {
    List(Vec<&'h str>),
    Malformed,
    TooMany,
}

impl<'h> Request<'h> {
    /// Reads a request from its method, its HTTP version as in `(1, 1)`, and its headers.
    ///
    /// Names may be in any case. Lines of the same name must come one by one, not joined with commas.
    pub fn new(
        method: &'h str,
        version: (u8, u8),
        headers: impl IntoIterator<Item = (&'h str, &'h [u8])>,
    ) -> Self {
        let mut request = Self {
            method,
            version,
            protocol: None,
            host: Field::Absent,
            upgrades_to_websocket: false,
            connection_upgrades: false,
            key: Field::Absent,
            websocket_version: Field::Absent,
            origin: Field::Absent,
            offers: Offers::List(Vec::new()),
            deflate: deflate::Offers::default(),
            has_body: false,
        };
        for (name, value) in headers {
            request.add(name, value);
        }
        request
    }

    /// The request as an extended CONNECT, which asks for this protocol (RFC 8441 section 4). It is what opens a
    /// WebSocket from HTTP/2 on; `:authority` must be among the headers as `Host`.
    pub fn with_protocol(self, protocol: &'h str) -> Self {
        Self { protocol: Some(protocol), ..self }
    }

    fn add(&mut self, name: &str, value: &'h [u8]) {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("host") {
            self.host.add(value);
        } else if is("upgrade") {
            self.upgrades_to_websocket |= field::names(value, "websocket");
        } else if is("connection") {
            self.connection_upgrades |= field::names(value, "upgrade");
        } else if is("sec-websocket-key") {
            self.key.add(value);
        } else if is("sec-websocket-version") {
            self.websocket_version.add(value);
        } else if is("sec-websocket-protocol") {
            field::elements(value).for_each(|offer| self.offers.add(offer));
        } else if is("sec-websocket-extensions") {
            self.deflate.add(value);
        } else if is("origin") {
            self.origin.add(value);
        } else if is("transfer-encoding") {
            self.has_body = true;
        } else if is("content-length") {
            self.has_body |= value.trim_ascii() != b"0";
        }
    }
}

impl<'h> Offers<'h> {
    fn add(&mut self, offer: &'h [u8]) {
        let Self::List(list) = self else { return };
        match field::token(offer) {
            None => *self = Self::Malformed,
            Some(_) if list.len() == SUBPROTOCOLS_MAX => *self = Self::TooMany,
            Some(token) => list.push(token),
        }
    }
}
