//! Sequences of what happens to a hub, against a model that is plain enough to be believed.

mod model;
mod world;

pub(crate) use self::world::World;

/// Longest sequence that is played. What waits for a subscriber stays below the hub's limits in so many steps.
const STEPS_MAX: usize = 200;

/// Two bytes per step: what happens, and to whom or for how long.
///
/// Sessions open, connect, subscribe, recover, leave, publish, stop reading and vanish; answers are held back and
/// come late; time passes; the backend publishes, unsubscribes and disconnects; the node drains.
///
/// What must hold: a subscriber hears what was published from its reply on, in order, once, without a gap, up to the
/// last, until it is told that its subscription is over; with a position, it hears exactly what is behind that. Who
/// filters hears every second of these, exactly so. Where something may be left out, the order holds, and whoever reads on
/// has heard the latest of each key. Who takes deltas has the base of each patch. What is published past the history is
/// heard by those who are there.
/// Outboxes keep to their limit, steps to a bounded number of outputs, and when everybody is gone nothing is left.
///
/// # Panics
///
/// When one of these does not hold.
pub fn hub_operations(input: &[u8]) {
    let mut world = World::new();
    let (steps, _) = input.as_chunks::<2>();
    for [what, about] in steps.iter().take(STEPS_MAX) {
        step(&mut world, *what, *about);
        world.check();
    }
    world.end();
}

/// One step of a sequence.
pub(crate) fn step(world: &mut World, what: u8, about: u8) {
    // The same bit says of a publish that it goes past the history.
    let (channel, filters) = (about >> 4, what >= 160);
    match what % 20 {
        0 | 1 => world.open(about),
        2..=4 => world.subscribe(about, channel, false, filters),
        5 => world.subscribe(about, channel, true, filters),
        6 => world.unsubscribe(about, channel),
        7 | 8 => world.publish_as_client(about, channel),
        9..=11 => world.publish(channel, usize::from(about & 15), filters),
        12 => world.hold(),
        13 => world.release(1 + usize::from(about & 3)),
        14 => world.release(usize::MAX),
        15 => world.stop_or_go_on_reading(about),
        16 => world.vanish(about),
        17 => world.pass(about),
        18 => world.order(about, channel),
        _ => world.ask_or_drain(about, channel),
    }
}
