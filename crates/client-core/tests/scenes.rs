//! Scenes from the life of a client, each a test whose name is a sentence.
//!
//! - `connecting`: tries, tokens, codes, silence
//! - `climbing`: one transport after the other
//! - `subscribing`: channels, recovery, gaps, and every way out
//! - `deltas`: payloads from patches, and patches that do not fit
//! - `presence`: who is in a channel, kept up to date
//! - `waking`: what a change of network means
//! - `calling`: publishes and questions, and what becomes of them when answers are lost

mod scenes {
    mod calling;
    mod climbing;
    mod connecting;
    mod deltas;
    mod presence;
    mod subscribing;
    mod waking;
}
mod support;
