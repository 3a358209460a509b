//! The boundary between a socket and compressed messages.

use spanwire_ws::deflate::{Agreement, Deflater, Inflater, Side};
use spanwire_ws::{Connection, Event, Extensions, Header, Input, Limits, Opcode, PeerError, Role};

/// What a connection may keep beside what has arrived: its box and a control frame, and with context takeover an
/// inflater.
const FIXED_BYTES_MAX: usize = 512;
const CONTEXT_BYTES_MAX: usize = 64 << 10;

/// A stream of frames of a server that compresses. The first byte chooses context takeover and the limits, the second
/// how the stream is cut.
///
/// What must hold: the same is heard however the stream is cut, and whoever has the inflater; no message is longer than
/// its limit; nothing is kept between messages without takeover; and what was heard can be compressed and heard again.
///
/// # Panics
///
/// When one of these does not hold.
pub fn inflating(input: &[u8]) {
    let [settings, cut, wire @ ..] = input else { return };
    let takeover = settings & 1 != 0;
    let limits = match settings & 2 {
        0 => Limits::default(),
        _ => Limits { frame_bytes_max: 64, message_bytes_max: 96, fragments_max: 3, inflate_ratio_max: 2 },
    };
    let whole = play(takeover, true, [wire], &limits);
    for lent in [true, false] {
        assert_eq!(whole, play(takeover, lent, wire.chunks(1), &limits), "heard byte by byte");
        assert_eq!(
            whole,
            play(takeover, lent, wire.chunks(2 + usize::from(*cut)), &limits),
            "heard in pieces"
        );
    }
    say_again(takeover, &whole);
}

/// An event that owns its payload, or the end.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Message(Opcode, Vec<u8>),
    Close,
    Failed(PeerError),
}

impl From<Event<'_>> for Heard {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Text(text) => Self::Message(Opcode::Text, text.into()),
            Event::Binary(bytes) => Self::Message(Opcode::Binary, bytes.into()),
            Event::Ping(bytes) => Self::Message(Opcode::Ping, bytes.into()),
            Event::Pong(bytes) => Self::Message(Opcode::Pong, bytes.into()),
            Event::Close(_) => Self::Close,
        }
    }
}

fn client(takeover: bool) -> Connection {
    let side = Side { window_bits: 15, takeover };
    Connection::with_extensions(Role::Client, Extensions::Deflate(Agreement { server: side, client: side }))
}

/// Plays pieces to a fresh connection, and checks it after each.
fn play<'w>(
    takeover: bool,
    lent: bool,
    pieces: impl IntoIterator<Item = &'w [u8]>,
    limits: &Limits,
) -> Vec<Heard> {
    let (mut connection, mut inflater) = (client(takeover), Inflater::new());
    let (mut heard, mut arrived) = (Vec::new(), 0);
    let kept_max = if lent && !takeover { FIXED_BYTES_MAX } else { CONTEXT_BYTES_MAX };
    for piece in pieces {
        arrived += piece.len();
        let mut scratch = piece.to_vec();
        let mut input = Input::new(&mut scratch);
        loop {
            let event = match lent {
                true => connection.next_lent(&mut input, limits, &mut inflater),
                false => connection.next(&mut input, limits),
            };
            match event.map(|event| event.map(Heard::from)) {
                Ok(Some(event)) => {
                    let is_short = |bytes: &[u8]| bytes.len() <= limits.message_bytes_max.max(125);
                    assert!(!matches!(&event, Heard::Message(_, bytes) if !is_short(bytes)), "too long");
                    heard.push(event);
                }
                Ok(None) => break,
                Err(sin) => {
                    heard.push(Heard::Failed(sin));
                    assert_eq!(connection.bytes_held(), 0, "nothing is kept of a failed connection");
                    return heard;
                }
            }
        }
        assert!(connection.bytes_held() <= kept_max + 2 * arrived, "{} bytes held", connection.bytes_held());
    }
    heard
}

/// What was heard, compressed by us for a peer who runs the same code.
fn say_again(takeover: bool, heard: &[Heard]) {
    let (mut wire, mut deflater) = (Vec::new(), Deflater::new(1, 9));
    let mut expected = Vec::new();
    for event in heard {
        if let Heard::Message(opcode @ (Opcode::Text | Opcode::Binary), message) = event {
            let mut payload = Vec::new();
            deflater.deflate_into(&mut payload, message, takeover);
            let (header, size) = Header::new(*opcode, payload.len() as u64).compressed().encode();
            wire.extend_from_slice(&header[..size]);
            wire.extend_from_slice(&payload);
            expected.push(Heard::Message(*opcode, message.clone()));
        }
    }
    let generous = Limits {
        frame_bytes_max: 1 << 20,
        message_bytes_max: 1 << 20,
        inflate_ratio_max: u32::MAX,
        ..Limits::default()
    };
    assert_eq!(play(takeover, true, [wire.as_slice()], &generous), expected, "said again");
}
