//! Which shard owns a channel.

use std::hash::{BuildHasher, RandomState};

use spanwire_hub::channel::Channel;

/// Maps channels to the shards that own them: stable while the process lives, and unknown to strangers, so that
/// nobody can choose names that all fall to one shard.
#[derive(Debug)]
pub(super) struct Ownership {
    hasher: RandomState,
    shards: u64,
}

impl Ownership {
    pub(super) fn among(shards: usize) -> Self {
        Self { hasher: RandomState::new(), shards: shards.max(1) as u64 }
    }

    /// The index of the channel's shard.
    pub(super) fn owner(&self, channel: &Channel) -> usize {
        if self.shards == 1 {
            return 0;
        }
        (self.hasher.hash_one(channel.as_str()) % self.shards) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shard_owns_about_its_share_and_a_channel_never_moves() {
        let ownership = Ownership::among(4);
        let mut owned = [0_u32; 4];
        for number in 0..4000 {
            let channel = Channel::new(&format!("room:{number}"));
            let owner = ownership.owner(&channel);
            assert_eq!(owner, ownership.owner(&Channel::new(channel.as_str())));
            owned[owner] += 1;
        }
        assert!(owned.iter().all(|&count| (800..1200).contains(&count)), "{owned:?}");
    }
}
