//! How far the end of a connection has come (RFC 6455 section 7).

use crate::{CloseCode, CloseFrame, PeerError};

/// The stages of a connection, each with what must be known there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Both sides may speak.
    Open,
    /// We sent a close frame and await theirs. Messages that were on their way still arrive.
    CloseSent,
    /// They sent a close frame, with this code; ours is owed.
    CloseReceived(Option<CloseCode>),
    /// They broke the protocol; a close frame that says so is owed.
    Failed(PeerError),
    /// Nothing is owed in either direction: hang up.
    Closed(Ending),
}

/// Why a connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Close frames went both ways; theirs had this code. In the words of section 7.1.4, it closed cleanly.
    Agreed(Option<CloseCode>),
    /// They broke the protocol and were told, or had been sent a close frame before.
    Failed(PeerError),
}

impl State {
    /// Whether data frames and pings may still be sent: not after a close frame, nor when one is owed.
    pub const fn may_send(self) -> bool {
        matches!(self, Self::Open)
    }

    /// Whether the peer's next words are still to be heard.
    #[inline]
    pub(crate) const fn is_reading(self) -> bool {
        matches!(self, Self::Open | Self::CloseSent)
    }

    /// What every further input comes to: reading goes on, or the same answer for ever.
    pub(crate) const fn may_receive(self) -> Result<bool, PeerError> {
        match self {
            Self::Open | Self::CloseSent => Ok(true),
            // Section 1.4: what follows a close frame is discarded.
            Self::CloseReceived(_) | Self::Closed(Ending::Agreed(_)) => Ok(false),
            Self::Failed(sin) | Self::Closed(Ending::Failed(sin)) => Err(sin),
        }
    }

    /// They sent a close frame.
    pub(crate) const fn receive_close(&mut self, code: Option<CloseCode>) {
        *self = match *self {
            Self::Open => Self::CloseReceived(code),
            Self::CloseSent => Self::Closed(Ending::Agreed(code)),
            over => over,
        };
    }

    /// They broke the protocol. A second close frame of ours would break it too (section 5.5.1).
    pub(crate) const fn fail(&mut self, sin: PeerError) {
        *self = match *self {
            Self::Open => Self::Failed(sin),
            Self::CloseSent => Self::Closed(Ending::Failed(sin)),
            over => over,
        };
    }

    /// We want to end it. Returns whether a close frame is to be sent.
    pub(crate) const fn send_close(&mut self) -> bool {
        let (next, send) = match *self {
            Self::Open => (Self::CloseSent, true),
            Self::CloseReceived(code) => (Self::Closed(Ending::Agreed(code)), true),
            Self::Failed(sin) => (Self::Closed(Ending::Failed(sin)), true),
            over => (over, false),
        };
        *self = next;
        send
    }

    /// What is owed, which is settled with this call.
    pub(crate) fn answer(&mut self) -> Option<CloseFrame<'static>> {
        let frame = match *self {
            // Section 5.5.1: an endpoint typically echoes the code it received.
            Self::CloseReceived(Some(code)) => CloseFrame::new(code, ""),
            Self::CloseReceived(None) => CloseFrame::EMPTY,
            Self::Failed(sin) => CloseFrame::new(sin.close_code(), sin.reason()),
            Self::Open | Self::CloseSent | Self::Closed(_) => return None,
        };
        self.send_close();
        Some(frame)
    }
}
