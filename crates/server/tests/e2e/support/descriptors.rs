//! How many sockets the scenes of this process may have open together.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit to the hard one, for a scene with a crowd in it: each client is a descriptor on this side, too.
pub(crate) fn raise() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
        .expect("the soft limit may be as high as the hard one");
}
