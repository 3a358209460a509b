//! A publication on its way.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use spanwire_client_core::{Call, CallError, Position};
use tokio::sync::{mpsc, oneshot};

use crate::error::Error;
use crate::order::{Asker, Order};

/// A publication on its way: a future that is done when the server has acknowledged it. Nothing is sent before it is first
/// polled.
///
/// Its result is where the publication came to stand, if the channel has positions and the server tells. What can go wrong
/// is said at [`Client::publish`](crate::Client::publish).
#[derive(Debug)]
#[must_use = "nothing is published before it is awaited"]
pub struct Publish {
    orders: mpsc::UnboundedSender<Order>,
    channel: String,
    queue: bool,
    stage: Stage,
}

/// How far it has come.
#[derive(Debug)]
enum Stage {
    /// It is wished for. What cannot be sent is told when it is awaited.
    Wished(Result<Bytes, Error>),
    /// The client's task has it.
    Asked(oneshot::Receiver<Result<Option<Position>, CallError>>),
    /// Its outcome was told.
    Over,
}

impl Publish {
    pub(crate) fn new(
        orders: mpsc::UnboundedSender<Order>,
        channel: String,
        data: Result<Bytes, Error>,
    ) -> Self {
        Self { orders, channel, queue: true, stage: Stage::Wished(data) }
    }

    /// Whether it may wait for a connection, and go out once more under its key when its answer was lost with one. It may,
    /// unless this says `false`: then it is published now or never, and fails at once with [`CallError::Offline`] or, if it
    /// was on its way already, [`CallError::Unacknowledged`]. That is for what is worthless a moment later, as where a
    /// cursor is.
    pub fn queue(mut self, queue: bool) -> Self {
        self.queue = queue;
        self
    }

    fn ask(&mut self, data: Bytes) -> oneshot::Receiver<Result<Option<Position>, CallError>> {
        let (asker, answer) = oneshot::channel();
        let call = Call::Publish { channel: std::mem::take(&mut self.channel), data, queue: self.queue };
        // A client that is gone drops the asker, and by that answers.
        let _ = self.orders.send(Order::Call(call, Asker::Publish(asker)));
        answer
    }
}

impl Future for Publish {
    type Output = Result<Option<Position>, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut answer = match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Wished(data) => self.ask(data?),
            Stage::Asked(answer) => answer,
            Stage::Over => return Poll::Ready(Err(CallError::Closed.into())),
        };
        let Poll::Ready(outcome) = Pin::new(&mut answer).poll(context) else {
            self.stage = Stage::Asked(answer);
            return Poll::Pending;
        };
        Poll::Ready(outcome.unwrap_or(Err(CallError::Closed)).map_err(Error::Call))
    }
}
