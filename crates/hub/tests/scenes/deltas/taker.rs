//! A client that takes deltas, made only from what the protocol says of them.

use spanwire_hub::SessionId;
use spanwire_wire::message::{
    ConnectRequest, Publication, SubscribeRequest, SubscribeResult, UnsubscribeRequest,
};
use spanwire_wire::{
    Command, Encoding, Limits, Outcome, PushEvent, Request, ServerMessage, delta, encode_command,
    server_messages,
};

use crate::support::World;

/// Longest payload of these scenes.
const BYTES_MAX: usize = 1 << 16;

pub(super) struct Taker {
    pub(super) id: SessionId,
    channel: String,
    encoding: Encoding,
    /// What the server has agreed to.
    pub(super) agreed: bool,
    pub(super) subscribed: bool,
    pub(super) recovered: bool,
    pub(super) offset: u64,
    epoch: String,
    base: Option<Vec<u8>>,
    /// Payloads with their offsets, in the order of their coming.
    pub(super) heard: Vec<(u64, String)>,
    /// How each was told: whole or by a patch.
    pub(super) told: String,
    commands: u32,
}

impl Taker {
    /// Connected, and not subscribed yet.
    pub(super) fn new(world: &mut World, channel: &str, encoding: Encoding) -> Self {
        world.tokens.entry("taker").or_insert_with(|| Ok(Default::default()));
        let mut taker = Self {
            id: world.open_as(encoding),
            channel: channel.to_owned(),
            encoding,
            agreed: false,
            subscribed: false,
            recovered: false,
            offset: 0,
            epoch: String::new(),
            base: None,
            heard: Vec::new(),
            told: String::new(),
            commands: 0,
        };
        let connect = ConnectRequest { token: "taker".to_owned(), ..ConnectRequest::default() };
        taker.command(world, Request::Connect(connect));
        taker
    }

    /// The same, subscribed.
    pub(super) fn subscribed(world: &mut World, channel: &str, encoding: Encoding) -> Self {
        let mut taker = Self::new(world, channel, encoding);
        taker.subscribe(world, false);
        taker.listen(world);
        taker
    }

    /// Asks for deltas, and for what it missed.
    pub(super) fn subscribe(&mut self, world: &mut World, recover: bool) {
        let request = SubscribeRequest {
            channel: self.channel.clone(),
            delta: SubscribeRequest::DELTA_FOSSIL.to_owned(),
            recover,
            offset: if recover { self.offset } else { 0 },
            epoch: if recover { self.epoch.clone() } else { String::new() },
            ..SubscribeRequest::default()
        };
        self.command(world, Request::Subscribe(request));
    }

    pub(super) fn unsubscribe(&mut self, world: &mut World) {
        self.command(world, Request::Unsubscribe(UnsubscribeRequest { channel: self.channel.clone() }));
        self.subscribed = false;
    }

    fn command(&mut self, world: &mut World, request: Request) {
        self.commands += 1;
        let command = Command { id: self.commands, request };
        world.send_bytes(self.id, &encode_command(self.encoding, &command));
    }

    /// Takes in all that it was sent.
    pub(super) fn listen(&mut self, world: &mut World) {
        for frame in world.read_bytes(self.id) {
            for message in server_messages(self.encoding, &frame, &Limits::REPLIES) {
                match message.expect("the server speaks the protocol") {
                    ServerMessage::Reply(reply) => match reply.outcome {
                        Outcome::Subscribe(result) => self.begin(result),
                        Outcome::Error(error) => panic!("{error:?}"),
                        _ => {}
                    },
                    ServerMessage::Push(push) => match push.event {
                        PushEvent::Publication(publication) => self.take(*publication),
                        PushEvent::Unsubscribe(_) => self.subscribed = false,
                        _ => {}
                    },
                    ServerMessage::Ping => {}
                }
            }
        }
    }

    fn begin(&mut self, result: SubscribeResult) {
        (self.agreed, self.subscribed, self.recovered) = (result.delta, true, result.recovered);
        (self.offset, self.epoch) = (result.offset, result.epoch);
        result.publications.into_iter().for_each(|publication| self.take(publication));
    }

    /// Section 10: in JSON a string, and what a patch makes is made of what was told last.
    fn take(&mut self, publication: Publication) {
        let Publication { data, offset, delta: is_patch, .. } = publication;
        let said = match self.encoding {
            Encoding::Json if self.agreed => delta::from_json(&data).expect("a string"),
            _ => data,
        };
        let payload = match is_patch {
            true => {
                let base = self.base.as_ref().expect("a patch goes only to those who have its base");
                delta::apply(base, &said, BYTES_MAX).expect("the patch is one of this base")
            }
            false => said.to_vec(),
        };
        if offset != 0 {
            assert_eq!(offset, self.offset + 1, "offsets follow on each other");
            self.offset = offset;
        }
        self.told.push(if is_patch { 'p' } else { 'W' });
        self.heard.push((offset, String::from_utf8(payload.clone()).expect("these scenes publish text")));
        self.base = Some(payload);
    }

    /// What it has heard since it was last asked: payloads, and how each was told.
    pub(super) fn news(&mut self, world: &mut World) -> (Vec<String>, String) {
        self.listen(world);
        let heard = self.heard.drain(..).map(|(_, payload)| payload).collect();
        (heard, std::mem::take(&mut self.told))
    }
}
