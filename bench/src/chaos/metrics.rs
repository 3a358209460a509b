//! What the server says of itself.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// Longest that an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// The samples at `/metrics`, as they are written.
pub(super) fn read(address: SocketAddr) -> Result<String> {
    let mut stream = TcpStream::connect(address).context("nobody listens")?;
    stream.set_read_timeout(Some(ANSWER_MAX))?;
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).context("no metrics")?;
    ensure!(answer.starts_with("HTTP/1.1 200"), "no metrics, but {:?}", answer.lines().next());
    Ok(answer)
}

/// The value of a sample, by its name and labels as they are written.
pub(super) fn figure(samples: &str, name: &str) -> Option<f64> {
    samples.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_found_by_its_whole_name() {
        let samples = "a_total 1\na 2\na{b=\"c\"} 3.5\n";
        assert_eq!(figure(samples, "a"), Some(2.0));
        assert_eq!(figure(samples, "a{b=\"c\"}"), Some(3.5));
        assert_eq!(figure(samples, "b"), None);
    }
}
