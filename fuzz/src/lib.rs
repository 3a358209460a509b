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

mod commands;
mod frames;
mod handshake;

pub use commands::{commands_json, commands_protobuf};
pub use frames::frames;
pub use handshake::handshake;

/// A trust boundary: its name, which is that of its corpus and of its main, and the function.
pub type Target = (&'static str, fn(&[u8]));

/// Every trust boundary.
pub const TARGETS: &[Target] = &[
    ("commands_json", commands_json),
    ("commands_protobuf", commands_protobuf),
    ("frames", frames),
    ("handshake", handshake),
];
