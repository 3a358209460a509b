//! What an endpoint should be told, as a plain reader of what happens would write it down.

use std::collections::HashMap;

use serde_json::Value;
use spanwire_hub::happening::{Happening, Subscribed, What};

/// Every event in its order, without graces.
#[derive(Debug, Default)]
pub(super) struct Truth {
    events: Vec<Told>,
    subscribers: HashMap<String, u64>,
}

/// What one event says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) kind: &'static str,
    client: Option<String>,
    user: Option<String>,
    channel: Option<String>,
    subscribers: Option<u64>,
    code: Option<u64>,
}

impl Told {
    fn of(kind: &'static str) -> Self {
        Self { kind, ..Self::default() }
    }

    fn by(self, happening: &Happening) -> Self {
        Self { client: Some(happening.client.clone()), user: Some(happening.user.to_string()), ..self }
    }

    fn to(self, to: &Subscribed, subscribers: u64) -> Self {
        Self { channel: Some(to.channel.as_str().to_owned()), subscribers: Some(subscribers), ..self }
    }

    /// Whether an event of a request says just this.
    pub(super) fn is(&self, event: &Value) -> bool {
        let text = |key: &str| event[key].as_str().map(str::to_owned);
        text("type").as_deref() == Some(self.kind)
            && text("client") == self.client
            && text("user") == self.user
            && text("channel") == self.channel
            && event["subscribers"].as_u64() == self.subscribers
            && event["code"].as_u64() == self.code
    }
}

impl Truth {
    pub(super) fn begins(&mut self) {
        self.events.push(Told::of("started"));
    }

    pub(super) fn ends(&mut self) {
        self.events.push(Told::of("stopped"));
    }

    pub(super) fn happened(&mut self, happening: &Happening) {
        match &happening.what {
            What::Connected => self.events.push(Told::of("connected").by(happening)),
            What::Disconnected(reason) => {
                let code = Some(u64::from(reason.code()));
                self.events.push(Told { code, ..Told::of("disconnected").by(happening) });
            }
            What::Subscribed(to) => {
                let count = self.subscribers.entry(to.channel.as_str().to_owned()).or_default();
                *count += 1;
                let count = *count;
                if count == 1 {
                    self.events.push(Told::of("occupied").to(to, 1));
                }
                self.events.push(Told::of("subscribed").by(happening).to(to, count));
            }
            What::Unsubscribed(to, code) => {
                let count = self.subscribers.entry(to.channel.as_str().to_owned()).or_default();
                *count = count.checked_sub(1).expect("who leaves a channel was in it");
                let (count, code) = (*count, Some(u64::from(code.code())));
                self.events.push(Told { code, ..Told::of("unsubscribed").by(happening).to(to, count) });
                if count == 0 {
                    self.events.push(Told::of("vacated").to(to, 0));
                }
            }
        }
    }

    /// The event in this place of the sequence, which begins with 1.
    pub(super) fn at(&self, place: u64) -> Option<&Told> {
        self.events.get(usize::try_from(place).ok()?.checked_sub(1)?)
    }

    pub(super) fn len(&self) -> u64 {
        self.events.len() as u64
    }

    /// How many events there are of a kind.
    pub(super) fn count(&self, kind: &str) -> usize {
        self.events.iter().filter(|told| told.kind == kind).count()
    }
}
