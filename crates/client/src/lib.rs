//! Real-time channels for Rust programs: publications as streams, over connections that mend themselves.
//!
//! `docs/rust-client.md` in the repository shows the way. A client of Spanwire, and of Centrifugo and every other server of that protocol, for tokio.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use spanwire_client::{Client, Event};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Tick {
//!     price: f64,
//! }
//!
//! # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/room.rs")); }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let url = support::room().await;
//! let client = Client::builder(url).connect()?; // Returns at once, and stays connected from then on.
//! let mut ticks = client.channel::<Tick>("ticks").subscribe().await?;
//! client.publish("ticks", &Tick { price: 1.5 }).await?;
//! while let Some(event) = ticks.next().await {
//!     match event {
//!         Event::Publication(tick) => {
//!             assert_eq!((tick.data.price, tick.offset), (1.5, 1));
//!             break;
//!         }
//!         Event::Gap(_) => { /* Something was missed for good: reload it from where it is kept. */ }
//!         _ => {}
//!     }
//! }
//! let sum: i64 = client.rpc("add", &(2, 3)).await?;
//! assert_eq!(sum, 5);
//! client.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! # What it promises
//!
//! On a channel with recovery, publications come exactly once and in order, or an [`Event::Gap`] says between which
//! positions some are missing; whatever happens to connections meanwhile, and however slow the reader is. A publication
//! is published once, or an error says that nobody knows ([`CallError::Unacknowledged`]).
//!
//! # How it goes on
//!
//! A connection that is lost is made again, after a wait that is drawn from a window that doubles: from 300 ms to 20 s
//! unless [`Limits`] say something else, or at the time that the server tells. Subscriptions come back by themselves, from
//! where they were. A client ends when it is [closed](Client::close), when its last handle is dropped, or when the server
//! does not want it back; then its subscriptions end too, and say why.
//!
//! # Who is slow
//!
//! Each subscription has a buffer of its own, bounded in events and bytes, and [`Overflow`] says what happens when it is
//! full. Nobody else waits: one reader who does not read costs the others nothing.
//!
//! # Tokens
//!
//! ```
//! # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/room.rs")); }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let url = support::room().await;
//! # async fn fetch(_: &str) -> std::io::Result<String> { Ok("token".to_owned()) }
//! use spanwire_client::Client;
//!
//! let client = Client::builder(url)
//!     .token_provider(|| async { Ok(fetch("https://backend.example/token").await?) })
//!     .connect()?;
//! client.ready().await?;
//! # Ok(())
//! # }
//! ```
//!
//! It is asked again before a token expires, and when the server says that it has. An error is tried again, with backoff,
//! unless it is [`TokenError::unauthorized`].
//!
//! # Where WebSockets are blocked
//!
//! The client climbs down a ladder by itself: HTTP streaming, then server-sent events, as `/spanwire.js` does. A WebSocket
//! that brings no answer in 4 s, or is refused, is followed by the next transport at once; the one that worked is gone
//! back to, and after 5 to 10 minutes a WebSocket is tried beside it, and changed to when it opens. [`Builder::transports`] says what may be
//! taken, [`Status`] what is.
//!
//! # Features
//!
//! - `fallback` (default): HTTP streaming and server-sent events, where WebSockets are blocked.
//! - `tls` (default): `wss://`, by rustls with aws-lc-rs, with the authorities that the system trusts or those of a
//!   [file](Builder::ca_file).
#![forbid(unsafe_code)]

mod address;
mod buffer;
mod builder;
mod carrier;
mod channel;
mod client;
mod driver;
mod error;
mod event;
mod events;
mod history;
mod order;
mod payload;
mod publish;
mod status;
mod subscription;
mod token;
mod trust;

pub use buffer::Overflow;
pub use builder::Builder;
pub use channel::Channel;
pub use client::{Client, PresenceStats};
pub use error::{ConfigError, Error};
pub use event::{ClientEvent, Ended, Event, Gap, Publication, Subscribed};
pub use events::Events;
pub use history::{History, Page};
pub use payload::{FromPayload, Raw, ToPayload};
pub use publish::Publish;
pub use spanwire_client_core::{CallError, Encoding, Filter, Limits, Members, Position, Transport};
pub use spanwire_wire::message::ClientInfo;
pub use status::Status;
pub use subscription::Subscription;
pub use token::TokenError;
