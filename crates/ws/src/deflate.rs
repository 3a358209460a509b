//! Compression of messages: the extension `permessage-deflate` ([RFC 7692](https://www.rfc-editor.org/rfc/rfc7692)).
//!
//! * [`Parameters`] are what a handshake says about it, [`Terms`] what a server is willing to do, and an
//!   [`Agreement`] is what comes of them.
//! * An [`Inflater`] is lent to [`Connection::next_lent`](crate::Connection::next_lent), so that one of them serves
//!   every connection of a thread.
//! * A [`Deflater`] needs no connection, so that a server compresses a message once for ten thousand receivers.
//!
//! With *context takeover* each message may refer to those before it. That compresses small messages much better, and
//! costs both sides a window for each connection. Without it, nothing is kept between messages.
//!
//! Windows have 9 to 15 bits where we compress. RFC 7692 knows 8 too, but zlib and its descendants turn a raw stream
//! of 8 bits into one of 9, which a peer who meant 8 cannot read: an offer that asks for it is declined, and so is such
//! an answer. What a *peer* compresses with 8 bits is read like any other, since a longer window reads shorter ones.

mod agreement;
mod deflater;
mod inflater;
mod parameters;

pub use agreement::{Agreement, Side, Terms};
pub use deflater::Deflater;
pub use inflater::Inflater;
pub use parameters::{NAME, OFFERS_MAX, Parameters, Window};
pub(crate) use parameters::{Offers, Said};

/// The shortest window that we compress with, as a power of two; see above.
pub const WINDOW_BITS_MIN: u8 = 9;

/// The longest window that there is, and the one to use when nobody said anything (section 7.1.2).
pub const WINDOW_BITS_MAX: u8 = 15;

/// What a flush of the compressor ends with: an empty block without compression. The sender takes it away, and the
/// receiver puts it back (sections 7.2.1 and 7.2.2).
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];
