//! `broadcast`: one publication to many channels.

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use spanwire_wire::ErrorCode;

use super::World;
use super::failure::{Failure, parse, write};
use super::publish::{Article, Published};

/// Most channels of one call (error 107).
pub const CHANNELS_MAX: usize = 10_000;

/// How many of them are asked for at once: their brokers work side by side, and the answers that wait are bounded.
const AT_ONCE: usize = 256;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Places {
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

#[derive(Serialize)]
struct Responses {
    responses: Vec<Response>,
}

/// What came of one channel, in the order of the channels.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Response {
    Result(Published),
    Error { code: u32, message: &'static str },
}

impl Broadcast {
    pub(super) fn read(body: &[u8]) -> Result<Self, Failure> {
        let Places { channels } = parse(body)?;
        if channels.is_empty() || channels.len() > CHANNELS_MAX {
            return Err(ErrorCode::BadRequest.into());
        }
        Ok(Self { channels, article: Article::read(body)? })
    }

    pub(super) async fn answer(self, world: World<'_>) -> Result<String, Failure> {
        let mut responses = Vec::with_capacity(self.channels.len());
        for channels in self.channels.chunks(AT_ONCE) {
            let published = channels.iter().map(|channel| self.article.publish(world, channel));
            responses.extend(join_all(published).await.into_iter().map(Response::from));
        }
        write(&Responses { responses })
    }
}

impl From<Result<Published, Failure>> for Response {
    fn from(outcome: Result<Published, Failure>) -> Self {
        match outcome {
            Ok(published) => Self::Result(published),
            Err(failure) => {
                let code = failure.reason();
                Self::Error { code: code.code(), message: code.reason() }
            }
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
            write(&responses).unwrap(),
            r#"{"responses":[{"result":{}},{"error":{"code":102,"message":"unknown channel"}}]}"#
        );
    }
}
