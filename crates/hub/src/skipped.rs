//! How much was left out for clients that read slowly.

use std::collections::BTreeMap;

use crate::namespace::DeliveryProfile;

/// Publications that clients which lag were not sent, each counted for each of those, by namespace and by the name of the
/// [delivery profile](DeliveryProfile).
#[derive(Debug, Default)]
pub struct Skipped(BTreeMap<String, BTreeMap<&'static str, u64>>);

impl Skipped {
    /// Counts some more. It happens for each member of a channel that many hear, so a name is copied only the first time.
    pub(crate) fn count(&mut self, namespace: &str, profile: &DeliveryProfile, count: u64) {
        let counts = match self.0.get_mut(namespace) {
            Some(counts) => counts,
            None => self.0.entry(namespace.to_owned()).or_default(),
        };
        *counts.entry(profile.name()).or_default() += count;
    }

    /// What was counted, by namespace and by the name of its profile.
    pub fn into_counts(self) -> impl Iterator<Item = ((String, &'static str), u64)> {
        let each = |(namespace, counts): (String, BTreeMap<_, _>)| {
            counts.into_iter().map(move |(profile, count)| ((namespace.clone(), profile), count))
        };
        self.0.into_iter().flat_map(each)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_namespace_leaves_out_is_counted_together_and_by_profile() {
        let (mut skipped, conflate) = (Skipped::default(), DeliveryProfile::Conflate { by: None });
        skipped.count("ticks", &conflate, 3);
        skipped.count("", &conflate, 4);
        skipped.count("ticks", &DeliveryProfile::DropOldest, 5);
        skipped.count("ticks", &conflate, 6);
        let of = |namespace: &str, delivery| (namespace.to_owned(), delivery);
        let expected =
            [(of("", "conflate"), 4), (of("ticks", "conflate"), 9), (of("ticks", "drop_oldest"), 5)];
        assert!(skipped.into_counts().eq(expected));
    }
}
