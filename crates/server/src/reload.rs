//! Reading the configuration again while a node runs by it.
//!
//! All of it is read and checked before any of it holds: a mistake changes nothing. What is new holds for what clients and
//! backends do from then on, and nobody is let go for it.

use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use tracing::level_filters::LevelFilter;

use crate::api::CurrentAccess;
use crate::auth::Gate;
use crate::backend::Lines;
use crate::config::{Changes, Reading, Settings, is_of_proxies};
use crate::engine::EngineHandle;
use crate::events::{Events, Line};
use crate::metrics::EdgeCounters;

/// How a configuration is read again: what came of it, or what is wrong with it, in lines for people.
pub(crate) type Again = Box<dyn Fn() -> Result<Reading, String> + Send>;

/// Changes how much is logged.
pub(crate) type LogLevel = Box<dyn Fn(LevelFilter) + Send>;

/// Where a node's configuration comes from, for when it is to be read again.
pub(crate) struct Source {
    /// What was read first.
    pub(crate) reading: Reading,
    pub(crate) again: Again,
    pub(crate) log_level: LogLevel,
}

/// What a running node changes when its configuration is another.
pub(crate) struct Reload {
    pub(crate) source: Source,
    pub(crate) engine: EngineHandle,
    pub(crate) access: CurrentAccess,
    pub(crate) counters: Arc<EdgeCounters>,
}

impl Reload {
    /// Reads the configuration again. What it says holds when this returns, or nothing of it does.
    pub(crate) async fn read(&mut self) {
        match (self.source.again)() {
            Ok(later) => self.take(later).await,
            Err(trouble) => self.refuse(&trouble),
        }
    }

    async fn take(&mut self, mut later: Reading) {
        let Changes { at_once, mut after_restart } = self.source.reading.changes(&later);
        let (before, after) = (&self.source.reading.settings, &mut later.settings);
        let mut in_force = at_once;
        let mut waits = |is_one: fn(&str) -> bool| {
            after_restart.extend(in_force.extract_if(.., |key| is_one(key)));
        };
        if !has_same_proxies(before, after) {
            // Namespaces say which of the proxies they mean, and how many there are is settled at the start.
            waits(|key| key.starts_with("channel.") || is_of_proxies(key));
            after.namespaces = before.namespaces.clone();
            after.backend = before.backend.clone();
        }
        if before.events.is_some() != after.events.is_some() {
            waits(|key| key.starts_with("events."));
            after.events = before.events.clone();
        }
        if !lasts(before, after) && in_force.iter().any(|key| key == "proxies") {
            after_restart.push("proxies".to_owned());
        }
        let roads = match self.roads(after) {
            Ok(roads) => roads,
            Err(error) => return self.refuse(&error.to_string()),
        };
        after.client.tokens.inherit(&before.client.tokens);
        if let (Some(after), Some(before)) =
            (&mut after.client.subscription_tokens, &before.client.subscription_tokens)
        {
            after.inherit(before);
        }
        self.enforce(&later.settings, roads).await;
        self.counters.configuration_read(SystemTime::now(), true);
        tell(&in_force, &after_restart);
        self.source.reading = later;
    }

    fn refuse(&self, trouble: &str) {
        self.counters.configuration_read(SystemTime::now(), false);
        tracing::error!("the configuration is refused, and the one before it goes on:\n{trouble}");
    }

    /// The ways to whom the settings have us ask and tell. Their files are read even if nothing else has changed.
    fn roads(&self, settings: &Settings) -> io::Result<Roads> {
        let backend = self.engine.backend().map(|backend| backend.lines(&settings.backend));
        let events = self.engine.teller().and(settings.events.as_ref());
        Ok(Roads {
            backend: backend.transpose()?,
            events: events.map(|events| Events::line(&events.recipient)).transpose()?,
        })
    }

    async fn enforce(&self, settings: &Settings, Roads { backend, events }: Roads) {
        self.access.replace(settings);
        if let (Some(desk), Some(lines)) = (self.engine.backend(), backend) {
            desk.reconnect(lines);
        }
        if let (Some(teller), Some(line)) = (self.engine.teller(), events) {
            teller.reconnect(line);
        }
        self.counters.keys_are_published_at(settings.client.publishers_of_keys());
        // An engine that has ended serves nobody by any rule.
        let _ = self.engine.regulate(Arc::new(Gate::of(settings)), &settings.namespaces).await;
        (self.source.log_level)(settings.log_level);
    }
}

/// The ways to the backend.
struct Roads {
    backend: Option<Lines>,
    events: Option<Line>,
}

fn has_same_proxies(before: &Settings, after: &Settings) -> bool {
    let names = |settings: &Settings| -> Vec<String> {
        settings.backend.proxies.iter().map(|proxy| proxy.name.clone()).collect()
    };
    names(before) == names(after)
}

/// Whether everything of the proxies is as before that cannot change while the server runs.
fn lasts(before: &Settings, after: &Settings) -> bool {
    let mut both = before.backend.proxies.iter().zip(&after.backend.proxies);
    both.all(|(before, after)| before.lasts_as(after))
}

fn tell(in_force: &[String], after_restart: &[String]) {
    let listed = |keys: &[String]| if keys.is_empty() { "nothing".to_owned() } else { keys.join(", ") };
    if !after_restart.is_empty() {
        tracing::warn!("what has changed and holds after a restart only: {}", listed(after_restart));
    }
    tracing::info!("the configuration was read again; what has changed and holds now: {}", listed(in_force));
}
