//! Every number by which the protocol says why: in one place, each with its sentence.
//!
//! | where | numbers | type |
//! |---|---|---|
//! | the error of a reply | 100–113; applications 400–1999 | [`ErrorCode`] |
//! | the end of a session | 3000–3999; applications 4000–4999 | [`DisconnectCode`], [`DisconnectReason`] |
//! | the end of a subscription | 2000, 2500–2502; applications 2100–2499, 2600–2999 | [`UnsubscribeCode`] |

mod disconnect;
mod error;
mod unsubscribe;

pub use disconnect::{DisconnectCode, DisconnectReason, InvalidDisconnect, reconnects, told_to_retry_in};
pub use error::ErrorCode;
pub use unsubscribe::{UnsubscribeCode, resubscribes};

use std::fmt;

/// A number to which the protocol gives no meaning of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownCode(pub u32);

impl fmt::Display for UnknownCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "code {} is not one of the protocol's", self.0)
    }
}

impl std::error::Error for UnknownCode {}
