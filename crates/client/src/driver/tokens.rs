//! Tokens that were asked for and have not come yet.

use spanwire_client_core::{TokenFailure, TokenFor};
use tokio::task::JoinSet;

use crate::token::Provider;

type Token = (TokenFor, Result<String, TokenFailure>);

/// Tokens that were asked for and have not come yet. Nobody asks any more when this is dropped.
#[derive(Debug)]
pub(super) struct Tokens {
    of_connection: Option<Provider>,
    asked: JoinSet<Token>,
}

impl Tokens {
    pub(super) fn new(of_connection: Option<Provider>) -> Self {
        Self { of_connection, asked: JoinSet::new() }
    }

    /// Asks for a token: for a channel its own provider, which is there as long as the channel is.
    pub(super) fn ask(&mut self, what: TokenFor, of_channel: Option<Provider>) {
        let provider = match what {
            TokenFor::Connection => self.of_connection.clone(),
            TokenFor::Channel(_) => of_channel,
        };
        self.asked.spawn(async move {
            let token = match provider {
                Some(provider) => provider.ask().await.map_err(|error| error.failure()),
                None => Err(TokenFailure::Unauthorized),
            };
            (what, token)
        });
    }

    /// The next token that comes. Nothing is lost when this is dropped while it waits.
    pub(super) async fn next(&mut self) -> Token {
        loop {
            match self.asked.join_next_with_id().await {
                Some(Ok((_, token))) => return token,
                // A provider that panicked has said so by itself; the core waits no longer than it does for any other.
                Some(Err(_)) => {}
                None => return std::future::pending().await,
            }
        }
    }
}
