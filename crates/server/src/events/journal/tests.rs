use std::time::Duration;

use serde_json::Value;
use spanwire_hub::channel::Channel;
use spanwire_hub::happening::Reports;
use spanwire_wire::DisconnectCode;

use super::super::kind::Kinds;
use super::super::settings::{BatchLimits, Graces, QueueLimits};
use super::*;

/// A journal, and the time.
struct Desk {
    journal: Journal,
    now: Moment,
}

impl Desk {
    fn new(graces: Graces) -> Self {
        Self::with(settings(graces, Kind::CHOSEN))
    }

    fn with(settings: TellingSettings) -> Self {
        let now = Moment { at: Instant::now(), unix_ms: 1_000_000 };
        Self { journal: Journal::new(Arc::new(settings)), now }
    }

    fn pass(&mut self, time: Duration) {
        self.now.at += time;
        self.now.unix_ms += time.as_millis() as u64;
        self.journal.let_go(self.now.at);
    }

    /// One thing that happens to a client `user.number`.
    fn happens(&mut self, client: &str, what: What) {
        let user = client.split('.').next().unwrap().into();
        let happening = Happening { client: client.to_owned(), user, info: Default::default(), what };
        self.journal.happened(self.now, &happening);
    }

    fn connects(&mut self, client: &str) {
        self.happens(client, What::Connected);
    }

    fn disconnects(&mut self, client: &str) {
        self.happens(client, What::Disconnected(DisconnectCode::ConnectionClosed.into()));
    }

    fn enters(&mut self, client: &str, channel: &str) {
        self.happens(client, What::Subscribed(to(channel)));
    }

    fn leaves(&mut self, client: &str, channel: &str) {
        self.happens(client, What::Unsubscribed(to(channel), UnsubscribeCode::Client));
    }

    /// What is told since it was last asked.
    fn told(&mut self) -> Vec<Value> {
        let all = BatchLimits { events_max: 1000, bytes_max: 1 << 20, interval: Duration::ZERO };
        self.journal.queue.take(&all);
        let mut body = "[".to_owned();
        self.journal.queue.write("e", &mut body);
        self.journal.queue.delivered();
        serde_json::from_str(&format!("{body}]")).expect("it is JSON")
    }

    /// The same, as `type who`.
    fn said(&mut self) -> Vec<String> {
        let who =
            |event: &Value| event["client"].as_str().or(event["channel"].as_str()).unwrap_or("").to_owned();
        let told = self.told();
        told.iter().map(|event| format!("{} {}", event["type"].as_str().unwrap(), who(event))).collect()
    }
}

fn settings(graces: Graces, kinds: &[Kind]) -> TellingSettings {
    TellingSettings {
        kinds: Kinds::of(kinds),
        channels: Vec::new(),
        batch: BatchLimits { events_max: 10, bytes_max: 1 << 20, interval: Duration::ZERO },
        queue: QueueLimits { events_max: 1000, bytes_max: 1 << 20 },
        graces,
        retry_wait_max: Duration::from_secs(1),
    }
}

fn graces(seconds: u64) -> Graces {
    let grace = Duration::from_secs(seconds);
    Graces { disconnected: grace, vacated: grace }
}

fn to(channel: &str) -> Subscribed {
    Subscribed { channel: Channel::new(channel), info: Default::default() }
}

#[test]
fn a_channel_is_occupied_by_the_first_and_vacated_by_the_last_wherever_they_are() {
    let mut desk = Desk::new(Graces::default());
    desk.enters("ann.1", "tea");
    desk.enters("bob.1", "tea");
    desk.leaves("ann.1", "tea");
    desk.leaves("bob.1", "tea");
    desk.enters("ann.1", "tea");
    let told = desk.told();
    let counted: Vec<_> = told
        .iter()
        .map(|event| (event["type"].as_str().unwrap(), event["subscribers"].as_u64().unwrap()))
        .collect();
    let expected = [
        ("occupied", 1),
        ("subscribed", 1),
        ("subscribed", 2),
        ("unsubscribed", 1),
        ("unsubscribed", 0),
        ("vacated", 0),
        ("occupied", 1),
        ("subscribed", 1),
    ];
    assert_eq!(counted, expected);
}

#[test]
fn only_what_is_wanted_of_the_channels_that_are_wanted_is_told() {
    let chosen = [Kind::Occupied, Kind::Vacated];
    let settings =
        TellingSettings { channels: vec!["tea:*".to_owned()], ..settings(Graces::default(), &chosen) };
    assert_eq!(settings.reports(), Reports { connections: false, subscriptions: true });
    let mut desk = Desk::with(settings);
    for channel in ["tea:a", "gin:a"] {
        desk.connects("ann.1");
        desk.enters("ann.1", channel);
        desk.leaves("ann.1", channel);
        desk.disconnects("ann.1");
    }
    assert_eq!(desk.said(), ["occupied tea:a", "vacated tea:a"]);
}

#[test]
fn a_user_who_is_back_within_the_grace_has_not_been_away() {
    let mut desk = Desk::new(graces(5));
    desk.connects("ann.1");
    desk.disconnects("ann.1");
    desk.pass(Duration::from_secs(4));
    desk.connects("ann.2");
    desk.enters("ann.2", "tea");
    desk.disconnects("ann.2");
    desk.pass(Duration::from_secs(4));
    assert_eq!(desk.said(), ["connected ann.1", "occupied tea", "subscribed ann.2"]);
    desk.pass(Duration::from_secs(1));
    let told = desk.told();
    assert_eq!(told.len(), 1);
    let end = &told[0];
    assert_eq!((&end["type"], &end["client"]), (&"disconnected".into(), &"ann.2".into()));
    assert_eq!(end["first_client"], "ann.1", "the one that was told as connected");
    assert_eq!(end["time"], 1_004_000, "when it happened, not when the grace was over");
    desk.connects("ann.3");
    assert_eq!(desk.said(), ["connected ann.3"], "a new stay");
}

#[test]
fn each_connection_that_comes_goes_on_with_one_stay_and_the_anonymous_with_none() {
    let mut desk = Desk::new(graces(5));
    for client in ["ann.1", "ann.2", ".1"] {
        desk.connects(client);
    }
    for client in ["ann.1", "ann.2", ".1"] {
        desk.disconnects(client);
    }
    assert_eq!(desk.said(), ["connected ann.1", "connected ann.2", "connected .1", "disconnected .1"]);
    for client in ["ann.3", ".2", "bob.1"] {
        desk.connects(client);
    }
    assert_eq!(desk.said(), ["connected .2", "connected bob.1"]);
    desk.pass(Duration::from_secs(5));
    let told = desk.told();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["client"], "ann.2", "the older of the two went on");
}

#[test]
fn a_channel_that_is_empty_for_a_moment_was_not_vacated() {
    let mut desk = Desk::new(graces(5));
    desk.enters("ann.1", "tea");
    desk.leaves("ann.1", "tea");
    desk.pass(Duration::from_secs(4));
    desk.enters("bob.1", "tea");
    desk.leaves("bob.1", "tea");
    desk.pass(Duration::from_secs(4));
    assert!(desk.said().iter().all(|said| !said.contains("vacated")));
    assert_eq!(desk.journal.next_due(), Some(desk.now.at + Duration::from_secs(1)));
    desk.pass(Duration::from_secs(1));
    desk.enters("ann.1", "tea");
    assert_eq!(desk.said(), ["vacated tea", "occupied tea", "subscribed ann.1"]);
}

#[test]
fn the_end_of_the_node_waits_for_no_grace_and_is_told_last() {
    let mut desk = Desk::new(graces(60));
    desk.journal.started(desk.now.unix_ms);
    desk.connects("ann.1");
    desk.enters("ann.1", "tea");
    desk.leaves("ann.1", "tea");
    desk.disconnects("ann.1");
    desk.journal.stopped(desk.now.unix_ms);
    let expected = [
        "started ",
        "connected ann.1",
        "occupied tea",
        "subscribed ann.1",
        "unsubscribed ann.1",
        "disconnected ann.1",
        "vacated tea",
        "stopped ",
    ];
    assert_eq!(desk.said(), expected);
    assert_eq!((desk.journal.held(), desk.journal.next_due()), (0, None));
}
