//! One HTTP request, for calling the server API.

use std::io::{self, Read as _, Write as _};
use std::time::Duration;

use super::connect::connect;
use super::trust::Trust;
use super::url::Server;
use super::{Exit, Failure};

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: u64 = 64 << 20;

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// When to come again, if it says so.
    pub(super) retry_after: Option<Duration>,
    pub(super) body: String,
}

/// Posts JSON to a path of the server API, with the key.
pub(super) fn post(
    server: &Server,
    trust: &Trust,
    path: &str,
    key: &str,
    body: &str,
) -> Result<Answer, Failure> {
    let lost = |error: io::Error| match error.kind() {
        // A socket's own word for a time that is over is one or the other.
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Failure::new(
            Exit::Timeout,
            format!("{} has not answered in {} s", server.authority(), PATIENCE.as_secs()),
        ),
        _ => Failure::new(Exit::Unavailable, format!("{}: {error}", server.authority())),
    };
    let mut stream = connect(server, trust)?;
    stream.socket().set_read_timeout(Some(PATIENCE)).map_err(lost)?;
    // HTTP/1.0, so that the answer comes in one piece and ends with the connection.
    let head = format!(
        "POST {}{path} HTTP/1.0\r\nHost: {}\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        server.prefix,
        server.authority(),
        body.len()
    );
    // In one piece: a server may refuse upon the head, and a body that comes after it would reset the answer away.
    stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).map_err(lost)?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).map_err(lost)?;
    read(&answer)
        .ok_or_else(|| Failure::new(Exit::Unavailable, format!("{} does not speak HTTP", server.authority())))
}

fn read(answer: &[u8]) -> Option<Answer> {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    let retry_after = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("retry-after").then(|| value.trim().parse().ok()).flatten()
    });
    Some(Answer { status, retry_after: retry_after.map(Duration::from_secs), body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_status_and_a_body() {
        let answer = |status, body: &str| Some(Answer { status, retry_after: None, body: body.to_owned() });
        let later =
            Some(Answer { status: 429, retry_after: Some(Duration::from_secs(7)), body: "{}".to_owned() });
        let table: [(&[u8], _); 6] = [
            (b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\n\r\n{}", later),
            (b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n{}", answer(200, "{}")),
            (b"HTTP/1.0 401 \r\n\r\n", answer(401, "")),
            (b"HTTP/1.1 200 OK\r\n", None),
            (b"SSH-2.0-x\r\n\r\n", None),
            (b"", None),
        ];
        for (bytes, expected) in table {
            assert_eq!(read(bytes), expected);
        }
    }
}
