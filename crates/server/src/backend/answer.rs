//! What the backend answers, and what that means.
//!
//! `{"result": …}`, `{"error": …}` or `{"disconnect": …}`; of several, the last decides. Shapes are those of Centrifugo's
//! proxies. Unknown fields are ignored.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use spanwire_hub::backend::{Approval, Matter, Renewal};
use spanwire_hub::channel::Channel;
use spanwire_hub::{Answer, Credentials, Grant, Refusal};
use spanwire_wire::message::Error;
use spanwire_wire::{DisconnectReason, ErrorCode};

use super::What;
use crate::auth::{Allow, CapabilityClaim, Override, capabilities, payload};
use crate::whole;

/// Codes that a backend may put into an error reply: the protocol's own, and those for applications.
const ERROR_CODES: std::ops::RangeInclusive<u32> = 100..=1999;
/// Codes by which a backend may end a connection.
const DISCONNECT_CODES: std::ops::RangeInclusive<u32> = 4000..=4999;
/// Longest idempotency key, in bytes, as for the server API.
const IDEMPOTENCY_KEY_BYTES_MAX: usize = 256;

/// An answer that makes no sense; the text is for the operator's log.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Nonsense(String);

/// An error reply in the backend's words.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct ErrorWords {
    pub(crate) code: u32,
    #[serde(default)]
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) temporary: bool,
}

/// An end of the connection in the backend's words.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct DisconnectWords {
    pub(crate) code: u32,
    #[serde(default)]
    pub(crate) reason: String,
}

impl ErrorWords {
    pub(crate) fn into_refusal(self) -> Result<Refusal, Nonsense> {
        let Self { code, message, temporary } = self;
        if !ERROR_CODES.contains(&code) {
            return Err(Nonsense(format!("error.code is {code}, and must be from 400 to 1999")));
        }
        Ok(Refusal::Worded(Box::new(Error { code, message, temporary, ..Error::default() })))
    }
}

impl DisconnectWords {
    pub(crate) fn into_refusal(self) -> Result<Refusal, Nonsense> {
        let Self { code, reason } = self;
        if !DISCONNECT_CODES.contains(&code) {
            return Err(Nonsense(format!("disconnect.code is {code}, and must be from 4000 to 4999")));
        }
        DisconnectReason::new(code, reason).map(Refusal::Ended).map_err(|error| Nonsense(error.to_string()))
    }
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    result: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<ErrorWords>,
    #[serde(default)]
    disconnect: Option<DisconnectWords>,
}

/// A result, if there is one, or the backend's refusal.
fn open<T: DeserializeOwned>(body: &[u8]) -> Result<Result<Option<T>, Refusal>, Nonsense> {
    let nonsense = |error: serde_json::Error| Nonsense(format!("not the JSON that is wanted: {error}"));
    let whole: &RawValue = serde_json::from_slice(body).map_err(nonsense)?;
    let Envelope { result, error, disconnect } = object(whole)?;
    if let Some(words) = disconnect {
        return words.into_refusal().map(Err);
    }
    if let Some(words) = error {
        return words.into_refusal().map(Err);
    }
    let result = result.filter(|result| result.get() != "null");
    result.map(|result| object(&result)).transpose().map(Ok)
}

/// Reads a JSON object. A list would be read too, member by member: some languages write an empty object as one, and
/// who has nothing to say must not be taken to have let somebody in.
fn object<T: DeserializeOwned>(json: &RawValue) -> Result<T, Nonsense> {
    if !json.get().starts_with('{') {
        return Err(Nonsense("a JSON object is wanted".to_owned()));
    }
    serde_json::from_str(json.get())
        .map_err(|error| Nonsense(format!("not the JSON that is wanted: {error}")))
}

/// Who has connected; `None` if the backend leaves that to others.
///
/// # Errors
/// The answer makes no sense.
pub fn of_connect(
    body: &[u8],
    renewed_by_backend: bool,
) -> Result<Option<Result<Credentials, Refusal>>, Nonsense> {
    match open::<ConnectResult>(body)? {
        Err(refusal) => Ok(Some(Err(refusal))),
        Ok(None) => Ok(None),
        Ok(Some(result)) => result.into_credentials(renewed_by_backend).map(|found| Some(Ok(found))),
    }
}

/// The answer about a matter of a connected client.
///
/// # Errors
/// The answer makes no sense.
pub fn of_matter(matter: &Matter, body: &[u8]) -> Result<Answer, Nonsense> {
    Ok(match matter {
        Matter::Refresh | Matter::SubRefresh { .. } => Answer::Renewal(match open::<RefreshResult>(body)? {
            Err(refusal) => Renewal::Refused(refusal),
            Ok(None) => Renewal::Over,
            Ok(Some(result)) => result.into_renewal()?,
        }),
        Matter::Subscribe { .. } => Answer::Grant(match open::<SubscribeResult>(body)? {
            Err(refusal) => Err(refusal),
            Ok(result) => Ok(result.unwrap_or_default().into_grant()?),
        }),
        Matter::Publish { .. } => Answer::Approval(match open::<PublishResult>(body)? {
            Err(refusal) => Err(refusal),
            Ok(result) => Ok(result.unwrap_or_default().into_approval()?),
        }),
        Matter::Rpc { .. } => Answer::Rpc(match open::<RpcResult>(body)? {
            Err(refusal) => Err(refusal),
            Ok(None) => Ok(Bytes::new()),
            Ok(Some(result)) => Ok(bytes_of(result.data, result.b64data)?),
        }),
    })
}

/// The answer when the backend gave none.
pub(super) fn refusal_of(matter: &Matter, refusal: Refusal) -> Answer {
    match matter {
        Matter::Refresh | Matter::SubRefresh { .. } => Answer::Renewal(Renewal::Refused(refusal)),
        Matter::Subscribe { .. } => Answer::Grant(Err(refusal)),
        Matter::Publish { .. } => Answer::Approval(Err(refusal)),
        Matter::Rpc { .. } => Answer::Rpc(Err(refusal)),
    }
}

/// The answer where nobody is configured who could be asked.
pub(crate) fn nobody_decides(matter: &Matter, no_such_method: ErrorCode) -> Answer {
    match matter {
        Matter::Refresh | Matter::SubRefresh { .. } => Answer::Renewal(Renewal::Over),
        Matter::Rpc { .. } => refusal_of(matter, Refusal::Error(no_such_method)),
        _ => refusal_of(matter, Refusal::Error(ErrorCode::NotAvailable)),
    }
}

/// The answer to a question that came to nothing.
pub(crate) fn failed(what: &What) -> Answer {
    match what {
        What::Connect(_) => Answer::Credentials(Err(unavailable())),
        What::Petition(petition) => refusal_of(&petition.matter, unavailable()),
    }
}

/// What a client is told when the backend could not be asked: it may try again.
pub(super) fn unavailable() -> Refusal {
    Refusal::Error(ErrorCode::Internal)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ConnectResult {
    #[serde(deserialize_with = "or_default")]
    user: String,
    #[serde(deserialize_with = "whole::read_or_none")]
    expire_at: Option<u64>,
    info: Option<Box<RawValue>>,
    b64info: Option<String>,
    data: Option<Box<RawValue>>,
    b64data: Option<String>,
    #[serde(deserialize_with = "or_default")]
    channels: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    subs: BTreeMap<String, SubscribeResult>,
    meta: Option<Box<RawValue>>,
    caps: Option<Vec<CapabilityClaim>>,
}

impl ConnectResult {
    fn into_credentials(self, renewed_by_backend: bool) -> Result<Credentials, Nonsense> {
        let mut subs = self.subs;
        for channel in self.channels {
            subs.entry(channel).or_default();
        }
        let channels = subs
            .into_iter()
            .map(|(channel, sub)| Ok((Channel::new(&channel), sub.into_grant()?)))
            .collect::<Result<_, Nonsense>>()?;
        Ok(Credentials {
            user: self.user,
            info: bytes_of(self.info, self.b64info)?,
            expire_at: self.expire_at.filter(|at| *at != 0),
            data: bytes_of(self.data, self.b64data)?,
            channels,
            capabilities: capabilities(self.caps).map_err(|error| Nonsense(error.to_string()))?,
            meta: bytes_of(self.meta, None)?,
            renewed_by_backend,
            token: None,
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SubscribeResult {
    #[serde(deserialize_with = "whole::read_or_none")]
    expire_at: Option<u64>,
    info: Option<Box<RawValue>>,
    b64info: Option<String>,
    data: Option<Box<RawValue>>,
    b64data: Option<String>,
    r#override: Option<Override>,
    /// Give it the latest publication with the reply, now and whenever it comes back.
    #[serde(deserialize_with = "or_default")]
    cache_recover: bool,
    allow: Allow,
}

impl SubscribeResult {
    fn into_grant(self) -> Result<Grant, Nonsense> {
        Ok(Grant {
            info: bytes_of(self.info, self.b64info)?,
            data: bytes_of(self.data, self.b64data)?,
            expire_at: self.expire_at.filter(|at| *at != 0),
            options: self.r#override.map(Override::into_options).unwrap_or_default(),
            cache_recover: self.cache_recover,
            rights: self.allow.0,
            token: None,
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RefreshResult {
    #[serde(deserialize_with = "or_default")]
    expired: bool,
    #[serde(deserialize_with = "whole::read_or_none")]
    expire_at: Option<u64>,
    info: Option<Box<RawValue>>,
    b64info: Option<String>,
    meta: Option<Box<RawValue>>,
}

impl RefreshResult {
    fn into_renewal(self) -> Result<Renewal, Nonsense> {
        if self.expired {
            return Ok(Renewal::Over);
        }
        let has_info = self.info.is_some() || self.b64info.is_some();
        let info = bytes_of(self.info, self.b64info)?;
        Ok(Renewal::Until {
            expire_at: self.expire_at.filter(|at| *at != 0),
            info: has_info.then_some(info),
            meta: self.meta.map(|meta| bytes_of(Some(meta), None)).transpose()?,
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PublishResult {
    data: Option<Box<RawValue>>,
    b64data: Option<String>,
    #[serde(deserialize_with = "or_default")]
    skip_history: bool,
    #[serde(deserialize_with = "or_default")]
    delta: bool,
    #[serde(deserialize_with = "or_default")]
    tags: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_default")]
    idempotency_key: String,
}

impl PublishResult {
    fn into_approval(self) -> Result<Approval, Nonsense> {
        if self.idempotency_key.len() > IDEMPOTENCY_KEY_BYTES_MAX {
            let trouble = format!("idempotency_key is longer than {IDEMPOTENCY_KEY_BYTES_MAX} bytes");
            return Err(Nonsense(trouble));
        }
        let data = bytes_of(self.data, self.b64data)?;
        Ok(Approval {
            data: (!data.is_empty()).then_some(data),
            tags: self.tags,
            skip_history: self.skip_history,
            delta: self.delta,
            idempotency_key: (!self.idempotency_key.is_empty()).then(|| self.idempotency_key.into()),
            is_dropped: false,
        })
    }
}

#[derive(Deserialize)]
struct RpcResult {
    #[serde(default)]
    data: Option<Box<RawValue>>,
    #[serde(default)]
    b64data: Option<String>,
}

fn bytes_of(raw: Option<Box<RawValue>>, base64: Option<String>) -> Result<Bytes, Nonsense> {
    let base64 = base64.filter(|text| !text.is_empty());
    payload(raw, base64).map_err(|_| Nonsense("a b64 field is not base64".to_owned()))
}

/// Many languages write an absent value as `null`.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests;
