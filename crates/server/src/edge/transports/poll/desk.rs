//! Where a client that polls is answered.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use spanwire_wire::{DisconnectCode, Encoding, encode_disconnect};
use tokio::sync::{Mutex, watch};
use tokio::time::{sleep, timeout};

use super::super::sessions::Registration;
use crate::engine::pipe::{Parcel, Pipe};

/// One session's replies, in batches. The last one is kept until the client says that it has it.
pub(in crate::edge::transports) struct Desk {
    counter: Mutex<Counter>,
    /// How many requests are being answered: one, and for a moment a second one that takes its place.
    asking: watch::Sender<usize>,
    hold: Duration,
}

/// How long a request is held, and how long a client may stay away between two of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) hold: Duration,
    pub(super) grace: Duration,
}

/// What a request is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// This batch, as the body of the answer.
    Batch(Bytes),
    /// The session has ended, and the client knows why or was away for too long.
    Over,
    /// The client acknowledges what it was not given.
    Disordered { last: u64 },
}

/// What one request at a time works with.
struct Counter {
    /// `None` once the session is over.
    pipe: Option<Pipe>,
    /// The number of the last batch.
    last: u64,
    /// That batch, if the client has not said that it has it.
    unacknowledged: Option<Bytes>,
}

/// Counts a request among those that are being answered.
struct Asking<'a>(&'a Desk);

impl Desk {
    /// Opens the desk of a session. It closes when nobody has asked for `grace`.
    pub(super) fn open(pipe: Pipe, registration: Registration, patience: Patience) -> Arc<Self> {
        let counter = Counter { pipe: Some(pipe), last: 0, unacknowledged: None };
        let desk = Arc::new(Self {
            counter: Mutex::new(counter),
            asking: watch::Sender::new(0),
            hold: patience.hold,
        });
        registration.answers_at(desk.clone());
        tokio::spawn(close_when_nobody_asks(desk.clone(), registration, patience.grace));
        desk
    }

    /// Answers a request that acknowledges this batch: by the next one as soon as there is one, or by an empty one when
    /// it was held for long enough or a newer request takes its place.
    pub(super) async fn ask(&self, ack: u64) -> Answer {
        let asking = Asking::begin(self);
        let mut counter = self.counter.lock().await;
        if let Err(answer) = counter.acknowledge(ack) {
            return answer;
        }
        let Some(pipe) = &mut counter.pipe else { return Answer::Over };
        tokio::select! {
            biased;
            parcel = pipe.recv() => counter.batch(parcel),
            () = asking.is_replaced() => Answer::Batch(batch(ack, &[])),
            () = sleep(self.hold) => Answer::Batch(batch(ack, &[])),
        }
    }
}

impl Counter {
    /// Whether the session is over and the client knows it.
    fn is_done(&self) -> bool {
        self.pipe.is_none() && self.unacknowledged.is_none()
    }

    /// Takes note of what the client has. What it does not have, it is given again.
    fn acknowledge(&mut self, ack: u64) -> Result<(), Answer> {
        if ack == self.last {
            self.unacknowledged = None;
            return Ok(());
        }
        match &self.unacknowledged {
            Some(batch) if ack.checked_add(1) == Some(self.last) => Err(Answer::Batch(batch.clone())),
            _ => Err(Answer::Disordered { last: self.last }),
        }
    }

    /// Makes the next batch.
    fn batch(&mut self, parcel: Option<Parcel>) -> Answer {
        let messages = match parcel {
            Some(Parcel::Messages(messages)) => messages,
            Some(Parcel::Close(reason)) => {
                self.pipe = None;
                vec![encode_disconnect(Encoding::Json, &reason)]
            }
            None => {
                self.pipe = None;
                return Answer::Over;
            }
        };
        self.last += 1;
        let batch = batch(self.last, &messages);
        self.unacknowledged = Some(batch.clone());
        Answer::Batch(batch)
    }
}

impl<'a> Asking<'a> {
    fn begin(desk: &'a Desk) -> Self {
        desk.asking.send_modify(|count| *count += 1);
        Self(desk)
    }

    /// Waits until another request has come.
    async fn is_replaced(&self) {
        // The sender is the desk's own, so that it is there.
        let _ = self.0.asking.subscribe().wait_for(|count| *count > 1).await;
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.asking.send_modify(|count| *count -= 1);
    }
}

/// Keeps the desk until the session is over, and ends that of a client who does not come back: it is gone, like one
/// that does not answer pings.
async fn close_when_nobody_asks(desk: Arc<Desk>, _registration: Registration, grace: Duration) {
    let mut asking = desk.asking.subscribe();
    // There is no error: the sender is the desk's own.
    while asking.wait_for(|count| *count == 0).await.is_ok() && !desk.counter.lock().await.is_done() {
        if timeout(grace, asking.wait_for(|count| *count > 0)).await.is_err() {
            if let Some(pipe) = desk.counter.lock().await.pipe.take() {
                pipe.abandon(DisconnectCode::NoPong);
            }
            return;
        }
    }
}

/// The body of an answer. A message of several lines is several replies, and no reply has a line break in it.
fn batch(number: u64, messages: &[Bytes]) -> Bytes {
    let mut out = format!("{{\"batch\":{number},\"replies\":[").into_bytes();
    for (index, line) in messages.iter().flat_map(|message| message.split(|byte| *byte == b'\n')).enumerate()
    {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(line);
    }
    out.extend_from_slice(b"]}");
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_holds_each_reply_once_and_in_order() {
        assert_eq!(batch(3, &[]), r#"{"batch":3,"replies":[]}"#);
        let messages = [Bytes::from_static(b"{\"id\":1}\n{\"id\":2}"), Bytes::from_static(b"{}")];
        assert_eq!(batch(4, &messages), r#"{"batch":4,"replies":[{"id":1},{"id":2},{}]}"#);
    }

    #[test]
    fn a_batch_is_repeated_until_it_is_acknowledged() {
        let mut counter = Counter { pipe: None, last: 0, unacknowledged: None };
        let answer = |counter: &mut Counter, text: &'static [u8]| {
            counter.batch(Some(Parcel::Messages(vec![Bytes::from_static(text)])))
        };
        assert_eq!(counter.acknowledge(0), Ok(()));
        let first = answer(&mut counter, b"{}");
        assert_eq!(counter.acknowledge(0), Err(first.clone()));
        assert_eq!(counter.acknowledge(0), Err(first));
        assert_eq!(counter.acknowledge(1), Ok(()));
        assert_eq!(counter.acknowledge(0), Err(Answer::Disordered { last: 1 }), "it has said that it has it");
        answer(&mut counter, b"{}");
        assert_eq!(counter.acknowledge(3), Err(Answer::Disordered { last: 2 }));
        assert_eq!(counter.acknowledge(u64::MAX), Err(Answer::Disordered { last: 2 }));
    }
}
