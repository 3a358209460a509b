//! The table of vectors that several test files share, and the ways to play one.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part of this")]

use spanwire_ws::{Connection, Event, Input, Limits, Opcode, PeerError, Role, frame};

/// The key of every masked frame in the table. No two of its bytes are alike, so a shift shows.
pub const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Something a peer sends, and what must come of it, however its bytes are cut.
pub struct Vector {
    /// What it shows, in file names too.
    pub name: &'static str,
    /// Our side.
    pub role: Role,
    /// What arrives.
    pub wire: Vec<u8>,
    /// What must be heard, in order.
    pub heard: Vec<Heard>,
}

/// An event that owns its payload, or the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, String),
    Failed(PeerError),
}

impl From<Event<'_>> for Heard {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Text(text) => Self::Text(text.to_owned()),
            Event::Binary(bytes) => Self::Binary(bytes.to_vec()),
            Event::Ping(bytes) => Self::Ping(bytes.to_vec()),
            Event::Pong(bytes) => Self::Pong(bytes.to_vec()),
            Event::Close(close) => {
                Self::Close(close.code().map(|code| code.number()), close.reason().to_owned())
            }
        }
    }
}

/// Feeds one piece, as one read would. Returns whether the connection lives.
pub fn feed(connection: &mut Connection, piece: &[u8], limits: &Limits, heard: &mut Vec<Heard>) -> bool {
    let mut scratch = piece.to_vec();
    let mut input = Input::new(&mut scratch);
    loop {
        match connection.next(&mut input, limits) {
            Ok(Some(event)) => heard.push(event.into()),
            Ok(None) => return true,
            Err(sin) => {
                heard.push(Heard::Failed(sin));
                return false;
            }
        }
    }
}

/// Plays pieces to a fresh connection, until it fails or they end.
pub fn play<'w>(role: Role, pieces: impl IntoIterator<Item = &'w [u8]>, limits: &Limits) -> Vec<Heard> {
    let (mut connection, mut heard) = (Connection::new(role), Vec::new());
    for piece in pieces {
        if !feed(&mut connection, piece, limits, &mut heard) {
            break;
        }
    }
    heard
}

/// Plays everything in one piece to a server.
pub fn to_server(wire: &[u8]) -> Vec<Heard> {
    play(Role::Server, [wire], &Limits::default())
}

/// A masked frame, as clients send it.
pub fn masked(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    frame::client_frame_into(&mut wire, opcode, payload, KEY);
    wire
}

/// A masked frame that is not the last of its message.
pub fn masked_open(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut wire = masked(opcode, payload);
    wire[0] &= 0x7f;
    wire
}

/// A masked close frame with any payload, legal or not.
pub fn masked_close(code: u16, reason: &[u8]) -> Vec<u8> {
    masked(Opcode::Close, &[&code.to_be_bytes(), reason].concat())
}

fn text(text: &str) -> Heard {
    Heard::Text(text.to_owned())
}

fn binary(bytes: &[u8]) -> Heard {
    Heard::Binary(bytes.to_vec())
}

/// Everything that frames can say, and everything that can be wrong with them.
pub fn vectors() -> Vec<Vector> {
    let mut all = legal();
    all.extend(illegal());
    all
}

fn vector(name: &'static str, role: Role, wire: &[&[u8]], heard: &[Heard]) -> Vector {
    Vector { name, role, wire: wire.concat(), heard: heard.to_vec() }
}

fn legal() -> Vec<Vector> {
    use Opcode::{Binary, Close, Continuation, Ping, Pong, Text};
    let server = |name, wire: &[&[u8]], heard: &[Heard]| vector(name, Role::Server, wire, heard);
    let client = |name, wire: &[&[u8]], heard: &[Heard]| vector(name, Role::Client, wire, heard);
    let (kib, beyond_16_bits) = (vec![0xa5; 1024], vec![0x5a; 0x1_0000]);
    let every_length: Vec<u8> = (0..=255).collect();
    vec![
        // The examples of section 5.7.
        client("rfc-hello", &[b"\x81\x05Hello"], &[text("Hello")]),
        server("rfc-hello-masked", &[b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"], &[text("Hello")]),
        client("rfc-hello-fragmented", &[b"\x01\x03Hel", b"\x80\x02lo"], &[text("Hello")]),
        client("rfc-ping", &[b"\x89\x05Hello"], &[Heard::Ping(b"Hello".to_vec())]),
        server(
            "rfc-pong-masked",
            &[b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"],
            &[Heard::Pong(b"Hello".to_vec())],
        ),
        client("rfc-256-bytes", &[b"\x82\x7e\x01\x00", &every_length], &[binary(&every_length)]),
        client(
            "rfc-64-kib",
            &[b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00", &beyond_16_bits],
            &[binary(&beyond_16_bits)],
        ),
        // Lengths at the borders of their forms.
        server("empty-text", &[&masked(Text, b"")], &[text("")]),
        server("empty-binary", &[&masked(Binary, b"")], &[binary(b"")]),
        server("125-bytes", &[&masked(Binary, &kib[..125])], &[binary(&kib[..125])]),
        server("126-bytes", &[&masked(Binary, &kib[..126])], &[binary(&kib[..126])]),
        server("1-kib", &[&masked(Binary, &kib)], &[binary(&kib)]),
        // Several in one read.
        server(
            "three-in-a-row",
            &[&masked(Text, b"one"), &masked(Binary, b"two"), &masked(Text, b"three")],
            &[text("one"), binary(b"two"), text("three")],
        ),
        // Fragments.
        server(
            "fragments-of-nothing",
            &[&masked_open(Text, b""), &masked_open(Continuation, b""), &masked(Continuation, b"")],
            &[text("")],
        ),
        server(
            "fragments-of-binary",
            &[&masked_open(Binary, b"ab"), &masked_open(Continuation, b""), &masked(Continuation, b"cd")],
            &[binary(b"abcd")],
        ),
        server(
            "control-between-fragments",
            &[
                &masked_open(Text, b"so "),
                &masked(Ping, b"still there?"),
                &masked_open(Continuation, b"it "),
                &masked(Pong, b""),
                &masked(Continuation, b"goes"),
                &masked(Text, b"on"),
            ],
            &[Heard::Ping(b"still there?".to_vec()), Heard::Pong(Vec::new()), text("so it goes"), text("on")],
        ),
        // Text.
        server("utf8-all-widths", &[&masked(Text, "aé€🎈".as_bytes())], &[text("aé€🎈")]),
        server(
            "utf8-cut-inside-characters",
            &[
                &masked_open(Text, b"\xf0\x9f"),
                &masked_open(Continuation, b"\x8e"),
                &masked(Continuation, b"\x88\xc3\xa9"),
            ],
            &[text("🎈é")],
        ),
        server(
            "utf8-noncharacters-are-legal",
            &[&masked(Text, "\u{ffff}\0".as_bytes())],
            &[text("\u{ffff}\0")],
        ),
        // Control frames.
        server("ping-empty", &[&masked(Ping, b"")], &[Heard::Ping(Vec::new())]),
        server("ping-125", &[&masked(Ping, &kib[..125])], &[Heard::Ping(kib[..125].to_vec())]),
        // Closing.
        server("close-empty", &[&masked(Close, b"")], &[Heard::Close(None, String::new())]),
        server("close-1000", &[&masked_close(1000, b"")], &[Heard::Close(Some(1000), String::new())]),
        server(
            "close-with-reason",
            &[&masked_close(4999, "à bientôt".as_bytes())],
            &[Heard::Close(Some(4999), "à bientôt".to_owned())],
        ),
        server(
            "close-with-the-longest-reason",
            &[&masked_close(1001, &[b'z'; 123])],
            &[Heard::Close(Some(1001), "z".repeat(123))],
        ),
        server(
            "close-inside-a-message",
            &[&masked_open(Text, b"I was about to"), &masked_close(1001, b"")],
            &[Heard::Close(Some(1001), String::new())],
        ),
        server(
            "what-follows-a-close-is-discarded",
            &[&masked_close(1000, b""), &masked(Text, b"and another thing"), b"\xff\xff garbage"],
            &[Heard::Close(Some(1000), String::new())],
        ),
        client("close-from-a-server", &[b"\x88\x02\x03\xe9"], &[Heard::Close(Some(1001), String::new())]),
    ]
}

fn illegal() -> Vec<Vector> {
    use Opcode::{Binary, Close, Continuation, Ping, Text};
    use PeerError::*;
    let client = |name, wire: &[&[u8]], sin| vector(name, Role::Client, wire, &[Heard::Failed(sin)]);
    // Each is preceded by a message, which must be heard in spite of what follows.
    let server = |name, wire: &[&[u8]], sin| {
        let wire = [&masked(Text, b"hi"), wire.concat().as_slice()].concat();
        vector(name, Role::Server, &[&wire], &[text("hi"), Heard::Failed(sin)])
    };
    let key = KEY.as_slice();
    vec![
        server("rsv1", &[b"\xc1\x80", key], ReservedBit),
        server("rsv2", &[b"\xa1\x80", key], ReservedBit),
        server("rsv3", &[b"\x91\x80", key], ReservedBit),
        server("rsv1-on-control", &[b"\xc9\x80", key], ReservedBit),
        server("opcode-3", &[b"\x83\x80", key], UnknownOpcode(3)),
        server("opcode-7", &[b"\x87\x80", key], UnknownOpcode(7)),
        server("opcode-11", &[b"\x8b\x80", key], UnknownOpcode(11)),
        server("opcode-15", &[b"\x8f\x80", key], UnknownOpcode(15)),
        server("ping-fragmented", &[b"\x09\x80", key], ControlFragmented),
        server("close-fragmented", &[b"\x08\x80", key], ControlFragmented),
        server("ping-126", &[b"\x89\xfe\x00\x7e", key], ControlTooLong),
        server("close-64-bit", &[b"\x88\xff\0\0\0\0\0\0\0\x01", key], ControlTooLong),
        server("length-125-in-two-bytes", &[b"\x82\xfe\x00\x7d", key], LengthNotMinimal),
        server("length-0-in-eight-bytes", &[b"\x82\xff\0\0\0\0\0\0\0\0", key], LengthNotMinimal),
        server("length-65535-in-eight-bytes", &[b"\x82\xff\0\0\0\0\0\0\xff\xff", key], LengthNotMinimal),
        server("length-of-64-bits", &[b"\x82\xff\x80\0\0\0\0\0\0\0", key], LengthOutOfRange),
        server("length-of-63-bits", &[b"\x82\xff\x7f", &[0xff; 7], key], FrameTooLong(u64::MAX >> 1)),
        server("frame-a-byte-too-long", &[b"\x82\xff\0\0\0\0\0\x01\0\x01", key], FrameTooLong(65_537)),
        server(
            "message-a-byte-too-long",
            &[
                &masked_open(Binary, &[0; 65_535]),
                &masked_open(Continuation, b"x"),
                &masked(Continuation, b"y"),
            ],
            MessageTooLong(65_537),
        ),
        server("unmasked-from-a-client", &[b"\x81\x02ab"], MaskMissing),
        server("unmasked-ping-from-a-client", &[b"\x89\x00"], MaskMissing),
        client("masked-from-a-server", &[&masked(Text, b"ab")], MaskForbidden),
        server("continuation-of-nothing", &[&masked(Continuation, b"ab")], ContinuationOfNothing),
        server(
            "continuation-after-the-end",
            &[&masked_open(Text, b""), &masked(Ping, b""), &masked(Binary, b"")],
            MessageInterrupted,
        )
        .heard_before_the_end(Heard::Ping(Vec::new())),
        server(
            "text-inside-a-message",
            &[&masked_open(Binary, b"ab"), &masked(Text, b"cd")],
            MessageInterrupted,
        ),
        server("utf8-lone-continuation", &[&masked(Text, b"ab\x80")], InvalidUtf8),
        server("utf8-overlong", &[&masked(Text, b"\xc0\xaf")], InvalidUtf8),
        server("utf8-surrogate", &[&masked(Text, b"\xed\xa0\x80")], InvalidUtf8),
        server("utf8-beyond-unicode", &[&masked(Text, b"\xf4\x90\x80\x80")], InvalidUtf8),
        server("utf8-cut-at-the-end", &[&masked(Text, b"ab\xe2\x82")], InvalidUtf8),
        server(
            "utf8-cut-at-the-end-of-fragments",
            &[&masked_open(Text, b"ab\xe2"), &masked(Continuation, b"\x82")],
            InvalidUtf8,
        ),
        server("utf8-wrong-in-the-first-fragment", &[&masked_open(Text, b"\xff")], InvalidUtf8),
        server("close-with-half-a-code", &[&masked(Close, b"\x03")], CloseCodeCut),
        server("close-0", &[&masked_close(0, b"")], CloseCodeIllegal(0)),
        server("close-1005", &[&masked_close(1005, b"")], CloseCodeIllegal(1005)),
        server("close-1006", &[&masked_close(1006, b"gone")], CloseCodeIllegal(1006)),
        server("close-5000", &[&masked_close(5000, b"")], CloseCodeIllegal(5000)),
        server("close-reason-not-utf8", &[&masked_close(1000, b"\xe2\x82")], CloseReasonInvalidUtf8),
    ]
}

impl Vector {
    fn heard_before_the_end(mut self, heard: Heard) -> Self {
        self.heard.insert(self.heard.len() - 1, heard);
        self
    }
}
