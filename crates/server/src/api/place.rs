//! Where a call is about.

use serde::Deserialize;

/// How most methods say which channel they mean; an empty name is no channel (error 107).
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Place {
    pub(super) channel: String,
}
