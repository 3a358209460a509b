//! What the dev profile publishes by itself, so that its pages are alive with nobody else there: a market that is made
//! up, and the server's own metrics.
//!
//! A feed is one channel, and those that belong to it, as the books of the market do. It publishes as the server API does,
//! through the broker, and only while somebody is there to hear it; its namespace must have presence, for that is where it
//! looks.

mod book;
mod health;
mod market;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::future::join_all;
use spanwire_hub::broker::{BrokerRequest, Draft};
use spanwire_hub::channel::Channel;
use spanwire_hub::namespace::Namespaces;
use spanwire_hub::presence::{PresenceAnswer, PresenceRequest};
use spanwire_hub::rate::Rate;
use spanwire_wire::message::Publication;
use tokio::time::{Interval, MissedTickBehavior, interval, sleep};

use self::market::Market;
use crate::engine::{EngineHandle, Stopped};
use crate::metrics::EdgeCounters;

/// How often a feed that nobody hears looks whether somebody has come.
const LOOK: Duration = Duration::from_millis(250);

/// The market's channel.
const MARKET: &str = "market:all";

/// The channel of the metrics.
const HEALTH: &str = "health:node";

/// Publishes both feeds until the engine has stopped. A namespace that is not there has no feed.
pub(crate) async fn publish(engine: EngineHandle, namespaces: Namespaces, edge: Arc<EdgeCounters>) {
    let feed = |name, source| Feed::new(&engine, &namespaces, name, source);
    let market = feed(MARKET, Source::Market(Box::default()));
    let health = feed(HEALTH, Source::Health(edge));
    join_all([market, health].into_iter().flatten().map(Feed::run)).await;
}

/// Where a feed has it from.
enum Source {
    Market(Box<Market>),
    Health(Arc<EdgeCounters>),
}

impl Source {
    /// How often there is something new.
    fn period(&self) -> Duration {
        match self {
            Self::Market(_) => market::PERIOD,
            Self::Health(_) => health::PERIOD,
        }
    }

    /// What is new.
    async fn next(&mut self, engine: &EngineHandle) -> Result<Vec<News>, Stopped> {
        match self {
            Self::Market(market) => {
                let data = market.next(SystemTime::now());
                let batch = News { tags: market.tags(), ..News::new(MARKET, data) };
                let books =
                    if market.shows_books() { market.books(engine.channels().await?.keys()) } else { vec![] };
                let books = books.into_iter().map(|(channel, data)| News::new(&channel, data));
                Ok([batch].into_iter().chain(books).collect())
            }
            Self::Health(edge) => Ok(vec![News::new(HEALTH, health::now(engine, edge).await?)]),
        }
    }
}

/// Something to publish.
struct News {
    channel: Channel,
    data: String,
    tags: BTreeMap<String, String>,
}

impl News {
    fn new(channel: &str, data: String) -> Self {
        Self { channel: Channel::new(channel), data, tags: BTreeMap::new() }
    }
}

/// What is published while somebody listens to one channel: there, and to channels that belong to it.
struct Feed {
    engine: EngineHandle,
    namespaces: Namespaces,
    channel: Channel,
    source: Source,
}

impl Feed {
    fn new(engine: &EngineHandle, namespaces: &Namespaces, name: &str, source: Source) -> Option<Self> {
        namespaces.of(name).ok()?;
        let (engine, namespaces) = (engine.clone(), namespaces.clone());
        Some(Self { engine, namespaces, channel: Channel::new(name), source })
    }

    /// Publishes what comes next, once in each period, while somebody listens; ends with the engine.
    async fn run(mut self) -> Stopped {
        let mut periods = interval(self.source.period());
        periods.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if let Err(stopped) = self.publish_for_a_second(&mut periods).await {
                return stopped;
            }
        }
    }

    /// Who has left is noticed by the second.
    async fn publish_for_a_second(&mut self, periods: &mut Interval) -> Result<(), Stopped> {
        self.until_heard().await?;
        for _ in 0..(1_000 / self.source.period().as_millis()) {
            periods.tick().await;
            for news in self.source.next(&self.engine).await? {
                self.publish(news).await?;
            }
        }
        Ok(())
    }

    async fn publish(&self, News { channel, data, tags }: News) -> Result<(), Stopped> {
        // A channel whose namespace is not there has no subscribers either.
        let Ok(namespace) = self.namespaces.of(channel.as_str()) else { return Ok(()) };
        let publication = Publication { data: Bytes::from(data), tags, ..Publication::default() };
        let history = namespace.history;
        let delta = namespace.delta_publish;
        let draft = Draft { publication, history, idempotency_key: None, rate: Rate::NONE, delta };
        // A shard that is too busy to take it has a hole in this feed, and nothing worse.
        self.engine.broker(channel, BrokerRequest::Publish(draft)).await?;
        Ok(())
    }

    async fn until_heard(&self) -> Result<(), Stopped> {
        loop {
            match self.engine.presence(self.channel.clone(), PresenceRequest::Stats).await? {
                PresenceAnswer::Stats { clients, .. } if clients > 0 => return Ok(()),
                _ => sleep(LOOK).await,
            }
        }
    }
}
