//! What a stranger can make us keep, counted where memory is handed out.
//!
//! The allocator is global, but it counts for each thread apart, so that tests do not see each other.

#![allow(unsafe_code, reason = "an allocator cannot be written without it")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use spanwire_ws::deflate::{Agreement, Deflater, Inflater, Side};
use spanwire_ws::handshake::{Request, head};
use spanwire_ws::{
    Connection, Event, Extensions, HeadLimits, Header, Input, Limits, Opcode, PeerError, Role,
};

/// The system's allocator with a count of the bytes this thread holds, and of the most it has held.
struct Counting;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: both calls are handed on to the system's allocator as they came. The counters are plain cells without
// destructors, so that they never allocate and can be reached as long as the thread lives.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.set(HELD.get() + layout.size());
        PEAK.set(PEAK.get().max(HELD.get()));
        // SAFETY: the caller's promises are the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.set(HELD.get().saturating_sub(layout.size()));
        // SAFETY: the caller's promises are the same, and `pointer` came from the call above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most bytes held at once while `work` ran, beyond those held before.
fn peak(work: impl FnOnce()) -> usize {
    let before = HELD.get();
    PEAK.set(before);
    work();
    PEAK.get() - before
}

/// The box around what is incomplete; a connection has at most one.
const BOX_BYTES_MAX: usize = 192;

/// Big limits, so that a limit is not what saves us.
const LIMITS: Limits = Limits {
    frame_bytes_max: 1 << 30,
    message_bytes_max: 1 << 30,
    fragments_max: u32::MAX,
    inflate_ratio_max: u32::MAX,
};

fn header(fin: bool, opcode: Opcode, len: u64) -> Vec<u8> {
    let (bytes, size) = Header { fin, ..Header::new(opcode, len) }.masked([0; 4]).encode();
    bytes[..size].to_vec()
}

/// Feeds pieces to a server's connection, and measures all that this made it allocate.
fn cost(pieces: &mut [Vec<u8>], limits: &Limits) -> usize {
    peak(|| {
        let mut connection = Connection::new(Role::Server);
        for piece in pieces {
            let mut input = Input::new(piece);
            while let Ok(Some(_)) = connection.next(&mut input, limits) {}
        }
    })
}

#[test]
fn a_whole_frame_costs_nothing() {
    let frames = [(Opcode::Text, 1000), (Opcode::Binary, 0), (Opcode::Ping, 125), (Opcode::Close, 0)];
    for (opcode, len) in frames {
        let mut pieces = [[header(true, opcode, len), vec![b'a'; len as usize]].concat()];
        assert_eq!(cost(&mut pieces, &LIMITS), 0, "{opcode:?}");
    }
}

#[test]
fn an_announcement_alone_costs_a_box() {
    for opcode in [Opcode::Text, Opcode::Binary] {
        for arrived in 0..=64 {
            let announced = [header(true, opcode, 1 << 30), vec![b'a'; arrived]].concat();
            let mut byte_by_byte: Vec<_> = announced.iter().map(|byte| vec![*byte]).collect();
            let in_one = cost(&mut [announced], &LIMITS);
            assert!(in_one <= BOX_BYTES_MAX + 2 * arrived, "{in_one} bytes for {arrived}");
            let cut = cost(&mut byte_by_byte, &LIMITS);
            // A buffer that grows is held beside the one it replaces for a moment.
            assert!(cut <= BOX_BYTES_MAX + 3 * arrived + 8, "{cut} bytes for {arrived}");
        }
    }
}

#[test]
fn an_unfinished_message_costs_at_most_twice_what_arrived() {
    for opcode in [Opcode::Text, Opcode::Binary] {
        let mut connection = Connection::new(Role::Server);
        let mut first = header(true, opcode, 1 << 30);
        while let Ok(Some(_)) = connection.next(&mut Input::new(&mut first), &LIMITS) {}
        let (mut arrived, mut packet) = (0, vec![b'a'; 1400]);
        for _ in 0..500 {
            arrived += packet.len();
            let mut input = Input::new(&mut packet);
            while let Ok(Some(_)) = connection.next(&mut input, &LIMITS) {}
            assert!(connection.bytes_held() <= BOX_BYTES_MAX + 2 * arrived);
        }
    }
}

#[test]
fn a_message_never_costs_more_than_its_length_in_the_end() {
    for opcode in [Opcode::Text, Opcode::Binary] {
        let mut connection = Connection::new(Role::Server);
        let wire = [header(true, opcode, 100_000), vec![b'a'; 100_000]].concat();
        let mut held = 0;
        for piece in wire.chunks(1400) {
            let mut piece = piece.to_vec();
            let mut input = Input::new(&mut piece);
            let event = connection.next(&mut input, &LIMITS);
            assert!(event.is_ok());
            held = connection.bytes_held();
        }
        assert!((100_000..=100_000 + BOX_BYTES_MAX).contains(&held), "{held} bytes for {opcode:?}");
    }
}

#[test]
fn empty_fragments_cost_nothing_each() {
    let mut pieces = vec![header(false, Opcode::Continuation, 0); 10_000];
    pieces[0] = header(false, Opcode::Text, 0);
    assert!(cost(&mut pieces, &LIMITS) <= BOX_BYTES_MAX);
}

#[test]
fn what_was_kept_is_given_back() {
    let before = HELD.get();
    let mut connection = Connection::new(Role::Server);
    let mut pieces = [header(false, Opcode::Binary, 5), b"ab".to_vec(), b"cde".to_vec()].to_vec();
    pieces.extend([header(true, Opcode::Ping, 4), b"ping".to_vec()]);
    pieces.extend([header(true, Opcode::Continuation, 2), b"f".to_vec(), b"g".to_vec()]);
    let mut heard = 0;
    for mut piece in pieces {
        let mut input = Input::new(&mut piece);
        while let Ok(Some(_)) = connection.next(&mut input, &LIMITS) {
            heard += 1;
        }
    }
    assert_eq!((heard, connection.bytes_held()), (2, 0));
    assert_eq!(HELD.get(), before);
}

#[test]
fn a_head_costs_only_its_list_of_subprotocols() {
    let many = "a,".repeat(3000);
    let request = format!("GET / HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Protocol: {many}\r\n\r\n");
    let parse = |bytes: &[u8]| assert!(head::parse_request(bytes, &HeadLimits::default()).is_ok());
    let list_bytes_max = 2 * spanwire_ws::handshake::SUBPROTOCOLS_MAX * size_of::<&str>();
    assert!(peak(|| parse(request.as_bytes())) <= list_bytes_max);
    let long = format!("GET / HTTP/1.1\r\nCookie: {}", "a".repeat(8000));
    assert_eq!(peak(|| parse(long.as_bytes())), 0);
    let headers = (0..100_000).map(|_| ("Sec-WebSocket-Protocol", b"a, b, c".as_slice()));
    assert!(peak(|| drop(Request::new("GET", (1, 1), headers))) <= list_bytes_max);
}

/// A compressed message of a client.
fn compressed(message: &[u8]) -> Vec<u8> {
    let mut payload = Vec::new();
    Deflater::new(1, 15).deflate_into(&mut payload, message, false);
    let header = Header::new(Opcode::Binary, payload.len() as u64).compressed().masked([0; 4]);
    let (bytes, size) = header.encode();
    [&bytes[..size], &payload].concat()
}

fn agreed(takeover: bool) -> Connection {
    let side = Side { window_bits: 15, takeover };
    Connection::with_extensions(Role::Server, Extensions::Deflate(Agreement { server: side, client: side }))
}

/// What zlib keeps, and the box of the connection if it is the connection's own.
const INFLATER_BYTES_MAX: usize = 52 << 10;

#[test]
fn a_bomb_costs_at_most_the_limit() {
    let limits = Limits { message_bytes_max: 100_000, frame_bytes_max: 100_000, ..LIMITS };
    let bomb = compressed(&vec![0; 8 << 20]);
    assert!(bomb.len() < limits.frame_bytes_max, "{} bytes", bomb.len());
    for takeover in [false, true] {
        let mut bomb = bomb.clone();
        let mut sin = None;
        let cost = peak(|| {
            let (mut connection, mut inflater) = (agreed(takeover), Inflater::new());
            let mut input = Input::new(&mut bomb);
            sin = connection.next_lent(&mut input, &limits, &mut inflater).err();
        });
        assert_eq!(sin, Some(PeerError::InflatesTooLong(100_000)));
        // A buffer that grows is held beside the one it replaces for a moment.
        let allowed = INFLATER_BYTES_MAX + limits.message_bytes_max + limits.message_bytes_max * 2 / 3 + 1;
        assert!(cost <= allowed, "{cost} bytes, where {allowed} are allowed");
    }
}

#[test]
fn a_thousand_connections_without_takeover_share_what_one_inflater_keeps() {
    let mut inflater = Inflater::new();
    let mut connections: Vec<_> = std::iter::repeat_with(|| agreed(false)).take(1000).collect();
    let mut wires = vec![compressed(b"to be inflated, and inflated, and inflated"); connections.len()];
    let before = HELD.get();
    for (connection, wire) in connections.iter_mut().zip(&mut wires) {
        let mut input = Input::new(wire);
        let event = connection.next_lent(&mut input, &LIMITS, &mut inflater).unwrap();
        assert_eq!(event, Some(Event::Binary(b"to be inflated, and inflated, and inflated")));
        assert_eq!(connection.bytes_held(), 0);
    }
    let held = HELD.get() - before;
    assert!(held <= INFLATER_BYTES_MAX && held <= inflater.bytes_held(), "{held} bytes");
}

#[test]
fn an_inflater_gives_back_what_a_long_message_took() {
    let mut inflater = Inflater::new();
    let mut long = Vec::new();
    Deflater::new(1, 15).deflate_into(&mut long, &vec![7; 1 << 20], false);
    assert_eq!(inflater.inflate(&long, false, &LIMITS).map(<[u8]>::len), Ok(1 << 20));
    assert_eq!(inflater.inflate(b"\0", false, &LIMITS), Ok(&[][..]));
    assert!(inflater.bytes_held() <= INFLATER_BYTES_MAX, "{} bytes", inflater.bytes_held());
}

#[test]
fn with_takeover_a_connection_keeps_a_window_and_no_message() {
    let mut connection = agreed(true);
    let mut wire = compressed(&[5; 60_000]);
    let before = HELD.get();
    let mut input = Input::new(&mut wire);
    while let Ok(Some(_)) = connection.next(&mut input, &LIMITS) {}
    let held = HELD.get() - before;
    assert!(held <= INFLATER_BYTES_MAX && held <= connection.bytes_held(), "{held} bytes");
}

#[test]
fn a_deflater_takes_what_it_says() {
    let deflater = peak(|| drop(Deflater::new(6, 15)));
    assert!((200 << 10..=400 << 10).contains(&deflater), "{deflater} bytes");
}
