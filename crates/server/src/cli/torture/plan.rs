//! What a crowd is to be.

use std::time::Duration;

use spanwire_client_core::{Config, Credentials, Limits};

/// Most clients of one crowd: each has a socket, and processes have about so many.
pub const CLIENTS_MAX: usize = 10_000;
/// Most channels of one crowd.
pub const CHANNELS_MAX: usize = 1000;
/// Longest storm, in seconds.
pub const SECONDS_MAX: u64 = 3600;
/// Most publications a second. With the longest storm, the ledger then holds a few gigabytes.
pub const RATE_MAX: u32 = 10_000;
/// How long a storm's end may take: until every publish is answered and everybody has heard the last word.
pub const CALM_PATIENCE: Duration = Duration::from_secs(60);

/// What a crowd is to be.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many clients.
    pub clients: usize,
    /// How many channels. Nobody else may use them: a publication that is not the crowd's is a contradiction.
    pub channels: usize,
    /// How many of them each client listens to.
    pub channels_per_client: usize,
    /// What the names of the channels begin with; a number follows.
    pub prefix: String,
    /// At least how long a payload is, in bytes.
    pub payload_bytes: usize,
    /// How many bytes the system may keep for a client that does not read; `None` is as many as it likes.
    pub receive_bytes: Option<u32>,
    /// What each client is told, its limits among it.
    pub client: Config,
}

impl Plan {
    /// So many clients, each in up to three of so many channels of this name; no more channels than clients, so that
    /// each has a listener.
    pub fn new(clients: usize, channels: usize, prefix: &str) -> Self {
        let channels = channels.min(clients);
        // Whoever is cut often still tries again soon, or a storm would be one long absence.
        let limits = Limits {
            retry_max: Duration::from_secs(2),
            steady: Duration::from_secs(1),
            publish_within: Duration::from_secs(30),
            ..Limits::default()
        };
        Self {
            clients,
            channels,
            channels_per_client: 3.min(channels),
            prefix: prefix.to_owned(),
            payload_bytes: 0,
            receive_bytes: None,
            client: Config { limits, name: "spanwire-torture".to_owned(), ..Config::default() },
        }
    }

    /// The same with a connection token.
    pub fn token(mut self, token: &str) -> Self {
        self.client.credentials = Credentials::Token(token.to_owned());
        self
    }

    /// The channels that a client listens to: its neighbours' overlap with its own.
    pub(super) fn channels_of(&self, client: usize) -> Vec<usize> {
        (0..self.channels_per_client.min(self.channels)).map(|n| (client + n) % self.channels).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_has_subscribers_and_no_client_has_one_twice() {
        for (clients, channels) in [(1, 1), (10, 10), (100, 7), (5, 2)] {
            let plan = Plan::new(clients, channels, "t");
            let mut heard = vec![0; plan.channels];
            for client in 0..clients {
                let mut own = plan.channels_of(client);
                own.iter().for_each(|channel| heard[*channel] += 1);
                let count = own.len();
                own.sort_unstable();
                own.dedup();
                assert_eq!(own.len(), count);
            }
            assert!(heard.iter().all(|count| *count > 0), "{heard:?}");
        }
    }
}
