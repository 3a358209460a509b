//! What one side says about `permessage-deflate` in a handshake (RFC 7692 section 7.1).

use std::fmt;

use crate::handshake::extension;

/// The name of the extension.
pub const NAME: &str = "permessage-deflate";

/// Most offers of a client that are considered; further ones are declined unread. Browsers send one.
pub const OFFERS_MAX: usize = 4;

/// The four parameters, in an offer or in the answer to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// The server forgets each message before it compresses the next (section 7.1.1.1).
    pub server_no_context_takeover: bool,
    /// The client does (section 7.1.1.2). In an offer it is a hint.
    pub client_no_context_takeover: bool,
    /// How far back the server's compressed messages refer at most (section 7.1.2.1).
    pub server_max_window_bits: Window,
    /// How far back the client's do (section 7.1.2.2). In an offer it says that the client can be told so.
    pub client_max_window_bits: Window,
}

/// A limit of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Window {
    /// The parameter is not there.
    #[default]
    Unsaid,
    /// It is there without a value, as only the client's may be, and only in an offer.
    Any,
    /// The window has at most two to this power bytes: 8 to 15.
    Bits(u8),
}

/// What one element of `Sec-WebSocket-Extensions` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Something about another extension.
    SomethingElse,
    /// Something about this one that section 7.1 does not allow: an unknown parameter, one that came twice, or a
    /// value that is none.
    Nonsense,
    /// This.
    Deflate(Parameters),
}

/// The offers of a client that make sense, in its order of preference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offers([Option<Parameters>; OFFERS_MAX]);

impl Parameters {
    /// Reads an element of the header's list.
    pub(crate) fn read(element: &[u8]) -> Said {
        let mut parts = extension::parts(element);
        if !parts.next().is_some_and(|name| name.eq_ignore_ascii_case(NAME.as_bytes())) {
            return Said::SomethingElse;
        }
        let mut parameters = Self::default();
        match parts.try_for_each(|part| parameters.add(part)) {
            Some(()) => Said::Deflate(parameters),
            None => Said::Nonsense,
        }
    }

    /// Takes one parameter; `None` if it may not be there.
    fn add(&mut self, part: &[u8]) -> Option<()> {
        let (name, value) = extension::parameter(part)?;
        match (name, value) {
            ("server_no_context_takeover", None) => once(&mut self.server_no_context_takeover, true),
            ("client_no_context_takeover", None) => once(&mut self.client_no_context_takeover, true),
            ("server_max_window_bits", Some(bits)) => once(&mut self.server_max_window_bits, window(bits)?),
            ("client_max_window_bits", Some(bits)) => once(&mut self.client_max_window_bits, window(bits)?),
            ("client_max_window_bits", None) => once(&mut self.client_max_window_bits, Window::Any),
            _ => None,
        }
    }
}

/// Sets what must not have been set before.
fn once<T: Default + PartialEq>(place: &mut T, value: T) -> Option<()> {
    let is_new = *place == T::default();
    *place = value;
    is_new.then_some(())
}

/// A decimal from 8 to 15 without leading zeros (section 7.1.2.1).
fn window(value: &str) -> Option<Window> {
    let is_decimal = value.bytes().all(|byte| byte.is_ascii_digit()) && !value.starts_with('0');
    let bits = value.parse().ok().filter(|bits| is_decimal && (8..=15).contains(bits))?;
    Some(Window::Bits(bits))
}

impl Window {
    /// The number, if there is one.
    pub(crate) const fn bits(self) -> Option<u8> {
        match self {
            Self::Unsaid | Self::Any => None,
            Self::Bits(bits) => Some(bits),
        }
    }
}

impl Offers {
    /// Takes a line of the header. What makes no sense is declined, as section 5.1 demands.
    pub(crate) fn add(&mut self, line: &[u8]) {
        for element in extension::elements(line) {
            if let Said::Deflate(parameters) = Parameters::read(element)
                && let Some(place) = self.0.iter_mut().find(|place| place.is_none())
            {
                *place = Some(parameters);
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Parameters> {
        self.0.iter().flatten()
    }
}

/// As it stands in the header.
impl fmt::Display for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)?;
        for (is_set, name) in [
            (self.server_no_context_takeover, "server_no_context_takeover"),
            (self.client_no_context_takeover, "client_no_context_takeover"),
        ] {
            if is_set {
                write!(f, "; {name}")?;
            }
        }
        for (window, name) in [
            (self.server_max_window_bits, "server_max_window_bits"),
            (self.client_max_window_bits, "client_max_window_bits"),
        ] {
            match window {
                Window::Unsaid => {}
                Window::Any => write!(f, "; {name}")?,
                Window::Bits(bits) => write!(f, "; {name}={bits}")?,
            }
        }
        Ok(())
    }
}
