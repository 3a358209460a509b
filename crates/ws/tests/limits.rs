//! Every limit holds to the byte, on whichever path a frame takes.

mod common;

use common::{Heard, masked, masked_open, play};
use spanwire_ws::{Limits, Opcode, PeerError, Role};

const LIMITS: Limits =
    Limits { frame_bytes_max: 8, message_bytes_max: 12, fragments_max: 3, inflate_ratio_max: 200 };

/// What a server with these limits hears; the same in one read and byte by byte.
fn hear(frames: &[Vec<u8>]) -> Vec<Heard> {
    let wire = frames.concat();
    let heard = play(Role::Server, [wire.as_slice()], &LIMITS);
    assert_eq!(heard, play(Role::Server, wire.chunks(1), &LIMITS));
    heard
}

#[test]
fn a_frame_may_be_as_long_as_its_limit_and_no_longer() {
    assert_eq!(hear(&[masked(Opcode::Binary, &[1; 8])]), [Heard::Binary(vec![1; 8])]);
    assert_eq!(hear(&[masked(Opcode::Binary, &[1; 9])]), [Heard::Failed(PeerError::FrameTooLong(9))]);
}

#[test]
fn a_message_may_be_as_long_as_its_limit_and_no_longer() {
    let begin = masked_open(Opcode::Text, b"12345678");
    let enough = [begin.clone(), masked(Opcode::Continuation, b"9abc")];
    let too_much = [begin, masked(Opcode::Continuation, b"9abcd")];
    assert_eq!(hear(&enough), [Heard::Text("123456789abc".to_owned())]);
    assert_eq!(hear(&too_much), [Heard::Failed(PeerError::MessageTooLong(13))]);
}

#[test]
fn the_limit_of_a_message_holds_for_a_single_frame_too() {
    let limits = Limits { frame_bytes_max: 100, message_bytes_max: 5, ..LIMITS };
    let wire = masked(Opcode::Binary, &[0; 6]);
    let sin = [Heard::Failed(PeerError::MessageTooLong(6))];
    assert_eq!(play(Role::Server, [wire.as_slice()], &limits), sin);
    assert_eq!(play(Role::Server, wire.chunks(1), &limits), sin);
}

#[test]
fn a_message_may_come_in_as_many_fragments_as_its_limit_and_no_more() {
    let (begin, go_on) = (masked_open(Opcode::Text, b""), masked_open(Opcode::Continuation, b""));
    let end = masked(Opcode::Continuation, b"");
    assert_eq!(hear(&[begin.clone(), go_on.clone(), end.clone()]), [Heard::Text(String::new())]);
    let four = [begin, go_on.clone(), go_on, end];
    assert_eq!(hear(&four), [Heard::Failed(PeerError::TooManyFragments)]);
}

#[test]
fn fragments_are_counted_anew_for_each_message() {
    let (begin, end) = (masked_open(Opcode::Text, b""), masked(Opcode::Continuation, b""));
    let one = [begin, end].concat();
    assert_eq!(hear(&vec![one; 10]), vec![Heard::Text(String::new()); 10]);
}

#[test]
fn control_frames_are_not_counted_as_data() {
    let ping = masked(Opcode::Ping, &[0; 125]);
    let message = [masked_open(Opcode::Text, b"a"), masked(Opcode::Continuation, b"b")];
    let frames: Vec<_> = [&message[..1], vec![ping; 20].as_slice(), &message[1..]].concat();
    let mut expected = vec![Heard::Ping(vec![0; 125]); 20];
    expected.push(Heard::Text("ab".to_owned()));
    assert_eq!(hear(&frames), expected);
}

#[test]
fn limits_of_nothing_still_allow_an_empty_message() {
    let nothing = Limits { frame_bytes_max: 0, message_bytes_max: 0, fragments_max: 0, inflate_ratio_max: 0 };
    let wire = masked(Opcode::Text, b"");
    assert_eq!(play(Role::Server, [wire.as_slice()], &nothing), [Heard::Text(String::new())]);
    assert_eq!(play(Role::Server, wire.chunks(1), &nothing), [Heard::Text(String::new())]);
}

#[test]
fn a_limit_that_was_lowered_between_reads_holds_for_the_next_frame() {
    let (mut connection, mut heard) = (spanwire_ws::Connection::new(Role::Server), Vec::new());
    let begin = masked_open(Opcode::Binary, &[7; 8]);
    assert!(common::feed(&mut connection, &begin, &LIMITS, &mut heard));
    let lower = Limits { message_bytes_max: 4, ..LIMITS };
    let end = masked(Opcode::Continuation, b"");
    assert!(!common::feed(&mut connection, &end, &lower, &mut heard));
    assert_eq!(heard, [Heard::Failed(PeerError::MessageTooLong(8))]);
}
