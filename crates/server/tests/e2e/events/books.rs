//! Books that must balance: what a backend was told of, checked by the rules of the documentation and by nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What the events of one epoch have left so far.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Books {
    seq: u64,
    pub(super) dropped: u64,
    is_over: bool,
    /// Clients that are there, by id, and their users.
    pub(super) clients: BTreeMap<String, String>,
    /// Who is in which channel.
    pub(super) members: BTreeSet<(String, String)>,
    pub(super) occupied: BTreeSet<String>,
    /// How often each type was told.
    pub(super) counts: BTreeMap<String, u64>,
}

impl Books {
    /// Enters every event of an epoch, each of which must follow on those before it.
    pub(super) fn of<'a>(events: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut books = Self::default();
        for event in events {
            books.enter(event);
        }
        books
    }

    fn enter(&mut self, event: &Value) {
        let text =
            |key: &str| event[key].as_str().unwrap_or_else(|| panic!("no {key} in {event}")).to_owned();
        let seq = event["seq"].as_u64().expect("a place");
        assert!(!self.is_over, "told behind the last: {event}");
        let covered = event["dropped"].as_u64().unwrap_or(1);
        assert_eq!(self.seq + covered, seq, "{event} does not follow on {}", self.seq);
        self.seq = seq;
        *self.counts.entry(text("type")).or_default() += 1;
        match text("type").as_str() {
            "started" => assert_eq!(seq, 1, "the first of its epoch"),
            "stopped" => self.is_over = true,
            "gap" => self.dropped += covered,
            "connected" => {
                let before = self.clients.insert(text("client"), text("user"));
                assert_eq!(before, None, "connected twice: {event}");
            }
            "disconnected" => {
                let client =
                    event["first_client"].as_str().unwrap_or(event["client"].as_str().expect("a client"));
                assert_eq!(self.clients.remove(client), Some(text("user")), "{event}");
                let left: Vec<_> =
                    self.members.iter().filter(|(_, member)| *member == text("client")).collect();
                assert!(left.is_empty(), "still in {left:?}: {event}");
            }
            "subscribed" => {
                assert!(self.members.insert((text("channel"), text("client"))), "twice: {event}");
                assert!(self.occupied.contains(&text("channel")), "{event}");
                self.has_subscribers(event);
            }
            "unsubscribed" => {
                assert!(self.members.remove(&(text("channel"), text("client"))), "never in: {event}");
                self.has_subscribers(event);
            }
            "occupied" => assert!(self.occupied.insert(text("channel")), "twice: {event}"),
            "vacated" => {
                assert!(self.occupied.remove(&text("channel")), "never occupied: {event}");
                self.has_subscribers(event);
            }
            other => panic!("{other} is no type"),
        }
    }

    /// What the event says of its channel is what the books say.
    fn has_subscribers(&self, event: &Value) {
        let channel = event["channel"].as_str().expect("a channel");
        let members = self.members.iter().filter(|(of, _)| of == channel).count();
        assert_eq!(event["subscribers"].as_u64(), Some(members as u64), "{event}");
    }

    pub(super) fn count(&self, kind: &str) -> u64 {
        self.counts.get(kind).copied().unwrap_or_default()
    }

    /// The epoch has ended in good order, and nothing is left of it.
    pub(super) fn are_closed(&self) {
        assert!(self.is_over, "no last event: {self:?}");
        assert!(self.clients.is_empty() && self.members.is_empty() && self.occupied.is_empty(), "{self:?}");
    }
}
