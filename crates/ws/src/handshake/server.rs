//! The server's side of the handshake (RFC 6455 section 4.2).

use super::field::Field;
use super::key::{AcceptKey, Key};
use super::request::Offers;
use super::{Refusal, Request};
use crate::Extensions;

/// What a server decides beyond the letter of the RFC.
#[derive(Clone, Copy)]
pub struct Policy<'p> {
    /// The subprotocols spoken here, the favourite first. They are sent as they are, so they must be tokens.
    pub subprotocols: &'p [&'p str],
    /// Judges the value of `Origin`, or its absence: browsers always send it, other clients seldom. It is asked
    /// last, when all else about the request is right.
    pub origin: &'p dyn Fn(Option<&str>) -> OriginVerdict,
}

/// What a policy thinks of an origin (section 10.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginVerdict {
    /// Pages from there may connect.
    Allow,
    /// They may not: 403.
    Refuse,
}

/// A request that becomes a WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accept<'p> {
    accept_key: AcceptKey,
    subprotocol: Option<&'p str>,
    extensions: Extensions,
}

/// Decides about a request: every MUST of section 4.2.1, then the policy.
///
/// An extension that a client offers is declined by silence, as section 9.1 allows. So is a list of
/// subprotocols of which none is spoken here: section 4.2.2 lets the client decide whether it stays.
///
/// # Errors
///
/// The first reason found not to upgrade.
pub fn accept<'p>(request: &Request<'_>, policy: &Policy<'p>) -> Result<Accept<'p>, Refusal> {
    if request.version < (1, 1) {
        return Err(Refusal::HttpTooOld);
    }
    if request.method != "GET" {
        return Err(Refusal::MethodNotGet);
    }
    let Field::Once(_) = request.host else { return Err(Refusal::HostNotOnce) };
    if !request.upgrades_to_websocket {
        return Err(Refusal::UpgradeMissing);
    }
    if !request.connection_upgrades {
        return Err(Refusal::ConnectionMissing);
    }
    if request.has_body {
        return Err(Refusal::BodyAnnounced);
    }
    let Field::Once(b"13") = request.websocket_version else { return Err(Refusal::VersionNotSpoken) };
    let Field::Once(key) = request.key else { return Err(Refusal::KeyIllegal) };
    let key = Key::parse(key).ok_or(Refusal::KeyIllegal)?;
    let subprotocol = choose(&request.offers, policy.subprotocols)?;
    check_origin(request.origin, policy)?;
    Ok(Accept { accept_key: key.accept(), subprotocol, extensions: Extensions::None })
}

/// The server's favourite among what the client offered.
fn choose<'p>(offers: &Offers<'_>, spoken: &[&'p str]) -> Result<Option<&'p str>, Refusal> {
    match offers {
        Offers::List(offers) => Ok(spoken.iter().copied().find(|name| offers.contains(name))),
        Offers::Malformed => Err(Refusal::SubprotocolMalformed),
        Offers::TooMany => Err(Refusal::TooManySubprotocols),
    }
}

fn check_origin(origin: Field<'_>, policy: &Policy<'_>) -> Result<(), Refusal> {
    let origin = match origin {
        Field::Absent => None,
        Field::Once(value) => Some(str::from_utf8(value).map_err(|_| Refusal::OriginMalformed)?),
        Field::Repeated => return Err(Refusal::OriginMalformed),
    };
    match (policy.origin)(origin) {
        OriginVerdict::Allow => Ok(()),
        OriginVerdict::Refuse => Err(Refusal::OriginRefused),
    }
}

impl<'p> Accept<'p> {
    /// The subprotocol to speak, if the client offered one that is spoken here.
    pub const fn subprotocol(&self) -> Option<&'p str> {
        self.subprotocol
    }

    /// The extensions to speak with.
    pub const fn extensions(&self) -> Extensions {
        self.extensions
    }

    /// The headers of the answer, whose status is 101 (section 4.2.2, item 5).
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let fixed = [
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", self.accept_key.as_str()),
        ];
        fixed.into_iter().chain(self.subprotocol.map(|name| ("Sec-WebSocket-Protocol", name)))
    }

    /// Appends the whole HTTP/1.1 answer. Frames follow it.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"HTTP/1.1 101 Switching Protocols\r\n");
        for (name, value) in self.headers() {
            for part in [name, ": ", value, "\r\n"] {
                out.extend_from_slice(part.as_bytes());
            }
        }
        out.extend_from_slice(b"\r\n");
    }
}
