//! Where chance comes from: drawn once from the system, and passed on from there.

use rand::TryRngCore as _;
use rand::rand_core::OsError;
use rand::rngs::{OsRng, StdRng};
use rand::{RngCore as _, SeedableRng as _};

/// A source of chance for keys and seeds.
#[derive(Debug)]
pub struct Chance(StdRng);

impl Chance {
    /// Seeded by the operating system.
    ///
    /// # Errors
    /// The system has none to give.
    pub fn from_system() -> Result<Self, OsError> {
        let mut seed = [0; 32];
        OsRng.try_fill_bytes(&mut seed)?;
        Ok(Self::seeded(seed))
    }

    /// The same chance each time, for tests and replays.
    pub fn seeded(seed: [u8; 32]) -> Self {
        Self(StdRng::from_seed(seed))
    }

    /// A seed for somebody else's chance.
    pub fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.0.fill_bytes(&mut seed);
        seed
    }

    /// 128 bits, as 32 letters and digits: enough for a key, and short enough to be copied.
    pub fn text(&mut self) -> String {
        format!("{:016x}{:016x}", self.0.next_u64(), self.0.next_u64())
    }
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn two_draws_differ_and_two_equal_seeds_do_not() {
        let (mut one, mut same) = (Chance::seeded([7; 32]), Chance::seeded([7; 32]));
        let text = one.text();
        assert_eq!((text.len(), &text), (32, &same.text()));
        assert_ne!(one.text(), text);
        assert_ne!(Chance::from_system().unwrap().seed(), Chance::from_system().unwrap().seed());
    }
}
