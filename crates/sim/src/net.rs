//! The network: links of two pipes each, which are late, cut bytes in odd places, break, or swallow everything.

use std::collections::{BTreeMap, VecDeque};

use crate::chance::Chance;

/// Names a link.
pub(crate) type LinkId = u64;

/// A connection between a person and a shard.
#[derive(Debug)]
pub(crate) struct Link {
    /// From the person to the shard.
    pub(crate) up: Pipe,
    /// From the shard to the person.
    pub(crate) down: Pipe,
    pub(crate) person: usize,
    pub(crate) shard: usize,
    /// The person has closed its side.
    pub(crate) person_left: bool,
    /// The shard has closed its side.
    pub(crate) shard_left: bool,
}

/// All links.
#[derive(Debug)]
pub(crate) struct Net {
    pub(crate) links: BTreeMap<LinkId, Link>,
    seed: u64,
    delay_max: u64,
    count: LinkId,
}

impl Net {
    pub(crate) fn new(seed: u64, delay_max: u64) -> Self {
        Self { links: BTreeMap::new(), seed, delay_max, count: 0 }
    }

    pub(crate) fn connect(&mut self, person: usize, shard: usize) -> LinkId {
        self.count += 1;
        let pipe = |way, room| Pipe::new(Chance::of(self.seed, way, self.count), self.delay_max, room);
        let link = Link {
            up: pipe("up", 64 << 10),
            down: pipe("down", Pipe::ROOM),
            person,
            shard,
            person_left: false,
            shard_left: false,
        };
        self.links.insert(self.count, link);
        self.count
    }
}

/// One direction of a connection: bytes in order, after a while.
#[derive(Debug)]
pub(crate) struct Pipe {
    chance: Chance,
    delay_max: u64,
    /// Pieces of the stream and when they arrive.
    pieces: VecDeque<(u64, Vec<u8>)>,
    bytes: usize,
    room: usize,
    latest: u64,
    end: End,
}

/// How a pipe ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It does not.
    Open,
    /// Behind its last bytes, at this time.
    At(u64),
    /// Without a word: whatever is put in vanishes.
    Void,
}

impl Pipe {
    /// What the buffers of both sockets hold: small, so that a reader who stops is soon noticed.
    pub(crate) const ROOM: usize = 2048;

    fn new(chance: Chance, delay_max: u64, room: usize) -> Self {
        Self { chance, delay_max, pieces: VecDeque::new(), bytes: 0, room, latest: 0, end: End::Open }
    }

    /// Puts bytes in, as many as there is room for; the result is their number. They arrive cut anywhere.
    pub(crate) fn write(&mut self, now: u64, bytes: &[u8]) -> usize {
        let taken = bytes.len().min(self.room.saturating_sub(self.bytes));
        if self.end != End::Open {
            return bytes.len();
        }
        let mut rest = &bytes[..taken];
        while !rest.is_empty() {
            let whole = self.chance.one_in(2);
            let size = if whole { rest.len() } else { 1 + self.chance.index(rest.len()) };
            let (piece, others) = rest.split_at(size);
            let at = self.arrival(now);
            self.pieces.push_back((at, piece.to_vec()));
            rest = others;
        }
        self.bytes += taken;
        taken
    }

    fn arrival(&mut self, now: u64) -> u64 {
        self.latest = self.latest.max(now + 1 + self.chance.below(self.delay_max));
        self.latest
    }

    /// What has arrived, and whether that is the end.
    pub(crate) fn read(&mut self, now: u64) -> (Vec<u8>, bool) {
        let mut read = Vec::new();
        while self.pieces.front().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, piece)) = self.pieces.pop_front() {
                read.extend(piece);
            }
        }
        self.bytes -= read.len();
        (read, self.pieces.is_empty() && matches!(self.end, End::At(at) if at <= now))
    }

    /// When something arrives next.
    pub(crate) fn next_arrival(&self) -> Option<u64> {
        let end = if let End::At(at) = self.end { Some(at) } else { None };
        self.pieces.front().map(|(at, _)| *at).or(end)
    }

    pub(crate) fn has_room(&self) -> bool {
        self.bytes < self.room
    }

    /// The writer is done: the end comes behind what is on its way.
    pub(crate) fn finish(&mut self, now: u64) {
        if self.end == End::Open {
            self.end = End::At(self.arrival(now));
        }
    }

    /// It breaks, at any byte of what is on its way.
    pub(crate) fn cut(&mut self, now: u64) {
        if self.end == End::Void {
            return;
        }
        let mut left = self.chance.index(self.bytes + 1);
        for (_, piece) in &mut self.pieces {
            piece.truncate(left);
            left -= piece.len();
        }
        self.pieces.retain(|(_, piece)| !piece.is_empty());
        self.bytes = self.pieces.iter().map(|(_, piece)| piece.len()).sum();
        self.end = End::At(self.arrival(now));
    }

    /// The other side is gone, and nobody says so.
    pub(crate) fn vanish(&mut self) {
        self.pieces.clear();
        self.bytes = 0;
        self.end = End::Void;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pipe(seed: u64) -> Pipe {
        Pipe::new(Chance::of(seed, "pipe", 0), 50, 100)
    }

    #[test]
    fn bytes_arrive_in_order_however_they_are_cut() {
        for seed in 0..50 {
            let mut pipe = pipe(seed);
            let sent: Vec<u8> = (0..90).collect();
            assert_eq!(pipe.write(0, &sent), 90);
            pipe.finish(0);
            let (mut got, mut now, mut over) = (Vec::new(), 0, false);
            while !over {
                now += 1;
                let (bytes, end) = pipe.read(now);
                got.extend(bytes);
                over = end;
            }
            assert_eq!(got, sent);
        }
    }

    #[test]
    fn a_cut_leaves_a_beginning_of_what_was_on_its_way_of_any_length() {
        let sent: Vec<u8> = (0..20).collect();
        let mut lengths = std::collections::BTreeSet::new();
        for seed in 0..400 {
            let mut pipe = pipe(seed);
            pipe.write(0, &sent);
            pipe.cut(0);
            let (got, over) = pipe.read(1000);
            assert!(over && sent.starts_with(&got));
            lengths.insert(got.len());
        }
        assert_eq!(lengths.len(), 21);
    }

    #[test]
    fn a_full_pipe_takes_no_more_until_it_is_read() {
        let mut pipe = pipe(1);
        assert_eq!(pipe.write(0, &[0; 150]), 100);
        assert!(!pipe.has_room());
        assert_eq!(pipe.read(1000).0.len(), 100);
        assert_eq!(pipe.write(0, &[0; 50]), 50);
    }
}
