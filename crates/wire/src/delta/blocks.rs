//! The blocks of a base, found by what is in them.

/// Bytes of a block: what a base and a target have in common must be about that long to be found.
pub(super) const BLOCK: usize = 16;

/// How many blocks of the same hash are looked at: a base that repeats itself must not make the search quadratic.
const CANDIDATES_MAX: usize = 8;

/// Where which block of a base stands, by hash.
pub(super) struct Blocks<'b> {
    base: &'b [u8],
    /// The latest block of each hash, by the hash's first bits; counted from 1, 0 is none.
    latest: Vec<u32>,
    /// The block before of the same slot, by block.
    earlier: Vec<u32>,
    shift: u32,
}

impl<'b> Blocks<'b> {
    pub(super) fn of(base: &'b [u8]) -> Self {
        let (blocks, _) = base.as_chunks::<BLOCK>();
        let slots = (2 * blocks.len()).next_power_of_two().max(2);
        let mut found = Self {
            base,
            latest: vec![0; slots],
            earlier: vec![0; blocks.len() + 1],
            shift: 32 - slots.ilog2(),
        };
        // Backwards, so that the first of equal blocks is looked at first: its offset has the fewest digits.
        for (index, block) in blocks.iter().enumerate().rev() {
            let slot = found.slot(Hash::of(block));
            found.earlier[index + 1] = std::mem::replace(&mut found.latest[slot], index as u32 + 1);
        }
        found
    }

    /// Where in the base something begins that may be like the block of this hash.
    pub(super) fn candidates(&self, hash: Hash) -> impl Iterator<Item = usize> {
        let next = |number: u32| Some(number).filter(|number| *number != 0);
        let first = next(self.latest[self.slot(hash)]);
        std::iter::successors(first, move |number| next(self.earlier[*number as usize]))
            .take(CANDIDATES_MAX)
            .map(|number| (number as usize - 1) * BLOCK)
    }

    pub(super) fn base(&self) -> &'b [u8] {
        self.base
    }

    /// The high bits of a product depend on all bits of the hash.
    fn slot(&self, hash: Hash) -> usize {
        (hash.0.wrapping_mul(0x9e37_79b1) >> self.shift) as usize
    }
}

/// The hash of a window of [`BLOCK`] bytes, which can be moved on by one byte: the bytes as the digits of a number in a
/// large base, modulo 2^32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hash(u32);

impl Hash {
    const BASE: u32 = 0x0100_0193;
    /// What the byte that leaves the window was multiplied by.
    const LEAVING: u32 = Self::BASE.wrapping_pow(BLOCK as u32);

    pub(super) fn of(window: &[u8; BLOCK]) -> Self {
        Self(window.iter().fold(0, |hash, byte| hash.wrapping_mul(Self::BASE).wrapping_add(u32::from(*byte))))
    }

    /// The window one byte further.
    pub(super) fn moved(self, out: u8, into: u8) -> Self {
        let gone = u32::from(out).wrapping_mul(Self::LEAVING);
        Self(self.0.wrapping_mul(Self::BASE).wrapping_add(u32::from(into)).wrapping_sub(gone))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_that_was_moved_is_the_hash_of_where_it_is() {
        let bytes: Vec<u8> = (0..=255).rev().collect();
        let window = |at: usize| Hash::of(bytes[at..].first_chunk().unwrap());
        let mut hash = window(0);
        for at in 1..=bytes.len() - BLOCK {
            hash = hash.moved(bytes[at - 1], bytes[at + BLOCK - 1]);
            assert_eq!(hash, window(at), "at {at}");
        }
    }

    #[test]
    fn every_block_is_found_the_first_of_equal_ones_first_and_not_too_many_of_them() {
        let base =
            [b"0123456789abcdef".repeat(20), b"another of these".to_vec(), b"too short".to_vec()].concat();
        let blocks = Blocks::of(&base);
        let at = |text: &[u8; BLOCK]| blocks.candidates(Hash::of(text)).collect::<Vec<_>>();
        assert_eq!(at(b"0123456789abcdef"), (0..CANDIDATES_MAX).map(|n| n * BLOCK).collect::<Vec<_>>());
        assert!(at(b"another of these").contains(&(20 * BLOCK)));
        assert_eq!(Blocks::of(b"").candidates(Hash::of(b"0123456789abcdef")).count(), 0);
    }
}
