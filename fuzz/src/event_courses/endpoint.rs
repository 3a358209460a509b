//! An endpoint that keeps books, and does not always feel like it.

use std::collections::BTreeMap;

use serde_json::Value;
use spanwire::events::Outcome;

/// How it feels about being told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Takes,
    /// It does not answer before its mood is another.
    Slow,
    /// It keeps nothing, and says so.
    Unwell,
    /// It keeps what it is sent, and the answer is lost.
    Mute,
    /// It can never take what speaks of one of the channels.
    Picky,
}

/// What it refuses when it is picky.
const POISON: &str = "\"kept:a\"";

/// What has come, once and in order.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) mood: Mood,
    /// Whether it has ever refused for good.
    pub(super) has_refused: bool,
    events_max: usize,
    /// The place up to which everything has come, or was told to be missing.
    pub(super) last: u64,
    pub(super) events: Vec<(u64, Value)>,
    pub(super) missing: u64,
}

impl Endpoint {
    pub(super) fn new(events_max: usize) -> Self {
        Self { mood: Mood::Takes, has_refused: false, events_max, last: 0, events: Vec::new(), missing: 0 }
    }

    /// A request arrives.
    ///
    /// # Errors
    /// It is none that could be kept account by.
    pub(super) fn post(&mut self, body: &[u8]) -> Result<Outcome, String> {
        let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
        match self.mood {
            Mood::Unwell | Mood::Slow => return Ok(Outcome::Unwell { wish: None }),
            Mood::Picky if text.contains(POISON) => {
                self.has_refused = true;
                return Ok(Outcome::Refused);
            }
            Mood::Takes | Mood::Mute | Mood::Picky => self.keep(text)?,
        }
        Ok(if self.mood == Mood::Mute { Outcome::Unwell { wish: None } } else { Outcome::Taken })
    }

    fn keep(&mut self, text: &str) -> Result<(), String> {
        let body: Value = serde_json::from_str(text).map_err(|error| format!("{error}: {text}"))?;
        if (&body["node"], &body["epoch"]) != (&"node \"1\"".into(), &"e".into()) {
            return Err(format!("whose is it? {text:.80}"));
        }
        let events = body["events"].as_array().filter(|events| !events.is_empty());
        let events = events.ok_or_else(|| format!("no events in {text:.80}"))?;
        if events.len() > self.events_max {
            return Err(format!("{} events in one request", events.len()));
        }
        events.iter().try_for_each(|event| self.enter(event))
    }

    fn enter(&mut self, event: &Value) -> Result<(), String> {
        let seq = event["seq"].as_u64().ok_or_else(|| format!("no place in {event}"))?;
        if event["id"] != format!("e-{seq}") {
            return Err(format!("an id of another place: {event}"));
        }
        if seq <= self.last {
            return Ok(());
        }
        let is_gap = event["type"] == "gap";
        let covered = if is_gap { event["dropped"].as_u64().unwrap_or(0) } else { 1 };
        let begin = seq.checked_sub(covered).ok_or_else(|| format!("more than there was: {event}"))?;
        if begin > self.last || covered == 0 {
            return Err(format!("a hole between {} and {event}", self.last));
        }
        match is_gap {
            true => self.missing += seq - self.last,
            false => self.events.push((seq, event.clone())),
        }
        self.last = seq;
        Ok(())
    }

    /// Whether everything that began has ended, and has begun before that. With a gap nobody can know.
    ///
    /// # Errors
    /// Something did not.
    pub(super) fn is_closed(&self) -> Result<(), String> {
        let mut open: BTreeMap<(&str, String), i32> = BTreeMap::new();
        for (_, event) in &self.events {
            let text = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
            let stay = event["first_client"].as_str().map_or_else(|| text("client"), str::to_owned);
            let (what, key, change) = match event["type"].as_str().unwrap_or_default() {
                "connected" => ("a stay", stay, 1),
                "disconnected" => ("a stay", stay, -1),
                "subscribed" => ("a subscription", text("client") + " " + &text("channel"), 1),
                "unsubscribed" => ("a subscription", text("client") + " " + &text("channel"), -1),
                "occupied" => ("a channel", text("channel"), 1),
                "vacated" => ("a channel", text("channel"), -1),
                _ => continue,
            };
            let count = open.entry((what, key)).or_default();
            *count += change;
            if !(0..=1).contains(count) {
                return Err(format!("{what} begins or ends twice: {event}"));
            }
        }
        match open.iter().find(|(_, count)| **count != 0) {
            Some((what, _)) => Err(format!("{what:?} has not ended")),
            None => Ok(()),
        }
    }

    /// How many events of a kind have come.
    pub(super) fn count(&self, kind: &str) -> usize {
        self.events.iter().filter(|(_, event)| event["type"] == kind).count()
    }
}
