//! Counts the instructions that a short text message costs, from masked frame to echoed frame.
//!
//! A clock is noise on a shared machine; a count is the same each time. Build it, and run it under callgrind
//! twice, with no messages and with some:
//!
//! ```text
//! cargo build --release -p spanwire-ws --example instructions
//! export GLIBC_TUNABLES=glibc.cpu.hwcaps=-ERMS,-FSRM   # callgrind counts `rep movsb` once per byte
//! for n in 0 100000; do
//!     valgrind --tool=callgrind --callgrind-out-file=/dev/null target/release/examples/instructions $n
//! done
//! ```
//!
//! The difference of the two figures after `Collected :`, divided by 100,000, is the cost of one message.

use std::hint::black_box;

use spanwire_ws::deflate::Inflater;
use spanwire_ws::{Connection, Event, Input, Limits, Opcode, Role, frame};

/// As many messages as a busy peer has in flight in one read.
const MESSAGES_PER_READ: usize = 16;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let messages = arguments.next().map_or(Ok(100_000), |count| count.parse::<usize>());
    let payload_bytes = arguments.next().map_or(Ok(32), |count| count.parse::<usize>());
    let (Ok(messages), Ok(payload_bytes)) = (messages, payload_bytes) else {
        println!("usage: instructions [messages] [bytes in each]");
        return;
    };
    let payload = "x".repeat(payload_bytes);
    let mut wire = Vec::new();
    for _ in 0..MESSAGES_PER_READ {
        frame::client_frame_into(&mut wire, Opcode::Text, payload.as_bytes(), [0x1d, 0xe2, 0x7b, 0x94]);
    }
    let limits = Limits::default();
    let mut connection = Connection::new(Role::Server);
    let mut inflater = Inflater::new();
    let (mut scratch, mut out) = (wire.clone(), Vec::with_capacity(wire.len()));
    let mut echoed = 0;
    while echoed < messages {
        scratch.copy_from_slice(&wire);
        out.clear();
        let mut input = Input::new(black_box(&mut scratch));
        while let Ok(Some(event)) = connection.next_lent(&mut input, &limits, &mut inflater) {
            if let Event::Text(text) = event {
                frame::server_frame_into(&mut out, Opcode::Text, text.as_bytes());
                echoed += 1;
            }
        }
        black_box(&out);
    }
    println!("{echoed} messages of {payload_bytes} bytes, decoded and echoed");
    println!("see the top of examples/instructions.rs for how to count what one of them costs");
}
