//! The two faces of the server.

use crate::auth::HostPolicy;

/// How far strangers are trusted. Whatever is not safe to show to the world hangs on this and on nothing else:
/// there is no option that makes the secure profile less secure by a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// For a look, and for writing an application: loopback only, anybody may connect, demos, `/echo`.
    Dev,
    /// For others to use: whoever connects shows a token, unless the configuration says otherwise.
    Secure,
}

impl Profile {
    /// Under which names the server answers.
    pub(crate) fn host_policy(self) -> HostPolicy {
        match self {
            Self::Dev => HostPolicy::Loopback,
            Self::Secure => HostPolicy::Any,
        }
    }

    /// Whether there are the demos, and the echo for conformance suites.
    pub(crate) fn shows_demos(self) -> bool {
        self == Self::Dev
    }
}
