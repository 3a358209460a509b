//! Clients on the stage.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use spanwire_client_core::{
    Answer, Call, CallError, Client, Config, Credentials, Event, Input, Key, SubscribeOptions,
};
use spanwire_wire::message::ClientInfo;

use super::figure::{Figure, Network};
use super::stage::Stage;
use crate::auth::ConnectionInfo;

/// A client of a [`TestHub`](super::TestHub): the real one, which reconnects and recovers by itself as time
/// [passes](super::TestHub::advance). Dropped, it stays on the stage; [`leave`](Self::leave) ends it.
#[derive(Debug)]
pub struct TestClient {
    stage: Arc<Stage>,
    /// Its place among the figures, once it is on the stage.
    place: usize,
    config: Config,
    headers: HeaderMap,
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refused {
    /// The code of the error, of the end of the connection, or of the end of the subscription. 0 if there was no answer,
    /// because there was no connection.
    pub code: u32,
    /// The sentence.
    pub message: String,
}

impl TestClient {
    pub(super) fn new(stage: Arc<Stage>) -> Self {
        Self { stage, place: usize::MAX, config: Config::default(), headers: HeaderMap::new() }
    }

    /// The token that it will show.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.config.credentials = Credentials::Token(token.into());
        self
    }

    /// The data of its connect command.
    ///
    /// # Panics
    /// It cannot be written as JSON.
    pub fn data(mut self, data: impl Serialize) -> Self {
        self.config.data = json(data);
        self
    }

    /// A header of its request, such as `cookie`.
    ///
    /// # Panics
    /// It is no header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).expect("the name of a header");
        self.headers.append(name, HeaderValue::try_from(value).expect("the value of a header"));
        self
    }

    /// Connects. From then on it is on the stage, and wants to be connected.
    ///
    /// # Errors
    /// It was refused: the code of the error, or of the end of the connection.
    pub async fn connect(mut self) -> Result<Self, Refused> {
        let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
        let headers = self.stage.wanted().of_request(&self.headers);
        let info = ConnectionInfo { headers, ..ConnectionInfo::new(peer) };
        let client = Client::new(self.config.clone(), self.stage.seed());
        self.place = self.stage.enter(Figure::new(client, info));
        self.happen(Input::Connect).await;
        let outcome = self.take(|event| match event {
            Event::Connected { .. } => Some(Ok(())),
            Event::Disconnected { code: Event::CODE_REFUSED, reason, .. } => Some(Err(refused_with(reason))),
            Event::Disconnected { code, reason, .. } => Some(Err(refused(*code, reason))),
            _ => None,
        });
        outcome.unwrap_or_else(|| Err(no_answer())).map(|()| self)
    }

    /// Subscribes to a channel, with recovery where the channel has it.
    ///
    /// # Errors
    /// It was refused.
    pub async fn subscribe(&self, channel: &str) -> Result<(), Refused> {
        let options = SubscribeOptions { join_leave: true, ..SubscribeOptions::default() };
        self.happen(Input::Subscribe { channel: channel.to_owned(), options }).await;
        let outcome = self.take(|event| match event {
            Event::Subscribed { channel: found, .. } if found == channel => Some(Ok(())),
            Event::Unsubscribed { channel: found, code, reason, .. } if found == channel => {
                Some(Err(refused(*code, reason)))
            }
            _ => None,
        });
        outcome.unwrap_or_else(|| Err(no_answer()))
    }

    /// Leaves a channel.
    pub async fn unsubscribe(&self, channel: &str) {
        self.happen(Input::Unsubscribe { channel: channel.to_owned() }).await;
    }

    /// Publishes to a channel.
    ///
    /// # Errors
    /// It was refused, or waits for a connection.
    ///
    /// # Panics
    /// The data cannot be written as JSON.
    pub async fn publish(&self, channel: &str, data: impl Serialize) -> Result<(), Refused> {
        let call = Call::Publish { channel: channel.to_owned(), data: json(data), queue: true };
        let key = self.call(call).await;
        let outcome = self.take(|event| match event {
            Event::PublishAcked { key: found, .. } if *found == key => Some(Ok(())),
            Event::PublishFailed { key: found, error } if *found == key => Some(Err(error.clone().into())),
            _ => None,
        });
        outcome.unwrap_or_else(|| Err(no_answer()))
    }

    /// Calls a method.
    ///
    /// # Errors
    /// It was refused, or its result is not what is wanted.
    ///
    /// # Panics
    /// The arguments cannot be written as JSON.
    pub async fn rpc<T: DeserializeOwned>(
        &self,
        method: &str,
        arguments: impl Serialize,
    ) -> Result<T, Refused> {
        let call = Call::Rpc { method: method.to_owned(), data: json(arguments) };
        match self.answer(call).await? {
            Answer::Rpc(data) => {
                serde_json::from_slice(&data).map_err(|error| refused(0, &error.to_string()))
            }
            _ => Err(no_answer()),
        }
    }

    /// Asks who is in a channel, by client id.
    ///
    /// # Errors
    /// It was refused.
    pub async fn presence(&self, channel: &str) -> Result<BTreeMap<String, ClientInfo>, Refused> {
        match self.answer(Call::Presence { channel: channel.to_owned() }).await? {
            Answer::Presence(clients) => Ok(clients),
            _ => Err(no_answer()),
        }
    }

    /// The data of the publications that it has heard since it was last asked, in order.
    pub fn heard(&self) -> Vec<Value> {
        let publication = |event: &Event| match event {
            Event::Publication { publication, .. } => {
                Some(serde_json::from_slice(&publication.data).unwrap_or(Value::Null))
            }
            _ => None,
        };
        std::iter::from_fn(|| self.take(publication)).collect()
    }

    /// Whatever else it was told since it was last asked: that it was disconnected and came back, gaps, joins, leaves.
    pub fn events(&self) -> Vec<Event> {
        self.stage.with(self.place, |figure| figure.events.drain(..).collect())
    }

    /// From now on nothing goes through, in either direction, and nobody is told: the hub will miss the client's
    /// heartbeats, and the client the hub's.
    pub fn lose_network(&self) {
        self.stage.with(self.place, |figure| figure.network = Network::Lost);
    }

    /// The network is back. What was on its way is lost, and the client learns so, as from a new address.
    pub fn find_network(&self) {
        self.stage.find_network(self.place);
    }

    /// Closes the connection as a client does that does not want any more.
    pub async fn leave(self) {
        self.happen(Input::Disconnect).await;
    }

    async fn answer(&self, call: Call) -> Result<Answer, Refused> {
        let key = self.call(call).await;
        let outcome = self.take(|event| match event {
            Event::Answered { key: found, answer } if *found == key => Some(Ok(answer.clone())),
            Event::Failed { key: found, error } if *found == key => Some(Err(error.clone().into())),
            _ => None,
        });
        outcome.unwrap_or_else(|| Err(no_answer()))
    }

    async fn call(&self, call: Call) -> Key {
        let key = self.stage.with(self.place, Figure::next_key);
        self.happen(Input::Call(key, call)).await;
        key
    }

    async fn happen(&self, input: Input<'_>) {
        self.stage.tell(self.place, input);
        self.stage.settle().await;
    }

    fn take<T>(&self, looked_for: impl Fn(&Event) -> Option<T>) -> Option<T> {
        self.stage.with(self.place, |figure| figure.take(looked_for))
    }
}

impl From<CallError> for Refused {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(error) => Self { code: error.code, message: error.message },
            other => refused(0, &other.to_string()),
        }
    }
}

fn refused(code: u32, message: &str) -> Refused {
    Refused { code, message: message.to_owned() }
}

/// The client tells the code of the error that its connect command was answered with before the error's words.
fn refused_with(reason: &str) -> Refused {
    let found = reason.split_once(' ').and_then(|(code, message)| Some(refused(code.parse().ok()?, message)));
    found.unwrap_or_else(|| refused(Event::CODE_REFUSED, reason))
}

fn no_answer() -> Refused {
    refused(0, "no answer: there is no connection")
}

fn json(value: impl Serialize) -> Bytes {
    serde_json::to_vec(&value).expect("what a test sends can be written as JSON").into()
}
