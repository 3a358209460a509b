//! What commands that load a server have in common: whose server it may be, and what they need of this machine.

use super::url::Server;
use super::{Exit, Failure};
use crate::descriptors;

/// Descriptors for everything but clients.
const DESCRIPTORS_SPARE: usize = 64;

/// Load is nothing to put on somebody else's server.
pub(super) fn allowed(server: &Server, command: &str, is_owner: bool) -> Result<(), Failure> {
    if server.is_local() || is_owner {
        return Ok(());
    }
    let trouble = format!("{} is not this machine, and {command} is load", server.host);
    Err(Failure::new(Exit::Usage, trouble).fix("if the server is yours, add --i-own-this-server"))
}

/// Makes room for so many clients.
pub(super) fn make_room(clients: usize, option: &str) -> Result<(), Failure> {
    if descriptors::raise() >= clients + DESCRIPTORS_SPARE {
        return Ok(());
    }
    let trouble = format!("{clients} clients need more descriptors than the system allows");
    Err(Failure::new(Exit::Failed, trouble).fix(format!("raise ulimit -n, or take fewer {option}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_elsewhere_is_loaded_by_its_owner_only() {
        for (url, is_owner, expected) in [
            ("http://localhost:8000", false, None),
            ("http://127.0.0.1:8000", false, None),
            ("http://[::1]:8000", false, None),
            ("http://example.org", false, Some(Exit::Usage)),
            ("http://10.0.0.1:8000", false, Some(Exit::Usage)),
            ("http://localhost.example.org", false, Some(Exit::Usage)),
            ("http://example.org", true, None),
        ] {
            let refused = allowed(&Server::parse(url).unwrap(), "bench", is_owner).err();
            assert_eq!(refused.map(|failure| failure.exit), expected, "{url}");
        }
    }
}
