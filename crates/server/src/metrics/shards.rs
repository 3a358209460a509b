//! What each shard has counted, over all of them.

use std::collections::BTreeMap;

use crate::engine::stats::ShardSnapshot;

pub(super) fn sum(shards: &[ShardSnapshot], of: impl Fn(&ShardSnapshot) -> u64) -> u64 {
    shards.iter().map(of).sum()
}

pub(super) fn merged<'a, K: Ord + Clone + 'a>(
    shards: &'a [ShardSnapshot],
    of: impl Fn(&'a ShardSnapshot) -> &'a BTreeMap<K, u64>,
) -> BTreeMap<K, u64> {
    let mut all = BTreeMap::new();
    for (key, count) in shards.iter().flat_map(of) {
        *all.entry(key.clone()).or_default() += count;
    }
    all
}
