//! How many files and sockets the process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Below this, the limit is worth a word: a server for people has more clients one day.
const FEW: u64 = 10_000;

/// Most descriptors that are kept for what is not a connection: listeners, pollers, files of the system.
const DESCRIPTORS_RESERVED_MAX: usize = 256;

/// Descriptors that a node has open before anybody comes: its streams and signals, and some files in passing.
const DESCRIPTORS_PER_NODE: usize = 16;

/// What each shard adds: listeners, pollers, wakers.
const DESCRIPTORS_PER_SHARD: usize = 12;

/// Raises the soft limit to the hard one, and returns what it is then.
pub(crate) fn raise() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let descriptors = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        // Some systems have a limit below the hard one that they do not tell.
        Err(_) => limit.current,
    };
    let descriptors = descriptors.unwrap_or(u64::MAX);
    if descriptors < FEW {
        tracing::warn!(
            "system: only {descriptors} descriptors, so that further clients will be turned away; \
             raise the limit with ulimit -Hn, or LimitNOFILE= of systemd"
        );
    }
    usize::try_from(descriptors).unwrap_or(usize::MAX)
}

/// How many connections a process may have that may open so many descriptors. It keeps a quarter for itself: at least
/// what it has open before anybody comes, and no more than is enough for anything.
pub(crate) fn connections_max(descriptors: usize, shards: usize) -> usize {
    let least = DESCRIPTORS_PER_NODE + DESCRIPTORS_PER_SHARD * shards;
    let reserved = (descriptors / 4).min(DESCRIPTORS_RESERVED_MAX).max(least);
    descriptors.saturating_sub(reserved).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_few_descriptors_serves_as_many_as_it_can() {
        let table = [
            (0, 1, 1),
            (1, 1, 1),
            (64, 1, 36),
            (64, 2, 24),
            (256, 2, 192),
            (1024, 8, 768),
            (1024, 64, 240),
            (20_000, 2, 19_744),
            (usize::MAX, 2, usize::MAX - 256),
        ];
        for (descriptors, shards, connections) in table {
            assert_eq!(connections_max(descriptors, shards), connections, "{descriptors} and {shards}");
        }
    }
}
