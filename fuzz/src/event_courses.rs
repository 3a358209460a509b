//! The course of events: from what happens to clients, to what an endpoint has in its books.

mod course;
mod endpoint;
mod fault;
mod truth;

pub use self::course::play;
pub use self::fault::Fault;

/// Two bytes per step, behind one that says how much may wait and how long: what happens to the clients of two shards, and
/// how the endpoint feels about being told of it. It takes what it is sent, or is slow, or unwell, or keeps what it is
/// sent and does not get to say so, or cannot take some of it ever.
///
/// What must hold: each event is told in its place in one sequence, with what it was when it happened; places are told
/// again only as they were, and are left out only by a gap that says how many; with room enough and an endpoint that can
/// take everything there is none. When everybody has gone, all of it has been told, and everything that began has ended.
///
/// # Panics
///
/// When one of these does not hold.
pub fn event_courses(input: &[u8]) {
    if let Err(violation) = play(input, None) {
        panic!("{violation}");
    }
}
