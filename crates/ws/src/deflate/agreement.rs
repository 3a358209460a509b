//! What both sides will do (RFC 7692 sections 5 and 7.1).

use super::{Parameters, WINDOW_BITS_MAX, WINDOW_BITS_MIN, Window};
use crate::Role;

/// How each side compresses what it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// How the server does.
    pub server: Side,
    /// How the client does.
    pub client: Side,
}

/// How one side compresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Side {
    /// How far back it refers at most, as a power of two: 8 to 15, and at least 9 if the side is ours.
    pub window_bits: u8,
    /// Whether a message may refer to those before it.
    pub takeover: bool,
}

/// What a server is willing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Whether either side may use context takeover. If not, both are told not to.
    pub takeover: bool,
}

impl Agreement {
    /// How we compress.
    pub const fn ours(&self, role: Role) -> Side {
        match role {
            Role::Server => self.server,
            Role::Client => self.client,
        }
    }

    /// How the peer does.
    pub const fn theirs(&self, role: Role) -> Side {
        match role {
            Role::Server => self.client,
            Role::Client => self.server,
        }
    }

    /// Whether either side keeps a window between messages.
    pub const fn has_takeover(&self) -> bool {
        self.server.takeover || self.client.takeover
    }

    /// What a client and a server agree to by an offer and its answer; `None` if the answer is none to this offer.
    pub(crate) fn of_answer(offer: &Parameters, answer: &Parameters) -> Option<Self> {
        if offer.server_no_context_takeover && !answer.server_no_context_takeover {
            return None;
        }
        let server_bits = match (offer.server_max_window_bits, answer.server_max_window_bits) {
            (Window::Bits(_), Window::Unsaid) => return None,
            (Window::Bits(most), Window::Bits(bits)) if bits > most => return None,
            (_, window) => window.bits().unwrap_or(WINDOW_BITS_MAX),
        };
        let client_bits = match (offer.client_max_window_bits, answer.client_max_window_bits) {
            (Window::Unsaid, Window::Bits(_)) | (_, Window::Any) => return None,
            (Window::Bits(most), Window::Bits(bits)) => bits.min(most),
            (window, Window::Unsaid) => window.bits().unwrap_or(WINDOW_BITS_MAX),
            (Window::Any, Window::Bits(bits)) => bits,
        };
        Some(Self {
            server: Side { window_bits: server_bits, takeover: !answer.server_no_context_takeover },
            client: Side {
                window_bits: client_bits,
                takeover: !answer.client_no_context_takeover && !offer.client_no_context_takeover,
            },
        })
    }
}

impl Terms {
    /// The answer to an offer, and what it means; `None` declines.
    pub(crate) fn answer(self, offer: &Parameters) -> Option<(Parameters, Agreement)> {
        if offer.server_max_window_bits.bits().is_some_and(|bits| bits < WINDOW_BITS_MIN) {
            return None;
        }
        // The client may use the window it likes: reading a short one takes us as much as reading a long one.
        let answer = Parameters {
            server_no_context_takeover: offer.server_no_context_takeover || !self.takeover,
            client_no_context_takeover: offer.client_no_context_takeover || !self.takeover,
            server_max_window_bits: offer.server_max_window_bits,
            client_max_window_bits: Window::Unsaid,
        };
        Some((answer, Agreement::of_answer(offer, &answer)?))
    }
}
