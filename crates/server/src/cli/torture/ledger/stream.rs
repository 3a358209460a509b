//! What is known of one channel's stream, from everybody who was told anything of it.

use std::collections::BTreeMap;

use spanwire_client_core::Position;

use super::Number;

/// The lives of one stream. Every entry stands for something that the server told one of us.
#[derive(Debug, Default)]
pub(super) struct Stream {
    lives: BTreeMap<String, Life>,
}

/// One epoch: which number is at which offset. A number has one place in it.
#[derive(Debug, Default)]
struct Life {
    numbers: BTreeMap<u64, Number>,
    offsets: BTreeMap<Number, u64>,
}

/// What the server has said before, and cannot be true beside what it says now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clash {
    /// Another number is at this offset.
    Taken(Number),
    /// The number is at this offset already: it was published twice.
    Elsewhere(u64),
}

impl Stream {
    /// The server says that a number is at a position.
    ///
    /// # Errors
    /// It has said otherwise before.
    pub(super) fn place(&mut self, position: &Position, number: Number) -> Result<(), Clash> {
        let life = self.lives.entry(position.epoch.clone()).or_default();
        match (life.numbers.get(&position.offset), life.offsets.get(&number)) {
            (Some(other), _) if *other != number => return Err(Clash::Taken(*other)),
            (_, Some(offset)) if *offset != position.offset => return Err(Clash::Elsewhere(*offset)),
            _ => {}
        }
        life.numbers.insert(position.offset, number);
        life.offsets.insert(number, position.offset);
        Ok(())
    }

    /// Where a number is in one life of the stream, as far as anybody was told.
    pub(super) fn offset_of(&self, epoch: &str, number: Number) -> Option<u64> {
        self.lives.get(epoch)?.offsets.get(&number).copied()
    }

    /// Whether a number has been seen in any life of the stream.
    pub(super) fn has(&self, number: Number) -> bool {
        self.lives.values().any(|life| life.offsets.contains_key(&number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(epoch: &str, offset: u64) -> Position {
        Position { offset, epoch: epoch.to_owned() }
    }

    #[test]
    fn a_number_has_one_place_in_each_life_and_a_place_has_one_number() {
        let mut stream = Stream::default();
        for (position, number, expected) in [
            (at("a", 1), 10, Ok(())),
            (at("a", 1), 10, Ok(())),
            (at("a", 1), 11, Err(Clash::Taken(10))),
            (at("a", 2), 10, Err(Clash::Elsewhere(1))),
            (at("b", 2), 10, Ok(())),
        ] {
            assert_eq!(stream.place(&position, number), expected, "{number} at {position:?}");
        }
        assert!(stream.has(10) && !stream.has(11));
    }
}
