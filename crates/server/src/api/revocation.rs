//! What the methods that revoke have in common: whom and what they name, and until when it is kept.

use std::time::{SystemTime, UNIX_EPOCH};

use schemars::JsonSchema;
use serde::Deserialize;
use spanwire_wire::ErrorCode;

use crate::auth::NAME_BYTES_MAX;

use super::whole;

/// Whom it is about.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["user"]))]
pub(super) struct Whose {
    /// The user, who must have a name.
    #[schemars(length(min = 1, max = 255))]
    pub(super) user: String,
}

/// Until when it holds.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Term {
    /// When it is forgotten again, in seconds since 1970; 0 is when the node ends.
    #[serde(deserialize_with = "whole::read")]
    pub(super) expire_at: u64,
}

/// Until when an entry is kept, for an `expire_at` that lies ahead.
pub(super) fn until(expire_at: u64, now_unix: u64) -> Result<Option<u64>, ErrorCode> {
    match expire_at {
        0 => Ok(None),
        past if past <= now_unix => Err(ErrorCode::BadRequest),
        later => Ok(Some(later)),
    }
}

/// A name that a list keeps. The empty one is nobody's: it would be all those who are anonymous, or all tokens that
/// have no id.
pub(super) fn name(name: String) -> Result<String, ErrorCode> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return Err(ErrorCode::BadRequest);
    }
    Ok(name)
}

/// Seconds since 1970.
pub(super) fn now_unix() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
