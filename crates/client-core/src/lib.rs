//! A Spanwire client without sockets, clocks or threads: a value that takes one step at a time.
//!
//! [`Client`] is the core on which shells are built: one that opens WebSockets with tokio, one that runs in a browser,
//! one in which a simulator tries everything that a network can do. A shell does three things. It hands in what
//! happened by [`Client::handle`]; it carries out what [`Client::poll_output`] asks for; and it comes back with
//! [`Input::Tick`] at [`Client::next_deadline`]. All decisions are here: when to connect again, what to ask for
//! when back, what may be sent twice, what the application must be told.
//!
//! # What it promises
//!
//! On a channel with recovery, publications come exactly once and in order, or an [`Event::Gap`] says between which
//! positions some are missing. Whatever the application asked for is answered by one event: also a publish whose
//! acknowledgement was lost, which is either repeated under its key, where the server knows keys, or reported as
//! [`CallError::Unacknowledged`]; it is never repeated in silence where that could double it.
//!
//! # The loop
//!
//! ```
//! use spanwire_client_core::{Client, Config, Event, Input, Output, SubscribeOptions, time::Instant};
//!
//! let mut client = Client::new(Config::default(), [7; 32]); // In earnest: random bytes.
//! let now = Instant::from_millis(0);
//! client.handle(now, Input::Connect);
//! client.handle(now, Input::Subscribe { channel: "news".into(), options: SubscribeOptions::default() });
//!
//! let Some(Output::Open(connection, _)) = client.poll_output() else { panic!("it wants a connection first") };
//! client.handle(now, Input::Opened(connection)); // The shell has opened it.
//! let Some(Output::Send(_, frame)) = client.poll_output() else { panic!("it introduces itself") };
//! assert!(frame.starts_with(br#"{"id":1,"connect":{"#));
//!
//! // The server has answered.
//! client.handle(now, Input::Frame(connection, br#"{"id":1,"connect":{"client":"c1","version":"1"}}"#));
//! client.handle(now, Input::Frame(connection, br#"{"id":2,"subscribe":{}}"#));
//! client.handle(now, Input::Frame(connection, br#"{"push":{"channel":"news","pub":{"data":"hello"}}}"#));
//! let mut heard = Vec::new();
//! while let Some(output) = client.poll_output() {
//!     if let Output::Event(Event::Publication { publication, .. }) = output {
//!         heard.push(publication.data);
//!     }
//! }
//! assert_eq!(heard, [&b"\"hello\""[..]]);
//! ```
#![forbid(unsafe_code)]

mod backoff;
mod calls;
mod client;
mod config;
mod deltas;
mod error;
mod event;
mod filter;
mod io;
mod ladder;
mod limits;
mod link;
mod members;
mod position;
mod renewal;
mod roll;
mod subscription;
pub mod time;

pub use client::{Client, Load};
pub use config::{Config, Credentials};
pub use error::CallError;
pub use event::Event;
pub use filter::Filter;
pub use io::{Answer, Call, ConnectionId, Input, Key, Output, TokenFailure, TokenFor};
pub use ladder::Transport;
pub use limits::Limits;
pub use members::Members;
pub use position::Position;
pub use spanwire_wire::Encoding;
pub use subscription::SubscribeOptions;
