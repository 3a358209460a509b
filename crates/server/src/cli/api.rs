//! Commands that ask a server by its API: `spanwire history`, `presence`, `channels`, `disconnect`, `rpc` and `info`.
//!
//! Each prints lines for people, or with `--json` one JSON object a line, whose keys are those of the API.

mod caller;
mod channels;
mod disconnect;
mod history;
mod info;
mod presence;
mod rpc;

use std::io::{self, Write as _};

pub(super) use caller::Caller;
pub(super) use channels::ChannelsOptions;
pub(super) use disconnect::DisconnectOptions;
pub(super) use history::HistoryOptions;
pub(super) use info::InfoOptions;
pub(super) use presence::PresenceOptions;
pub(super) use rpc::RpcOptions;

use super::{Exit, Failure};

/// How results are shown.
#[derive(Clone, Copy, Debug, clap::Args)]
struct Shown {
    /// Prints one JSON object a line, and nothing else.
    #[arg(long)]
    json: bool,
}

impl Shown {
    /// Says something besides the result, which is for people only.
    fn talk(self, line: &str) {
        if !self.json {
            // If nobody listens, nothing is lost.
            let _ = writeln!(io::stderr(), "{line}");
        }
    }
}

/// A value that somebody typed.
fn json(name: &str, text: &str) -> Result<serde_json::Value, Failure> {
    serde_json::from_str(text).map_err(|error| {
        let quoted = serde_json::Value::from(text);
        Failure::new(Exit::Data, format!("{name} is not JSON: {error}"))
            .fix(format!("for a text, write: '{quoted}'"))
    })
}

/// "1 client", "2 clients".
fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
