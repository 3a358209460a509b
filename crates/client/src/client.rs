//! The client, as an application holds it.

use std::collections::BTreeMap;

use bytes::Bytes;
use spanwire_client_core::{Answer, Call, CallError, Encoding};
use spanwire_wire::message::ClientInfo;
use tokio::sync::{mpsc, oneshot, watch};

use crate::builder::Builder;
use crate::channel::Channel;
use crate::error::Error;
use crate::event::{Ended, Publication};
use crate::events::Events;
use crate::history::{History, Page};
use crate::order::{Asker, Order};
use crate::payload::{FromPayload, ToPayload};
use crate::publish::Publish;
use crate::status::Status;

/// A client: cheap to clone, and all clones are the same one. It disconnects when the last of them is dropped.
#[derive(Clone, Debug)]
pub struct Client {
    orders: mpsc::UnboundedSender<Order>,
    status: watch::Receiver<Status>,
    encoding: Encoding,
}

/// How many are in a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PresenceStats {
    /// Connections.
    pub clients: u32,
    /// Distinct users among them.
    pub users: u32,
}

impl Client {
    /// Begins to make a client of the server at this address, as `wss://example.org/connection/websocket`.
    pub fn builder(url: impl Into<String>) -> Builder {
        Builder::new(url.into())
    }

    pub(crate) fn new(
        orders: mpsc::UnboundedSender<Order>,
        status: watch::Receiver<Status>,
        encoding: Encoding,
    ) -> Self {
        Self { orders, status, encoding }
    }

    /// Begins to say what is wanted of a channel. Its publications are read as `T`: anything that serde can deserialize
    /// from JSON, or [`Raw`](crate::Raw).
    pub fn channel<T: FromPayload>(&self, name: impl Into<String>) -> Channel<T> {
        Channel::new(self.orders.clone(), self.encoding, name.into())
    }

    /// Publishes to a channel, and waits until the server has acknowledged it; while there is no connection, that is
    /// waited for too. The result is where it came to stand, if the channel has positions and the server tells.
    ///
    /// When the answer is lost with a connection, it is published again under its key if the server knows keys, which
    /// cannot double it. Otherwise the error is [`CallError::Unacknowledged`].
    ///
    /// # Errors
    /// It cannot be sent, the server refuses, or no answer came within
    /// [`Limits::publish_within`](crate::Limits::publish_within).
    pub fn publish(&self, channel: impl Into<String>, data: &(impl ToPayload + ?Sized)) -> Publish {
        Publish::new(self.orders.clone(), channel.into(), self.payload(data))
    }

    /// Calls a method of the application behind the server. It is never repeated by itself.
    ///
    /// # Errors
    /// The arguments cannot be sent, the server refuses, its answer is no `T`, or none came within
    /// [`Limits::call_within`](crate::Limits::call_within).
    pub async fn rpc<T: FromPayload>(
        &self,
        method: impl Into<String>,
        arguments: &(impl ToPayload + ?Sized),
    ) -> Result<T, Error> {
        let call = Call::Rpc { method: method.into(), data: self.payload(arguments)? };
        match self.call(call).await? {
            Answer::Rpc(answer) => T::from_payload(&answer).map_err(Error::Unreadable),
            _ => Err(CallError::Nonsense.into()),
        }
    }

    /// What was published in a channel; being subscribed to it is not needed.
    ///
    /// # Errors
    /// The server refuses, something that was published is no `T`, or no answer came in time.
    pub async fn history<T: FromPayload>(
        &self,
        channel: impl Into<String>,
        wanted: History,
    ) -> Result<Page<T>, Error> {
        let History { limit, since, reverse } = wanted.clone();
        match self.call(Call::History { channel: channel.into(), limit, since, reverse }).await? {
            Answer::History { publications, top } => {
                let publications = publications
                    .into_iter()
                    .map(|publication| Publication::new(publication, true).read().map_err(Error::Unreadable));
                Ok(Page::new(publications.collect::<Result<_, _>>()?, top, wanted))
            }
            _ => Err(CallError::Nonsense.into()),
        }
    }

    /// Everybody in a channel, by the id of their session.
    ///
    /// # Errors
    /// The server refuses, or no answer came in time.
    pub async fn presence(&self, channel: impl Into<String>) -> Result<BTreeMap<String, ClientInfo>, Error> {
        match self.call(Call::Presence { channel: channel.into() }).await? {
            Answer::Presence(presence) => Ok(presence),
            _ => Err(CallError::Nonsense.into()),
        }
    }

    /// How many are in a channel.
    ///
    /// # Errors
    /// The server refuses, or no answer came in time.
    pub async fn presence_stats(&self, channel: impl Into<String>) -> Result<PresenceStats, Error> {
        match self.call(Call::PresenceStats { channel: channel.into() }).await? {
            Answer::PresenceStats { clients, users } => Ok(PresenceStats { clients, users }),
            _ => Err(CallError::Nonsense.into()),
        }
    }

    /// The events of the client as a whole, from now on.
    pub fn events(&self) -> Events {
        let (events, inbox) = Events::new();
        // A client that is closed drops the inbox, and by that ends the events.
        let _ = self.orders.send(Order::Listen(inbox));
        events
    }

    /// Where the connection stands.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Says that the network may be another one, or that the machine has slept: for programs that the system tells. A
    /// connection that is waited for is tried at once, best transport first, unless the server has told when to come back;
    /// one that is there is asked for a sign of life, and made anew if none comes within
    /// [`Limits::probe_within`](crate::Limits::probe_within).
    pub fn reconnect_now(&self) {
        // A client that is closed does not come back.
        let _ = self.orders.send(Order::Wake);
    }

    /// Waits until the server has let us in; if it has, not at all.
    ///
    /// # Errors
    /// It will not, or the client is closed.
    pub async fn ready(&self) -> Result<(), Ended> {
        let is_decided = |status: &Status| matches!(status, Status::Connected { .. } | Status::Closed(_));
        match self.status.clone().wait_for(is_decided).await.as_deref() {
            Ok(Status::Closed(why)) => Err(why.clone()),
            Ok(_) => Ok(()),
            Err(_) => Err(Ended::gone()),
        }
    }

    /// Waits until the client is closed, by whomever, and says why.
    pub async fn closed(&self) -> Ended {
        match self.status.clone().wait_for(|status| matches!(status, Status::Closed(_))).await.as_deref() {
            Ok(Status::Closed(why)) => why.clone(),
            _ => Ended::gone(),
        }
    }

    /// Closes the client, and all its clones: what was sent goes out, the server is told, and subscriptions end. What waits
    /// for an answer fails. Returns when that is done, within a second of whatever the network does.
    pub async fn close(&self) {
        let (closer, closed) = oneshot::channel();
        if self.orders.send(Order::Close(closer)).is_ok() {
            // If the task is gone, so is the connection.
            let _ = closed.await;
        }
    }

    fn payload(&self, data: &(impl ToPayload + ?Sized)) -> Result<Bytes, Error> {
        data.to_payload(self.encoding).map_err(Error::Unsendable)
    }

    async fn call(&self, call: Call) -> Result<Answer, CallError> {
        let (asker, answer) = oneshot::channel();
        // A client that is gone drops the asker, and by that answers.
        let _ = self.orders.send(Order::Call(call, Asker::Other(asker)));
        answer.await.unwrap_or(Err(CallError::Closed))
    }
}
