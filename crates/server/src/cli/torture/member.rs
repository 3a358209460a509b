//! One member of the crowd: a client, its connection, and somebody who treats it badly.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use spanwire_client_core::{Call, Client, ConnectionId, Event, Input, Key, Output, SubscribeOptions};
use spanwire_wire::{Encoding, PushEvent, ServerMessage, server_messages};
use tokio::sync::mpsc;

use super::books::Books;
use super::ledger::payload;
use super::line::{Heard, Line, Target};
use super::order::Order;
use super::plan::Plan;

/// A client with its connection. It lives until nobody can give it orders any more.
pub(super) struct Member {
    index: usize,
    client: Client,
    transport: Transport,
    target: Target,
    /// The channels it listens to.
    channels: Vec<usize>,
    payload_bytes: usize,
    receive_bytes: Option<u32>,
    books: Arc<Books>,
    chance: StdRng,
}

/// The connection of a member.
enum Transport {
    None,
    Dialing(ConnectionId, Pin<Box<dyn Future<Output = io::Result<Line>> + Send>>),
    Open(ConnectionId, Box<Line>),
}

/// What a transport brings.
enum News {
    Opened(ConnectionId, Box<Line>),
    Heard(ConnectionId, Vec<Heard>),
    Lost(ConnectionId, io::Error),
}

impl Transport {
    /// Whatever comes next. Nothing is lost when this is dropped while it waits.
    async fn news(&mut self) -> News {
        match self {
            Self::None => std::future::pending().await,
            Self::Dialing(connection, dialing) => match dialing.await {
                Ok(line) => News::Opened(*connection, Box::new(line)),
                Err(error) => News::Lost(*connection, error),
            },
            Self::Open(connection, line) => match line.hear().await {
                Ok(heard) => News::Heard(*connection, heard),
                Err(error) => News::Lost(*connection, error),
            },
        }
    }

    fn take(&mut self) -> Self {
        std::mem::replace(self, Self::None)
    }
}

impl Member {
    pub(super) fn new(index: usize, plan: &Plan, target: Target, books: Arc<Books>, seed: [u8; 32]) -> Self {
        let mut chance = StdRng::from_seed(seed);
        Self {
            index,
            client: Client::new(plan.client.clone(), chance.random()),
            transport: Transport::None,
            target,
            channels: plan.channels_of(index),
            payload_bytes: plan.payload_bytes,
            receive_bytes: plan.receive_bytes,
            books,
            chance,
        }
    }

    /// Connects, subscribes, and does what it is told.
    pub(super) async fn live(mut self, mut orders: mpsc::Receiver<Order>) {
        self.handle(Input::Connect);
        for channel in self.channels.clone() {
            self.subscribe(channel);
        }
        loop {
            let due = self.client.next_deadline().map(|at| self.books.moment(at));
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.obey(order),
                    None => return self.handle(Input::Disconnect),
                },
                news = self.transport.news() => self.hear(news),
                () = tokio::time::sleep_until(due.unwrap_or_else(tokio::time::Instant::now)), if due.is_some() => {
                    self.handle(Input::Tick);
                }
            }
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Publish(number, channel) => {
                let channel = self.books.name(channel).to_owned();
                let data = payload(number, self.payload_bytes).into();
                self.handle(Input::Call(Key(number), Call::Publish { channel, data, queue: true }));
            }
            Order::Reset | Order::HangUp => self.cut(order == Order::Reset),
            Order::Reconnect => {
                self.handle(Input::Disconnect);
                self.handle(Input::Connect);
            }
            Order::Stall(how_long) => {
                if let Transport::Open(_, line) = &mut self.transport {
                    line.be_deaf(how_long);
                    self.books.ledger().stalls(self.index, self.books.elapsed() + how_long);
                }
            }
            Order::Rejoin(channel) => {
                self.handle(Input::Unsubscribe { channel: self.books.name(channel).to_owned() });
                self.subscribe(channel);
            }
        }
    }

    /// Subscribes to a channel, from where we stand in it.
    fn subscribe(&mut self, channel: usize) {
        let since = self.books.ledger().position(self.index, channel);
        let options = SubscribeOptions { since, ..SubscribeOptions::default() };
        self.handle(Input::Subscribe { channel: self.books.name(channel).to_owned(), options });
    }

    fn cut(&mut self, resets: bool) {
        let connection = match self.transport.take() {
            Transport::None => return,
            Transport::Dialing(connection, _) => connection,
            Transport::Open(connection, line) => {
                if resets {
                    line.reset();
                }
                connection
            }
        };
        self.handle(Input::Lost { connection, code: Event::CODE_LOST, reason: "cut".to_owned() });
    }

    fn hear(&mut self, news: News) {
        match news {
            News::Opened(connection, line) => {
                self.transport = Transport::Open(connection, line);
                self.handle(Input::Opened(connection));
            }
            News::Heard(connection, heard) => {
                heard.into_iter().for_each(|heard| self.listen(connection, heard));
            }
            News::Lost(connection, error) => {
                self.transport = Transport::None;
                // A server that breaks RFC 6455 is told from a line that breaks.
                let code = match error.kind() {
                    io::ErrorKind::InvalidData => Event::CODE_BAD_PROTOCOL,
                    _ => Event::CODE_LOST,
                };
                self.handle(Input::Lost { connection, code, reason: error.to_string() });
            }
        }
    }

    fn listen(&mut self, connection: ConnectionId, heard: Heard) {
        match heard {
            // Message by message, so that the ledger sees each one between what the client makes of its neighbours.
            Heard::Text(text) => text.split('\n').for_each(|message| {
                self.witness(connection, message);
                self.handle(Input::Frame(connection, message.as_bytes()));
            }),
            Heard::Closed(code, reason) => {
                self.handle(Input::Lost { connection, code, reason });
                self.transport = self.transport.take().without(connection);
            }
        }
    }

    /// Notes what the server really sent: a client hides what comes twice.
    fn witness(&self, connection: ConnectionId, message: &str) {
        if !matches!(&self.transport, Transport::Open(open, _) if *open == connection) {
            return;
        }
        for message in server_messages(Encoding::Json, message.as_bytes(), &spanwire_wire::Limits::REPLIES) {
            if let Ok(ServerMessage::Push(push)) = message
                && let PushEvent::Publication(publication) = &push.event
            {
                self.books.ledger().arrived(self.index, &push.channel, publication);
            }
        }
    }

    fn handle(&mut self, input: Input<'_>) {
        self.client.handle(self.books.now(), input);
        while let Some(output) = self.client.poll_output() {
            self.carry_out(output);
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Open(connection, _) => {
                let chance = StdRng::from_rng(&mut self.chance);
                let dialing = Line::dial(self.target.clone(), self.receive_bytes, chance);
                self.transport = Transport::Dialing(connection, Box::pin(dialing));
            }
            Output::Send(connection, frame) => {
                if let Transport::Open(open, line) = &mut self.transport
                    && *open == connection
                {
                    line.send(&frame);
                }
            }
            Output::Close(connection) => self.transport = self.transport.take().without(connection),
            // The crowd's credentials need nobody to be asked.
            Output::AskToken(_) => {}
            Output::Event(event) => self.books.told(self.index, &event),
        }
    }
}

impl Transport {
    /// The same without this connection.
    fn without(self, gone: ConnectionId) -> Self {
        match &self {
            Self::Dialing(connection, _) | Self::Open(connection, _) if *connection == gone => Self::None,
            _ => self,
        }
    }
}
