//! Checks that look at more than one option, or at more than its type.

use std::time::Duration;

use spanwire_hub::limits::Limits;

use super::Settings;
use super::reader::Reader;
use crate::auth::Verifier;

/// Shortest secret for tokens that is not worth a word, in bytes: the output of SHA-256 (RFC 7518, section 3.2).
const SECRET_BYTES_MIN: usize = 32;

/// A ping must be answered before the next one is sent, or an answer could be for either.
pub(super) fn limits(reader: &mut Reader<'_>, limits: &Limits) {
    if limits.ping_interval > Duration::ZERO && limits.pong_timeout >= limits.ping_interval {
        reader.conflict("client.pong_timeout", "must be shorter than client.ping_interval");
    }
}

/// A namespace's name must be told apart from the rest of a channel's name.
pub(super) fn namespace_name(reader: &mut Reader<'_>, name: &str) {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if name.len() < 2 || !name.bytes().all(is_fine) {
        reader.conflict("name", "must have at least two characters, of a-z A-Z 0-9 - _ .");
    }
}

/// What an operator should know about settings that are all right by themselves.
pub(super) fn warnings(settings: &Settings) -> Vec<String> {
    let mut warnings = Vec::new();
    let client = &settings.client;
    if client.tokens.trusts_nobody() && !client.anonymous && settings.backend.connect.is_none() {
        warnings.push(
            "no client can connect, for there is no key for tokens and anonymous clients are refused; \
             set client.token.hmac_secret_key, client.proxy.connect, or client.allow_anonymous_connect_without_token = true"
                .to_owned(),
        );
    }
    let own = client.subscription_tokens.as_ref().and_then(Verifier::shortest_secret);
    for (key, length) in [
        ("client.token.hmac_secret_key", client.tokens.shortest_secret()),
        ("client.subscription_token.hmac_secret_key", own),
        ("http_api.key", settings.http_api.keys.0.iter().map(|key| key.secret.reveal().len()).min()),
    ] {
        if length.is_some_and(|length| length < SECRET_BYTES_MIN) {
            warnings.push(format!(
                "{key} is short enough to be guessed by a patient program; \
                 set it to at least {SECRET_BYTES_MIN} random characters"
            ));
        }
    }
    if client.allowed_origins.iter().any(|origin| origin == "*") {
        warnings.push(
            "every web page on the Internet may connect with the cookies and network of its visitor; \
             name the pages in client.allowed_origins"
                .to_owned(),
        );
    }
    // A proxy that is trusted is one that is there, and that ends TLS where it is wanted.
    let http_server = &settings.http_server;
    let is_secret = http_server.tls.is_some() || !http_server.proxies.networks.is_empty();
    if !http_server.address.is_loopback() && !is_secret {
        warnings.push(
            "the server listens beyond this machine without TLS, so that tokens and messages can be read on the way; \
             set http_server.tls, or put a proxy that ends TLS in front of it and name it in http_server.trusted_proxies, \
             or set http_server.address = \"localhost\""
                .to_owned(),
        );
    }
    warnings
}
