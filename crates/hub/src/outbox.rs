//! An outbox: what one client has not been sent yet, bounded in bytes.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::lag::Lag;

/// What a message takes beside its bytes: a reference to them. Without it, a client could make us keep many times what
/// its outbox may hold, in replies that say almost nothing.
pub const MESSAGE_BYTES: usize = size_of::<Bytes>();

/// Messages on their way to one client, oldest first. Each is one encoded Reply, to be framed by the transport.
///
/// The transport looks at them, writes as many as the socket takes, and drops those by [`Outbox::consume`]. An
/// empty outbox owns no memory, and one message needs none either: that is all that most clients ever have.
#[derive(Debug, Default)]
pub struct Outbox {
    messages: Messages,
    bytes: u32,
    /// How many of the client's subscriptions lag, and go on when it has drained.
    pub(crate) lag: Lag,
}

#[derive(Debug, Default)]
enum Messages {
    #[default]
    None,
    One(Bytes),
    Many(VecDeque<Bytes>),
}

/// The outbox cannot take a message: its client has left too many bytes unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overflow;

impl Outbox {
    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        matches!(self.messages, Messages::None)
    }

    /// How many messages wait.
    pub fn len(&self) -> usize {
        match &self.messages {
            Messages::None => 0,
            Messages::One(_) => 1,
            Messages::Many(many) => many.len(),
        }
    }

    /// How many bytes wait, without framing.
    pub fn bytes(&self) -> usize {
        self.bytes as usize
    }

    /// The messages that wait, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Bytes> {
        let (one, many) = match &self.messages {
            Messages::None => (None, None),
            Messages::One(message) => (Some(message), None),
            Messages::Many(many) => (None, Some(many.iter())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    /// Forgets the `count` oldest messages: they are written.
    pub fn consume(&mut self, count: usize) {
        for _ in 0..count {
            let Some(message) = self.pop() else { return };
            self.bytes -= message.len() as u32;
        }
    }

    /// Forgets all messages.
    pub fn clear(&mut self) {
        (self.messages, self.bytes) = (Messages::None, 0);
    }

    /// How many bytes the next message may have, if at most `bytes_max` may wait.
    pub(crate) fn room(&self, bytes_max: usize) -> usize {
        bytes_max.saturating_sub(self.cost_with_one_more())
    }

    fn cost_with_one_more(&self) -> usize {
        self.bytes as usize + (self.len() + 1) * MESSAGE_BYTES
    }

    /// Takes one more message, if that leaves at most `bytes_max` waiting, [`MESSAGE_BYTES`] for each counted in. A message is always taken by an empty
    /// outbox: what could never fit is a matter of message limits, not of slowness.
    pub(crate) fn push(&mut self, message: Bytes, bytes_max: usize) -> Result<(), Overflow> {
        let Ok(bytes) = u32::try_from(self.bytes as usize + message.len()) else { return Err(Overflow) };
        if self.cost_with_one_more() + message.len() > bytes_max && !self.is_empty() {
            return Err(Overflow);
        }
        self.bytes = bytes;
        match &mut self.messages {
            Messages::None => self.messages = Messages::One(message),
            Messages::Many(many) => many.push_back(message),
            Messages::One(_) => {
                let Messages::One(first) = std::mem::take(&mut self.messages) else {
                    unreachable!("just matched")
                };
                self.messages = Messages::Many(VecDeque::from([first, message]));
            }
        }
        Ok(())
    }

    fn pop(&mut self) -> Option<Bytes> {
        match &mut self.messages {
            Messages::None => None,
            Messages::One(_) => match std::mem::take(&mut self.messages) {
                Messages::One(message) => Some(message),
                _ => None,
            },
            Messages::Many(many) => {
                let message = many.pop_front();
                if many.is_empty() {
                    self.messages = Messages::None;
                }
                message
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(messages: &[&'static str]) -> Outbox {
        let mut outbox = Outbox::default();
        for message in messages {
            outbox.push(Bytes::from_static(message.as_bytes()), 1000).unwrap();
        }
        outbox
    }

    #[test]
    fn messages_leave_in_the_order_in_which_they_came_whatever_their_number() {
        for count in 0..5 {
            let messages = &["a", "bb", "ccc", "dddd"][..count.min(4)];
            for consumed in 0..=messages.len() {
                let mut outbox = filled(messages);
                outbox.consume(consumed);
                let left: Vec<_> = outbox.iter().map(|message| message.as_ref()).collect();
                let expected: Vec<_> =
                    messages[consumed..].iter().map(|message| message.as_bytes()).collect();
                assert_eq!(left, expected);
                assert_eq!(outbox.len(), expected.len());
                assert_eq!(outbox.bytes(), expected.iter().map(|message| message.len()).sum::<usize>());
                assert_eq!(outbox.is_empty(), expected.is_empty());
            }
        }
    }

    #[test]
    fn a_full_outbox_takes_nothing_and_keeps_what_it_has() {
        let mut outbox = filled(&["12345"]);
        let bytes_max = 7 + 2 * MESSAGE_BYTES;
        assert_eq!(outbox.push(Bytes::from_static(b"678"), bytes_max), Err(Overflow));
        assert_eq!(outbox.bytes(), 5);
        assert_eq!(outbox.push(Bytes::from_static(b"67"), bytes_max), Ok(()));
        assert_eq!(outbox.len(), 2);
    }

    #[test]
    fn an_empty_outbox_takes_even_what_exceeds_its_limit() {
        let mut outbox = Outbox::default();
        assert_eq!(outbox.push(Bytes::from_static(b"12345"), 2), Ok(()));
        assert_eq!(outbox.push(Bytes::from_static(b"6"), 2), Err(Overflow));
    }

    #[test]
    fn messages_that_say_nothing_fill_an_outbox_too() {
        let mut outbox = Outbox::default();
        let taken = (0..100).take_while(|_| outbox.push(Bytes::new(), 10 * MESSAGE_BYTES).is_ok()).count();
        assert_eq!(taken, 10);
    }

    #[test]
    fn an_empty_outbox_owns_no_memory() {
        let mut outbox = filled(&["a", "b", "c"]);
        outbox.consume(3);
        assert!(matches!(outbox.messages, Messages::None));
    }
}
