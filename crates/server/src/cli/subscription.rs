//! What `spanwire sub` says to a server and understands of it: no sockets, no clock.

use spanwire_wire::message::{ClientInfo, ConnectRequest, SubscribeRequest};
use spanwire_wire::{
    Command, DecodeError, Encoding, ErrorCode, Limits, Outcome, Push, PushEvent, Reply, Request,
    ServerMessage, code::reconnects, encode_command, server_messages,
};

use super::tail::{Tail, name, printable};
use super::{Exit, Failure};

/// The id of the connect command; subscribe commands follow in the order of the channels.
const CONNECT: u32 = 1;

/// The commands that begin a session, for one frame.
pub(super) fn greeting(token: &str, channels: &[String]) -> Vec<u8> {
    let connect = ConnectRequest {
        token: token.to_owned(),
        name: "spanwire".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..ConnectRequest::default()
    };
    let subscribe = |channel: &String| {
        Request::Subscribe(SubscribeRequest { channel: channel.clone(), ..SubscribeRequest::default() })
    };
    let requests = std::iter::once(Request::Connect(connect)).chain(channels.iter().map(subscribe));
    let mut frame = Vec::new();
    for (id, request) in (CONNECT..).zip(requests) {
        if id > CONNECT {
            frame.push(b'\n');
        }
        frame.extend_from_slice(&encode_command(Encoding::Json, &Command { id, request }));
    }
    frame
}

/// What was in a frame of the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// Lines to print as results.
    pub(super) lines: Vec<String>,
    /// Lines about what goes on, for people.
    pub(super) talk: Vec<String>,
    /// A ping is to be answered.
    pub(super) pong: bool,
}

/// Takes a frame of the server, up to the last publication that is wanted.
pub(super) fn hear(frame: &str, channels: &[String], tail: &mut Tail) -> Result<Heard, Failure> {
    let mut heard = Heard::default();
    for message in server_messages(Encoding::Json, frame.as_bytes(), &Limits::REPLIES) {
        match message.map_err(not_understood)? {
            ServerMessage::Ping => heard.pong = true,
            ServerMessage::Reply(reply) => heard.talk.extend(answered(&reply, channels)?),
            ServerMessage::Push(push) => pushed(&push, tail, &mut heard)?,
        }
        if tail.is_done() {
            break;
        }
    }
    Ok(heard)
}

fn pushed(push: &Push, tail: &mut Tail, heard: &mut Heard) -> Result<(), Failure> {
    let channel = printable(&push.channel);
    let who = |info: &Option<ClientInfo>| info.as_ref().map(name).unwrap_or_default();
    match &push.event {
        PushEvent::Publication(publication) => heard.lines.push(tail.show(&push.channel, publication)),
        PushEvent::Join(join) => heard.talk.push(format!("{channel}: {} came", who(&join.info))),
        PushEvent::Leave(leave) => heard.talk.push(format!("{channel}: {} left", who(&leave.info))),
        PushEvent::Unsubscribe(told) => {
            let trouble =
                format!("{channel}: the subscription was ended: {} ({})", printable(&told.reason), told.code);
            return Err(Failure::new(Exit::Denied, trouble));
        }
        _ => {}
    }
    Ok(())
}

/// Why a session is over, from the code of the close frame.
pub(super) fn closed(code: u16, reason: &str) -> Failure {
    let trouble = format!("the server closed the connection: {} ({code})", printable(reason));
    match u32::from(code) {
        3500 | 3507 => Failure::new(Exit::Denied, trouble).fix("pass a valid token with --token"),
        3501 => Failure::new(Exit::Denied, trouble)
            .fix("pass --token; only the dev profile lets anybody in without one"),
        code if reconnects(code) => Failure::new(Exit::Unavailable, trouble)
            .fix("start again; this command does not reconnect by itself"),
        _ => Failure::new(Exit::Failed, trouble),
    }
}

/// A line about a reply, if there is something to say.
fn answered(reply: &Reply, channels: &[String]) -> Result<Option<String>, Failure> {
    let index = reply.id.checked_sub(CONNECT + 1);
    let channel = index.and_then(|index| channels.get(index as usize)).map(|channel| printable(channel));
    match &reply.outcome {
        Outcome::Error(error) => {
            let what = channel.map_or("connect".to_owned(), |channel| format!("subscribe to {channel}"));
            let trouble = format!("{what}: {} ({})", printable(&error.message), error.code);
            Err(Failure::new(exit_of(error.code), trouble))
        }
        Outcome::Subscribe(_) => Ok(channel.map(|channel| format!("subscribed to {channel}"))),
        _ => Ok(None),
    }
}

fn exit_of(code: u32) -> Exit {
    let denied = [ErrorCode::Unauthorized, ErrorCode::PermissionDenied, ErrorCode::TokenExpired];
    if denied.iter().any(|denied| denied.code() == code) { Exit::Denied } else { Exit::Failed }
}

fn not_understood(error: DecodeError) -> Failure {
    Failure::new(Exit::Failed, format!("the server's words are not understood: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channels() -> Vec<String> {
        vec!["news".to_owned(), "chat:lobby".to_owned()]
    }

    fn heard(frame: &str, count: Option<u64>) -> Result<Heard, Exit> {
        hear(frame, &channels(), &mut Tail::new(true, count)).map_err(|failure| failure.exit)
    }

    #[test]
    fn a_session_begins_with_one_frame_of_all_commands() {
        let frame = String::from_utf8(greeting("t", &channels())).unwrap();
        let lines: Vec<serde_json::Value> =
            frame.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 3);
        assert_eq!((&lines[0]["id"], &lines[0]["connect"]["token"]), (&1.into(), &"t".into()));
        assert_eq!((&lines[2]["id"], &lines[2]["subscribe"]["channel"]), (&3.into(), &"chat:lobby".into()));
    }

    #[test]
    fn publications_are_told_until_there_are_enough() {
        let frame = "{\"push\":{\"channel\":\"news\",\"pub\":{\"data\":{\"a\":1},\"offset\":4}}}\n{}\n\
                     {\"push\":{\"channel\":\"news\",\"pub\":{\"data\":2}}}";
        let all = [r#"{"channel":"news","data":{"a":1},"offset":4}"#, r#"{"channel":"news","data":2}"#];
        for (count, lines, pong) in [(None, 2, true), (Some(2), 2, true), (Some(1), 1, false)] {
            let heard = heard(frame, count).unwrap();
            assert_eq!((&heard.lines[..], heard.pong), (&all.map(str::to_owned)[..lines], pong));
        }
    }

    #[test]
    fn people_are_told_what_goes_on() {
        let frame = "{\"id\":1,\"connect\":{}}\n{\"id\":3,\"subscribe\":{}}\n\
                     {\"push\":{\"channel\":\"chat:lobby\",\"join\":{\"info\":{\"user\":\"ann\",\"client\":\"c\"}}}}\n\
                     {\"push\":{\"channel\":\"chat:lobby\",\"leave\":{\"info\":{\"user\":\"\",\"client\":\"c\"}}}}";
        let talk = heard(frame, None).unwrap().talk;
        assert_eq!(talk, ["subscribed to chat:lobby", "chat:lobby: ann came", "chat:lobby: c left"]);
    }

    #[test]
    fn what_ends_a_session_has_its_exit_code() {
        let table = [
            (r#"{"id":1,"error":{"code":109,"message":"token expired"}}"#, Exit::Denied),
            (r#"{"id":2,"error":{"code":103,"message":"permission denied"}}"#, Exit::Denied),
            (r#"{"id":2,"error":{"code":102,"message":"unknown channel"}}"#, Exit::Failed),
            (r#"{"push":{"channel":"news","unsubscribe":{"code":2000,"reason":"x"}}}"#, Exit::Denied),
            ("hello", Exit::Failed),
        ];
        for (frame, expected) in table {
            assert_eq!(heard(frame, None), Err(expected), "{frame}");
        }
        for (code, expected) in
            [(3001, Exit::Unavailable), (3500, Exit::Denied), (3501, Exit::Denied), (3503, Exit::Failed)]
        {
            assert_eq!(closed(code, "x").exit, expected, "{code}");
        }
    }
}
