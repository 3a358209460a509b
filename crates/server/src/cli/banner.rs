//! What a server says on stdout when it starts.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use crate::config::Address;

/// Lines of a label and a text, below a headline.
#[derive(Debug)]
pub(super) struct Banner {
    lines: Vec<String>,
}

impl Banner {
    /// Begins with the version and the profile.
    pub(super) fn new(profile: &str) -> Self {
        Self { lines: vec![format!("spanwire {}   {profile}", env!("CARGO_PKG_VERSION"))] }
    }

    /// Adds a line.
    pub(super) fn line(&mut self, label: &str, text: &str) {
        self.lines.push(format!("  {label:<10} {text}"));
    }

    /// Prints all of it, and that the server is ready.
    pub(super) fn print(self, ready_in: Duration) {
        let mut stdout = io::stdout().lock();
        // A server works as well when nobody reads this.
        let _ = writeln!(stdout, "{}\nready in {} ms", self.lines.join("\n"), ready_in.as_millis());
        let _ = stdout.flush();
    }
}

/// How to write the address that people should use.
pub(super) fn authority(configured: Address, listening: SocketAddr) -> String {
    match configured {
        Address::Localhost => format!("localhost:{}", listening.port()),
        _ => listening.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stand_in_a_column() {
        let mut banner = Banner::new("dev profile");
        banner.line("demos", "http://localhost:8000/");
        banner.line("websocket", "ws://localhost:8000/connection/websocket");
        assert_eq!(banner.lines[1], "  demos      http://localhost:8000/");
        assert_eq!(banner.lines[2], "  websocket  ws://localhost:8000/connection/websocket");
    }
}
