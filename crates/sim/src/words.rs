//! What happens, in words that a person can follow.

use spanwire_client_core::{Event, Position};
use spanwire_wire::{Encoding, Limits, commands, encode_command, encode_server_message, server_messages};

/// What a client says in a frame: as JSON whatever its encoding, for all payloads of a run are JSON.
pub(crate) fn said(encoding: Encoding, frame: &[u8]) -> String {
    let commands = commands(encoding, frame, &Limits::COMMANDS).flatten();
    in_lines(commands.map(|command| encode_command(Encoding::Json, &command)))
}

/// What the server says in a frame.
pub(crate) fn answered(encoding: Encoding, frame: &[u8]) -> String {
    let messages = server_messages(encoding, frame, &Limits::REPLIES).flatten();
    in_lines(messages.map(|message| encode_server_message(Encoding::Json, &message)))
}

fn in_lines(messages: impl Iterator<Item = bytes::Bytes>) -> String {
    let lines: Vec<_> = messages.map(|message| brief(&String::from_utf8_lossy(&message))).collect();
    lines.join("\n                 ")
}

/// Payloads are filled up to their length with a letter, of which a few are enough.
fn brief(text: &str) -> String {
    let mut words = text.to_owned();
    while words.contains("xxxx") {
        words = words.replace("xxxx", "x");
    }
    words
}

/// What an application is told.
pub(crate) fn told(event: &Event) -> String {
    match event {
        Event::Connected { client, .. } => format!("connected as {client}"),
        Event::Disconnected { code, reason, will_retry_at } => {
            let next =
                will_retry_at.map_or("for good".to_owned(), |at| format!("until {} ms", at.as_millis()));
            format!("disconnected, {code} {reason}, {next}")
        }
        Event::Subscribed { channel, recovered, was_recovering, position, .. } => {
            let how = match (was_recovering, recovered) {
                (true, true) => ", recovered",
                (true, false) => ", not recovered",
                _ => "",
            };
            format!("listens to {channel}{}{how}", position.as_ref().map(place).unwrap_or_default())
        }
        Event::Unsubscribed { channel, code, reason, will_retry_at } => {
            let next = if will_retry_at.is_some() { ", for a moment" } else { "" };
            format!("does not listen to {channel}, {code} {reason}{next}")
        }
        Event::Publication { channel, publication, recovered } => {
            let how = if *recovered { "hears late" } else { "hears" };
            let data = brief(&String::from_utf8_lossy(&publication.data));
            format!("{how} {data} in {channel} at offset {}", publication.offset)
        }
        Event::Gap { channel, from, to } => {
            format!("is told of a gap in {channel}{} to{}", place(from), place(to))
        }
        Event::Join { channel, info } => format!("hears {} come to {channel}, as {}", info.user, info.client),
        Event::Leave { channel, info } => format!("hears {} leave {channel}, as {}", info.user, info.client),
        Event::Presence { channel, members } => format!("knows {} in {channel}", members.len()),
        Event::NoPresence { channel, code, reason } => {
            format!("does not know who is in {channel}, {code} {reason}")
        }
        Event::PublishAcked { key, position } => {
            format!("has published {}{}", key.0, position.as_ref().map(place).unwrap_or_default())
        }
        Event::PublishFailed { key, error } => format!("has not published {}: {error}", key.0),
        Event::Answered { key, .. } => format!("has an answer to {}", key.0),
        Event::Failed { key, error } => format!("has no answer to {}: {error}", key.0),
        Event::Message(_) => "has a message".to_owned(),
    }
}

fn place(position: &Position) -> String {
    format!(" at {} {}", position.epoch, position.offset)
}
