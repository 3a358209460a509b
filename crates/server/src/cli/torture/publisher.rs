//! Who publishes.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rand::Rng as _;
use rand::rngs::StdRng;
use serde::Deserialize;
use serde_json::json;
use spanwire_client_core::{CallError, Position};
use spanwire_wire::message::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::books::Books;
use super::crowd::Crowd;
use super::ledger::{Number, payload};
use crate::cli::http::{self, Answer};
use crate::cli::trust::Trust;
use crate::cli::url::Server;
use crate::config::Secret;

/// Most requests to the server API at a time.
const REQUESTS_MAX: usize = 16;
/// How long a request is repeated, under its key, before its publication is given up. The window in which a server
/// knows keys is longer.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long to wait before a request is repeated.
const REST: Duration = Duration::from_millis(300);

/// Who publishes.
#[derive(Debug)]
pub enum Publisher {
    /// The clients, over their connections.
    Clients,
    /// A backend, over the server API.
    Backend(Backend),
}

/// Publishes as a backend does: by requests that it repeats until they are answered, each under a key of its own.
#[derive(Debug)]
pub struct Backend {
    api: Arc<Api>,
    requests: Arc<Semaphore>,
}

/// What a request needs.
#[derive(Debug)]
struct Api {
    server: Server,
    trust: Trust,
    key: Secret,
    /// What makes these idempotency keys different from everybody else's.
    run: String,
    payload_bytes: usize,
}

/// What became of one request.
#[derive(Debug, PartialEq)]
enum Outcome {
    Published(Option<Position>),
    Refused(Error),
    /// It may have been done, and has to be repeated.
    Unknown,
}

impl Publisher {
    /// Publishes to a channel of this client's.
    pub(super) fn publish(&self, crowd: &Crowd, client: usize, chance: &mut StdRng) {
        let channels = crowd.channels_of(client);
        let channel = channels[chance.random_range(0..channels.len())];
        match self {
            Self::Clients => crowd.publish(client, channel),
            Self::Backend(backend) => backend.publish(crowd, channel),
        }
    }

    /// Publishes the last word of a channel; the result is its number.
    pub(super) async fn last_word(&self, crowd: &Crowd, channel: usize) -> Number {
        match self {
            Self::Clients => crowd.publish_surely(crowd.listener(channel), channel).await,
            Self::Backend(backend) => backend.publish_surely(crowd, channel).await,
        }
    }
}

impl Backend {
    pub(in crate::cli) fn new(
        server: Server,
        trust: Trust,
        key: Secret,
        run: String,
        payload_bytes: usize,
    ) -> Self {
        let api = Arc::new(Api { server, trust, key, run, payload_bytes });
        Self { api, requests: Arc::new(Semaphore::new(REQUESTS_MAX)) }
    }

    /// Publishes, unless there are too many requests at the moment.
    fn publish(&self, crowd: &Crowd, channel: usize) {
        if let Ok(slot) = self.requests.clone().try_acquire_owned() {
            self.begin(crowd, channel, slot);
        }
    }

    async fn publish_surely(&self, crowd: &Crowd, channel: usize) -> Number {
        // Nobody closes the semaphore; were it closed, one request more would do no harm.
        let slot = self.requests.clone().acquire_owned().await.ok();
        self.begin(crowd, channel, slot)
    }

    fn begin(&self, crowd: &Crowd, channel: usize, slot: impl Into<Option<OwnedSemaphorePermit>>) -> Number {
        let (books, api, slot) = (crowd.books().clone(), self.api.clone(), slot.into());
        let number = books.publishes(None, channel);
        tokio::spawn(async move {
            api.publish(&books, channel, number).await;
            drop(slot);
        });
        number
    }
}

impl Api {
    /// Publishes a number, and enters in the books what became of it.
    async fn publish(self: Arc<Self>, books: &Books, channel: usize, number: Number) {
        let body = self.body(books.name(channel), number);
        let deadline = Instant::now() + PATIENCE;
        let outcome = loop {
            let outcome = self.clone().ask(body.clone()).await;
            if outcome != Outcome::Unknown || Instant::now() >= deadline {
                break outcome;
            }
            tokio::time::sleep(REST).await;
        };
        match outcome {
            Outcome::Published(position) => books.ledger().acknowledged(number, position.as_ref()),
            Outcome::Refused(error) => books.ledger().failed(&CallError::Refused(error)),
            Outcome::Unknown => books.ledger().failed(&CallError::Unacknowledged),
        }
    }

    fn body(&self, channel: &str, number: Number) -> String {
        let data = payload(number, self.payload_bytes);
        let (channel, key) = (json!(channel), format!("{}-{number}", self.run));
        format!("{{\"channel\":{channel},\"data\":{data},\"idempotency_key\":\"{key}\"}}")
    }

    async fn ask(self: Arc<Self>, body: String) -> Outcome {
        let request = move || http::post(&self.server, &self.trust, "/api/publish", self.key.reveal(), &body);
        let answer = tokio::task::spawn_blocking(request).await.map_err(io::Error::from);
        match answer {
            Ok(Ok(answer)) => read(&answer),
            Ok(Err(_)) | Err(_) => Outcome::Unknown,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Said {
    Result {
        #[serde(default)]
        offset: u64,
        #[serde(default)]
        epoch: String,
    },
    Error {
        code: u32,
        message: String,
    },
}

/// What an answer means.
fn read(answer: &Answer) -> Outcome {
    let refused = |code, message: &str| {
        Outcome::Refused(Error { code, message: message.to_owned(), ..Error::default() })
    };
    match (answer.status, serde_json::from_str(&answer.body)) {
        (200, Ok(Said::Result { offset: 0, .. })) => Outcome::Published(None),
        (200, Ok(Said::Result { offset, epoch })) => Outcome::Published(Some(Position { offset, epoch })),
        // 100 is the server's own trouble, and it says that trying again may help.
        (200, Ok(Said::Error { code: 100, .. })) => Outcome::Unknown,
        (200, Ok(Said::Error { code, message })) => refused(code, &message),
        (status @ 400..=499, _) => refused(status.into(), "the server API"),
        _ => Outcome::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_position_a_refusal_or_a_reason_to_ask_again() {
        let position = Position { offset: 4, epoch: "a".to_owned() };
        let refused = |code, message: &str| {
            Outcome::Refused(Error { code, message: message.to_owned(), ..Error::default() })
        };
        for (status, body, expected) in [
            (200, r#"{"result":{"offset":4,"epoch":"a"}}"#, Outcome::Published(Some(position))),
            (200, r#"{"result":{}}"#, Outcome::Published(None)),
            (200, r#"{"error":{"code":102,"message":"unknown channel"}}"#, refused(102, "unknown channel")),
            (200, r#"{"error":{"code":100,"message":"internal server error"}}"#, Outcome::Unknown),
            (401, "", refused(401, "the server API")),
            (503, "", Outcome::Unknown),
            (200, "", Outcome::Unknown),
        ] {
            assert_eq!(
                read(&Answer { status, retry_after: None, body: body.to_owned() }),
                expected,
                "{status} {body}"
            );
        }
    }
}
