//! `broadcast`: one publication to many channels.

use futures_util::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use spanwire_wire::ErrorCode;

use super::World;
use super::call::Call;
use super::failure::{ApiError, Failure};
use super::publish::{Article, Published, What};

/// Most channels of one call (error 107).
pub const CHANNELS_MAX: usize = 10_000;

/// How many of them are asked for at once: their brokers work side by side, and the answers that wait are bounded.
const AT_ONCE: usize = 256;

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["channels"]))]
pub(super) struct Places {
    /// The names of the channels: at least one, and 10,000 at most.
    #[schemars(length(min = 1, max = 10_000))]
    channels: Vec<String>,
}

/// One publication to many channels.
#[derive(Debug, PartialEq)]
pub struct Broadcast {
    /// The names of the channels: at least one, and [`CHANNELS_MAX`] at most.
    pub channels: Vec<String>,
    /// What to publish in each.
    pub article: Article,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Responses {
    /// One for each channel, in their order.
    responses: Vec<Response>,
}

/// What came of one channel, in the order of the channels.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "PublishResponse")]
enum Response {
    /// It was published.
    Result(Published),
    /// It was not.
    Error(ApiError),
}

impl Call for Broadcast {
    type Body = (Places, What);
    type Result = Responses;

    fn understand((Places { channels }, what): Self::Body) -> Result<Self, Failure> {
        if channels.is_empty() || channels.len() > CHANNELS_MAX {
            return Err(ErrorCode::BadRequest.into());
        }
        Ok(Self { channels, article: Article::of(what)? })
    }

    async fn answer(self, world: World<'_>) -> Result<Responses, Failure> {
        let mut responses = Vec::with_capacity(self.channels.len());
        for channels in self.channels.chunks(AT_ONCE) {
            let published = channels.iter().map(|channel| self.article.publish(world, channel));
            responses.extend(join_all(published).await.into_iter().map(Response::from));
        }
        Ok(Responses { responses })
    }
}

impl From<Result<Published, Failure>> for Response {
    fn from(outcome: Result<Published, Failure>) -> Self {
        match outcome {
            Ok(published) => Self::Result(published),
            Err(failure) => Self::Error(failure.reason().into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_channel_has_a_result_or_an_error() {
        let responses = Responses {
            responses: vec![Ok(None.into()).into(), Err(ErrorCode::UnknownChannel.into()).into()],
        };
        assert_eq!(
            serde_json::to_string(&responses).unwrap(),
            r#"{"responses":[{"result":{}},{"error":{"code":102,"message":"unknown channel"}}]}"#
        );
    }
}
