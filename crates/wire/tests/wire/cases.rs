//! One message of each kind, with all of its fields and with none: the source of `testdata/messages.json`.

use std::collections::BTreeMap;

use bytes::Bytes;
use spanwire_wire::message::*;
use spanwire_wire::{
    Command, Encoding, ErrorCode, Limits, Outcome, Push, PushEvent, Reply, Request, ServerMessage,
    UnsubscribeCode, commands, decode_emulation, encode_command, encode_emulation, encode_server_message,
    server_messages,
};

/// Anything that has a form on the wire.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Any {
    Command(Command),
    Reply(ServerMessage),
    Emulation(EmulationRequest),
}

impl Any {
    /// The word for it in the golden file.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Command(_) => "command",
            Self::Reply(_) => "reply",
            Self::Emulation(_) => "emulation",
        }
    }

    pub(crate) fn encode(&self, encoding: Encoding) -> Bytes {
        match self {
            Self::Command(command) => encode_command(encoding, command),
            Self::Reply(message) => encode_server_message(encoding, message),
            Self::Emulation(request) => encode_emulation(encoding, request),
        }
    }

    /// What a frame holds, if it is as it should be and one message.
    pub(crate) fn decode(kind: &str, encoding: Encoding, frame: &[u8]) -> Option<Self> {
        fn only<T, E>(mut all: impl Iterator<Item = Result<T, E>>) -> Option<T> {
            let first = all.next()?.ok()?;
            all.next().is_none().then_some(first)
        }
        match kind {
            "command" => only(commands(encoding, frame, &Limits::COMMANDS)).map(Self::Command),
            "reply" => only(server_messages(encoding, frame, &Limits::REPLIES)).map(Self::Reply),
            "emulation" => decode_emulation(encoding, frame).ok().map(Self::Emulation),
            _ => None,
        }
    }
}

/// Every case with its name.
pub(crate) fn all() -> Vec<(&'static str, Any)> {
    let commands =
        requests().into_iter().map(|(name, id, request)| (name, Any::Command(Command { id, request })));
    let replies = outcomes()
        .into_iter()
        .map(|(name, outcome)| (name, Any::Reply(ServerMessage::Reply(Reply { id: 300, outcome }))));
    let pushes = pushes().into_iter().map(|(name, push)| (name, Any::Reply(ServerMessage::Push(push))));
    commands
        .chain(replies)
        .chain([("ping", Any::Reply(ServerMessage::Ping))])
        .chain(pushes)
        .chain(emulation())
        .collect()
}

fn requests() -> Vec<(&'static str, u32, Request)> {
    let channel = || String::from("room:42");
    vec![
        ("pong", 0, Request::Pong),
        ("connect, empty", 1, Request::Connect(ConnectRequest::default())),
        (
            "connect",
            1,
            Request::Connect(ConnectRequest {
                token: "aaa.bbb.ccc".into(),
                data: json(r#"{"tab": 1}"#),
                subs: BTreeMap::from([
                    (
                        "#42".into(),
                        SubscribeRequest {
                            recover: true,
                            epoch: "abcd".into(),
                            offset: 7,
                            ..Default::default()
                        },
                    ),
                    ("news".into(), SubscribeRequest::default()),
                ]),
                name: "js".into(),
                version: "5.7.1".into(),
                headers: strings([("authorization", "Bearer x"), ("spanwire", "1")]),
                flag: ConnectRequest::FLAG_DICTIONARY,
                dict: "AAECAwQFBgcICQoL".into(),
                profile: "mobile".into(),
            }),
        ),
        (
            "subscribe, minimal",
            2,
            Request::Subscribe(SubscribeRequest { channel: channel(), ..Default::default() }),
        ),
        ("subscribe", 2, Request::Subscribe(full_subscribe())),
        ("unsubscribe", 3, Request::Unsubscribe(UnsubscribeRequest { channel: channel() })),
        (
            "publish",
            u32::MAX,
            Request::Publish(PublishRequest {
                channel: channel(),
                data: json(r#"{"text":"hé \"there\" 🙂","n":[1, 2.50, 12345678901234567890123]}"#),
                ..Default::default()
            }),
        ),
        (
            "publish to a map, with a key to repeat it",
            4,
            Request::Publish(PublishRequest {
                channel: channel(),
                data: json("null"),
                r#type: 1,
                key: "cursor".into(),
                removed: true,
                sw_key: "0190a5e2".into(),
            }),
        ),
        ("presence", 5, Request::Presence(PresenceRequest { channel: channel() })),
        ("presence stats", 6, Request::PresenceStats(PresenceStatsRequest { channel: channel() })),
        (
            "history, everything allowed",
            7,
            Request::History(HistoryRequest { channel: channel(), limit: -1, ..Default::default() }),
        ),
        (
            "history, a page",
            7,
            Request::History(HistoryRequest {
                channel: channel(),
                limit: 10,
                since: Some(StreamPosition { offset: u64::MAX, epoch: "abcd".into() }),
                reverse: true,
            }),
        ),
        ("ping command", 8, Request::Ping(PingRequest {})),
        ("send", 0, Request::Send(SendRequest { data: json(r#""typing""#) })),
        ("rpc, without data", 9, Request::Rpc(RpcRequest { method: "time".into(), ..Default::default() })),
        ("rpc", 9, Request::Rpc(RpcRequest { data: json("[]"), method: "app:sum".into() })),
        ("refresh", 10, Request::Refresh(RefreshRequest { token: "aaa.bbb.ccc".into() })),
        (
            "sub refresh",
            11,
            Request::SubRefresh(SubRefreshRequest {
                channel: channel(),
                token: "aaa.bbb.ccc".into(),
                r#type: 1,
                track: vec![TrackBatch {
                    signature: "1:2:ff".into(),
                    items: vec![KeyedItem { key: "a".into(), version: 3 }, KeyedItem::default()],
                }],
                untrack: vec!["b".into(), "c".into()],
            }),
        ),
        ("a command that we do not know", 12, Request::Unknown),
    ]
}

fn outcomes() -> Vec<(&'static str, Outcome)> {
    vec![
        ("error", Outcome::Error(ErrorCode::PermissionDenied.into())),
        ("error, temporary", Outcome::Error(ErrorCode::Internal.into())),
        (
            "error, with the time to come back",
            Outcome::Error(Error { sw_retry_after: 2500, ..ErrorCode::TooManyRequests.into() }),
        ),
        ("connected, empty", Outcome::Connect(ConnectResult::default())),
        (
            "connected",
            Outcome::Connect(ConnectResult {
                client: client_id(),
                version: "0.1.0".into(),
                expires: true,
                ttl: 3600,
                data: json(r#"{"theme":"dark"}"#),
                subs: BTreeMap::from([("#42".into(), full_subscribed())]),
                ping: 25,
                pong: true,
                session: "d0f4b5c9".into(),
                node: "n1".into(),
                time: 1_766_000_000_000,
                flag: 1,
                dict: Some(Dictionary {
                    id: "AAECAwQFBgcICQoL".into(),
                    data: json("0"),
                    data_b64: "AwA=".into(),
                }),
                sw_ext: vec!["idempotent_publish".into()],
            }),
        ),
        ("subscribed, without position", Outcome::Subscribe(SubscribeResult::default())),
        ("subscribed", Outcome::Subscribe(full_subscribed())),
        ("unsubscribed", Outcome::Unsubscribe(UnsubscribeResult {})),
        ("published", Outcome::Publish(PublishResult::default())),
        (
            "published, with position",
            Outcome::Publish(PublishResult { sw_offset: 8, sw_epoch: "abcd".into() }),
        ),
        ("presence, nobody", Outcome::Presence(PresenceResult::default())),
        (
            "presence, two",
            Outcome::Presence(PresenceResult {
                presence: BTreeMap::from([
                    (client_id(), full_info()),
                    ("anonymous".into(), ClientInfo::default()),
                ]),
            }),
        ),
        ("presence stats, none", Outcome::PresenceStats(PresenceStatsResult::default())),
        (
            "presence stats, some",
            Outcome::PresenceStats(PresenceStatsResult { num_clients: 3, num_users: 2 }),
        ),
        ("history, empty", Outcome::History(HistoryResult::default())),
        (
            "history, one",
            Outcome::History(HistoryResult {
                publications: vec![full_publication()],
                epoch: "abcd".into(),
                offset: 9_007_199_254_740_993,
            }),
        ),
        ("ping result", Outcome::Ping(PingResult {})),
        ("rpc result", Outcome::Rpc(RpcResult { data: json("6") })),
        (
            "refreshed",
            Outcome::Refresh(RefreshResult {
                client: client_id(),
                version: "0.1.0".into(),
                expires: true,
                ttl: 60,
            }),
        ),
        (
            "sub refreshed",
            Outcome::SubRefresh(SubRefreshResult { expires: true, ttl: 60, items: vec![full_publication()] }),
        ),
        ("a result that we do not know", Outcome::Unknown),
    ]
}

fn pushes() -> Vec<(&'static str, Push)> {
    let room = |event| Push::new("room:42", event);
    let session = |event| Push::new("", event);
    let published = |publication: Publication| room(PushEvent::Publication(publication.into()));
    vec![
        (
            "publication by the backend",
            published(Publication { data: json(r#"{"n":1}"#), ..Default::default() }),
        ),
        (
            "publication by a client",
            published(Publication {
                data: json(r#"{"text":"hi"}"#),
                info: Some(ClientInfo { user: "ann".into(), client: client_id(), ..Default::default() }),
                offset: 2,
                ..Default::default()
            }),
        ),
        ("publication with everything", published(full_publication())),
        (
            "publication, by the number of its channel",
            Push {
                id: 5,
                channel: String::new(),
                event: PushEvent::Publication(
                    Publication { data: json("1"), offset: 3, ..Default::default() }.into(),
                ),
            },
        ),
        ("join", room(PushEvent::Join(Join { info: Some(full_info()) }))),
        ("leave", room(PushEvent::Leave(Leave { info: Some(full_info()) }))),
        ("unsubscribe push", room(PushEvent::Unsubscribe(UnsubscribeCode::Insufficient.into()))),
        ("message", session(PushEvent::Message(Message { data: json(r#"{"note":true}"#) }))),
        (
            "subscribe push",
            room(PushEvent::Subscribe(Subscribe {
                recoverable: true,
                epoch: "abcd".into(),
                offset: 4,
                positioned: true,
                data: json("{}"),
            })),
        ),
        (
            "connect push",
            session(PushEvent::Connect(Connect {
                client: client_id(),
                version: "0.1.0".into(),
                data: json("{}"),
                subs: BTreeMap::from([("news".into(), SubscribeResult::default())]),
                expires: true,
                ttl: 60,
                ping: 25,
                pong: true,
                session: "d0f4b5c9".into(),
                node: "n1".into(),
                time: 1_766_000_000_000,
            })),
        ),
        (
            "disconnect push",
            session(PushEvent::Disconnect(Disconnect {
                code: 3001,
                reason: "shutdown".into(),
                reconnect: true,
            })),
        ),
        ("refresh push", session(PushEvent::Refresh(Refresh { expires: true, ttl: 60 }))),
        ("a push that we do not know", room(PushEvent::Unknown)),
    ]
}

fn emulation() -> Vec<(&'static str, Any)> {
    let request = EmulationRequest {
        node: "n1".into(),
        session: "d0f4b5c9".into(),
        data: json("{\"id\":1,\"presence\":{\"channel\":\"room:42\"}}\n{}"),
    };
    vec![("emulation", Any::Emulation(request))]
}

fn full_subscribe() -> SubscribeRequest {
    SubscribeRequest {
        channel: "room:42".into(),
        token: "aaa.bbb.ccc".into(),
        recover: true,
        epoch: "abcd".into(),
        offset: u64::MAX,
        data: json(r#"{"from":"link"}"#),
        positioned: true,
        recoverable: true,
        join_leave: true,
        delta: SubscribeRequest::DELTA_FOSSIL.into(),
        tf: Some(FilterNode {
            op: "and".into(),
            nodes: vec![
                FilterNode { key: "lang".into(), cmp: "eq".into(), val: "en".into(), ..Default::default() },
                FilterNode {
                    key: "team".into(),
                    cmp: "in".into(),
                    vals: vec!["red".into(), "blue".into()],
                    ..Default::default()
                },
            ],
            ..Default::default()
        }),
        flag: SubscribeRequest::FLAG_COMPACTION | SubscribeRequest::FLAG_REJECT_UNRECOVERED,
        r#type: 1,
        phase: 2,
        cursor: "k100".into(),
        limit: 100,
        asc: true,
    }
}

fn full_subscribed() -> SubscribeResult {
    SubscribeResult {
        expires: true,
        ttl: 600,
        recoverable: true,
        epoch: "abcd".into(),
        publications: vec![
            full_publication(),
            Publication { data: json("2"), offset: 3, ..Default::default() },
        ],
        recovered: true,
        offset: 3,
        positioned: true,
        data: json(r#"{"topic":"tea"}"#),
        was_recovering: true,
        delta: true,
        id: 5,
        r#type: 1,
        phase: 2,
        cursor: "k200".into(),
        state: vec![Publication { key: "k1".into(), data: json("1"), ..Default::default() }],
        publish_debounce: 100,
    }
}

fn full_publication() -> Publication {
    Publication {
        data: json(r#"{"text":"hi"}"#),
        info: Some(full_info()),
        offset: 1,
        tags: strings([("lang", "en"), ("quote", "\"\\\n\u{1}/é🙂")]),
        delta: true,
        time: -1,
        channel: "room:42".into(),
        key: "k1".into(),
        removed: true,
        score: i64::MIN,
        epoch: "abcd".into(),
        prev_data: json("0"),
        version: u64::MAX,
    }
}

fn full_info() -> ClientInfo {
    ClientInfo {
        user: "ann".into(),
        client: client_id(),
        conn_info: json(r#"{"name":"Ann"}"#),
        chan_info: json(r#"{"role":"host"}"#),
    }
}

fn client_id() -> String {
    "5d2c1f0e-7a4b-4c3d-9e8f-102132435465".into()
}

fn json(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

fn strings<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect()
}
