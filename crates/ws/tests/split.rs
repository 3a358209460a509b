//! A stream of bytes has no seams: whatever is heard must not depend on where the reads end.

mod common;

use common::{Heard, KEY, play, vectors};
use proptest::prelude::*;
use spanwire_ws::{Connection, Header, Input, Limits, Opcode, Role, mask};

#[test]
fn every_vector_is_heard_in_one_piece() {
    for vector in vectors() {
        let heard = play(vector.role, [vector.wire.as_slice()], &Limits::default());
        assert_eq!(heard, vector.heard, "{}", vector.name);
    }
}

#[test]
fn every_vector_survives_being_cut_at_every_byte() {
    for vector in vectors() {
        for cut in places_to_cut(vector.wire.len()) {
            let (head, tail) = vector.wire.split_at(cut);
            let heard = play(vector.role, [head, tail], &Limits::default());
            assert_eq!(heard, vector.heard, "{} cut at {cut}", vector.name);
        }
    }
}

#[test]
fn every_vector_survives_arriving_byte_by_byte() {
    for vector in vectors() {
        let heard = play(vector.role, vector.wire.chunks(1), &Limits::default());
        assert_eq!(heard, vector.heard, "{}", vector.name);
    }
}

#[test]
fn nothing_is_held_between_messages_however_they_were_cut() {
    for vector in vectors() {
        let mut connection = Connection::new(vector.role);
        let mut heard = Vec::new();
        for piece in vector.wire.chunks(3) {
            if !common::feed(&mut connection, piece, &Limits::default(), &mut heard) {
                break;
            }
        }
        assert_eq!(connection.bytes_held(), 0, "{}", vector.name);
    }
}

/// Every place in short vectors; in long ones the first and last hundred, where headers and ends are.
fn places_to_cut(len: usize) -> Vec<usize> {
    (0..=len).filter(|cut| *cut <= 100 || len - cut <= 100).collect()
}

/// What a client might send: each message with how it is fragmented, and a ping between its fragments.
#[derive(Clone, Debug)]
struct Sent {
    message: Heard,
    fragment_bytes: usize,
    ping: Option<Vec<u8>>,
}

fn sent() -> impl Strategy<Value = Sent> {
    let message = prop_oneof![
        any::<String>().prop_map(Heard::Text),
        prop::collection::vec(any::<u8>(), 0..400).prop_map(Heard::Binary),
    ];
    let ping = prop::option::of(prop::collection::vec(any::<u8>(), 0..=125));
    (message, 1_usize..300, ping).prop_map(|(message, fragment_bytes, ping)| Sent {
        message,
        fragment_bytes,
        ping,
    })
}

impl Sent {
    /// Appends the frames to `wire`, and what must be heard of them to `heard`.
    fn send(&self, wire: &mut Vec<u8>, heard: &mut Vec<Heard>) {
        let (opcode, payload) = match &self.message {
            Heard::Text(text) => (Opcode::Text, text.as_bytes()),
            Heard::Binary(bytes) => (Opcode::Binary, bytes.as_slice()),
            other => unreachable!("{other:?} is not a message"),
        };
        let mut fragments: Vec<&[u8]> = payload.chunks(self.fragment_bytes).collect();
        if fragments.is_empty() {
            fragments.push(&[]);
        }
        for (index, fragment) in fragments.iter().enumerate() {
            let opcode = if index == 0 { opcode } else { Opcode::Continuation };
            let fin = index + 1 == fragments.len();
            frame_into(wire, Header { fin, ..Header::new(opcode, fragment.len() as u64) }, fragment);
            if let Some(ping) = &self.ping
                && !fin
            {
                frame_into(wire, Header::new(Opcode::Ping, ping.len() as u64), ping);
                heard.push(Heard::Ping(ping.clone()));
            }
        }
        heard.push(self.message.clone());
    }
}

fn frame_into(wire: &mut Vec<u8>, header: Header, payload: &[u8]) {
    let (head, size) = header.masked(KEY).encode();
    wire.extend_from_slice(&head[..size]);
    let start = wire.len();
    wire.extend_from_slice(payload);
    mask::apply(&mut wire[start..], KEY);
}

proptest! {
    #[test]
    fn messages_come_through_however_fragmented_and_cut(
        messages in prop::collection::vec(sent(), 0..6),
        read_bytes in prop::collection::vec(1_usize..200, 1..8),
    ) {
        let (mut wire, mut expected) = (Vec::new(), Vec::new());
        messages.iter().for_each(|message| message.send(&mut wire, &mut expected));
        let pieces = Pieces { rest: &wire, sizes: read_bytes.iter().cycle() };
        prop_assert_eq!(play(Role::Server, pieces, &Limits::default()), expected);
    }

    #[test]
    fn garbage_is_heard_the_same_however_cut(wire: Vec<u8>, size in 1_usize..9, from_client: bool) {
        let role = if from_client { Role::Server } else { Role::Client };
        let limits = Limits { frame_bytes_max: 64, message_bytes_max: 96, fragments_max: 3, inflate_ratio_max: 200 };
        prop_assert_eq!(play(role, [wire.as_slice()], &limits), play(role, wire.chunks(size), &limits));
    }
}

/// Cuts bytes into pieces of the given sizes, over and over.
struct Pieces<'w, S> {
    rest: &'w [u8],
    sizes: S,
}

impl<'w, 's, S: Iterator<Item = &'s usize>> Iterator for Pieces<'w, S> {
    type Item = &'w [u8];

    fn next(&mut self) -> Option<&'w [u8]> {
        let size = (*self.sizes.next()?).min(self.rest.len());
        let (piece, rest) = self.rest.split_at(size);
        self.rest = rest;
        (!piece.is_empty()).then_some(piece)
    }
}

#[test]
fn a_whole_frame_is_lent_where_it_lay_in_the_input() {
    let mut scratch = common::masked(Opcode::Text, b"in place");
    let start = scratch.as_ptr().addr() + Header::size(8, true);
    let mut connection = Connection::new(Role::Server);
    let mut input = Input::new(&mut scratch);
    let event = connection.next(&mut input, &Limits::default()).unwrap();
    let Some(spanwire_ws::Event::Text(text)) = event else { panic!("heard {event:?}") };
    assert_eq!((text, text.as_ptr().addr()), ("in place", start), "lent where it lay, not copied");
    assert!(input.is_empty());
}
