//! RFC 7692 sections 6 and 7.2: compressed messages, read and written.

mod common;

use common::{Heard, KEY, masked};
use proptest::prelude::*;
use spanwire_ws::deflate::{Agreement, Deflater, Inflater, Side};
use spanwire_ws::{Connection, Extensions, Header, Input, Limits, Opcode, PeerError, Role, mask};

fn agreement(takeover: bool) -> Extensions {
    let side = Side { window_bits: 15, takeover };
    Extensions::Deflate(Agreement { server: side, client: side })
}

/// How a connection gets at an inflater.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Inflating {
    Lent,
    Own,
}

const BOTH: [Inflating; 2] = [Inflating::Lent, Inflating::Own];

/// What a fresh connection hears of pieces, until it fails or they end.
fn play<'w>(
    role: Role,
    takeover: bool,
    inflating: Inflating,
    pieces: impl IntoIterator<Item = &'w [u8]>,
    limits: &Limits,
) -> Vec<Heard> {
    let mut connection = Connection::with_extensions(role, agreement(takeover));
    let (mut heard, mut inflater) = (Vec::new(), Inflater::new());
    for piece in pieces {
        let mut scratch = piece.to_vec();
        let mut input = Input::new(&mut scratch);
        loop {
            let event = match inflating {
                Inflating::Lent => connection.next_lent(&mut input, limits, &mut inflater),
                Inflating::Own => connection.next(&mut input, limits),
            };
            match event {
                Ok(Some(event)) => heard.push(event.into()),
                Ok(None) => break,
                Err(sin) => {
                    heard.push(Heard::Failed(sin));
                    assert_eq!(connection.bytes_held(), 0, "nothing is kept of a failed connection");
                    return heard;
                }
            }
        }
    }
    if inflating == Inflating::Lent && !takeover {
        assert_eq!(connection.bytes_held(), 0, "no window is kept between messages");
    }
    heard
}

/// The same however it is cut, and whoever has the inflater.
fn hear(role: Role, takeover: bool, wire: &[u8], limits: &Limits) -> Vec<Heard> {
    let whole = play(role, takeover, Inflating::Lent, [wire], limits);
    for inflating in BOTH {
        assert_eq!(
            play(role, takeover, inflating, wire.chunks(1), limits),
            whole,
            "byte by byte, {inflating:?}"
        );
        for cut in 0..=wire.len().min(300) {
            let (head, tail) = wire.split_at(cut);
            assert_eq!(
                play(role, takeover, inflating, [head, tail], limits),
                whole,
                "cut at {cut}, {inflating:?}"
            );
        }
    }
    whole
}

fn text(text: &str) -> Heard {
    Heard::Text(text.to_owned())
}

/// A frame of a client, compressed or a fragment.
fn frame(header: Header, payload: &[u8]) -> Vec<u8> {
    let (head, size) = Header { len: payload.len() as u64, ..header }.masked(KEY).encode();
    let mut payload = payload.to_vec();
    mask::apply(&mut payload, KEY);
    [&head[..size], &payload].concat()
}

fn compressed(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    frame(Header::new(opcode, 0).compressed(), payload)
}

fn deflated(message: &[u8]) -> Vec<u8> {
    let mut payload = Vec::new();
    Deflater::new(6, 15).deflate_into(&mut payload, message, false);
    payload
}

#[test]
fn section_7_2_3_every_example_is_heard_however_cut() {
    let table: [(&str, &[u8], &[&str]); 8] = [
        ("one block", b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00", &["Hello"]),
        ("one block in fragments", b"\x41\x03\xf2\x48\xcd\x80\x04\xc9\xc9\x07\x00", &["Hello"]),
        (
            "the same twice",
            b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00",
            &["Hello"; 2],
        ),
        ("no compression", b"\xc1\x0b\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", &["Hello"]),
        ("a final block", b"\xc1\x08\xf3\x48\xcd\xc9\xc9\x07\x00\x00", &["Hello"]),
        ("two blocks", b"\xc1\x0d\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", &["Hello"]),
        ("nothing", b"\xc1\x01\x00", &[""]),
        ("a message that is not compressed", b"\x81\x05Hello", &["Hello"]),
    ];
    for (name, wire, said) in table {
        let said: Vec<_> = said.iter().map(|said| text(said)).collect();
        assert_eq!(hear(Role::Client, false, wire, &Limits::default()), said, "{name}");
        assert_eq!(hear(Role::Client, true, wire, &Limits::default()), said, "{name}, with takeover");
    }
}

#[test]
fn section_7_2_3_2_a_message_may_refer_to_the_one_before_it_if_that_was_agreed_upon() {
    let wire = b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\xc1\x05\xf2\x00\x11\x00\x00";
    assert_eq!(hear(Role::Client, true, wire, &Limits::default()), [text("Hello"), text("Hello")]);
    let refused = [text("Hello"), Heard::Failed(PeerError::DeflateInvalid)];
    assert_eq!(hear(Role::Client, false, wire, &Limits::default()), refused);
}

#[test]
fn section_7_2_1_what_is_written_is_the_example() {
    let (mut out, mut deflater) = (Vec::new(), Deflater::new(6, 15));
    deflater.deflate_into(&mut out, b"Hello", true);
    assert_eq!(out, b"\xf2\x48\xcd\xc9\xc9\x07\x00");
    out.clear();
    deflater.deflate_into(&mut out, b"", true);
    assert_eq!(out, b"\x00", "an empty message is an empty block, behind another message too");
    out.clear();
    deflater.deflate_into(&mut out, b"Hello", true);
    assert_eq!(out, b"\xf2\x00\x11\x00\x00");
}

#[test]
fn section_6_rsv1_belongs_to_the_first_frame_of_a_message() {
    let bit = Header { rsv1: true, ..Header::new(Opcode::Text, 0) };
    let open = |header: Header| Header { fin: false, ..header };
    let payload = deflated(b"Hello");
    let (first, last) = payload.split_at(3);
    let sin = [Heard::Failed(PeerError::ReservedBit)];
    let begun = frame(open(bit), first);
    for opcode in [Opcode::Ping, Opcode::Pong, Opcode::Close] {
        let control = frame(Header { opcode, ..bit }, b"");
        assert_eq!(hear(Role::Server, false, &control, &Limits::default()), sin, "{opcode:?}");
    }
    let continued = [begun.clone(), frame(Header { opcode: Opcode::Continuation, ..bit }, last)].concat();
    assert_eq!(hear(Role::Server, false, &continued, &Limits::default()), sin);
    let rsv2 = [vec![0xe1, 0x80], KEY.to_vec()].concat();
    assert_eq!(hear(Role::Server, false, &rsv2, &Limits::default()), sin);
    let not_agreed = compressed(Opcode::Text, &payload);
    assert_eq!(common::to_server(&not_agreed), sin, "and to no message if nothing was agreed upon");
}

#[test]
fn section_6_1_control_frames_come_between_the_fragments_of_a_compressed_message() {
    let payload = deflated("größer, kleiner, größer, kleiner".as_bytes());
    let mut wire = frame(Header { fin: false, ..Header::new(Opcode::Text, 0).compressed() }, &payload[..1]);
    for byte in &payload[1..] {
        wire.extend(masked(Opcode::Ping, b"?"));
        wire.extend(frame(Header { fin: false, ..Header::new(Opcode::Continuation, 0) }, &[*byte]));
    }
    wire.extend(frame(Header::new(Opcode::Continuation, 0), b""));
    let mut expected = vec![Heard::Ping(b"?".to_vec()); payload.len() - 1];
    expected.push(text("größer, kleiner, größer, kleiner"));
    assert_eq!(hear(Role::Server, false, &wire, &Limits::default()), expected);
}

#[test]
fn text_is_checked_after_inflating() {
    let (wrong, cut) = (b"ab\xff", "é".as_bytes().split_last().unwrap().1);
    for bytes in [wrong.as_slice(), cut] {
        let sin = [Heard::Failed(PeerError::InvalidUtf8)];
        assert_eq!(
            hear(Role::Server, false, &compressed(Opcode::Text, &deflated(bytes)), &Limits::default()),
            sin
        );
        let said = [Heard::Binary(bytes.to_vec())];
        let wire = compressed(Opcode::Binary, &deflated(bytes));
        assert_eq!(hear(Role::Server, false, &wire, &Limits::default()), said);
    }
}

#[test]
fn what_is_not_deflate_or_ends_inside_of_it_is_told_with_1007() {
    let whole = deflated(&b"a sentence of some length, which has some length".repeat(3));
    let cuts = (0..whole.len()).map(|cut| whole[..cut].to_vec());
    let wrong = [b"\xff\xff".to_vec(), b"\x06".to_vec(), b"\x00\x05\x00\xfa\xff\x48".to_vec()];
    for payload in cuts.chain(wrong) {
        for takeover in [false, true] {
            let wire = compressed(Opcode::Text, &payload);
            let heard = hear(Role::Server, takeover, &wire, &Limits::default());
            let sin = PeerError::DeflateInvalid;
            assert_eq!(heard, [Heard::Failed(sin)], "{}", payload.escape_ascii());
            assert_eq!(sin.close_code().number(), 1007);
        }
    }
}

/// Limits of a message of so many bytes, and any density.
fn of_bytes(bytes: usize) -> Limits {
    Limits { message_bytes_max: bytes, inflate_ratio_max: 2000, ..Limits::default() }
}

#[test]
fn a_message_may_inflate_to_its_limit_and_no_further() {
    for bytes in [1, 1023, 1024, 1025, 4096, 60_000] {
        let message: Vec<u8> = (0..bytes).map(|at| (at / 16) as u8).collect();
        let wire = compressed(Opcode::Binary, &deflated(&message));
        assert_eq!(
            hear(Role::Server, false, &wire, &of_bytes(bytes.max(wire.len()))),
            [Heard::Binary(message)]
        );
        if wire.len() < bytes {
            let sin = PeerError::InflatesTooLong(bytes as u64 - 1);
            assert_eq!(hear(Role::Server, false, &wire, &of_bytes(bytes - 1)), [Heard::Failed(sin)]);
            assert_eq!(sin.close_code().number(), 1009);
        }
    }
}

#[test]
fn a_message_may_be_as_dense_as_its_limit_and_no_denser() {
    let limits = |ratio| Limits { inflate_ratio_max: ratio, message_bytes_max: 1 << 20, ..Limits::default() };
    let message = vec![b'a'; 50_000];
    let payload = deflated(&message);
    let ratio = message.len().div_ceil(payload.len()) as u32;
    let wire = compressed(Opcode::Binary, &payload);
    assert_eq!(hear(Role::Server, false, &wire, &limits(ratio)), [Heard::Binary(message)]);
    let sin = PeerError::InflatesTooDensely(ratio - 1);
    assert_eq!(hear(Role::Server, false, &wire, &limits(ratio - 1)), [Heard::Failed(sin)]);
    assert_eq!(sin.close_code().number(), 1009);
    let short = vec![b'a'; Limits::INFLATE_FREE_BYTES];
    let wire = compressed(Opcode::Binary, &deflated(&short));
    assert_eq!(hear(Role::Server, false, &wire, &limits(0)), [Heard::Binary(short)], "short ones are free");
}

/// 40 messages of 2,000 bytes, each of which stands in the one before it 2,000 bytes back.
#[test]
fn section_7_1_2_a_window_is_not_looked_beyond() {
    let mut noise = 1_u32;
    let block: Vec<u8> = std::iter::repeat_with(|| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (noise >> 24) as u8
    })
    .take(2000)
    .collect();
    for level in [1, 6, 9] {
        for bits in 9..=15 {
            let mut out = Vec::new();
            Deflater::new(level, bits).deflate_into(&mut out, &[&block[..], &block].concat(), false);
            let reaches_back = out.len() < 3000;
            assert!(!reaches_back || bits >= 11, "{bits} bits at level {level}: {} bytes", out.len());
            if bits == 15 && level > 1 {
                assert!(reaches_back, "the longest window has both: {} bytes", out.len());
            }
        }
    }
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..5000),
        prop::collection::vec(prop::sample::select(b"{}:,\"ab01 ".to_vec()), 0..20_000),
        (any::<u8>(), 0_usize..60_000).prop_map(|(byte, count)| vec![byte; count]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn messages_come_back_at_any_level_and_window(
        messages in prop::collection::vec(message(), 1..5),
        level in 1_u8..=9,
        bits in 9_u8..=15,
        takeover: bool,
        fragment_bytes in 1_usize..3000,
    ) {
        let mut deflater = Deflater::new(level, bits);
        let mut wire = Vec::new();
        for message in &messages {
            let mut payload = Vec::new();
            deflater.deflate_into(&mut payload, message, takeover);
            prop_assert!(!payload.is_empty());
            let count = payload.len().div_ceil(fragment_bytes);
            for (index, fragment) in payload.chunks(fragment_bytes).enumerate() {
                let first = Header::new(Opcode::Binary, 0).compressed();
                let header = if index == 0 { first } else { Header::new(Opcode::Continuation, 0) };
                wire.extend(frame(Header { fin: index + 1 == count, ..header }, fragment));
            }
        }
        let expected: Vec<_> = messages.into_iter().map(Heard::Binary).collect();
        let limits = Limits { fragments_max: u32::MAX, ..of_bytes(1 << 20) };
        for inflating in BOTH {
            let heard = play(Role::Server, takeover, inflating, [wire.as_slice()], &limits);
            prop_assert!(heard == expected, "in one piece");
            let heard = play(Role::Server, takeover, inflating, wire.chunks(777), &limits);
            prop_assert!(heard == expected, "in pieces");
        }
    }

    #[test]
    fn garbage_is_heard_the_same_however_cut(wire: Vec<u8>, size in 1_usize..9, takeover: bool, bits in 0_u8..4) {
        // A first byte that announces a compressed frame, or most would end there.
        let wire = [vec![0x41 | (bits << 7), 0x7e, 0, 40], wire].concat();
        let limits = Limits { frame_bytes_max: 64, message_bytes_max: 96, fragments_max: 3, inflate_ratio_max: 2 };
        let whole = play(Role::Client, takeover, Inflating::Lent, [wire.as_slice()], &limits);
        for inflating in BOTH {
            prop_assert_eq!(&whole, &play(Role::Client, takeover, inflating, wire.chunks(size), &limits));
        }
    }
}
