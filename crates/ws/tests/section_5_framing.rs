//! RFC 6455 section 5: data framing.

mod common;

use common::{Heard, KEY, masked, masked_open, play, to_server};
use proptest::prelude::*;
use spanwire_ws::{Connection, Header, Input, Limits, Opcode, PeerError, Role, frame};

const OPCODES: [Opcode; 6] =
    [Opcode::Continuation, Opcode::Text, Opcode::Binary, Opcode::Close, Opcode::Ping, Opcode::Pong];

#[test]
fn section_5_2_lengths_take_their_shortest_form() {
    let sizes = [(0, 2), (125, 2), (126, 4), (0xffff, 4), (0x1_0000, 10), (u64::MAX >> 1, 10)];
    for (len, size) in sizes {
        assert_eq!(Header::size(len, false), size, "{len} bytes");
        assert_eq!(Header::size(len, true), size + 4, "{len} bytes, masked");
        assert_eq!(Header::new(Opcode::Binary, len).encode().1, size, "{len} bytes, written");
    }
}

#[test]
fn section_5_2_a_length_over_63_bits_cannot_be_written() {
    let (head, size) = Header::new(Opcode::Binary, u64::MAX).encode();
    assert_eq!(&head[..size], b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff");
}

#[test]
fn section_5_2_every_pair_of_first_bytes_is_judged() {
    // Two bytes of header, then zeros: enough for any length and key. What is legal is written out again here,
    // apart from the code, so that neither can be wrong alone.
    for first in 0..=255_u8 {
        for second in 0..=255_u8 {
            let mut bytes = [0; frame::HEADER_BYTES_MAX];
            (bytes[0], bytes[1]) = (first, second);
            let opcode = first & 0x0f;
            let known = matches!(opcode, 0..=2 | 8..=10);
            let control = opcode >= 8;
            let short = second & 0x7f < 126; // Longer forms would say zero, which is not minimal.
            let legal = first & 0x30 == 0 && known && (first & 0x80 != 0 || !control) && short;
            assert_eq!(matches!(Header::decode(&bytes), Ok(Some(_))), legal, "{first:#04x} {second:#04x}");
        }
    }
}

proptest! {
    #[test]
    fn section_5_2_a_header_reads_back_as_written(
        fin: bool,
        rsv1: bool,
        opcode in prop::sample::select(OPCODES.as_slice()),
        mask: Option<[u8; 4]>,
        len in prop_oneof![0_u64..300, 0xfff0_u64..0x1_0010, any::<u64>().prop_map(|len| len >> 1)],
    ) {
        let control = opcode.is_control();
        let len = if control { len % 126 } else { len };
        let header = Header { fin: fin || control, rsv1, opcode, mask, len };
        let (bytes, size) = header.encode();
        prop_assert_eq!(size, Header::size(len, mask.is_some()));
        prop_assert_eq!(Header::decode(&bytes[..size]), Ok(Some((header, size))));
        for cut in 0..size {
            prop_assert_eq!(Header::decode(&bytes[..cut]), Ok(None), "cut at {}", cut);
        }
    }

    #[test]
    fn section_5_3_what_a_client_writes_a_server_reads(payload: Vec<u8>, key: [u8; 4]) {
        let mut wire = Vec::new();
        frame::client_frame_into(&mut wire, Opcode::Binary, &payload, key);
        prop_assert_eq!(to_server(&wire), [Heard::Binary(payload)]);
    }

    #[test]
    fn section_5_6_what_a_server_writes_a_client_reads(text: String) {
        let mut wire = Vec::new();
        frame::server_frame_into(&mut wire, Opcode::Text, text.as_bytes());
        prop_assert_eq!(play(Role::Client, [wire.as_slice()], &Limits::default()), [Heard::Text(text)]);
    }
}

#[test]
fn section_5_2_a_sin_is_found_with_the_byte_that_commits_it() {
    // The wire up to and with the sinful byte: nothing further is needed to refuse it.
    let sins: [(&[u8], PeerError); 9] = [
        (b"\xa0", PeerError::ReservedBit),
        (b"\x83", PeerError::UnknownOpcode(3)),
        (b"\x09", PeerError::ControlFragmented),
        (b"\x89\xfe", PeerError::ControlTooLong),
        (b"\x82\xfe\x00\x7d", PeerError::LengthNotMinimal),
        (b"\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00", PeerError::LengthOutOfRange),
        (b"\x82\x00", PeerError::MaskMissing),
        (b"\x80\x80\x00\x00\x00\x00", PeerError::ContinuationOfNothing),
        (b"\x82\xff\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00", PeerError::FrameTooLong(1 << 24)),
    ];
    for (wire, sin) in sins {
        assert_eq!(to_server(&wire[..wire.len() - 1]), [], "{sin:?} is not there yet");
        assert_eq!(to_server(wire), [Heard::Failed(sin)]);
    }
}

#[test]
fn section_5_4_control_frames_reach_us_before_the_message_they_interrupt() {
    let wire = [masked_open(Opcode::Text, b"a"), masked(Opcode::Ping, b"p")].concat();
    assert_eq!(to_server(&wire), [Heard::Ping(b"p".to_vec())]);
}

#[test]
fn section_5_5_a_control_frame_is_never_written_longer_than_allowed() {
    for opcode in [Opcode::Close, Opcode::Ping, Opcode::Pong] {
        let mut wire = Vec::new();
        frame::server_frame_into(&mut wire, opcode, &[b'x'; 200]);
        assert_eq!((wire.len(), wire[1]), (2 + frame::CONTROL_BYTES_MAX, 125));
    }
}

#[test]
fn section_5_8_a_failed_connection_gives_the_same_answer_for_ever() {
    let limits = Limits::default();
    let mut connection = Connection::new(Role::Server);
    let mut wire = [masked(Opcode::Continuation, b""), masked(Opcode::Text, b"sorry")].concat();
    let mut input = Input::new(&mut wire);
    assert_eq!(connection.next(&mut input, &limits), Err(PeerError::ContinuationOfNothing));
    assert_eq!(connection.next(&mut input, &limits), Err(PeerError::ContinuationOfNothing));
    let mut later = masked(Opcode::Text, b"hello?");
    assert_eq!(connection.next(&mut Input::new(&mut later), &limits), Err(PeerError::ContinuationOfNothing));
}

#[test]
fn the_key_of_the_vectors_shows_a_shift() {
    assert!((0..4).all(|i| (0..i).all(|j| KEY[i] != KEY[j])));
}
