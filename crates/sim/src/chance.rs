//! Chance from a seed, the same on every machine and in every version of every library.

/// A stream of numbers that look random: SplitMix64, which is small, quick in a debug build, and good enough for
/// choosing delays.
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    /// Streams of different subjects have nothing to do with each other, so that leaving one thing out of a run changes
    /// as little as possible of the rest.
    pub(crate) fn of(seed: u64, subject: &str, number: u64) -> Self {
        let mut chance = Self(seed);
        for byte in subject.bytes() {
            chance.0 = chance.next() ^ u64::from(byte);
        }
        chance.0 = chance.next() ^ number;
        chance
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, or 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.next() % bound }
    }

    /// A number from `low` up to and including `high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True once in `n` times.
    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// An index into something of this length.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    /// A seed for something that wants one.
    pub(crate) fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        for eight in seed.chunks_mut(8) {
            eight.copy_from_slice(&self.next().to_le_bytes());
        }
        seed
    }
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn the_same_seed_gives_the_same_numbers_and_another_subject_gives_others() {
        let numbers = |seed, subject, number| {
            let mut chance = Chance::of(seed, subject, number);
            [chance.next(), chance.next(), chance.next()]
        };
        assert_eq!(numbers(7, "plot", 0), numbers(7, "plot", 0));
        for other in [numbers(8, "plot", 0), numbers(7, "pipe", 0), numbers(7, "plot", 1)] {
            assert_ne!(numbers(7, "plot", 0), other);
        }
    }

    #[test]
    fn all_of_a_range_is_used() {
        let mut chance = Chance::of(1, "range", 0);
        let mut met = [false; 5];
        for _ in 0..200 {
            met[(chance.between(3, 7) - 3) as usize] = true;
        }
        assert_eq!(met, [true; 5]);
    }
}
