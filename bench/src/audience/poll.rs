//! A session that asks again and again (`docs/transports.md`, "Long polling").

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::json;

use super::ear::Ear;
use super::line::post;
use crate::greeting;
use crate::wire::Wire;

const PATH: &str = "/connection/poll";

/// One poll after the other on one connection.
pub(super) struct Poll {
    ear: Ear,
    /// What the server calls the session; none before it has said so.
    name: Option<Name>,
    /// An answer that is not whole yet.
    answer: Vec<u8>,
}

#[derive(Deserialize)]
struct Name {
    session: String,
    node: String,
}

#[derive(Deserialize)]
struct Batch {
    batch: u64,
}

#[derive(Deserialize)]
struct First {
    replies: Vec<Reply>,
}

#[derive(Deserialize)]
struct Reply {
    connect: Option<Name>,
}

impl Poll {
    /// Opens a session with these commands.
    pub(super) fn open(wire: &mut Wire, ear: Ear, commands: &str) -> Result<Poll> {
        wire.send(post(PATH, &json!({ "data": commands }).to_string()).as_bytes())?;
        Ok(Poll { ear, name: None, answer: Vec::new() })
    }

    /// Takes what came, and asks again if that ends an answer.
    pub(super) fn hear(
        &mut self,
        wire: &mut Wire,
        bytes: &[u8],
        told: &mut impl FnMut(usize, u32),
    ) -> Result<usize> {
        self.answer.extend_from_slice(bytes);
        let Some(start) = body_of(&self.answer)? else { return Ok(0) };
        let body = &self.answer[start..];
        let Batch { batch } = serde_json::from_slice(body).context("an answer is no batch")?;
        if self.name.is_none() {
            let First { replies } = serde_json::from_slice(body)?;
            self.name = replies.into_iter().find_map(|reply| reply.connect);
        }
        let Name { session, node } = self.name.as_ref().context("the server gave no name")?;
        let next = json!({ "session": session, "node": node, "ack": batch }).to_string();
        let seated = self.ear.hear(body, told);
        self.answer.clear();
        wire.send(post(PATH, &next).as_bytes())?;
        Ok(usize::from(seated))
    }
}

/// Where the body of an answer begins that is whole. Fails if it is not 200.
fn body_of(answer: &[u8]) -> Result<Option<usize>> {
    let Some(start) = greeting::head_end(answer) else { return Ok(None) };
    let head = String::from_utf8_lossy(&answer[..start]).to_ascii_lowercase();
    ensure!(head.starts_with("http/1.1 200 "), "refused: {}", String::from_utf8_lossy(answer));
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.context("an answer has no length")?.trim().parse()?;
    Ok((answer.len() >= start + length).then_some(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_with_its_last_byte() {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        for cut in 0..answer.len() {
            assert_eq!(body_of(&answer[..cut]).unwrap(), None, "cut at {cut}");
        }
        assert_eq!(body_of(answer).unwrap(), Some(answer.len() - 2));
    }

    #[test]
    fn a_refusal_is_an_error() {
        assert!(body_of(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").is_err());
    }
}
