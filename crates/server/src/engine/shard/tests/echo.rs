//! The plain WebSocket echo.

use std::io::{ErrorKind, Write};

use spanwire_ws::frame::Header;
use spanwire_ws::{Opcode, mask};

use super::scene::{Client, Heard, Scene, config};
use crate::engine::Purpose;
use crate::engine::connections::Key;
use crate::engine::limits::{ECHO_MESSAGE_BYTES_MAX, ECHO_UNSENT_BYTES_MAX, READ_BYTES};

#[test]
fn text_and_binary_come_back_as_they_were() {
    let mut scene = Scene::new(config());
    let mut ann = scene.client(0, Purpose::Echo);
    ann.say("hello");
    ann.send(Opcode::Ping, b"p");
    ann.send(Opcode::Binary, &[0, 255]);
    scene.until(&mut ann, |ann| ann.heard.len() == 3);
    assert!(ann.heard.contains(&Heard::Text("hello".to_owned())));
    assert!(ann.heard.contains(&Heard::Binary(vec![0, 255])));
    assert!(ann.heard.contains(&Heard::Pong(b"p".to_vec())));
    assert!(scene.shards[0].connections.get(Key::Echo(0)).unwrap().aside().is_none());
}

/// Writes as much as the sockets take, without waiting; what is left.
fn write_some<'b>(client: &mut Client, mut bytes: &'b [u8]) -> &'b [u8] {
    while !bytes.is_empty() {
        match client.socket.write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => panic!("{error}"),
        }
    }
    bytes
}

#[test]
fn the_longest_message_comes_back_whole_from_many_fragments() {
    let mut scene = Scene::new(config());
    let mut ann = scene.client(0, Purpose::Echo);
    let message: Vec<u8> = (0..ECHO_MESSAGE_BYTES_MAX).map(|index| (index / 7) as u8).collect();
    let mut frames = Vec::new();
    let fragments = message.chunks(1 << 20);
    let last = fragments.len() - 1;
    for (index, fragment) in fragments.enumerate() {
        let opcode = if index == 0 { Opcode::Binary } else { Opcode::Continuation };
        let header = Header { fin: index == last, ..Header::new(opcode, fragment.len() as u64) };
        let (head, size) = header.masked([1, 2, 3, 4]).encode();
        frames.extend_from_slice(&head[..size]);
        let start = frames.len();
        frames.extend_from_slice(fragment);
        mask::apply(&mut frames[start..], [1, 2, 3, 4]);
    }
    let mut left = &frames[..];
    while !left.is_empty() {
        left = write_some(&mut ann, left);
        scene.turns();
    }
    scene.until(&mut ann, |ann| !ann.heard.is_empty());
    assert!(ann.heard == [Heard::Binary(message)], "it is not what was sent");
}

#[test]
fn one_byte_more_than_the_longest_message_is_refused_before_it_is_sent() {
    let mut scene = Scene::new(config());
    let mut ann = scene.client(0, Purpose::Echo);
    let header = Header::new(Opcode::Binary, ECHO_MESSAGE_BYTES_MAX as u64 + 1).masked([0; 4]);
    let (head, size) = header.encode();
    ann.socket.write_all(&head[..size]).unwrap();
    scene.until(&mut ann, |ann| ann.close_code() == Some(1009));
}

#[test]
fn an_echo_that_is_not_read_stops_listening_and_goes_on_when_it_is() {
    let mut scene = Scene::new(config());
    let mut ann = scene.narrow(0, Purpose::Echo);
    let mut frames = Vec::new();
    for _ in 0..2000 {
        spanwire_ws::frame::client_frame_into(&mut frames, Opcode::Binary, &[7; 1000], [5; 4]);
    }
    let mut left = &frames[..];
    // It takes what it may keep, and what the sockets hold; then no more, however often it is offered.
    loop {
        let before = left.len();
        left = write_some(&mut ann, left);
        scene.turns();
        let connection = scene.shards[0].connections.get(Key::Echo(0)).unwrap();
        let unsent = connection.aside().map_or(0, |aside| aside.unsent_lead().len());
        assert!(unsent <= ECHO_UNSENT_BYTES_MAX + READ_BYTES, "{unsent}");
        if left.len() == before {
            break;
        }
    }
    assert!(!left.is_empty(), "the sockets took everything");
    while !left.is_empty() {
        left = write_some(&mut ann, left);
        scene.turns();
        ann.listen();
    }
    scene.until(&mut ann, |ann| ann.heard.len() == 2000);
    assert!(ann.heard.iter().all(|heard| *heard == Heard::Binary(vec![7; 1000])));
}
