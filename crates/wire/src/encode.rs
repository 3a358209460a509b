//! From replies and pushes to bytes, for servers; from commands to bytes, for clients.
//!
//! Each function makes *one* message in the form in which frames hold it: JSON without a newline, Protobuf
//! after its length. One message alone is a whole frame; several are joined by a [`Batch`](crate::Batch).
//!
//! The functions cannot fail, but they trust payloads: what goes out as JSON must hold payloads that are
//! JSON, see [`is_json`](crate::is_json).

mod publication;

pub use publication::encode_publication;

use std::ops::Range;

use bytes::Bytes;
use prost::Message as _;

use crate::envelope::{AFTER_PUSH, BEFORE_PUSH, Envelope, Field};
use crate::message::{Disconnect, EmulationRequest};
use crate::{
    Command, DisconnectReason, Encoding, Outcome, Push, PushEvent, Reply, Request, ServerMessage, json,
};

/// A ping of the server, or the pong of a client, in JSON: an empty message.
pub const PING_JSON: &[u8] = b"{}";

/// A ping of the server, or the pong of a client, in Protobuf: a message of length 0.
pub const PING_PROTOBUF: &[u8] = &[0];

/// A ping. The same bytes sent by a client are a pong.
pub fn encode_ping(encoding: Encoding) -> Bytes {
    Bytes::from_static(match encoding {
        Encoding::Json => PING_JSON,
        Encoding::Protobuf => PING_PROTOBUF,
    })
}

/// The answer to a command.
pub fn encode_reply(encoding: Encoding, reply: &Reply) -> Bytes {
    let envelope = Envelope::Numbered { id: reply.id };
    match &reply.outcome {
        Outcome::Error(error) => envelope.around(encoding, Field(2, "error"), error),
        Outcome::Connect(result) => envelope.around(encoding, Field(5, "connect"), result),
        Outcome::Subscribe(result) => envelope.around(encoding, Field(6, "subscribe"), result),
        Outcome::Unsubscribe(result) => envelope.around(encoding, Field(7, "unsubscribe"), result),
        Outcome::Publish(result) => envelope.around(encoding, Field(8, "publish"), result),
        Outcome::Presence(result) => envelope.around(encoding, Field(9, "presence"), result),
        Outcome::PresenceStats(result) => envelope.around(encoding, Field(10, "presence_stats"), result),
        Outcome::History(result) => envelope.around(encoding, Field(11, "history"), result),
        Outcome::Ping(result) => envelope.around(encoding, Field(12, "ping"), result),
        Outcome::Rpc(result) => envelope.around(encoding, Field(13, "rpc"), result),
        Outcome::Refresh(result) => envelope.around(encoding, Field(14, "refresh"), result),
        Outcome::SubRefresh(result) => envelope.around(encoding, Field(15, "sub_refresh"), result),
        Outcome::Unknown => envelope.empty(encoding),
    }
}

/// An event.
pub fn encode_push(encoding: Encoding, push: &Push) -> Bytes {
    let envelope = Envelope::Push { id: push.id, channel: &push.channel };
    match &push.event {
        PushEvent::Publication(event) => encode_publication(encoding, push.id, &push.channel, event),
        PushEvent::Join(event) => envelope.around(encoding, Field(5, "join"), event),
        PushEvent::Leave(event) => envelope.around(encoding, Field(6, "leave"), event),
        PushEvent::Unsubscribe(event) => envelope.around(encoding, Field(7, "unsubscribe"), event),
        PushEvent::Message(event) => envelope.around(encoding, Field(8, "message"), event),
        PushEvent::Subscribe(event) => envelope.around(encoding, Field(9, "subscribe"), event),
        PushEvent::Connect(event) => envelope.around(encoding, Field(10, "connect"), event),
        PushEvent::Disconnect(event) => envelope.around(encoding, Field(11, "disconnect"), event),
        PushEvent::Refresh(event) => envelope.around(encoding, Field(12, "refresh"), event),
        PushEvent::Unknown => envelope.empty(encoding),
    }
}

/// The push that tells a client why its session ends, where there is no close frame to say so.
pub fn encode_disconnect(encoding: Encoding, reason: &DisconnectReason) -> Bytes {
    let disconnect =
        Disconnect { code: reason.code(), reason: reason.text().to_owned(), ..Disconnect::default() };
    encode_push(encoding, &Push::new("", PushEvent::Disconnect(disconnect)))
}

/// The pushes of a frame of JSON as unidirectional clients hear them: bare, without the reply around each. Shares the
/// bytes of a frame of one push.
pub fn bare_pushes(frame: &Bytes) -> Bytes {
    if memchr::memchr(b'\n', frame).is_none() {
        return frame.slice(bare(frame));
    }
    let mut out = Vec::with_capacity(frame.len());
    for line in frame.split(|byte| *byte == b'\n') {
        if !out.is_empty() {
            out.push(b'\n');
        }
        out.extend_from_slice(&line[bare(line)]);
    }
    out.into()
}

/// Where in a reply its push is; a ping is as bare as it can be.
fn bare(reply: &[u8]) -> Range<usize> {
    match reply.strip_prefix(BEFORE_PUSH).and_then(|rest| rest.strip_suffix(AFTER_PUSH)) {
        Some(push) => BEFORE_PUSH.len()..BEFORE_PUSH.len() + push.len(),
        None => 0..reply.len(),
    }
}

/// Whatever the server says.
pub fn encode_server_message(encoding: Encoding, message: &ServerMessage) -> Bytes {
    match message {
        ServerMessage::Ping => encode_ping(encoding),
        ServerMessage::Reply(reply) => encode_reply(encoding, reply),
        ServerMessage::Push(push) => encode_push(encoding, push),
    }
}

/// A command.
pub fn encode_command(encoding: Encoding, command: &Command) -> Bytes {
    let envelope = Envelope::Numbered { id: command.id };
    match &command.request {
        Request::Pong => encode_ping(encoding),
        Request::Connect(request) => envelope.around(encoding, Field(4, "connect"), request),
        Request::Subscribe(request) => envelope.around(encoding, Field(5, "subscribe"), request),
        Request::Unsubscribe(request) => envelope.around(encoding, Field(6, "unsubscribe"), request),
        Request::Publish(request) => envelope.around(encoding, Field(7, "publish"), request),
        Request::Presence(request) => envelope.around(encoding, Field(8, "presence"), request),
        Request::PresenceStats(request) => envelope.around(encoding, Field(9, "presence_stats"), request),
        Request::History(request) => envelope.around(encoding, Field(10, "history"), request),
        Request::Ping(request) => envelope.around(encoding, Field(11, "ping"), request),
        Request::Send(request) => envelope.around(encoding, Field(12, "send"), request),
        Request::Rpc(request) => envelope.around(encoding, Field(13, "rpc"), request),
        Request::Refresh(request) => envelope.around(encoding, Field(14, "refresh"), request),
        Request::SubRefresh(request) => envelope.around(encoding, Field(15, "sub_refresh"), request),
        Request::Unknown => envelope.empty(encoding),
    }
}

/// The body of a request that brings commands to a session whose connection only goes downwards.
pub fn encode_emulation(encoding: Encoding, request: &EmulationRequest) -> Bytes {
    match encoding {
        Encoding::Json => {
            let mut body = Vec::new();
            json::write(&mut body, request);
            body.into()
        }
        Encoding::Protobuf => request.encode_to_vec().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DisconnectCode;
    use crate::message::Publication;

    #[test]
    fn a_bare_push_is_what_stands_in_the_reply() {
        let publication = Publication { data: "{\"push\":1}".into(), offset: 7, ..Publication::default() };
        let push = encode_publication(Encoding::Json, 0, "tea", &publication);
        let bare = r#"{"channel":"tea","pub":{"data":{"push":1},"offset":7}}"#;
        assert_eq!(bare_pushes(&push), bare);
        assert_eq!(bare_pushes(&Bytes::from_static(PING_JSON)), PING_JSON);
        let mut batch = crate::Batch::new(Encoding::Json);
        for message in [&push[..], PING_JSON, &push[..]] {
            batch.add(message);
        }
        assert_eq!(bare_pushes(&batch.take()), format!("{bare}\n{{}}\n{bare}"));
    }

    #[test]
    fn the_last_push_says_code_and_reason() {
        let push = encode_disconnect(Encoding::Json, &DisconnectCode::Shutdown.into());
        assert_eq!(bare_pushes(&push), r#"{"disconnect":{"code":3001,"reason":"shutdown"}}"#);
    }
}
