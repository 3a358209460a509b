//! How everybody outside of the shards speaks to them.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use spanwire_hub::broker::{BrokerAnswer, BrokerError, BrokerRequest};
use spanwire_hub::channel::Channel;
use spanwire_hub::namespace::Namespaces;
use spanwire_hub::presence::{PresenceAnswer, PresenceRequest};
use spanwire_hub::{Answer, AskId, Census, Deed, Order, Question, Revocation, SessionId, Whom};
use spanwire_wire::DisconnectCode;
use tokio::sync::{oneshot, watch};

use super::Arrival;
use super::failures::Failures;
use super::headcount::Headcount;
use super::letter::{Call, Caller, Letter, Regulation};
use super::mailbox::{Mailbox, NotTaken};
use super::onlooker::Onlooker;
use super::ownership::Ownership;
use super::permits::Permits;
use super::stats::{ShardSnapshot, ShardStats};
use crate::auth::{Authorize, ListFull, Revocations, Revoked};
use crate::backend::{Backend, ProxySnapshot};
use crate::events::{Events, EventsSnapshot};

/// Speaks to all shards of an engine, from any thread. Cheap to clone.
#[derive(Clone)]
pub struct EngineHandle {
    shared: Arc<Shared>,
}

/// What shards and handles have in common.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) mailboxes: Box<[Mailbox]>,
    pub(super) stats: Box<[ShardStats]>,
    pub(super) ownership: Ownership,
    pub(super) permits: Permits,
    /// How many connections each user has.
    pub(super) users: Arc<Headcount>,
    pub(super) revocations: Revocations,
    pub(super) failures: Failures,
    pub(super) backend: Option<Backend>,
    pub(super) events: Option<Events>,
    pub(super) onlooker: Option<Onlooker>,
    /// Whether listeners accept connections.
    pub(super) accepting: watch::Sender<bool>,
}

/// The engine has ended, or is about to, and does not answer any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the engine has stopped")]
pub struct Stopped;

/// Speaks to one shard, from any thread: to hand it a WebSocket. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ShardHandle {
    engine: EngineHandle,
    shard: usize,
}

impl EngineHandle {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// How many shards there are; their indices begin at 0.
    pub fn shards(&self) -> usize {
        self.shared.mailboxes.len()
    }

    /// One of the shards; an index beyond the last names the last.
    pub fn shard(&self, index: usize) -> ShardHandle {
        ShardHandle { engine: self.clone(), shard: index.min(self.shards() - 1) }
    }

    /// Asks the broker of a channel, as somebody who does not listen.
    ///
    /// [`BrokerRequest::Subscribe`] and [`BrokerRequest::Unsubscribe`] are for listeners, and refused here. A publish
    /// is refused too while its shard has more than it can do.
    ///
    /// # Errors
    /// [`Stopped`] if the engine has ended.
    pub async fn broker(&self, channel: Channel, request: BrokerRequest) -> Result<BrokerAnswer, Stopped> {
        let refusal = BrokerAnswer::Refused(BrokerError::Unavailable);
        if matches!(request, BrokerRequest::Subscribe { .. } | BrokerRequest::Unsubscribe) {
            return Ok(refusal);
        }
        let (owner, (reply, answer)) = (self.owner(&channel), oneshot::channel());
        let call = Call { channel, deed: Deed::Broker(request), caller: Caller::Broker(reply) };
        match owner.put(Letter::Call(Box::new(call))) {
            Ok(()) => answer.await.map_err(|_| Stopped),
            Err(NotTaken::Full(_)) => Ok(refusal),
            Err(NotTaken::Closed) => Err(Stopped),
        }
    }

    /// Asks about the presence of a channel.
    ///
    /// # Errors
    /// [`Stopped`] if the engine has ended.
    pub async fn presence(
        &self,
        channel: Channel,
        request: PresenceRequest,
    ) -> Result<PresenceAnswer, Stopped> {
        let (owner, (reply, answer)) = (self.owner(&channel), oneshot::channel());
        let call = Call { channel, deed: Deed::Presence(request), caller: Caller::Presence(reply) };
        owner.put(Letter::Call(Box::new(call))).map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)
    }

    /// Orders something about the sessions of a user, on whichever shard they are. It is done when each shard comes
    /// to it; nobody waits.
    pub fn order(&self, order: &Order) {
        for mailbox in &self.shared.mailboxes {
            // A shard that has ended has no sessions left to order about.
            let _ = mailbox.put(Letter::Order(Box::new(order.clone())));
        }
    }

    /// Judges whoever comes, and what clients do, by others from now on. When it returns, every shard does.
    ///
    /// # Errors
    /// [`Stopped`] if the engine has ended.
    pub async fn regulate(
        &self,
        authorize: Arc<dyn Authorize>,
        namespaces: &Namespaces,
    ) -> Result<(), Stopped> {
        if let Some(backend) = &self.shared.backend {
            backend.authorize_by(authorize.clone());
        }
        for mailbox in &self.shared.mailboxes {
            let regulation = Regulation { authorize: authorize.clone(), namespaces: namespaces.clone() };
            // A shard that has ended judges nobody.
            let _ = mailbox.put(Letter::Regulate(Box::new(regulation)));
        }
        // Letters are read in their order: who has answered the later one has read the earlier.
        self.ask_all(Letter::Census).await.map(drop)
    }

    /// Revokes tokens until a moment in Unix seconds; `None` is as long as the node lives. What they have opened ends
    /// when each shard comes to it, and whoever shows one from now on is refused.
    ///
    /// # Errors
    /// As many are revoked already as may be.
    pub fn revoke(&self, now_unix: u64, what: Revocation, until: Option<u64>) -> Result<(), ListFull> {
        // First the list, then the letter: a token that a shard accepts meanwhile has opened what the letter ends.
        self.shared.revocations.revoke(now_unix, &what, until)?;
        self.order(&Order::Revoke(what));
        Ok(())
    }

    /// Lets a user in no more, until a moment in Unix seconds; `None` is as long as the node lives. The user's
    /// connections are closed with code 3503.
    ///
    /// # Errors
    /// As many are blocked already as may be.
    pub fn block(&self, now_unix: u64, user: &str, until: Option<u64>) -> Result<(), ListFull> {
        self.shared.revocations.block(now_unix, user, until)?;
        let whom = Whom { user: user.to_owned(), ..Whom::default() };
        let disconnect = DisconnectCode::ForceNoReconnect.into();
        self.order(&Order::Disconnect { whom, spared: Vec::new(), disconnect });
        Ok(())
    }

    /// Lets a user in again.
    pub fn unblock(&self, user: &str) {
        self.shared.revocations.unblock(user);
    }

    /// How many revocations of each kind are kept.
    pub fn revocations(&self) -> [(Revoked, usize); 3] {
        self.shared.revocations.census()
    }

    /// The channels that have subscribers, and how many each has on all shards together.
    ///
    /// # Errors
    /// [`Stopped`] if the engine has ended.
    pub async fn channels(&self) -> Result<BTreeMap<String, usize>, Stopped> {
        let mut channels = BTreeMap::new();
        for counted in self.ask_all(Letter::Channels).await? {
            for (channel, subscribers) in counted {
                *channels.entry(channel).or_default() += subscribers;
            }
        }
        Ok(channels)
    }

    /// How many different users are connected, on all shards together; the anonymous ones count as one.
    ///
    /// # Errors
    /// [`Stopped`] if the engine has ended.
    pub async fn users(&self) -> Result<usize, Stopped> {
        let users: HashSet<Arc<str>> = self.ask_all(Letter::Users).await?.into_iter().flatten().collect();
        Ok(users.len())
    }

    /// How much there is on all shards together. A channel counts once for each shard with subscribers of it.
    ///
    /// # Errors
    /// [`Stopped`] if the engine has ended.
    pub async fn census(&self) -> Result<Census, Stopped> {
        let mut sum = Census::default();
        for census in self.ask_all(Letter::Census).await? {
            sum.sessions += census.sessions;
            sum.clients += census.clients;
            sum.subscriptions += census.subscriptions;
            sum.channels += census.channels;
        }
        Ok(sum)
    }

    /// What each shard has counted. Takes no shard's time.
    pub fn stats(&self) -> Vec<ShardSnapshot> {
        let shards = self.shared.stats.iter().zip(&self.shared.mailboxes).enumerate();
        shards
            .map(|(shard, (stats, mailbox))| {
                let (letters, bytes) = mailbox.depth();
                let (mailbox_letters, mailbox_bytes) = (letters as u64, bytes as u64);
                ShardSnapshot { shard, mailbox_letters, mailbox_bytes, ..stats.snapshot() }
            })
            .collect()
    }

    /// Who asks the backend, if there is one that decides.
    pub(crate) fn backend(&self) -> Option<&Backend> {
        self.shared.backend.as_ref()
    }

    /// Who tells a backend what happens, if one wants to know.
    pub(crate) fn teller(&self) -> Option<&Events> {
        self.shared.events.as_ref()
    }

    /// How each proxy to the backend is doing.
    pub fn proxies(&self) -> Vec<ProxySnapshot> {
        self.shared.backend.as_ref().map(Backend::stats).unwrap_or_default()
    }

    /// How the telling of events goes, if anybody is told.
    pub fn events(&self) -> Option<EventsSnapshot> {
        self.shared.events.as_ref().map(Events::snapshot)
    }

    /// Accepts no more connections, closes every session with code 3001, and returns when the last WebSocket is
    /// gone or `grace` has passed. The shards go on until [`Engine::stop`](super::Engine::stop).
    ///
    /// Needs a Tokio runtime with its timers.
    pub async fn drain(&self, grace: Duration) {
        self.shared.accepting.send_replace(false);
        let drained = async {
            // A shard reads its letters after it has sent those of its earlier turns: once all have answered, what was
            // published and acknowledged before now lies before the farewell in the mailboxes of those who listen.
            self.ask_all(Letter::Census).await?;
            // Whoever comes late, by a handshake that was under way, is closed by its hub; an answer means that a
            // shard's last connection is gone, and an error that the shard itself is.
            self.ask_all(Letter::Drain).await
        };
        let _ = tokio::time::timeout(grace, drained).await;
    }

    /// Whether the node neither drains nor has ended.
    pub fn is_accepting(&self) -> bool {
        *self.shared.accepting.borrow()
    }

    /// Waits until the node drains, or ends.
    pub async fn draining(&self) {
        // The sender lives as long as anybody holds this handle.
        let _ = self.accepting().wait_for(|accepting| !accepting).await;
    }

    /// Changes to `false` when listeners are to accept no more.
    pub(super) fn accepting(&self) -> watch::Receiver<bool> {
        self.shared.accepting.subscribe()
    }

    pub(crate) fn permits(&self) -> &Permits {
        &self.shared.permits
    }

    /// Ends every shard, whatever is still open there.
    pub(crate) fn stop(&self) {
        self.shared.accepting.send_replace(false);
        for mailbox in &self.shared.mailboxes {
            let _ = mailbox.put(Letter::Stop);
        }
    }

    /// Asks every shard at the same time and waits for all of them.
    async fn ask_all<T>(&self, letter: impl Fn(oneshot::Sender<T>) -> Letter) -> Result<Vec<T>, Stopped> {
        let mut answers = Vec::with_capacity(self.shards());
        for mailbox in &self.shared.mailboxes {
            let (reply, answer) = oneshot::channel();
            mailbox.put(letter(reply)).map_err(|_| Stopped)?;
            answers.push(answer);
        }
        let mut all = Vec::with_capacity(answers.len());
        for answer in answers {
            all.push(answer.await.map_err(|_| Stopped)?);
        }
        Ok(all)
    }

    fn owner(&self, channel: &Channel) -> &Mailbox {
        &self.shared.mailboxes[self.shared.ownership.owner(channel)]
    }
}

impl ShardHandle {
    /// Hands the shard a WebSocket. If the shard has ended, the socket is closed.
    pub fn adopt(&self, arrival: Arrival) {
        let _ = self.put(Letter::Adopt(Box::new(arrival)));
    }

    /// Writes to the shard.
    pub(super) fn put(&self, letter: Letter) -> Result<(), NotTaken> {
        self.engine.shared.mailboxes[self.shard].put(letter)
    }

    /// Brings the shard the answer to a question of its hub. If the shard has ended, nobody waits for it.
    pub fn answer(&self, session: SessionId, ask: AskId, answer: Answer) {
        let _ = self.engine.shared.mailboxes[self.shard].put(Letter::Answer(session, ask, Box::new(answer)));
    }

    /// The shard's index.
    pub fn index(&self) -> usize {
        self.shard
    }

    /// Has a question about a token judged, now that the keys were fetched that it waited for.
    pub(super) fn judge(&self, ask: AskId, question: Box<Question>) {
        // A shard that has ended asks nothing any more.
        let _ = self.engine.shared.mailboxes[self.shard].put(Letter::Judge(ask, question));
    }

    /// What the shard counts; only its own thread may.
    pub(super) fn stats(&self) -> &ShardStats {
        &self.engine.shared.stats[self.shard]
    }

    /// All shards.
    pub fn engine(&self) -> &EngineHandle {
        &self.engine
    }
}

impl fmt::Debug for EngineHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineHandle").field("shards", &self.shards()).finish()
    }
}
