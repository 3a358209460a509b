//! What is wanted of a channel.

use std::marker::PhantomData;

use spanwire_client_core::{Encoding, Filter, Position, SubscribeOptions};
use tokio::sync::{mpsc, oneshot};

use crate::buffer::{Buffer, Overflow, Room};
use crate::error::Error;
use crate::event::{Ended, Event};
use crate::order::{Order, Wish};
use crate::payload::{FromPayload, ToPayload};
use crate::subscription::Subscription;
use crate::token::{Provider, TokenError};

/// Most events that wait for a reader, unless something else is said.
const EVENTS_MAX: usize = 1024;

/// Most bytes of payloads that wait for a reader, unless something else is said.
const BYTES_MAX: usize = 4 << 20;

/// What is wanted of a channel whose publications are `T`s.
#[derive(Debug)]
#[must_use = "nothing is heard before `subscribe` or `listen`"]
pub struct Channel<T> {
    orders: mpsc::UnboundedSender<Order>,
    encoding: Encoding,
    name: String,
    options: SubscribeOptions,
    tokens: Option<Provider>,
    overflow: Overflow,
    room: Room,
    payload: PhantomData<fn() -> T>,
}

impl<T: FromPayload> Channel<T> {
    pub(crate) fn new(orders: mpsc::UnboundedSender<Order>, encoding: Encoding, name: String) -> Self {
        Self {
            orders,
            encoding,
            name,
            options: SubscribeOptions::default(),
            tokens: None,
            overflow: Overflow::default(),
            room: Room { events: EVENTS_MAX, bytes: BYTES_MAX },
            payload: PhantomData,
        }
    }

    /// Whether to come back to where it was after an interruption, if the server allows it (`SubscribeRequest.recoverable`).
    /// It does unless this says `false`.
    pub fn recover(mut self, recover: bool) -> Self {
        self.options.recover = recover;
        self
    }

    /// Begins behind this position, for an application that remembers what it has seen. Without it, it begins with what is
    /// published from now on.
    pub fn since(mut self, position: Position) -> Self {
        self.options.since = Some(position);
        self
    }

    /// Is told what is different in a publication instead of all of it, if the server allows it
    /// (`SubscribeRequest.delta`). It costs fewer bytes where publications resemble each other; what is read is the same.
    pub fn delta(mut self) -> Self {
        self.options.delta = true;
        self
    }

    /// Tells who comes and goes, if the server allows it (`SubscribeRequest.join_leave`).
    pub fn join_leave(mut self) -> Self {
        self.options.join_leave = true;
        self
    }

    /// Keeps the list of who is there, and tells it at each change ([`Event::Presence`]), besides joins and leaves. The
    /// channel needs the server's options `presence` and `join_leave`. A list that is refused for now is asked for again.
    pub fn presence(mut self) -> Self {
        self.options.presence = true;
        self
    }

    /// Hears only the publications whose tags pass this (`SubscribeRequest.tf`), where the namespace allows it
    /// (`allow_tags_filter`); elsewhere the subscribe is refused with 107. What does not pass is no gap. After an interruption
    /// the client comes back to the last publication that it heard, and the channel's history must reach that far.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.options.filter = Some(filter);
        self
    }

    /// Data for whoever authorizes the subscription (`SubscribeRequest.data`).
    ///
    /// # Errors
    /// It cannot be sent.
    pub fn data(mut self, data: &(impl ToPayload + ?Sized)) -> Result<Self, Error> {
        self.options.data = data.to_payload(self.encoding).map_err(Error::Unsendable)?;
        Ok(self)
    }

    /// Subscribes by this token. When it has expired the subscription ends with the server's 109, for there is no other.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.options.token = token.into();
        self
    }

    /// Subscribes by tokens that are asked for when one is needed: at first, and again before it expires or when the
    /// server says that it has.
    pub fn token_provider<F, A>(mut self, provider: F) -> Self
    where
        F: Fn() -> A + Send + Sync + 'static,
        A: Future<Output = Result<String, TokenError>> + Send + 'static,
    {
        self.tokens = Some(Provider::new(provider));
        self.options.needs_token = true;
        self
    }

    /// What happens when the reader is slower than the channel; [`Overflow::Pause`] unless something else is said here.
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// How many events, and how many bytes of payloads, may wait for the reader: 1,024 and 4 MiB unless something else is
    /// said here. A single event that is larger still comes, alone.
    pub fn buffer(mut self, events: usize, bytes: usize) -> Self {
        self.room = Room { events: events.max(1), bytes };
        self
    }

    /// Subscribes, and waits until the channel is heard, while there is no connection too. Dropping this while it waits
    /// leaves the channel.
    ///
    /// # Errors
    /// The server refuses for good, this client has a reader of the channel already, or it is closed.
    pub async fn subscribe(self) -> Result<Subscription<T>, Ended> {
        let (first, heard) = oneshot::channel();
        let subscription = self.start(Some(first));
        match heard.await {
            Ok(heard) => heard.map(|()| subscription),
            Err(_) => Err(Ended::gone()),
        }
    }

    /// Subscribes, and does not wait: that the channel is heard, or will not be, is told by its events.
    pub fn listen(self) -> Subscription<T> {
        self.start(None)
    }

    fn start(self, first: Option<oneshot::Sender<Result<(), Ended>>>) -> Subscription<T> {
        let Self { orders, name: channel, options, tokens, overflow, room, .. } = self;
        let buffer = Buffer::new(room, options.since.clone());
        let subscription = Subscription::new(channel.clone(), buffer.clone(), orders.downgrade());
        let wish = Wish { channel, options, tokens, overflow, buffer: buffer.clone(), first };
        if orders.send(Order::Subscribe(wish)).is_err() {
            buffer.end(Event::Ended(Ended::gone()));
        }
        subscription
    }
}
