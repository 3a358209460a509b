//! The server's side of the handshake (RFC 6455 section 4.2), and of its form in HTTP/2 (RFC 8441 section 5).

use super::field::Field;
use super::key::{AcceptKey, Key};
use super::request::Offers;
use super::{Refusal, Request};
use crate::Extensions;
use crate::deflate::Terms;

/// What a server decides beyond the letter of the RFC.
#[derive(Clone, Copy)]
pub struct Policy<'p> {
    /// The subprotocols spoken here, the favourite first. They are sent as they are, so they must be tokens.
    pub subprotocols: &'p [&'p str],
    /// Judges the value of `Origin`, or its absence: browsers always send it, other clients seldom. It is asked
    /// last, when all else about the request is right.
    pub origin: &'p dyn Fn(Option<&str>) -> OriginVerdict,
    /// How compression may be agreed upon, if a client offers it; `None` declines.
    pub deflate: Option<Terms>,
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accept<'p> {
    /// `None` over HTTP/2, where the answer proves itself by its stream.
    accept_key: Option<AcceptKey>,
    subprotocol: Option<&'p str>,
    extensions: Extensions,
    /// What the answer says of them; empty if there are none.
    answer: String,
}

/// Decides about a request: every MUST of section 4.2.1, then the policy.
///
/// The first offer of compression that the policy can meet is accepted. Everything else about extensions is declined
/// by silence, as section 9.1 allows; so is what is malformed there, since nothing is lost by it. So is a list of
/// subprotocols of which none is spoken here: section 4.2.2 lets the client decide whether it stays.
///
/// # Errors
///
/// The first reason found not to upgrade.
pub fn accept<'p>(request: &Request<'_>, policy: &Policy<'p>) -> Result<Accept<'p>, Refusal> {
    let accept_key = match request.version < (2, 0) {
        true => Some(upgrade(request)?),
        false => connect(request).map(|()| None)?,
    };
    let subprotocol = choose(&request.offers, policy.subprotocols)?;
    check_origin(request.origin, policy)?;
    let agreed =
        policy.deflate.and_then(|terms| request.deflate.iter().find_map(|offer| terms.answer(offer)));
    let (extensions, answer) = match agreed {
        Some((answer, agreement)) => (Extensions::Deflate(agreement), answer.to_string()),
        None => (Extensions::None, String::new()),
    };
    Ok(Accept { accept_key, subprotocol, extensions, answer })
}

/// HTTP/1.1: GET, and the headers that turn the connection into something else.
fn upgrade(request: &Request<'_>) -> Result<AcceptKey, Refusal> {
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
    Ok(Key::parse(key).ok_or(Refusal::KeyIllegal)?.accept())
}

/// HTTP/2: CONNECT with a protocol. `Upgrade`, `Connection` and the key have no meaning there, and are not looked at
/// (RFC 8441 section 5); nor is a length, since what follows is the tunnel.
fn connect(request: &Request<'_>) -> Result<(), Refusal> {
    match request.protocol {
        None => return Err(Refusal::MethodNotConnect),
        Some("websocket") => {}
        Some(_) => return Err(Refusal::ProtocolNotSpoken),
    }
    let Field::Once(_) = request.host else { return Err(Refusal::HostNotOnce) };
    let Field::Once(b"13") = request.websocket_version else { return Err(Refusal::VersionNotSpoken) };
    Ok(())
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

    /// The status of the answer: 101 (section 4.2.2, item 5), and 200 over HTTP/2 (RFC 8441 section 5).
    pub const fn status(&self) -> u16 {
        match self.accept_key {
            Some(_) => 101,
            None => 200,
        }
    }

    /// The headers of the answer.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let upgrade = self.accept_key.as_ref().map(|key| {
            [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", key.as_str())]
        });
        let subprotocol = self.subprotocol.map(|name| ("Sec-WebSocket-Protocol", name));
        let has_extensions = self.extensions != Extensions::None;
        let extensions = has_extensions.then_some(("Sec-WebSocket-Extensions", self.answer.as_str()));
        upgrade.into_iter().flatten().chain(subprotocol).chain(extensions)
    }

    /// Appends the whole answer to a request by HTTP/1.1. Frames follow it.
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
