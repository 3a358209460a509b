//! One plain function per trust boundary: any bytes go in, and either every invariant holds or it panics.
//!
//! They are functions rather than fuzz mains so that `cargo test` can replay the corpus on a stable toolchain
//! (`tests/replay.rs`). The coverage-guided runner is for finding new inputs:
//!
//! ```text
//! mkdir -p target/corpus/frames
//! cargo +nightly fuzz run --features libfuzzer frames target/corpus/frames fuzz/corpus/frames
//! ```
//!
//! What it learns goes to the first directory, so that the committed corpus stays small enough to read. An input
//! that it finds to be a crash is fixed, made small with `cargo fuzz tmin`, and committed to `corpus/TARGET/`
//! under a name that says what it showed.
//!
//! A new boundary gets a module here, a line in [`TARGETS`], a main in `fuzz_targets/`, and a few seeds.

mod api_bodies;
mod api_lines;
mod chance;
mod client_address;
mod commands;
mod config;
mod event_courses;
mod frames;
mod framing;
mod handshake;
mod http_edge;
mod hub_operations;
mod inflating;
mod mutation;
mod patches;
mod proxy_answers;
mod tokens;
mod transport_bodies;

pub use api_bodies::api_bodies;
pub use api_lines::api_lines;
pub use chance::Chance;
pub use client_address::client_address;
pub use commands::{commands_json, commands_protobuf};
pub use config::{config_json, config_toml};
pub use event_courses::{Fault, event_courses, play};
pub use frames::frames;
pub use framing::framing;
pub use handshake::handshake;
pub use http_edge::http_edge;
pub use hub_operations::hub_operations;
pub use inflating::inflating;
pub use mutation::mutate;
pub use patches::{base_and_patch, patches};
pub use proxy_answers::proxy_answers;
pub use tokens::tokens;
pub use transport_bodies::transport_bodies;

/// A trust boundary: its name, which is that of its corpus and of its main, and the function.
pub type Target = (&'static str, fn(&[u8]));

/// Every trust boundary.
pub const TARGETS: &[Target] = &[
    ("api_bodies", api_bodies),
    ("api_lines", api_lines),
    ("client_address", client_address),
    ("commands_json", commands_json),
    ("commands_protobuf", commands_protobuf),
    ("config_json", config_json),
    ("config_toml", config_toml),
    ("event_courses", event_courses),
    ("frames", frames),
    ("framing", framing),
    ("handshake", handshake),
    ("http_edge", http_edge),
    ("hub_operations", hub_operations),
    ("inflating", inflating),
    ("patches", patches),
    ("proxy_answers", proxy_answers),
    ("tokens", tokens),
    ("transport_bodies", transport_bodies),
];
