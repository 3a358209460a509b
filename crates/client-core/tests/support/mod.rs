//! A client on a stage: the test plays the server, the network and the clock.
#![allow(dead_code, unreachable_pub)]

use std::collections::VecDeque;
use std::time::Duration;

use spanwire_client_core::time::Instant;
use spanwire_client_core::{
    Call, Client, Config, ConnectionId, Event, Input, Key, Load, Output, SubscribeOptions, TokenFor,
    Transport,
};

pub struct Stage {
    pub client: Client,
    pub now: Instant,
    connection: Option<ConnectionId>,
    sent: VecDeque<String>,
    pub events: Vec<Event>,
    pub asked: Vec<TokenFor>,
    /// A connection beside the one in use, which looks for a better transport.
    pub scout: Option<ConnectionId>,
    /// The transports that were tried, in their order.
    pub tried: Vec<Transport>,
    /// Frames sent, and the bytes of the longest one behind the first of each connection.
    pub frames: usize,
    pub longest_frame: usize,
}

impl Stage {
    pub fn new() -> Self {
        Self::with(Config::default())
    }

    pub fn with(config: Config) -> Self {
        Self {
            client: Client::new(config, [3; 32]),
            now: Instant::from_millis(1_000_000),
            connection: None,
            sent: VecDeque::new(),
            events: Vec::new(),
            asked: Vec::new(),
            scout: None,
            tried: Vec::new(),
            frames: 0,
            longest_frame: 0,
        }
    }

    /// A client that is connected to a server which knows keys, with the events of that forgotten.
    pub fn connected() -> Self {
        let mut stage = Self::new();
        stage.handle(Input::Connect);
        stage.open();
        stage.welcome();
        stage.events.clear();
        stage
    }

    /// A connected client that hears a channel with positions, from offset 5.
    pub fn hearing(channel: &str) -> Self {
        let mut stage = Self::connected();
        stage.subscribe(channel);
        stage.say(r#"{"id":2,"subscribe":{"recoverable":true,"positioned":true,"epoch":"e","offset":5}}"#);
        stage.events.clear();
        stage
    }

    pub fn handle(&mut self, input: Input<'_>) {
        self.client.handle(self.now, input);
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Open(connection, transport) => {
                    self.tried.push(transport);
                    match self.client.is_connected() {
                        true => self.scout = Some(connection),
                        false => self.connection = Some(connection),
                    }
                }
                Output::Send(connection, frame) => {
                    assert_eq!(Some(connection), self.connection, "a frame for a connection that is over");
                    self.frames += 1;
                    if !frame.starts_with(br#"{"id":1,"#) {
                        self.longest_frame = self.longest_frame.max(frame.len());
                    }
                    let text = String::from_utf8(frame.to_vec()).unwrap();
                    self.sent.extend(text.lines().map(str::to_owned));
                }
                Output::Close(connection) if self.scout == Some(connection) => self.scout = None,
                Output::Close(_) => self.connection = self.scout.take(),
                Output::AskToken(what) => self.asked.push(what),
                Output::Event(event) => self.events.push(event),
            }
        }
    }

    /// The connection that the client wants is open; what it says first is read and returned.
    pub fn open(&mut self) -> Vec<String> {
        let connection = self.connection.expect("the client wants a connection");
        self.handle(Input::Opened(connection));
        self.sent()
    }

    pub fn welcome(&mut self) {
        self.say(r#"{"id":1,"connect":{"client":"me","version":"t","ping":25,"pong":true,"sw_ext":["idempotent_publish"]}}"#);
    }

    /// The server says something.
    pub fn say(&mut self, frame: &str) {
        let connection = self.connection.expect("a connection");
        self.handle(Input::Frame(connection, frame.as_bytes()));
    }

    /// The connection ends.
    pub fn cut(&mut self, code: u32) {
        let connection = self.connection.expect("a connection");
        self.handle(Input::Lost { connection, code, reason: String::new() });
    }

    /// The connection is refused for now, or a request that belongs to it, and for how long.
    pub fn turn_away(&mut self, code: u32, retry_after: Duration) {
        let connection = self.connection.expect("a connection");
        self.handle(Input::Busy {
            connection,
            code,
            reason: format!("the server answered {code}"),
            retry_after,
        });
    }

    /// The connection ends and another one is made. What the client says first is read and returned.
    pub fn come_back(&mut self) -> Vec<String> {
        self.cut(Event::CODE_LOST);
        self.wait_for_a_try();
        self.sent.clear();
        self.open()
    }

    /// Time passes until the client wants a connection.
    pub fn wait_for_a_try(&mut self) {
        while self.connection.is_none() {
            self.now = self.client.next_deadline().expect("a client that wants to come back");
            self.handle(Input::Tick);
        }
    }

    pub fn subscribe(&mut self, channel: &str) {
        let options = SubscribeOptions::default();
        self.handle(Input::Subscribe { channel: channel.to_owned(), options });
    }

    pub fn publish(&mut self, key: u64, data: &'static str) {
        let call = Call::Publish { channel: "x".to_owned(), data: data.into(), queue: true };
        self.handle(Input::Call(Key(key), call));
    }

    /// Time passes, with a tick whenever the client wants one.
    pub fn pass(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        while let Some(due) = self.client.next_deadline().filter(|due| *due <= end) {
            self.now = due.max(self.now);
            self.handle(Input::Tick);
            assert!(
                self.client.next_deadline().is_none_or(|next| next > self.now),
                "a deadline is met by its tick"
            );
        }
        self.now = end;
    }

    /// Whether the client wants a connection that is not open yet, or has one.
    pub fn has_connection(&self) -> bool {
        self.connection.is_some()
    }

    /// What the client has said since this was asked last, one command each.
    pub fn sent(&mut self) -> Vec<String> {
        self.sent.drain(..).collect()
    }

    /// What the application was told since this was asked last.
    pub fn told(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// The same in a few words.
    pub fn story(&mut self) -> Vec<String> {
        self.told().into_iter().map(|event| brief(&event)).collect()
    }

    /// Everything is unsubscribed and answered: nothing is kept.
    pub fn end(mut self) {
        self.handle(Input::Disconnect);
        let Load { calls, call_bytes, pending, .. } = self.client.load();
        assert_eq!((calls, call_bytes, pending), (0, 0, 0));
        assert_eq!(self.client.next_deadline(), None);
    }
}

fn brief(event: &Event) -> String {
    match event {
        Event::Connected { .. } => "connected".to_owned(),
        Event::Disconnected { code, will_retry_at, .. } => {
            format!("disconnected {code}{}", if will_retry_at.is_some() { ", retries" } else { "" })
        }
        Event::Subscribed { recovered, was_recovering, position, .. } => {
            let how = match (was_recovering, recovered) {
                (true, true) => " recovered",
                (true, false) => " unrecovered",
                _ => "",
            };
            let at = position.as_ref().map(|at| format!(" at {}{}", at.epoch, at.offset)).unwrap_or_default();
            format!("subscribed{how}{at}")
        }
        Event::Unsubscribed { code, will_retry_at, .. } => {
            format!("unsubscribed {code}{}", if will_retry_at.is_some() { ", retries" } else { "" })
        }
        Event::Publication { publication, recovered, .. } => {
            let data = String::from_utf8_lossy(&publication.data).into_owned();
            if *recovered { format!("recovered {data}") } else { data }
        }
        Event::Gap { from, to, .. } => {
            format!("gap {}{}..{}{}", from.epoch, from.offset, to.epoch, to.offset)
        }
        Event::Join { info, .. } => format!("join {}", info.user),
        Event::Leave { info, .. } => format!("leave {}", info.user),
        Event::Presence { members, .. } => {
            format!("presence {}", members.clients().collect::<Vec<_>>().join(" "))
        }
        Event::NoPresence { code, .. } => format!("no presence {code}"),
        Event::PublishAcked { key, position } => {
            let at = position.as_ref().map(|at| format!(" at {}{}", at.epoch, at.offset)).unwrap_or_default();
            format!("acked {}{at}", key.0)
        }
        Event::PublishFailed { key, error } | Event::Failed { key, error } => {
            format!("failed {}: {error}", key.0)
        }
        Event::Answered { key, .. } => format!("answered {}", key.0),
        Event::Message(_) => "message".to_owned(),
    }
}
