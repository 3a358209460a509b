//! What a client that polls asks: a transport of ours, described in `docs/transports.md`.

use bytes::Bytes;
use serde::Deserialize;

use crate::json::Object;

/// The body of a poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PollRequest {
    /// Open a session.
    Open {
        /// The first frame of commands.
        data: Bytes,
    },
    /// Go on with one.
    Next {
        /// Its secret.
        session: String,
        /// The node that has it.
        node: String,
        /// The last batch that the client has received.
        ack: u64,
        /// A frame of commands; empty is none.
        data: Bytes,
    },
}

#[derive(Deserialize)]
struct Body {
    session: Option<String>,
    node: Option<String>,
    ack: Option<u64>,
    data: Option<String>,
}

impl PollRequest {
    /// Reads a body. Its size is for the caller to limit.
    ///
    /// # Errors
    /// What is wrong with it, in the middle of a sentence.
    pub fn read(body: &[u8]) -> Result<Self, &'static str> {
        let Ok(Object(Body { session, node, ack, data })) = serde_json::from_slice(body) else {
            return Err("it is no JSON object with the members that a poll has");
        };
        let data = data.map(Bytes::from);
        match (session, node, ack, data) {
            (None, None, None, Some(data)) => Ok(Self::Open { data }),
            (None, None, None, None) => Err("without a session there must be data, with the first commands"),
            (Some(session), Some(node), Some(ack), data) => {
                Ok(Self::Next { session, node, ack, data: data.unwrap_or_default() })
            }
            _ => Err("session, node and ack belong together"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_opens_a_session_or_goes_on_with_one() {
        let open = PollRequest::read(br#"{"data":"{}"}"#);
        assert_eq!(open, Ok(PollRequest::Open { data: Bytes::from_static(b"{}") }));
        let next = PollRequest::read(br#"{"session":"s","node":"n","ack":3,"more":[]}"#);
        let (session, node) = ("s".to_owned(), "n".to_owned());
        assert_eq!(next, Ok(PollRequest::Next { session, node, ack: 3, data: Bytes::new() }));
        for wrong in [
            "",
            "[]",
            "{}",
            "null",
            r#"{"session":"s"}"#,
            r#"{"data":1}"#,
            r#"{"data":"","ack":-1}"#,
            r#"["s","n",1,""]"#,
        ] {
            assert!(PollRequest::read(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
