//! What tokens say, as Centrifugo's tokens say it, turned into what the hub understands.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use spanwire_hub::channel::Channel;
use spanwire_hub::{Credentials, Grant, SubscriptionOptions, TokenMark};

use super::{Allow, CapabilityClaim, NAME_BYTES_MAX, TokenError, capabilities};

/// Seconds since 1970 (`NumericDate` of RFC 7519, section 2), fractions cut off. What lies before, or in the first second, is
/// its end: 0 means never in `expire_at`, and only what says 0 means that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NumericDate(pub(super) u64);

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // The cast saturates at both ends, and JSON has no number that is not one.
        f64::deserialize(from).map(|seconds| Self(if seconds == 0.0 { 0 } else { (seconds as u64).max(1) }))
    }
}

/// When a token is good, and until when that holds what it opened.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Lifetime {
    pub(super) exp: Option<NumericDate>,
    pub(super) nbf: Option<NumericDate>,
    expire_at: Option<NumericDate>,
}

impl Lifetime {
    /// When the connection or subscription expires: `exp`, unless `expire_at` says otherwise; 0 there is never.
    fn ends(self) -> Option<u64> {
        match self.expire_at {
            Some(NumericDate(0)) => None,
            Some(NumericDate(at)) => Some(at),
            None => self.exp.map(|exp| exp.0),
        }
    }
}

/// By what a token can be revoked.
#[derive(Debug, Deserialize)]
pub(super) struct Marks {
    jti: Option<String>,
    iat: Option<NumericDate>,
}

impl Marks {
    /// What is kept of them. An id that is too long for the list of those revoked is like none.
    pub(super) fn into_mark(self) -> TokenMark {
        let id = self.jti.filter(|id| id.len() <= NAME_BYTES_MAX).unwrap_or_default();
        TokenMark { id: id.into(), issued_at: self.iat.map(|issued| issued.0) }
    }
}

/// The claims of a connection token.
#[derive(Debug, Deserialize)]
pub(super) struct ConnectionClaims {
    /// Belongs into subscription tokens only.
    channel: Option<IgnoredAny>,
    info: Option<Box<RawValue>>,
    b64info: Option<String>,
    channels: Option<Vec<String>>,
    subs: Option<BTreeMap<String, SubscriptionClaim>>,
    caps: Option<Vec<CapabilityClaim>>,
    /// An object that the backend is told again, and nobody else.
    meta: Option<Map<String, Value>>,
}

impl ConnectionClaims {
    /// Who this `user` is, and the server-side subscriptions that come along: `subs`, or else `channels`.
    pub(super) fn into_credentials(
        self,
        user: String,
        lifetime: Lifetime,
    ) -> Result<Credentials, TokenError> {
        if self.channel.is_some() {
            return Err(TokenError::Invalid);
        }
        let channels = match (self.subs, self.channels) {
            (Some(subs), _) => granted(subs)?,
            (None, Some(names)) => names.iter().map(|name| (Channel::new(name), Grant::default())).collect(),
            (None, None) => Vec::new(),
        };
        Ok(Credentials {
            user,
            info: payload(self.info, self.b64info)?,
            expire_at: lifetime.ends(),
            data: Bytes::new(),
            channels,
            capabilities: capabilities(self.caps).map_err(|_| TokenError::Invalid)?,
            meta: self.meta.map(|meta| Value::from(meta).to_string().into()).unwrap_or_default(),
            ..Credentials::default()
        })
    }
}

fn granted(subs: BTreeMap<String, SubscriptionClaim>) -> Result<Vec<(Channel, Grant)>, TokenError> {
    let grant = |(name, claim): (String, SubscriptionClaim)| {
        Ok((Channel::new(&name), claim.into_grant(&name, None)?))
    };
    subs.into_iter().map(grant).collect()
}

/// What a subscription token is for.
#[derive(Debug, Deserialize)]
pub(super) struct Subject {
    channel: String,
    /// Once bound a token to one client id. A restriction that is not checked must not be ignored.
    client: Option<IgnoredAny>,
}

impl Subject {
    /// Whether the token is for this channel, and bound to nothing else.
    pub(super) fn is(&self, channel: &str) -> bool {
        self.channel == channel && self.client.is_none()
    }
}

/// What a token says of one subscription.
#[derive(Debug, Deserialize)]
pub(super) struct SubscriptionClaim {
    info: Option<Box<RawValue>>,
    b64info: Option<String>,
    data: Option<Box<RawValue>>,
    b64data: Option<String>,
    r#override: Option<Override>,
    #[serde(default)]
    allow: Allow,
    /// As in a connection token; what they give in this channel adds to `allow`.
    caps: Option<Vec<CapabilityClaim>>,
}

impl SubscriptionClaim {
    /// The subscription that is granted. One that comes with a connection's token ends when the connection does and
    /// so has no lifetime of its own.
    pub(super) fn into_grant(self, channel: &str, lifetime: Option<Lifetime>) -> Result<Grant, TokenError> {
        let capabilities = capabilities(self.caps).map_err(|_| TokenError::Invalid)?;
        Ok(Grant {
            rights: self.allow.0.and(capabilities.rights_in(channel)),
            info: payload(self.info, self.b64info)?,
            data: payload(self.data, self.b64data)?,
            expire_at: lifetime.and_then(Lifetime::ends),
            options: self.r#override.map(Override::into_options).unwrap_or_default(),
            ..Grant::default()
        })
    }
}

/// What a token, or the backend, changes of a namespace's options.
#[derive(Debug, Deserialize)]
pub(crate) struct Override {
    presence: Option<Wrapped>,
    join_leave: Option<Wrapped>,
    force_push_join_leave: Option<Wrapped>,
    force_positioning: Option<Wrapped>,
    force_recovery: Option<Wrapped>,
}

impl Override {
    pub(crate) fn into_options(self) -> SubscriptionOptions {
        let value = |wrapped: Option<Wrapped>| wrapped.map(|wrapped| wrapped.value);
        SubscriptionOptions {
            presence: value(self.presence),
            join_leave: value(self.join_leave),
            force_push_join_leave: value(self.force_push_join_leave),
            force_positioning: value(self.force_positioning),
            force_recovery: value(self.force_recovery),
        }
    }
}

/// The protocol wraps each overridden option so that "off" differs from "not mentioned".
#[derive(Debug, Deserialize)]
struct Wrapped {
    value: bool,
}

/// A payload that a claim carries: raw JSON, or base64 for what is not JSON. The latter wins.
pub(crate) fn payload(raw: Option<Box<RawValue>>, base64: Option<String>) -> Result<Bytes, TokenError> {
    match (base64, raw) {
        (Some(text), _) => STANDARD.decode(text).map(Bytes::from).map_err(|_| TokenError::Invalid),
        (None, Some(raw)) => Ok(Bytes::from(String::from(Box::<str>::from(raw)))),
        (None, None) => Ok(Bytes::new()),
    }
}
