//! Many clients and a node on one seeded clock and one bad network, watched by somebody who keeps accounts.
//!
//! Everything that can be real is real: the hub, the broker and presence in memory, the client's core, the WebSocket
//! framing on both sides. What the server's engine does between them (sockets, mailboxes between shards, turns) is
//! played here, in the same shape and with the same rules, because it stands on an operating system; so the engine
//! must decide nothing, and these seams are where everything goes wrong that can: bytes are late, cut anywhere, or
//! vanish; mailboxes overflow; the owner of a channel answers late or not; the node loses its memory; clocks jump.
//!
//! One number is a whole run. [`Plot`] makes from it who is there and what happens to them, [`run`] plays it, the
//! [`ledger`] judges it by what the clients' applications were told, and [`shrink`](shrink::shrink) finds a shorter plot
//! that fails too. `cargo run -p spanwire-sim -- SEED` prints the conversation of one seed.
#![forbid(unsafe_code)]

mod agenda;
mod bug;
mod chance;
mod channels;
pub mod ledger;
mod net;
mod node;
mod person;
mod plot;
mod scene;
pub mod shrink;
mod trace;
mod words;
mod world;

pub use bug::Bug;
pub use plot::{Act, Doing, Plot};
pub use world::{Outcome, Sizes, run};
