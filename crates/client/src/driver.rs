//! The task of one client: it feeds the core with what happens, and carries out what the core decides.
//!
//! It never waits for anybody but the next thing to happen: readers have [buffers](crate::buffer), and a connection is a
//! [carrier](crate::carrier) of its own.

mod channels;
mod tokens;

use std::collections::HashMap;
use std::task::Poll;
use std::time::Duration;

use spanwire_client_core::{self as core, CallError, ConnectionId, Input, Key, Output, Transport};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::carrier::{Carrier, Dialer, Loss, News};
use crate::event::{ClientEvent, Ended};
use crate::events::Inbox;
use crate::order::{Asker, Order};
use crate::payload::Raw;
use crate::status::Status;
use crate::token::Provider;

use channels::Channels;
use tokens::Tokens;

/// How long a carrier may take to say goodbye to a server.
const GOODBYE: Duration = Duration::from_secs(1);

/// The task of one client.
pub(crate) struct Driver {
    core: core::Client,
    /// The beginning of the core's clock.
    began: Instant,
    dialer: Dialer,
    /// The connection, if there is one, and beside it one that looks for a better transport.
    carriers: Vec<Carried>,
    orders: mpsc::UnboundedReceiver<Order>,
    channels: Channels,
    tokens: Tokens,
    askers: HashMap<Key, Asker>,
    last_key: u64,
    listeners: Vec<Inbox>,
    status: watch::Sender<Status>,
    /// Those who wait for the end.
    closers: Vec<oneshot::Sender<()>>,
}

/// A connection, and what carries it.
struct Carried {
    connection: ConnectionId,
    transport: Transport,
    carrier: Carrier,
}

impl Driver {
    pub(crate) fn new(
        core: core::Client,
        dialer: Dialer,
        provider: Option<Provider>,
        orders: mpsc::UnboundedReceiver<Order>,
        status: watch::Sender<Status>,
    ) -> Self {
        Self {
            core,
            began: Instant::now(),
            dialer,
            carriers: Vec::new(),
            orders,
            channels: Channels::default(),
            tokens: Tokens::new(provider),
            askers: HashMap::new(),
            last_key: 0,
            listeners: Vec::new(),
            status,
            closers: Vec::new(),
        }
    }

    /// Connects, and lives until the client is closed, the server does not want it back, or nobody holds it any more.
    pub(crate) async fn run(mut self) {
        self.handle(Input::Connect);
        while !self.is_closed() {
            let due = self.core.next_deadline().map(|at| self.moment(at));
            tokio::select! {
                order = self.orders.recv() => match order {
                    Some(order) => self.obey(order),
                    None => self.handle(Input::Disconnect),
                },
                (connection, news) = news(&mut self.carriers) => self.hear(connection, news),
                (what, token) = self.tokens.next() => self.handle(Input::Token(what, token)),
                () = tokio::time::sleep_until(due.unwrap_or(self.began)), if due.is_some() => {
                    self.handle(Input::Tick);
                }
            }
        }
        // A server that does not answer a goodbye cannot keep us.
        for carried in self.carriers.drain(..) {
            let _ = tokio::time::timeout(GOODBYE, carried.carrier.say_goodbye()).await;
        }
        for closer in self.closers.drain(..) {
            let _ = closer.send(());
        }
    }

    fn is_closed(&self) -> bool {
        matches!(*self.status.borrow(), Status::Closed(_))
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Subscribe(wish) => {
                if let Some(input) = self.channels.add(wish) {
                    self.handle(input);
                }
            }
            Order::Unsubscribe { channel, buffer } => {
                if self.channels.remove(&channel, &buffer) {
                    self.handle(Input::Unsubscribe { channel });
                }
            }
            Order::Resume { channel, buffer } => {
                if let Some(input) = self.channels.resume(&channel, &buffer) {
                    self.handle(input);
                }
            }
            Order::Call(call, asker) => {
                self.last_key += 1;
                self.askers.insert(Key(self.last_key), asker);
                self.handle(Input::Call(Key(self.last_key), call));
            }
            Order::Wake => self.handle(Input::Wake),
            Order::Listen(inbox) => self.listeners.push(inbox),
            Order::Close(closer) => {
                self.closers.push(closer);
                self.handle(Input::Disconnect);
            }
        }
    }

    fn hear(&mut self, connection: ConnectionId, news: News) {
        match news {
            News::Opened => self.handle(Input::Opened(connection)),
            News::Frame(frame) => self.handle(Input::Frame(connection, &frame)),
            News::Lost(Loss { why: Ended { code, reason }, retry_after }) => {
                self.carriers.retain(|carried| carried.connection != connection);
                self.handle(match retry_after {
                    Some(retry_after) => Input::Busy { connection, code, reason, retry_after },
                    None => Input::Lost { connection, code, reason },
                });
            }
        }
    }

    /// One step of the core, and everything that it leads to.
    fn handle(&mut self, input: Input<'_>) {
        self.core.handle(self.now(), input);
        while let Some(output) = self.core.poll_output() {
            self.carry_out(output);
        }
        // What a reader had no room for is left; that is another step.
        while let Some(input) = self.channels.leave_overfull() {
            self.handle(input);
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Open(connection, transport) => {
                self.carriers.push(Carried { connection, transport, carrier: self.dialer.open(transport) });
                // One that looks for a better transport is no news.
                if !matches!(*self.status.borrow(), Status::Connected { .. }) {
                    self.status.send_replace(Status::Connecting { transport });
                }
            }
            Output::Send(connection, frame) => {
                if let Some(carried) = self.carriers.iter().find(|it| it.connection == connection) {
                    carried.carrier.send(frame);
                }
            }
            // The carrier says goodbye by itself. The last one is waited for when all is over.
            Output::Close(connection) if self.closers.is_empty() => {
                self.carriers.retain(|carried| carried.connection != connection);
            }
            Output::Close(_) => {}
            Output::AskToken(what) => {
                let of_channel = self.channels.provider(&what);
                self.tokens.ask(what, of_channel);
            }
            Output::Event(event) => self.tell(event),
        }
    }

    fn tell(&mut self, event: core::Event) {
        use core::Event as E;
        match event {
            E::Connected { client, data, .. } => {
                // Nothing better is looked for before there is a connection, so there is no other.
                if let Some(Carried { transport, .. }) = self.carriers.first() {
                    let (client, transport) = (client.clone(), *transport);
                    self.status.send_replace(Status::Connected { client, transport });
                }
                self.announce(&ClientEvent::Connected { client, data: Raw(data) });
            }
            E::Disconnected { code, reason, will_retry_at } => {
                self.disconnected(Ended::new(code, reason), will_retry_at.map(|at| self.moment(at)));
            }
            E::PublishAcked { key, position } => {
                if let Some(Asker::Publish(asker)) = self.askers.remove(&key) {
                    let _ = asker.send(Ok(position));
                }
            }
            E::Answered { key, answer } => {
                if let Some(Asker::Other(asker)) = self.askers.remove(&key) {
                    let _ = asker.send(Ok(answer));
                }
            }
            E::PublishFailed { key, error } | E::Failed { key, error } => {
                if let Some(asker) = self.askers.remove(&key) {
                    asker.fail(error);
                }
            }
            E::Message(data) => self.announce(&ClientEvent::Message(Raw(data))),
            of_channel => {
                if let Some((channel, event)) = self.channels.tell(of_channel) {
                    self.announce(&ClientEvent::Channel(channel, event));
                }
            }
        }
    }

    fn disconnected(&mut self, why: Ended, retry_at: Option<Instant>) {
        match retry_at {
            Some(retry_at) => {
                self.channels.interrupt(&why);
                self.status.send_replace(Status::Waiting { retry_at, why: why.clone() });
                self.announce(&ClientEvent::Disconnected(why));
            }
            None => {
                self.channels.end(&why);
                self.status.send_replace(Status::Closed(why));
                self.listeners.clear();
            }
        }
    }

    /// Tells everybody who listens.
    fn announce(&mut self, event: &ClientEvent) {
        self.listeners.retain(|listener| listener.push(event.clone()));
    }

    fn now(&self) -> core::time::Instant {
        let millis = self.began.elapsed().as_millis();
        core::time::Instant::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
    }

    /// The core's time as the runtime's. A deadline is rounded up, so that it has passed when the timer fires.
    fn moment(&self, at: core::time::Instant) -> Instant {
        self.began + Duration::from_millis(at.as_millis())
    }
}

impl Drop for Driver {
    /// Whoever still waits is told, also when the runtime ends before the client.
    fn drop(&mut self) {
        self.channels.end(&Ended::gone());
        self.askers.drain().for_each(|(_, asker)| asker.fail(CallError::Closed));
    }
}

/// Whatever comes next from a connection. Nothing is lost when this is dropped while it waits.
async fn news(carriers: &mut [Carried]) -> (ConnectionId, News) {
    std::future::poll_fn(|context| {
        for carried in carriers.iter_mut() {
            if let Poll::Ready(news) = carried.carrier.poll_news(context) {
                return Poll::Ready((carried.connection, news));
            }
        }
        Poll::Pending
    })
    .await
}
