//! What a hub does not know or may not decide, and the answers.

use std::collections::BTreeMap;

use bytes::Bytes;
use spanwire_wire::Encoding;

use crate::backend::{Approval, Petition, Renewal};
use crate::broker::{BrokerAnswer, BrokerRequest};
use crate::channel::Channel;
use crate::presence::{PresenceAnswer, PresenceRequest};
use crate::{Credentials, Grant, Refusal, SessionId};

/// Names a question, so that its answer finds whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AskId(pub u64);

/// What a hub does not know or may not decide.
#[derive(Clone, Debug)]
pub enum Question {
    /// Who is this? The answer is [`Answer::Credentials`].
    Authenticate(Authenticate),
    /// Is this token good for prolonging the connection? The answer is [`Answer::Credentials`].
    Refresh {
        /// The session, for asking its transport about addresses.
        session: SessionId,
        /// The token of the `refresh` command.
        token: String,
    },
    /// Is this token good for this channel? The answer is [`Answer::Grant`].
    VerifySubscription {
        /// The session, for asking its transport about addresses.
        session: SessionId,
        /// The token of the `subscribe` or `sub_refresh` command.
        token: String,
        /// The channel subscribed to.
        channel: Channel,
        /// The user of the connection.
        user: String,
    },
    /// One for the backend. What the answer is depends on the [matter](crate::backend::Matter).
    Decide(Box<Petition>),
    /// One for the broker. The answer is [`Answer::Broker`].
    Broker(Channel, BrokerRequest),
    /// One for presence. The answer is [`Answer::Presence`].
    Presence(Channel, PresenceRequest),
}

/// Who wants to connect.
#[derive(Clone, Debug)]
pub struct Authenticate {
    /// The session, for asking its transport about headers and addresses.
    pub session: SessionId,
    /// The id that the client will have.
    pub client: String,
    /// What it speaks.
    pub encoding: Encoding,
    /// The token of the `connect` command; empty if it had none.
    pub token: String,
    /// The data of the `connect` command; empty if it had none.
    pub data: Bytes,
    /// The client's name of itself (an SDK), at most 16 characters by convention.
    pub name: String,
    /// The version of that.
    pub version: String,
    /// The server-side subscriptions that it wants to recover.
    pub channels: Vec<String>,
    /// What it says instead of HTTP headers. Untrusted.
    pub headers: BTreeMap<String, String>,
}

/// An answer to a [`Question`].
#[derive(Clone, Debug)]
pub enum Answer {
    /// To [`Question::Authenticate`] and [`Question::Refresh`].
    Credentials(Result<Credentials, Refusal>),
    /// To [`Question::VerifySubscription`] and [`Matter::Subscribe`](crate::backend::Matter::Subscribe).
    Grant(Result<Grant, Refusal>),
    /// To [`Matter::Refresh`](crate::backend::Matter::Refresh) and
    /// [`Matter::SubRefresh`](crate::backend::Matter::SubRefresh).
    Renewal(Renewal),
    /// To [`Matter::Publish`](crate::backend::Matter::Publish).
    Approval(Result<Approval, Refusal>),
    /// To [`Matter::Rpc`](crate::backend::Matter::Rpc): the result, raw JSON or binary.
    Rpc(Result<Bytes, Refusal>),
    /// To [`Question::Broker`].
    Broker(BrokerAnswer),
    /// To [`Question::Presence`].
    Presence(PresenceAnswer),
}
