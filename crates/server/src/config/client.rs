//! Who may connect, how many, and by which tokens.

use super::reader::Reader;
use super::{rates, token};
use crate::auth::{Jwks, Verifier};

/// Most connections that can be asked for: more than a process has descriptors for.
pub(super) const CONNECTIONS_MAX: usize = 10_000_000;
/// Highest rate that can be asked for: more in a second than any machine shakes hands with.
const RATE_MAX: usize = 1_000_000;

#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) allowed_origins: Vec<String>,
    pub(crate) connection_limit: usize,
    /// New connections a second; 0 is no limit, as for the next ones.
    pub(crate) connection_rate_limit: u32,
    pub(crate) ip_connection_limit: usize,
    pub(crate) ip_connection_rate_limit: u32,
    pub(crate) user_connection_limit: usize,
    pub(crate) anonymous: bool,
    pub(crate) anonymous_tokens: bool,
    pub(crate) tokens: Verifier,
    pub(crate) subscription_tokens: Option<Verifier>,
    pub(crate) auth_failure_rate: spanwire_hub::rate::Rate,
}

impl Client {
    /// Where keys are published that sign tokens of any kind.
    pub(crate) fn publishers_of_keys(&self) -> Vec<Jwks> {
        let verifiers = [Some(&self.tokens), self.subscription_tokens.as_ref()];
        verifiers.into_iter().flatten().flat_map(Verifier::places).collect()
    }
}

pub(super) fn read(reader: &mut Reader<'_>) -> Client {
    Client {
        allowed_origins: reader.texts(
            "client.allowed_origins",
            "which web pages may connect besides those of this host; * in them fits anything",
        ),
        connection_limit: reader.count(
            "client.connection_limit",
            "how many connections are served at once; 0 is as many as the system allows",
            0,
            0..=CONNECTIONS_MAX,
        ),
        connection_rate_limit: rate(
            reader,
            "client.connection_rate_limit",
            "how many clients are let in in a second; 0 is any number",
            20_000,
        ),
        ip_connection_limit: reader.count(
            "client.ip_connection_limit",
            "how many connections one public IP address may have, or one /64 network of IPv6; 0 is any number",
            4096,
            0..=CONNECTIONS_MAX,
        ),
        ip_connection_rate_limit: rate(
            reader,
            "client.ip_connection_rate_limit",
            "how many clients of one public IP address are let in in a second; 0 is any number",
            200,
        ),
        user_connection_limit: reader.count(
            "client.user_connection_limit",
            "how many connections a user may have; 0 is any number",
            0,
            0..=CONNECTIONS_MAX,
        ),
        anonymous: reader.flag(
            "client.allow_anonymous_connect_without_token",
            "whether clients may connect without a token, under the empty user id",
            false,
        ),
        anonymous_tokens: !reader.flag(
            "client.disallow_anonymous_connection_tokens",
            "whether a connection token must name a user",
            false,
        ),
        tokens: reader.table("client.token", token::read).unwrap_or_default(),
        subscription_tokens: subscription_tokens(reader),
        auth_failure_rate: rates::of_auth_failures(reader),
    }
}

/// Subscription tokens are verified as connection tokens are, unless they have keys and rules of their own.
fn subscription_tokens(reader: &mut Reader<'_>) -> Option<Verifier> {
    let mut enabled = false;
    let verifier = reader.table("client.subscription_token", |reader| {
        enabled =
            reader.flag("enabled", "whether subscription tokens have keys and rules of their own", false);
        token::read(reader)
    });
    if enabled && verifier.is_none() {
        reader.conflict("client.subscription_token.enabled", "needs a key");
    }
    verifier.filter(|_| enabled)
}

fn rate(reader: &mut Reader<'_>, key: &'static str, doc: &'static str, default: usize) -> u32 {
    // The range fits, so that the cast loses nothing.
    reader.count(key, doc, default, 0..=RATE_MAX) as u32
}
