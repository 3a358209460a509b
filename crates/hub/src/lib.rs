//! The people of Spanwire: sessions, channels, presence, history, recovery.
//!
//! This crate knows nothing of sockets, HTTP, threads or clocks. A [`Hub`] is a deterministic state machine: the
//! same inputs give the same outputs. A driver (the server's shard, or a simulator) feeds it what happened and
//! carries out what it asks.
//!
//! Where does a publication get its offset? From the [`broker`], and only there.
#![forbid(unsafe_code)]

mod asks;
mod audience;
mod audiences;
pub mod backend;
pub mod broker;
pub mod capabilities;
pub mod channel;
pub mod conformance;
mod credentials;
pub mod delivery;
mod delta;
mod denial;
mod expirable;
mod expiries;
pub mod glob;
pub mod happening;
mod hub;
mod io;
mod lag;
pub mod limits;
mod lot;
pub mod namespace;
mod opening;
mod order;
pub mod outbox;
mod permission;
pub mod presence;
mod question;
mod quoted;
pub mod rate;
mod refusal;
mod revocation;
mod right;
mod session;
mod sessions;
mod skipped;
pub mod tags_filter;
pub mod time;
mod weight;
mod wheel;

pub use credentials::{Credentials, Grant};
pub use delta::DeltaBytes;
pub use denial::{Denial, Why};
pub use expirable::{Expirable, Refreshed};
pub use expiries::Expiring;
pub use hub::{Census, Config, Hub};
pub use io::{Deed, Input, Output, RateLimit, SessionId};
pub use opening::{Opening, Reach, Upstream};
pub use order::{Expiry, Order, Whom};
pub use question::{Answer, AskId, Authenticate, Question};
pub use quoted::Quoted;
pub use refusal::Refusal;
pub use revocation::{Revocation, Revoked, TokenMark};
pub use right::{Right, Rights};
pub use session::SubscriptionOptions;
pub use skipped::Skipped;
