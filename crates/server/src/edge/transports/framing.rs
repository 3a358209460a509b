//! How messages stand in a response without an end.

use bytes::Bytes;
use spanwire_wire::{DisconnectReason, Encoding, bare_pushes, encode_disconnect};

/// The ways to tell where a message ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// JSON: each message on a line of its own.
    Lines,
    /// Protobuf: each message after its length.
    Lengths,
    /// JSON: each message an event of its own.
    Events,
}

impl Framing {
    pub(super) fn encoding(self) -> Encoding {
        match self {
            Self::Lines | Self::Events => Encoding::Json,
            Self::Lengths => Encoding::Protobuf,
        }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Lines => "application/x-ndjson",
            Self::Lengths => "application/octet-stream",
            Self::Events => "text/event-stream; charset=utf-8",
        }
    }

    /// What comes before the first message. Some proxies and browsers take a stream for one when its first bytes come.
    pub(super) fn prelude(self) -> &'static [u8] {
        match self {
            Self::Events => b"\r\n",
            Self::Lines | Self::Lengths => b"",
        }
    }

    /// What brings these messages.
    pub(super) fn frame(self, messages: &[Bytes]) -> Bytes {
        let mut out = Vec::with_capacity(messages.iter().map(|message| message.len() + 8).sum());
        for message in messages {
            self.add(&mut out, message);
        }
        out.into()
    }

    /// The last word of a session: a push, because there is no close frame to say it.
    pub(super) fn farewell(self, reason: &DisconnectReason) -> Bytes {
        self.frame(&[encode_disconnect(self.encoding(), reason)])
    }

    /// The same for a client that hears bare pushes.
    pub(super) fn bare_farewell(self, reason: &DisconnectReason) -> Bytes {
        self.frame(&[bare_pushes(&encode_disconnect(self.encoding(), reason))])
    }

    fn add(self, out: &mut Vec<u8>, message: &[u8]) {
        match self {
            Self::Lengths => out.extend_from_slice(message),
            Self::Lines => {
                out.extend_from_slice(message);
                out.push(b'\n');
            }
            // A message of several lines is several replies.
            Self::Events => message.split(|byte| *byte == b'\n').for_each(|line| {
                out.extend_from_slice(b"data: ");
                out.extend_from_slice(line);
                out.extend_from_slice(b"\n\n");
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spanwire_wire::DisconnectCode;

    #[test]
    fn each_message_ends_where_its_framing_says() {
        let messages = [Bytes::from_static(b"{\"id\":1}\n{\"id\":2}"), Bytes::from_static(b"{}")];
        assert_eq!(Framing::Lines.frame(&messages), "{\"id\":1}\n{\"id\":2}\n{}\n");
        assert_eq!(Framing::Events.frame(&messages), "data: {\"id\":1}\n\ndata: {\"id\":2}\n\ndata: {}\n\n");
        assert_eq!(Framing::Lengths.frame(&[Bytes::from_static(&[0]), Bytes::from_static(&[0])]), [0, 0][..]);
    }

    #[test]
    fn the_last_word_is_a_push_with_code_and_reason() {
        let farewell = Framing::Lines.farewell(&DisconnectCode::Shutdown.into());
        assert_eq!(
            Framing::Events.bare_farewell(&DisconnectCode::Shutdown.into()),
            "data: {\"disconnect\":{\"code\":3001,\"reason\":\"shutdown\"}}\n\n"
        );
        assert_eq!(farewell, "{\"push\":{\"disconnect\":{\"code\":3001,\"reason\":\"shutdown\"}}}\n");
    }
}
