//! What the dev profile publishes by itself, so that its pages are alive with nobody else there: a market that is made
//! up, and the server's own metrics.
//!
//! A feed is one channel. It publishes as the server API does, through the broker, and only while somebody is there to
//! hear it; its namespace must have presence, for that is where it looks.

mod health;
mod market;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::future::join_all;
use spanwire_hub::broker::{BrokerRequest, Draft, HistoryOptions};
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

    async fn next(&mut self, engine: &EngineHandle) -> Result<String, Stopped> {
        match self {
            Self::Market(market) => Ok(market.next(SystemTime::now())),
            Self::Health(edge) => health::now(engine, edge).await,
        }
    }
}

/// One channel, and what is published there.
struct Feed {
    engine: EngineHandle,
    channel: Channel,
    history: Option<HistoryOptions>,
    source: Source,
}

impl Feed {
    fn new(engine: &EngineHandle, namespaces: &Namespaces, name: &str, source: Source) -> Option<Self> {
        let namespace = namespaces.of(name).ok()?;
        let (engine, channel) = (engine.clone(), Channel::new(name));
        Some(Self { engine, channel, history: namespace.history, source })
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
            let data = Bytes::from(self.source.next(&self.engine).await?);
            let publication = Publication { data, ..Publication::default() };
            let draft = Draft { publication, history: self.history, idempotency_key: None, rate: Rate::NONE };
            // A shard that is too busy to take it has a hole in this feed, and nothing worse.
            self.engine.broker(self.channel.clone(), BrokerRequest::Publish(draft)).await?;
        }
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
