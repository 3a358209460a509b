use std::time::Duration;

use spanwire_hub::channel::Channel;
use spanwire_hub::limits::Limits;
use spanwire_hub::{Credentials, Expirable, Expiring, Grant, Refreshed, Refusal};
use spanwire_wire::ErrorCode;

use crate::support::{DAWN, World};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn expiring(user: &str, seconds: u64) -> Credentials {
    Credentials { user: user.to_owned(), expire_at: Some(DAWN + seconds), ..Credentials::default() }
}

#[test]
fn a_client_that_answers_pings_stays() {
    let mut world = World::new();
    let ann = world.connect("ann");
    let mut pings = 0;
    for _ in 0..600 {
        world.pass(seconds(1));
        for line in world.read(ann) {
            assert_eq!(line, "{}");
            pings += 1;
            world.send(ann, "{}");
        }
    }
    assert!((23..=25).contains(&pings), "{pings} pings in ten minutes");
    assert_eq!(world.code(ann), None);
    world.end();
}

#[test]
fn a_client_that_does_not_answer_a_ping_is_gone_in_time_whatever_else_it_says() {
    let mut world = World::new();
    let ann = world.connect("ann");
    let mut waited = 0;
    while world.code(ann).is_none() {
        world.pass(seconds(1));
        world.send(ann, r#"{"id":5,"rpc":{"method":"x"}}"#);
        waited += 1;
    }
    assert_eq!(world.code(ann), Some(3012));
    assert!((20..=34).contains(&waited), "{waited} s");
    world.end();
}

#[test]
fn a_pong_that_nobody_asked_for_is_a_bad_request() {
    let mut world = World::new();
    let ann = world.connect("ann");
    world.pass(seconds(26));
    assert_eq!(world.read(ann), ["{}"]);
    world.send(ann, "{}");
    assert_eq!(world.code(ann), None);
    world.send(ann, "{}");
    assert_eq!(world.code(ann), Some(3501));
    world.end();
}

#[test]
fn a_client_is_not_blamed_for_a_pong_that_waits_behind_a_slow_broker() {
    let mut world = World::new();
    let ann = world.connect("ann");
    world.hold();
    world.pass(seconds(25));
    assert_eq!(world.read(ann), ["{}"]);
    world.send(ann, "{\"id\":2,\"subscribe\":{\"channel\":\"open:x\"}}\n{\"id\":3,\"unsubscribe\":{\"channel\":\"open:x\"}}\n{}");
    world.pass(seconds(15));
    assert_eq!(world.code(ann), None);
    world.release();
    assert_eq!(world.code(ann), None);
    assert_eq!(world.read(ann).len(), 2);
    world.end();
}

#[test]
fn an_expired_connection_is_closed_after_its_grace_unless_it_was_refreshed() {
    let mut world = World::new();
    world.tokens.insert("brief", Ok(expiring("ann", 60)));
    world.tokens.insert("longer", Ok(expiring("ann", 600)));
    let open = |world: &mut World| {
        let id = world.open();
        world.send(id, r#"{"id":1,"connect":{"token":"brief"}}"#);
        world.read(id);
        id
    };
    let (ann, also_ann) = (open(&mut world), open(&mut world));
    world.pass(seconds(5));
    world.send(also_ann, r#"{"id":2,"refresh":{"token":"longer"}}"#);
    assert_eq!(world.read(also_ann), [r#"{"id":2,"refresh":{"expires":true,"ttl":595}}"#]);
    for _ in 0..81 {
        world.pass(seconds(1));
        for id in [ann, also_ann] {
            if !world.read(id).is_empty() && world.code(id).is_none() {
                world.send(id, "{}");
            }
        }
    }
    assert_eq!(world.code(ann), Some(3005));
    assert_eq!(world.code(also_ann), None);
    assert_eq!(world.refreshed, [(Expirable::Connection, Refreshed::InTime)]);
    assert_eq!(world.expired, [Expirable::Connection]);
    world.end();
}

#[test]
fn what_a_refresh_with_the_wrong_token_ends_in() {
    let table = [
        ("another user", Ok(expiring("bob", 600)), 3500),
        ("other channels", Ok(with_channel("ann")), 3010),
        ("over already", Ok(expiring("ann", 0)), 3005),
    ];
    for (case, credentials, code) in table {
        let mut world = World::new();
        let ann = world.connect("ann");
        world.tokens.insert("next", credentials);
        world.send(ann, r#"{"id":2,"refresh":{"token":"next"}}"#);
        assert_eq!(world.code(ann), Some(code), "{case}");
        assert_eq!(world.refreshed, [(Expirable::Connection, Refreshed::Refused)], "{case}");
        assert_eq!(world.expired.len(), usize::from(code == 3005), "{case}");
        world.end();
    }
}

#[test]
fn a_refresh_that_cannot_be_judged_now_says_so_and_ends_nothing() {
    let mut world = World::new();
    world.tokens.insert("ann", Ok(expiring("ann", 60)));
    world.grants.insert("room", Ok(Grant { expire_at: Some(DAWN + 60), ..Grant::default() }));
    world.tokens.insert("unknown", Err(Refusal::Error(ErrorCode::Internal)));
    world.grants.insert("unknown", Err(Refusal::Error(ErrorCode::Internal)));
    let ann = world.connect("ann");
    world.send(ann, r#"{"id":2,"subscribe":{"channel":"open:x","token":"room"}}"#);
    assert!(world.read(ann)[0].contains(r#""expires":true"#));
    for command in
        [r#""refresh":{"token":"unknown"}"#, r#""sub_refresh":{"channel":"open:x","token":"unknown"}"#]
    {
        world.send(ann, &format!(r#"{{"id":3,{command}}}"#));
        let told = world.read(ann);
        assert!(told[0].contains(r#""code":100"#) && told[0].contains(r#""temporary":true"#), "{told:?}");
    }
    assert_eq!((world.code(ann), world.refreshed.len()), (None, 0));
    world.end();
}

fn with_channel(user: &str) -> Credentials {
    Credentials { channels: vec![(Channel::new("open:x"), Grant::default())], ..expiring(user, 600) }
}

#[test]
fn an_expired_subscription_is_ended_with_a_code_that_brings_the_client_back() {
    let mut world = World::new();
    world.grants.insert("brief", Ok(Grant { expire_at: Some(DAWN + 10), ..Grant::default() }));
    world.grants.insert("longer", Ok(Grant { expire_at: Some(DAWN + 1000), ..Grant::default() }));
    world.grants.insert("over", Ok(Grant { expire_at: Some(DAWN), ..Grant::default() }));
    let subscribe = |world: &mut World| {
        let id = world.connect("ann");
        world.send(id, r#"{"id":2,"subscribe":{"channel":"open:x","token":"brief"}}"#);
        assert_eq!(world.read(id), [r#"{"id":2,"subscribe":{"expires":true,"ttl":10}}"#]);
        id
    };
    let (ann, bob) = (subscribe(&mut world), subscribe(&mut world));
    world.send(bob, r#"{"id":3,"sub_refresh":{"channel":"open:x","token":"longer"}}"#);
    assert_eq!(world.read(bob), [r#"{"id":3,"sub_refresh":{"expires":true,"ttl":1000}}"#]);
    world.send(ann, r#"{"id":3,"sub_refresh":{"channel":"open:x","token":"over"}}"#);
    assert_eq!(world.read(ann), [r#"{"id":3,"error":{"code":110,"message":"expired"}}"#]);
    let mut heard = Vec::new();
    for _ in 0..36 {
        world.pass(seconds(1));
        for id in [ann, bob] {
            for line in world.read(id) {
                if line == "{}" {
                    world.send(id, "{}");
                } else {
                    heard.push((id, line));
                }
            }
        }
    }
    let expired =
        r#"{"push":{"channel":"open:x","unsubscribe":{"code":2501,"reason":"subscription expired"}}}"#;
    assert_eq!(heard, [(ann, expired.to_owned())]);
    let refreshed = [Refreshed::InTime, Refreshed::Refused].map(|how| (Expirable::Subscription, how));
    assert_eq!(world.refreshed, refreshed);
    assert_eq!(world.expired, [Expirable::Subscription]);
    world.end();
}

#[test]
fn an_expired_server_side_subscription_ends_the_connection() {
    let mut world = World::new();
    let channels = vec![(Channel::new("open:x"), Grant { expire_at: Some(DAWN + 10), ..Grant::default() })];
    world.tokens.insert("ann", Ok(Credentials { user: "ann".into(), channels, ..Credentials::default() }));
    let ann = world.open();
    world.send(ann, r#"{"id":1,"connect":{"token":"ann"}}"#);
    for _ in 0..36 {
        world.pass(seconds(1));
        if world.read(ann).contains(&"{}".to_owned()) {
            world.send(ann, "{}");
        }
    }
    assert_eq!(world.code(ann), Some(3006));
    assert_eq!(world.expired, [Expirable::Subscription]);
    world.end();
}

#[test]
fn a_refresh_is_late_from_the_moment_of_expiry() {
    for (passed, how) in [(9, Refreshed::InTime), (10, Refreshed::Late)] {
        let mut world = World::new();
        world.tokens.insert("brief", Ok(expiring("ann", 10)));
        world.tokens.insert("longer", Ok(expiring("ann", 600)));
        world.grants.insert("brief", Ok(Grant { expire_at: Some(DAWN + 10), ..Grant::default() }));
        world.grants.insert("longer", Ok(Grant { expire_at: Some(DAWN + 600), ..Grant::default() }));
        let ann = world.connect("brief");
        world.send(ann, r#"{"id":2,"subscribe":{"channel":"open:x","token":"brief"}}"#);
        world.pass(seconds(passed));
        world.send(ann, r#"{"id":3,"refresh":{"token":"longer"}}"#);
        world.send(ann, r#"{"id":4,"sub_refresh":{"channel":"open:x","token":"longer"}}"#);
        assert_eq!(world.refreshed, [(Expirable::Connection, how), (Expirable::Subscription, how)]);
        assert_eq!(world.expired, []);
        world.end();
    }
}

#[test]
fn a_subscription_that_expired_or_was_left_wakes_nobody_any_more() {
    let mut world = World::with_limits(Limits { ping_interval: Duration::ZERO, ..Limits::default() });
    world.grants.insert("brief", Ok(Grant { expire_at: Some(DAWN + 10), ..Grant::default() }));
    for leaves in [false, true] {
        let ann = world.connect("ann");
        world.send(ann, r#"{"id":2,"subscribe":{"channel":"open:x","token":"brief"}}"#);
        if leaves {
            world.send(ann, r#"{"id":3,"unsubscribe":{"channel":"open:x"}}"#);
        }
        world.pass(seconds(60));
        assert_eq!(world.hub.census().subscriptions, 0);
        assert_eq!(world.hub.next_deadline(), None, "left: {leaves}");
        world.gone(ann);
        world.now.unix_ms = DAWN * 1000;
    }
    world.end();
}

#[test]
fn what_has_expired_and_what_is_about_to_is_counted_until_it_is_prolonged_or_gone() {
    let mut world = World::with_limits(Limits { ping_interval: Duration::ZERO, ..Limits::default() });
    let channels = vec![(Channel::new("open:x"), Grant { expire_at: Some(DAWN + 200), ..Grant::default() })];
    world.tokens.insert("ann", Ok(Credentials { channels, ..expiring("ann", 100) }));
    world.tokens.insert("bob", Ok(expiring("bob", 100)));
    world.tokens.insert("bob, later", Ok(expiring("bob", 300)));
    let (_ann, bob) = (world.connect("ann"), world.connect("bob"));
    world.connect("for good");
    let seen = |world: &World, what| {
        let Expiring { overdue, soon } = world.hub.expiring(world.now, what);
        (overdue, soon)
    };
    let step = |world: &mut World, until: u64, connections, subscriptions| {
        world.pass(Duration::from_millis((DAWN + until) * 1000 - world.now.unix_ms));
        assert_eq!(seen(world, Expirable::Connection), connections, "connections after {until} s");
        assert_eq!(seen(world, Expirable::Subscription), subscriptions, "subscriptions after {until} s");
    };
    step(&mut world, 10, (0, 0), (0, 0));
    step(&mut world, 60, (0, 2), (0, 0));
    step(&mut world, 110, (2, 0), (0, 0));
    world.send(bob, r#"{"id":2,"refresh":{"token":"bob, later"}}"#);
    step(&mut world, 111, (1, 0), (0, 0));
    // Ann's connection has ended, and with it the subscription that would have gone on.
    step(&mut world, 150, (0, 0), (0, 0));
    step(&mut world, 280, (0, 1), (0, 0));
    world.gone(bob);
    step(&mut world, 281, (0, 0), (0, 0));
    world.end();
}
