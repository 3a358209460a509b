//! Deltas: a publication told by what is different in it, in Fossil's format (`SubscribeRequest.delta`).
//!
//! A *patch* makes a *target*, the payload of one publication, out of its *base*, the payload of the one before:
//!
//! ```text
//! patch   := <length of the target> "\n" segment* <checksum of the target> ";"
//! segment := <count> "@" <offset> ","    copy so many bytes of the base, from there
//!          | <count> ":" <bytes>         so many bytes that stand here
//! ```
//!
//! Numbers are in a base 64 of Fossil's own, the most significant digit first.
//!
//! ```
//! use spanwire_wire::{Encoding, delta};
//!
//! let (base, target) = (br#"{"symbol":"SPAN","price":101.25}"#, br#"{"symbol":"SPAN","price":101.50}"#);
//! let patch = delta::patch(Encoding::Json, base, target).expect("most of it is as it was");
//! assert!(patch.len() < target.len());
//! assert_eq!(delta::apply(base, &patch, 64)?, target);
//! # Ok::<(), delta::PatchError>(())
//! ```

mod applying;
mod blocks;
mod checksum;
mod likeness;
mod making;
mod number;
mod text;

pub use applying::{PatchError, apply};
pub use making::patch;
pub use text::{from_json, to_json};
