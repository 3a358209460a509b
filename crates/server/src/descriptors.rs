//! How many files and sockets the process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Below this, the limit is worth a word: a server for people has more clients one day.
const FEW: u64 = 10_000;

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
