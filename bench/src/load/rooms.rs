//! Many small channels in which everybody talks.

use std::ops::Range;
use std::process;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use super::Outcome;
use super::fanout::Pace;
use crate::crowd::{Crowd, Guests};
use crate::procfs;
use crate::script::{self, NumberFinder};
use crate::subject::Server;
use crate::tongue::Tongue;

/// Longest that the last published messages may take to arrive everywhere.
const ARRIVAL_MAX: Duration = Duration::from_secs(20);
/// The id of a client's first publish command: those before it are for subscribing.
const FIRST_PUBLISH: u32 = 100_000;

/// A load of rooms. A room has seats, one for each of its members; a client may have seats in several rooms.
/// Each seat talks in its turn, and message number `n` is that of seat `n % seats`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rooms {
    /// Rooms.
    pub(crate) rooms: usize,
    /// Members of each.
    pub(crate) members: usize,
    /// Clients that share the seats, at least as many as a room has members.
    pub(crate) clients: usize,
    /// When messages are published; in flight are so many of each seat.
    pub(crate) pace: Pace,
    /// Messages of each seat that are counted, a multiple of those in flight.
    pub(crate) messages: u32,
    /// Messages of each seat before them, for warming up, likewise.
    pub(crate) warm_up: u32,
}

impl Rooms {
    fn seats(&self) -> usize {
        self.rooms * self.members
    }

    fn client(&self, seat: usize) -> usize {
        seat % self.clients
    }

    fn room(&self, seat: usize) -> usize {
        seat / self.members
    }

    /// The seat of `client` in `room`; none if it is not a member.
    fn seat(&self, client: usize, room: usize) -> Option<usize> {
        let first = room * self.members;
        let offset = (client + self.clients - first % self.clients) % self.clients;
        (offset < self.members).then_some(first + offset)
    }

    fn seats_of(&self, client: usize) -> impl Iterator<Item = usize> {
        (client..self.seats()).step_by(self.clients)
    }

    /// Runs the load once. Fails unless every member of a room gets every message of it once, those of each
    /// sender in order, and all members all messages in the same order.
    pub(crate) fn run(&self, server: &Server) -> Result<Outcome> {
        let mut house = House::open(server, *self)?;
        let seats = self.seats() as u32;
        let (first, end) = (self.warm_up * seats, (self.warm_up + self.messages) * seats);
        house.stretch(0..first)?;
        house.latencies.clear();
        let (server_cpu, load_cpu) = (server.process.cpu_time()?, procfs::cpu_time(process::id())?);
        let (begun, bytes_read) = (Instant::now(), house.crowd.bytes_read);
        house.stretch(first..end)?;
        Ok(Outcome {
            deliveries: u64::from(end - first) * self.members as u64,
            elapsed: begun.elapsed(),
            server_cpu: server.process.cpu_time()? - server_cpu,
            load_cpu: procfs::cpu_time(process::id())? - load_cpu,
            bytes_read: house.crowd.bytes_read - bytes_read,
            latencies: house.latencies,
        })
    }
}

/// The clients, and who got what.
struct House {
    load: Rooms,
    crowd: Crowd,
    ledger: Ledger,
    latencies: Vec<u64>,
}

impl House {
    fn open(server: &Server, load: Rooms) -> Result<House> {
        ensure!(load.clients >= load.members, "a client would sit twice in a room");
        let mut crowd = Crowd::new()?;
        let hello = |client| {
            let subscribe = |(index, seat)| Tongue::Json.subscribe(index as u32 + 2, &name(load.room(seat)));
            let subscriptions = load.seats_of(client).enumerate().map(subscribe);
            [Tongue::Json.connect(1)].into_iter().chain(subscriptions).collect()
        };
        crowd.seat(&Guests::new(server.address, Tongue::Json, load.clients, &hello))?;
        Ok(House { load, crowd, ledger: Ledger::new(load), latencies: Vec::new() })
    }

    /// Publishes the messages with these numbers and waits until all have arrived everywhere.
    fn stretch(&mut self, numbers: Range<u32>) -> Result<()> {
        match self.load.pace {
            Pace::Every { interval, burst } => self.on_time(numbers.clone(), interval, burst)?,
            Pace::FlatOut { in_flight } => {
                let round = in_flight * self.load.seats() as u32;
                for first in numbers.clone().step_by(round as usize) {
                    self.round(first..first + round)?;
                }
            }
        }
        ensure!(self.ledger.all_agree(), "the members of a room heard its messages in different orders");
        Ok(())
    }

    fn on_time(&mut self, numbers: Range<u32>, interval: Duration, burst: u32) -> Result<()> {
        let begun = Instant::now();
        let due = |number: u32| begun + interval * ((number - numbers.start) / burst);
        let mut next = numbers.start;
        loop {
            while next < numbers.end && due(next) <= Instant::now() {
                let seat = next as usize % self.load.seats();
                let frame = self.frame(seat, next);
                self.crowd.send(self.load.client(seat), &frame)?;
                next += 1;
            }
            if next == numbers.end && self.ledger.complete(next) {
                return Ok(());
            }
            let last = due(numbers.end - 1) + ARRIVAL_MAX;
            let House { crowd, ledger, latencies, .. } = self;
            crowd.turn(if next < numbers.end { due(next) } else { last }, &mut |client, line| {
                if let Some(number) = ledger.hear(client, line).filter(|number| numbers.contains(number)) {
                    let late = Instant::now().saturating_duration_since(due(number));
                    latencies.push(late.as_nanos() as u64);
                }
            })?;
            self.ledger.check(last, next)?;
        }
    }

    /// Everybody says all of its messages of this round at once, and hears all of the others'.
    fn round(&mut self, numbers: Range<u32>) -> Result<()> {
        let seats = self.load.seats();
        for client in 0..self.load.clients {
            let mut frames = Vec::new();
            for seat in self.load.seats_of(client) {
                for number in (numbers.start + seat as u32..numbers.end).step_by(seats) {
                    frames.extend_from_slice(&self.frame(seat, number));
                }
            }
            self.crowd.send(client, &frames)?;
        }
        let deadline = Instant::now() + ARRIVAL_MAX;
        while !self.ledger.complete(numbers.end) {
            let House { crowd, ledger, .. } = self;
            crowd.turn(deadline, &mut |client, line| {
                ledger.hear(client, line);
            })?;
            self.ledger.check(deadline, numbers.end)?;
        }
        Ok(())
    }

    fn frame(&self, seat: usize, number: u32) -> Vec<u8> {
        let data = script::data(number, script::DATA_BYTES);
        Tongue::Json.publish(FIRST_PUBLISH + number, &name(self.load.room(seat)), &data)
    }
}

fn name(room: usize) -> String {
    format!("bench:r{room}")
}

/// Who got what.
struct Ledger {
    load: Rooms,
    /// For each seat, and each seat of the same room: the sequence number that is owed next.
    next: Vec<u32>,
    /// For each seat: a digest of what it heard, in its order.
    orders: Vec<u64>,
    deliveries: u64,
    replies: u64,
    /// The first breach of the promise.
    fault: Option<String>,
    finder: NumberFinder,
}

impl Ledger {
    fn new(load: Rooms) -> Ledger {
        Ledger {
            load,
            next: vec![0; load.seats() * load.members],
            orders: vec![0; load.seats()],
            deliveries: 0,
            replies: 0,
            fault: None,
            finder: NumberFinder::new(),
        }
    }

    /// Enters a line that a client got; returns the number of the message that it delivered, if any.
    fn hear(&mut self, client: usize, line: &[u8]) -> Option<u32> {
        if line.starts_with(br#"{"id":"#) {
            self.replies += 1;
            return None;
        }
        let number = self.finder.find(line);
        if number.is_none_or(|number| self.enter(client, number).is_none()) {
            let line = String::from_utf8_lossy(&line[..line.len().min(200)]);
            self.fault.get_or_insert_with(|| format!("client {client} was not owed {line}"));
            return None;
        }
        self.deliveries += 1;
        number
    }

    /// None if this client was not owed this message.
    fn enter(&mut self, client: usize, number: u32) -> Option<()> {
        let seats = self.load.seats();
        let (sender, sequence) = (number as usize % seats, number / seats as u32);
        let seat = self.load.seat(client, self.load.room(sender))?;
        let next = &mut self.next[seat * self.load.members + sender % self.load.members];
        (*next == sequence).then_some(())?;
        *next += 1;
        let order = &mut self.orders[seat];
        *order = order.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(u64::from(number) + 1);
        Some(())
    }

    /// Whether everybody has all messages before `number`, and all replies to them.
    fn complete(&self, number: u32) -> bool {
        let number = u64::from(number);
        self.deliveries == number * self.load.members as u64 && self.replies == number
    }

    /// Whether the members of each room heard the same messages in the same order.
    fn all_agree(&self) -> bool {
        self.orders.chunks(self.load.members).all(|room| room.iter().all(|order| *order == room[0]))
    }

    fn check(&self, deadline: Instant, number: u32) -> Result<()> {
        if let Some(fault) = &self.fault {
            bail!("{fault}");
        }
        ensure!(
            Instant::now() < deadline || self.complete(number),
            "{} of {} messages arrived in time, and {} of {number} were answered",
            self.deliveries,
            u64::from(number) * self.load.members as u64,
            self.replies
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace::FlatOut { in_flight: 1 };
    const TALK: Rooms = Rooms { rooms: 3, members: 2, clients: 6, pace: PACE, messages: 1, warm_up: 0 };
    const MANY: Rooms = Rooms { rooms: 9, members: 1, clients: 3, ..TALK };

    fn line(number: u32) -> Vec<u8> {
        script::data(number, script::DATA_BYTES).into_bytes()
    }

    #[test]
    fn every_seat_is_found_by_its_client_and_room_and_no_other_is() {
        for load in [TALK, MANY, Rooms { clients: 4, ..TALK }] {
            for client in 0..load.clients {
                let seats: Vec<usize> = load.seats_of(client).collect();
                for room in 0..load.rooms {
                    let expected = seats.iter().copied().find(|&seat| load.room(seat) == room);
                    assert_eq!(load.seat(client, room), expected, "client {client}, room {room}");
                }
            }
        }
    }

    #[test]
    fn a_ledger_is_complete_when_all_members_have_all_and_agree() {
        let mut ledger = Ledger::new(Rooms { rooms: 1, clients: 2, ..TALK });
        for (client, number) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            assert_eq!(ledger.hear(client, &line(number)), Some(number));
        }
        assert!(!ledger.complete(2), "nothing was answered");
        for _ in 0..2 {
            ledger.hear(0, br#"{"id":5,"publish":{}}"#);
        }
        assert!(ledger.complete(2) && ledger.all_agree());
        assert_eq!(ledger.fault, None);
    }

    #[test]
    fn members_that_heard_different_orders_do_not_agree() {
        let mut ledger = Ledger::new(Rooms { rooms: 1, clients: 2, ..TALK });
        for (client, number) in [(0, 0), (0, 1), (1, 1), (1, 0)] {
            assert_eq!(ledger.hear(client, &line(number)), Some(number));
        }
        assert!(!ledger.all_agree());
    }

    #[test]
    fn a_lost_a_doubled_and_a_strangers_message_are_each_a_fault() {
        // Of 6 seats, message 6 is the second of seat 0, and message 2 is of another room.
        for (first, second) in [(None, 6), (Some(0), 0), (None, 2)] {
            let mut ledger = Ledger::new(TALK);
            first.map(|number| ledger.hear(0, &line(number)));
            assert_eq!(ledger.hear(0, &line(second)), None);
            assert!(ledger.fault.is_some(), "{second}");
        }
    }
}
