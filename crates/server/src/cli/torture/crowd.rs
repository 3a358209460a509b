//! Many clients at one server, with one ledger.

use std::fmt;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::books::Books;
use super::latency::Latency;
use super::ledger::{Ledger, Number, Tally};
use super::line::Target;
use super::member::Member;
use super::objection::Objection;
use super::order::Order;
use super::plan::Plan;
use super::publisher::Publisher;
use super::storm::Storm;
use crate::Chance;

/// Most orders that wait for one member; who has more to do is not told more.
const ORDERS_MAX: usize = 64;

/// How often the ledger is looked at while somebody waits for it to say something.
const GLANCE: Duration = Duration::from_millis(10);

/// Many clients at one server. They are gone when this is dropped.
#[derive(Debug)]
pub struct Crowd {
    books: Arc<Books>,
    seats: Vec<Seat>,
    members: JoinSet<()>,
}

/// One member, as the crowd sees it.
#[derive(Debug)]
struct Seat {
    orders: mpsc::Sender<Order>,
    channels: Vec<usize>,
}

/// Why nothing can be said at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsettled {
    /// Some publishes are still not answered.
    Unanswered,
    /// The server did not take the last word of a channel, by which everybody knows that they have heard all.
    NoLastWord,
}

impl Crowd {
    /// Starts everybody, each as a task of the runtime that this is called in. They have connected when
    /// [`Tally::connects`] says so.
    pub fn start(target: &Target, plan: &Plan, chance: &mut Chance) -> Self {
        let names = (0..plan.channels).map(|channel| format!("{}{channel}", plan.prefix)).collect();
        let books = Arc::new(Books::new(plan.clients, names));
        let mut crowd = Self { books, seats: Vec::with_capacity(plan.clients), members: JoinSet::new() };
        for index in 0..plan.clients {
            let channels = plan.channels_of(index);
            channels.iter().for_each(|channel| crowd.ledger().subscribes(index, *channel));
            let (orders, received) = mpsc::channel(ORDERS_MAX);
            let member = Member::new(index, plan, target.clone(), crowd.books.clone(), chance.seed());
            crowd.members.spawn(member.live(received));
            crowd.seats.push(Seat { orders, channels });
        }
        crowd
    }

    /// How many clients there are.
    pub fn clients(&self) -> usize {
        self.seats.len()
    }

    /// The channels of a client, by their indices.
    pub fn channels_of(&self, client: usize) -> &[usize] {
        &self.seats[client].channels
    }

    /// How often what has happened so far.
    pub fn tally(&self) -> Tally {
        self.ledger().tally()
    }

    /// The ledger. Nothing can be entered while this is held.
    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.books.ledger()
    }

    /// The latencies since this was asked last: see [`Ledger::latency`].
    pub fn take_latency(&self) -> Latency {
        self.ledger().take_latency()
    }

    pub(super) fn books(&self) -> &Arc<Books> {
        &self.books
    }

    /// Tells a client what to do; `false` if it has too much to do already.
    pub fn order(&self, client: usize, order: Order) -> bool {
        self.seats[client].orders.try_send(order).is_ok()
    }

    /// Has a client publish the next number to a channel, by its index. What a client with too much to do is asked to
    /// publish is not published.
    pub fn publish(&self, client: usize, channel: usize) {
        if let Ok(permit) = self.seats[client].orders.try_reserve() {
            permit.send(Order::Publish(self.books.publishes(Some(client), channel), channel));
        }
    }

    /// The same, and waits for a client with too much to do; the result is the number.
    pub(super) async fn publish_surely(&self, client: usize, channel: usize) -> Number {
        let permit = self.seats[client].orders.reserve().await;
        let number = self.books.publishes(Some(client), channel);
        // A member takes orders as long as its seat is there.
        if let Ok(permit) = permit {
            permit.send(Order::Publish(number, channel));
        }
        number
    }

    /// A member that listens to a channel, and so may most likely publish to it.
    pub(super) fn listener(&self, channel: usize) -> usize {
        self.seats.iter().position(|seat| seat.channels.contains(&channel)).unwrap_or_default()
    }

    /// Waits until the ledger says so; `false` if it does not in time.
    pub async fn until(&self, patience: Duration, mut says: impl FnMut(&Ledger) -> bool) -> bool {
        let deadline = Instant::now() + patience;
        while !says(&self.ledger()) {
            if Instant::now() >= deadline {
                return false;
            }
            tokio::time::sleep(GLANCE).await;
        }
        true
    }

    /// Waits until the ledger says so.
    ///
    /// # Errors
    /// It does not in time.
    pub async fn awaits(
        &self,
        what: &'static str,
        patience: Duration,
        says: impl FnMut(&Ledger) -> bool,
    ) -> Result<(), Objection> {
        let came = self.until(patience, says).await;
        if came { Ok(()) } else { Err(Objection::Missing(what, self.tally())) }
    }

    /// Waits until everybody has been let in, and has heard a first word in each channel.
    ///
    /// # Errors
    /// Somebody is missing, or the promise is broken already.
    pub async fn arrived(&self, patience: Duration) -> Result<(), Objection> {
        let clients = self.clients() as u64;
        self.awaits("everybody to come", patience, |ledger| ledger.tally().connects >= clients).await?;
        self.vouch(patience).await.map(drop)
    }

    /// Waits until so many publications more have been acknowledged.
    ///
    /// # Errors
    /// They are not in time.
    pub async fn acknowledged(&self, more: u64, patience: Duration) -> Result<(), Objection> {
        let wanted = self.tally().acknowledged + more;
        self.awaits("acknowledgements", patience, |ledger| ledger.tally().acknowledged >= wanted).await
    }

    /// Lets everybody talk, and what the storm brings happen to them, while something else happens.
    pub async fn during<T>(&self, mut storm: Storm, scene: impl Future<Output = T>) -> T {
        tokio::select! {
            never = storm.rage(self, &Publisher::Clients) => match never {},
            outcome = scene => outcome,
        }
    }

    /// [Settles](Self::settle) what the clients have published, and says what has happened if the promise was kept.
    ///
    /// # Errors
    /// It was not, or nothing can be said.
    pub async fn vouch(&self, patience: Duration) -> Result<Tally, Objection> {
        let settled = self.settle(&Publisher::Clients, patience).await;
        let violation = self.ledger().violation().cloned();
        let tally = self.tally();
        match (violation, settled) {
            (Some(violation), _) => Err(Objection::Broken(violation, tally)),
            (None, Err(unsettled)) => Err(Objection::Unsettled(unsettled, tally)),
            (None, Ok(())) => Ok(tally),
        }
    }

    /// The calm after a storm: waits until every publish is answered and everybody is back, publishes a last word to
    /// each channel, and waits until every subscriber has come to it. Then the ledger is closed, and says whether the promise was kept.
    ///
    /// # Errors
    /// Nothing can be said, because the server does not answer.
    pub async fn settle(&self, publisher: &Publisher, patience: Duration) -> Result<(), Unsettled> {
        let deadline = Instant::now() + patience;
        let left = || deadline.saturating_duration_since(Instant::now());
        let before = self.answered(left()).await?.acknowledged;
        // Whoever has not come back by then is told apart at the end.
        self.until(left() / 2, |ledger| ledger.absent() == 0).await;
        let mut last_words = Vec::with_capacity(self.books.channels());
        for channel in 0..self.books.channels() {
            last_words.push(publisher.last_word(self, channel).await);
        }
        let after = self.answered(left()).await?.acknowledged;
        if after - before != last_words.len() as u64 {
            return Err(Unsettled::NoLastWord);
        }
        self.until(left(), |ledger| ledger.behind(&last_words) == 0).await;
        self.ledger().close(&last_words);
        Ok(())
    }

    /// Waits until every publish is answered.
    async fn answered(&self, patience: Duration) -> Result<Tally, Unsettled> {
        match self.until(patience, |ledger| ledger.tally().unanswered() == 0).await {
            true => Ok(self.tally()),
            false => Err(Unsettled::Unanswered),
        }
    }

    /// Everybody says goodbye.
    pub async fn leave(mut self) {
        self.seats.clear();
        while self.members.join_next().await.is_some() {}
    }
}

impl fmt::Display for Unsettled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unanswered => "some publishes were not answered in the calm after the storm",
            Self::NoLastWord => "the server did not take a last word in each channel",
        })
    }
}

impl std::error::Error for Unsettled {}
