//! `rpc`: calls a function that was added to the server.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use spanwire_wire::ErrorCode;

use super::World;
use super::call::Call;
use super::failure::Failure;

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["method"]))]
pub(super) struct What {
    /// The name of the function.
    #[schemars(length(min = 1))]
    method: String,
    /// What it is told.
    #[serde(rename = "params")]
    _params: Option<Box<RawValue>>,
}

/// What the function returned.
#[derive(Serialize, JsonSchema)]
pub(super) struct Returned {
    /// Whatever it was.
    data: Box<RawValue>,
}

/// A call of a function. No function can be added to a server yet, as in Centrifugo, so that none is found (error 104).
/// What clients call by their `rpc` command is another matter: that is the backend's.
#[derive(Debug, PartialEq, Eq)]
pub struct Rpc {
    /// The name of the function.
    pub method: String,
}

impl Call for Rpc {
    type Body = (What,);
    type Result = Returned;

    fn understand((What { method, .. },): Self::Body) -> Result<Self, Failure> {
        if method.is_empty() { Err(ErrorCode::BadRequest.into()) } else { Ok(Self { method }) }
    }

    async fn answer(self, _: World<'_>) -> Result<Returned, Failure> {
        Err(ErrorCode::MethodNotFound.into())
    }
}
