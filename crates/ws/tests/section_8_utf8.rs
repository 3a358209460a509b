//! RFC 6455 section 8.1: text is UTF-8, and a peer who breaks it is told when the wrong byte arrives.

mod common;

use common::{Heard, KEY, masked, masked_open, play, to_server};
use proptest::prelude::*;
use spanwire_ws::{Header, Limits, Opcode, PeerError, Role, mask};

/// A masked text frame that announces more than it brings.
fn cut_frame(arrived: &[u8]) -> Vec<u8> {
    let (head, size) = Header::new(Opcode::Text, arrived.len() as u64 + 40).masked(KEY).encode();
    let mut payload = arrived.to_vec();
    mask::apply(&mut payload, KEY);
    [&head[..size], &payload].concat()
}

/// How far each wrong sequence may come before it is beyond repair.
const WRONG: [(&str, &[u8]); 10] = [
    ("a continuation with nothing to continue", b"\x80"),
    ("a two-byte form of ASCII", b"\xc0"),
    ("a three-byte form of what fits two", b"\xe0\x9f"),
    ("a four-byte form of what fits three", b"\xf0\x8f"),
    ("a surrogate", b"\xed\xa0"),
    ("beyond U+10FFFF", b"\xf4\x90"),
    ("a byte that UTF-8 never uses", b"\xf5"),
    ("a two-byte character without its second", b"\xc3a"),
    ("a three-byte character without its third", b"\xe2\x82a"),
    ("a four-byte character without its fourth", b"\xf0\x9f\x8e\xf0"),
];

#[test]
fn section_8_1_text_fails_at_its_first_wrong_byte_inside_an_unfinished_frame() {
    for (what, wrong) in WRONG {
        for prefix in ["", "a", "é", "€", "🎈"] {
            let arrived = [prefix.as_bytes(), wrong].concat();
            let wire = cut_frame(&arrived);
            assert_eq!(to_server(&wire), [Heard::Failed(PeerError::InvalidUtf8)], "{what} after {prefix:?}");
            let byte_by_byte = play(Role::Server, wire.chunks(1), &Limits::default());
            assert_eq!(byte_by_byte, [Heard::Failed(PeerError::InvalidUtf8)], "{what} after {prefix:?}");
            let but_for_the_last = cut_frame(&arrived[..arrived.len() - 1]);
            assert_eq!(to_server(&but_for_the_last), [], "{what} after {prefix:?}: it could still be right");
        }
    }
}

#[test]
fn section_8_1_text_fails_at_its_first_wrong_byte_inside_an_unfinished_message() {
    for (what, wrong) in WRONG {
        let wire: Vec<u8> = std::iter::once(masked_open(Opcode::Text, b"ok"))
            .chain(wrong.iter().map(|byte| masked_open(Opcode::Continuation, &[*byte])))
            .flatten()
            .collect();
        assert_eq!(to_server(&wire), [Heard::Failed(PeerError::InvalidUtf8)], "{what}");
    }
}

#[test]
fn section_5_6_binary_may_hold_anything() {
    for (what, wrong) in WRONG {
        assert_eq!(to_server(&masked(Opcode::Binary, wrong)), [Heard::Binary(wrong.to_vec())], "{what}");
    }
}

proptest! {
    #[test]
    fn section_8_1_we_agree_with_the_standard_library(bytes: Vec<u8>, fragment_bytes in 1_usize..8) {
        let fragments: Vec<&[u8]> = bytes.chunks(fragment_bytes).collect();
        let mut wire = masked_open(Opcode::Text, b"");
        for fragment in fragments {
            wire.extend(masked_open(Opcode::Continuation, fragment));
        }
        wire.extend(masked(Opcode::Continuation, b""));
        let expected = match String::from_utf8(bytes) {
            Ok(text) => Heard::Text(text),
            Err(_) => Heard::Failed(PeerError::InvalidUtf8),
        };
        prop_assert_eq!(to_server(&wire), [expected]);
    }
}
