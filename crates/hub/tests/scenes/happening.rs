use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use spanwire_hub::channel::Channel;
use spanwire_hub::happening::{Happening, What};
use spanwire_hub::limits::Limits;
use spanwire_hub::{Credentials, Grant, Input, Order, SessionId, Whom};
use spanwire_wire::{DisconnectCode, UnsubscribeCode};

use crate::support::World;

/// What happened since it was last asked, as `user verb place code`.
fn told(world: &mut World) -> Vec<String> {
    std::mem::take(&mut world.happened).iter().map(said).collect()
}

fn said(happening: &Happening) -> String {
    let user = &happening.user;
    match &happening.what {
        What::Connected => format!("{user} connected"),
        What::Disconnected(reason) => format!("{user} disconnected {}", reason.code()),
        What::Subscribed(to) => format!("{user} subscribed {}", to.channel),
        What::Unsubscribed(to, code) => format!("{user} unsubscribed {} {}", to.channel, code.code()),
    }
}

fn whom(user: &str) -> Whom {
    Whom { user: user.to_owned(), ..Whom::default() }
}

#[test]
fn a_hub_that_was_not_asked_to_reports_nothing() {
    let mut world = World::new();
    let ann = world.subscriber("ann", "open:x");
    world.gone(ann);
    assert!(world.happened.is_empty());
    world.end();
}

#[test]
fn every_way_out_is_told_with_its_code_and_what_was_within_ends_first() {
    let mut world = World::new().reporting();
    let ann = world.subscriber("ann", "open:x");
    assert_eq!(told(&mut world), ["ann connected", "ann subscribed open:x"]);
    world.send(ann, r#"{"id":3,"unsubscribe":{"channel":"open:x"}}"#);
    assert_eq!(told(&mut world), ["ann unsubscribed open:x 0"]);
    world.send(ann, r#"{"id":4,"subscribe":{"channel":"open:x"}}"#);
    let channel = Some(Channel::new("open:x"));
    world.order(Order::Unsubscribe { whom: whom("ann"), channel, code: UnsubscribeCode::Server });
    assert_eq!(told(&mut world), ["ann subscribed open:x", "ann unsubscribed open:x 2000"]);
    world.send(ann, r#"{"id":5,"subscribe":{"channel":"open:y"}}"#);
    let disconnect = DisconnectCode::ForceNoReconnect.into();
    world.order(Order::Disconnect { whom: whom("ann"), spared: Vec::new(), disconnect });
    world.gone(ann);
    let expected =
        ["ann subscribed open:y", "ann unsubscribed open:y 1", "ann disconnected 3503"].map(String::from);
    assert_eq!(told(&mut world), expected, "once, although its connection is gone as well");
    let bob = world.connect("bob");
    world.gone(bob);
    assert_eq!(told(&mut world), ["bob connected", "bob disconnected 3000"]);
    world.end();
}

#[test]
fn who_is_not_let_in_has_no_life_to_tell_of() {
    let mut world = World::new().reporting();
    let stranger = world.open();
    world.gone(stranger);
    let ann = world.connect("ann");
    world.send(ann, r#"{"id":2,"subscribe":{"channel":"shut:x"}}"#);
    world.hold();
    world.send(ann, r#"{"id":3,"subscribe":{"channel":"open:x"}}"#);
    world.gone(ann);
    world.release();
    assert_eq!(told(&mut world), ["ann connected", "ann disconnected 3000"], "no subscribe was answered");
    world.end();
}

#[test]
fn what_the_server_subscribes_to_is_told_behind_the_connect_and_with_what_others_see() {
    let mut world = World::new().reporting();
    let grant = Grant { info: "{\"seat\":1}".into(), ..Grant::default() };
    let credentials = Credentials {
        user: "ann".to_owned(),
        info: "{\"name\":\"Ann\"}".into(),
        channels: vec![(Channel::new("open:x"), grant)],
        ..Credentials::default()
    };
    world.tokens.insert("ann", Ok(credentials));
    let ann = world.connect("ann");
    world.gone(ann);
    let ids: Vec<_> = world.happened.iter().map(|happening| happening.client.clone()).collect();
    assert!(ids.iter().all(|id| *id == ids[0] && id.len() == 36), "{ids:?}");
    assert!(world.happened.iter().all(|happening| happening.info == "{\"name\":\"Ann\"}"));
    for happening in &world.happened {
        if let What::Subscribed(to) | What::Unsubscribed(to, _) = &happening.what {
            assert_eq!(to.info, "{\"seat\":1}");
        }
    }
    let expected =
        ["ann connected", "ann subscribed open:x", "ann unsubscribed open:x 1", "ann disconnected 3000"];
    assert_eq!(told(&mut world), expected);
    world.end();
}

/// What the happenings so far leave: connected clients, and what they are subscribed to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Books(BTreeMap<String, Vec<String>>);

impl Books {
    fn enter(&mut self, Happening { client, what, .. }: &Happening) {
        match what {
            What::Connected => assert_eq!(self.0.insert(client.clone(), Vec::new()), None, "twice"),
            What::Disconnected(_) => {
                assert_eq!(self.0.remove(client), Some(Vec::new()), "left, with nothing left behind");
            }
            What::Subscribed(to) => {
                let within = self.0.get_mut(client).expect("it is connected");
                assert!(!within.contains(&to.channel.to_string()), "twice in {}", to.channel);
                within.push(to.channel.to_string());
            }
            What::Unsubscribed(to, _) => {
                let within = self.0.get_mut(client).expect("it is connected");
                let place = within.iter().position(|channel| channel == to.channel.as_str());
                within.remove(place.expect("it was subscribed"));
            }
        }
    }
}

/// Whatever clients, the backend and a slow broker do to each other, beginnings and ends come in pairs.
#[test]
fn the_books_of_any_life_balance() {
    for seed in 0..100 {
        let mut chance = StdRng::seed_from_u64(seed);
        let outbox_bytes_max = if seed % 3 == 0 { 400 } else { 1 << 20 };
        let mut world = World::with_limits(Limits { outbox_bytes_max, ..Limits::default() }).reporting();
        let mut sessions: Vec<SessionId> = Vec::new();
        for _ in 0..80 {
            step(&mut world, &mut sessions, &mut chance);
        }
        world.release();
        world.drain();
        for id in sessions {
            world.gone(id);
        }
        let mut books = Books::default();
        world.happened.iter().for_each(|happening| books.enter(happening));
        assert_eq!(books, Books::default(), "seed {seed}");
        assert!(world.happened.len() > 4, "seed {seed} tells something");
        world.end();
    }
}

fn step(world: &mut World, sessions: &mut Vec<SessionId>, chance: &mut StdRng) {
    let channel = ["open:x", "chat:y", "kept:z", "shut:w"][chance.random_range(0..4)];
    let user = ["ann", "bob"][chance.random_range(0..2)];
    let id = chance.random_range(3..1000);
    let some = (!sessions.is_empty()).then(|| chance.random_range(0..sessions.len()));
    match (chance.random_range(0..10), some) {
        (0 | 1, _) | (_, None) => {
            let credentials = Credentials { user: user.to_owned(), ..Credentials::default() };
            world.tokens.entry(user).or_insert(Ok(credentials));
            let session = world.open();
            world.send(session, &format!(r#"{{"id":1,"connect":{{"token":"{user}"}}}}"#));
            sessions.push(session);
        }
        (2..=4, Some(at)) => {
            world.send(sessions[at], &format!(r#"{{"id":{id},"subscribe":{{"channel":"{channel}"}}}}"#));
        }
        (5, Some(at)) => {
            world.send(sessions[at], &format!(r#"{{"id":{id},"unsubscribe":{{"channel":"{channel}"}}}}"#));
        }
        (6, Some(at)) => world.gone(sessions.swap_remove(at)),
        (7, Some(at)) => {
            world.hub.handle(world.now, Input::Close(sessions[at], DisconnectCode::BadRequest.into()));
        }
        (8, _) => match chance.random_range(0..5) {
            0 => {
                world.release();
                world.hold();
            }
            1 => world.release(),
            2 => world.publish("kept:z", "1"),
            3 => world.order(Order::Unsubscribe {
                whom: whom(user),
                channel: None,
                code: UnsubscribeCode::Server,
            }),
            _ => world.order(Order::Subscribe {
                whom: whom(user),
                channel: Channel::new(channel),
                grant: Grant::default(),
                since: None,
            }),
        },
        (_, _) => world.publish(channel, "2"),
    }
}
