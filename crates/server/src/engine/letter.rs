//! What shards, and those who hold an [`EngineHandle`](super::EngineHandle), write to a shard.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use spanwire_hub::backend::Approval;
use spanwire_hub::broker::{BrokerAnswer, BrokerEvent, BrokerRequest, Listener, Ticket};
use spanwire_hub::channel::Channel;
use spanwire_hub::delivery::Delivery;
use spanwire_hub::namespace::Namespaces;
use spanwire_hub::presence::PresenceAnswer;
use spanwire_hub::{Answer, AskId, Census, Deed, Order, Question, SessionId};
use tokio::sync::oneshot;

use super::Arrival;
use super::pipe::{Bell, PipeArrival};
use crate::auth::Authorize;

/// One letter to a shard. Between two shards, letters arrive in the order in which they were sent.
#[derive(Debug)]
pub(super) enum Letter {
    /// To the owner of a channel: another shard's hub asks its broker, or its presence.
    Request(Box<Request>),
    /// From the owner of a channel: what its broker says, and when it said so if that is a publication.
    Event(BrokerEvent, Born),
    /// From the owner of a channel: what its presence says.
    Presence(Ticket, PresenceAnswer),
    /// To the owner of a channel: somebody who is no shard asks.
    Call(Box<Call>),
    /// A WebSocket to adopt.
    Adopt(Box<Arrival>),
    /// A session that a task serves.
    OpenPipe(Box<PipeArrival>),
    /// The task of a piped session has something for its shard.
    Pipe(Arc<Bell>),
    /// From the backend: what it says to a question of this shard's hub.
    Answer(SessionId, AskId, Box<Answer>),
    /// A question about a token can be judged now: the keys were fetched that it waited for.
    Judge(AskId, Box<Question>),
    /// What the backend wants.
    Order(Box<Order>),
    /// Who comes, and what clients do, is judged by others from now on.
    Regulate(Box<Regulation>),
    /// How much is there?
    Census(oneshot::Sender<Census>),
    /// Which channels have subscribers here, and how many?
    Channels(oneshot::Sender<Vec<(String, usize)>>),
    /// Which users are connected?
    Users(oneshot::Sender<HashSet<Arc<str>>>),
    /// Close every session with code 3001; the sender is dropped when the last connection is gone.
    Drain(oneshot::Sender<()>),
    /// Come to an end, whatever is still open.
    Stop,
}

/// When the broker published something, in microseconds on the engine's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Born(pub(super) u64);

/// By what is judged who comes, and what clients do.
pub(super) struct Regulation {
    pub(super) authorize: Arc<dyn Authorize>,
    pub(super) namespaces: Namespaces,
}

/// Without what must stay secret.
impl fmt::Debug for Regulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Regulation").finish_non_exhaustive()
    }
}

/// A hub's question to the owner of a channel.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) from: Listener,
    pub(super) ticket: Ticket,
    pub(super) channel: Channel,
    pub(super) deed: Deed,
}

/// A question from outside of all shards, with the way back for its answer.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) channel: Channel,
    pub(super) deed: Deed,
    pub(super) caller: Caller,
}

/// The way back to one who asked from outside of all shards.
#[derive(Debug)]
pub(super) enum Caller {
    Broker(oneshot::Sender<BrokerAnswer>),
    Presence(oneshot::Sender<PresenceAnswer>),
}

impl Letter {
    /// About how many bytes the letter holds.
    pub(super) fn weight(&self) -> usize {
        let payload = match self {
            Self::Event(BrokerEvent::Publication(_, delivery), _) => delivery.publication.data.len(),
            Self::Event(BrokerEvent::Answer(_, answer), _) => weight_of_answer(answer),
            Self::Answer(_, _, answer) => size_of::<Answer>() + weight_of_backends(answer),
            Self::Request(request) => size_of::<Request>() + weight_of_deed(&request.deed),
            Self::Call(call) => size_of::<Call>() + weight_of_deed(&call.deed),
            Self::Adopt(arrival) => size_of::<Arrival>() + arrival.leftover.len(),
            _ => 0,
        };
        size_of::<Self>() + payload
    }

    /// Whether this asks for a publication: what can be refused when there is too much of it.
    pub(super) fn publishes(&self) -> bool {
        let deed = match self {
            Self::Request(request) => &request.deed,
            Self::Call(call) => &call.deed,
            _ => return false,
        };
        matches!(deed, Deed::Broker(BrokerRequest::Publish(_)))
    }

    /// The publication, if the letter is one: what can be dropped when there is too much of it.
    pub(super) fn publication(&self) -> Option<(&Channel, &Arc<Delivery>)> {
        match self {
            Self::Event(BrokerEvent::Publication(channel, delivery), _) => Some((channel, delivery)),
            _ => None,
        }
    }
}

fn weight_of_deed(deed: &Deed) -> usize {
    match deed {
        Deed::Broker(BrokerRequest::Publish(draft)) => draft.publication.data.len(),
        _ => 0,
    }
}

fn weight_of_answer(answer: &BrokerAnswer) -> usize {
    let publications = match answer {
        BrokerAnswer::Subscribed { recalled: Some(publications), .. }
        | BrokerAnswer::History { publications, .. } => publications,
        _ => return 0,
    };
    publications.iter().map(|publication| size_of_val(publication) + publication.data.len()).sum()
}

fn weight_of_backends(answer: &Answer) -> usize {
    match answer {
        Answer::Credentials(Ok(credentials)) => {
            let subscriptions = credentials.channels.iter();
            let subscriptions = subscriptions.map(|(_, grant)| grant.info.len() + grant.data.len());
            credentials.data.len() + credentials.info.len() + subscriptions.sum::<usize>()
        }
        Answer::Rpc(Ok(data)) | Answer::Approval(Ok(Approval { data: Some(data), .. })) => data.len(),
        Answer::Grant(Ok(grant)) => grant.info.len() + grant.data.len(),
        _ => 0,
    }
}
