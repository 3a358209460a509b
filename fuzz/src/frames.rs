//! The boundary between a socket and the WebSocket protocol.

use spanwire_ws::{CloseFrame, Connection, Event, Input, Limits, Opcode, PeerError, Role, State, frame};

/// What an incomplete header or control frame may cost, however little of it has arrived: the box around
/// what is incomplete, of which a connection has at most one, and the payload that the header announced.
const FIXED_BYTES_MAX: usize = 192 + frame::CONTROL_BYTES_MAX;

/// A stream of frames. The first byte chooses our side and the limits, the second how the stream is cut.
///
/// What must hold: the same is heard however the stream is cut; no more is held than twice what arrived; a
/// peer who closed or erred is owed one legal answer; and what was heard can be said again.
///
/// # Panics
///
/// When one of these does not hold.
pub fn frames(input: &[u8]) {
    let [settings, cut, wire @ ..] = input else { return };
    let role = if settings & 1 == 0 { Role::Server } else { Role::Client };
    let limits = match settings & 2 {
        0 => Limits::default(),
        _ => Limits { frame_bytes_max: 64, message_bytes_max: 96, fragments_max: 3, inflate_ratio_max: 200 },
    };
    let whole = play(role, [wire], &limits);
    assert_eq!(whole, play(role, wire.chunks(1), &limits), "heard byte by byte");
    let pieces = wire.chunks(2 + usize::from(*cut));
    assert_eq!(whole, play(role, pieces, &limits), "heard in pieces");
    whole.iter().for_each(say_again);
}

/// An event that owns its payload, or the end.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Message(Opcode, Vec<u8>),
    Close(Option<u16>, String),
    Failed(PeerError),
}

impl From<Event<'_>> for Heard {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Text(text) => Self::Message(Opcode::Text, text.into()),
            Event::Binary(bytes) => Self::Message(Opcode::Binary, bytes.into()),
            Event::Ping(bytes) => Self::Message(Opcode::Ping, bytes.into()),
            Event::Pong(bytes) => Self::Message(Opcode::Pong, bytes.into()),
            Event::Close(frame) => Self::Close(frame.code().map(|code| code.number()), frame.reason().into()),
        }
    }
}

/// Plays pieces to a fresh connection, and checks it after each.
fn play<'w>(role: Role, pieces: impl IntoIterator<Item = &'w [u8]>, limits: &Limits) -> Vec<Heard> {
    let (mut connection, mut heard, mut arrived) = (Connection::new(role), Vec::new(), 0);
    for piece in pieces {
        arrived += piece.len();
        let mut scratch = piece.to_vec();
        let mut input = Input::new(&mut scratch);
        loop {
            match connection.next(&mut input, limits) {
                Ok(Some(event)) => heard.push(event.into()),
                Ok(None) => break,
                Err(sin) => {
                    heard.push(Heard::Failed(sin));
                    assert_eq!(connection.bytes_held(), 0, "nothing is kept of a failed connection");
                    assert_eq!(connection.next(&mut input, limits), Err(sin), "the answer stays");
                    check_end(&mut connection, heard.last());
                    return heard;
                }
            }
        }
        assert!(input.is_empty(), "an input that is done is used up");
        assert!(
            connection.bytes_held() <= FIXED_BYTES_MAX + 2 * arrived,
            "{} bytes held",
            connection.bytes_held()
        );
    }
    check_end(&mut connection, heard.last());
    heard
}

/// The answer that is owed is legal, fits how it ended, and is owed once.
fn check_end(connection: &mut Connection, last: Option<&Heard>) {
    let expected = match last {
        Some(Heard::Close(code, _)) => Some(*code),
        Some(Heard::Failed(sin)) => Some(Some(sin.close_code().number())),
        Some(Heard::Message(..)) | None => None,
    };
    let answer = connection.answer();
    assert_eq!(answer.map(|frame| frame.code().map(|code| code.number())), expected);
    assert_eq!(connection.answer(), None, "an answer is owed once");
    match answer {
        Some(frame) => {
            assert!(matches!(connection.state(), State::Closed(_)));
            say_close(&frame);
        }
        None => assert_eq!(connection.state(), State::Open),
    }
}

/// What was heard, said by us to a peer who runs the same code.
fn say_again(heard: &Heard) {
    let Heard::Message(opcode, payload) = heard else { return };
    let key = [0x9c, 0x01, 0x7f, 0xe2];
    let (mut from_server, mut from_client) = (Vec::new(), Vec::new());
    frame::server_frame_into(&mut from_server, *opcode, payload);
    frame::client_frame_into(&mut from_client, *opcode, payload, key);
    for (role, wire) in [(Role::Client, &mut from_server), (Role::Server, &mut from_client)] {
        let mut connection = Connection::new(role);
        let event =
            connection.next(&mut Input::new(wire), &Limits::default()).map(|event| event.map(Heard::from));
        assert_eq!(event.as_ref(), Ok(&Some(Heard::Message(*opcode, payload.clone()))));
    }
}

fn say_close(frame: &CloseFrame<'_>) {
    let mut wire = Vec::new();
    frame.encode_into(&mut wire, None);
    let mut connection = Connection::new(Role::Client);
    let event = connection.next(&mut Input::new(&mut wire), &Limits::default());
    assert_eq!(event, Ok(Some(Event::Close(*frame))));
}
