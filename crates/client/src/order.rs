//! What handles ask of the client's task.

use spanwire_client_core::{Answer, Call, CallError, Position, SubscribeOptions};
use tokio::sync::oneshot;

use crate::buffer::{Buffer, Overflow};
use crate::event::Ended;
use crate::events::Inbox;
use crate::token::Provider;

/// What handles ask of the client's task.
#[derive(Debug)]
pub(crate) enum Order {
    /// Somebody wants to hear a channel.
    Subscribe(Wish),
    /// The reader with this buffer does not want to hear it any more.
    Unsubscribe { channel: String, buffer: Buffer },
    /// The reader with this buffer has made room.
    Resume { channel: String, buffer: Buffer },
    /// Somebody asks the server something.
    Call(Call, Asker),
    /// The machine has slept, or the network is another one.
    Wake,
    /// Somebody wants to hear of the client as a whole.
    Listen(Inbox),
    /// The client is to be closed; answered when it is.
    Close(oneshot::Sender<()>),
}

/// A channel that is wished for.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) channel: String,
    pub(crate) options: SubscribeOptions,
    pub(crate) tokens: Option<Provider>,
    pub(crate) overflow: Overflow,
    pub(crate) buffer: Buffer,
    /// Told when the channel is heard for the first time, or will not be.
    pub(crate) first: Option<oneshot::Sender<Result<(), Ended>>>,
}

/// Who waits for the answer to a call.
#[derive(Debug)]
pub(crate) enum Asker {
    Publish(oneshot::Sender<Result<Option<Position>, CallError>>),
    Other(oneshot::Sender<Result<Answer, CallError>>),
}

impl Asker {
    /// What was asked came to nothing. Who does not wait any more is not told.
    pub(crate) fn fail(self, error: CallError) {
        match self {
            Self::Publish(asker) => drop(asker.send(Err(error))),
            Self::Other(asker) => drop(asker.send(Err(error))),
        }
    }
}
