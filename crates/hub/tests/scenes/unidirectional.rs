//! Clients that only hear.

use std::time::Duration;

use spanwire_hub::{Census, Credentials, Opening, SessionId, Upstream};
use spanwire_wire::Encoding;

use crate::support::World;

/// Everybody here is Ann.
fn world() -> World {
    let mut world = World::new();
    let ann = Credentials { user: "ann".to_owned(), ..Credentials::default() };
    world.tokens.extend([("ann", Ok(ann.clone())), ("", Ok(ann))]);
    world
}

fn open(world: &mut World, request: Option<&'static str>) -> SessionId {
    let upstream = Upstream::Nothing(request.map(Into::into));
    world.open_with(Opening { upstream, ..Opening::new(Encoding::Json) })
}

#[test]
fn the_connect_push_comes_first_and_then_bare_publications() {
    let mut world = world();
    world.publish("kept:tea", "1");
    let id = open(&mut world, Some(r#"{"token":"ann","subs":{"kept:tea":{},"open:bar":{}}}"#));
    world.publish("kept:tea", "2");
    world.turn(|world| {
        world.publish("open:bar", "3");
        world.publish("open:bar", "4");
    });
    let heard = world.read(id);
    assert!(heard[0].starts_with(r#"{"connect":{"client":""#), "{heard:?}");
    assert!(heard[0].contains(r#""subs":{"kept:tea":{"recoverable":true,"#), "{heard:?}");
    assert!(!heard[0].contains("pong"), "{heard:?}");
    assert!(heard[1].starts_with(r#"{"channel":"kept:tea","pub":{"data":2,"offset":2"#), "{heard:?}");
    let both =
        "{\"channel\":\"open:bar\",\"pub\":{\"data\":3}}\n{\"channel\":\"open:bar\",\"pub\":{\"data\":4}}";
    assert_eq!(heard[2], both);
    world.gone(id);
    assert_eq!(world.hub.census(), Census::default());
}

#[test]
fn what_was_missed_comes_with_the_connect_push() {
    let mut world = world();
    let first = open(&mut world, Some(r#"{"token":"ann","subs":{"kept:tea":{}}}"#));
    let told = world.read(first).remove(0);
    let (_, rest) = told.split_once(r#""epoch":""#).expect("an epoch");
    let epoch = rest.split('"').next().expect("a text").to_owned();
    world.gone(first);
    world.publish("kept:tea", "1");
    world.publish("kept:tea", "2");
    let request =
        format!(r#"{{"token":"ann","subs":{{"kept:tea":{{"recover":true,"offset":1,"epoch":"{epoch}"}}}}}}"#);
    let second = open(&mut world, None);
    world.send(second, &request);
    let told = world.read(second).remove(0);
    assert!(told.contains(r#""recovered":true"#) && told.contains(r#""data":2"#), "{told}");
    assert!(!told.contains(r#""data":1"#), "{told}");
}

#[test]
fn it_hears_what_it_could_subscribe_to_and_else_is_told_to_go() {
    for (channel, code) in [("shut:door", 3507), ("nowhere:x", 3004)] {
        let mut world = world();
        let id = open(&mut world, None);
        world.send(id, &format!(r#"{{"token":"ann","subs":{{"{channel}":{{}}}}}}"#));
        assert_eq!(world.code(id), Some(code), "{channel}");
        world.gone(id);
        assert_eq!(world.hub.census(), Census::default());
    }
}

#[test]
fn nothing_asks_for_nothing_and_garbage_is_refused() {
    let mut world = world();
    for nothing in ["", "null", " {} "] {
        let id = open(&mut world, None);
        world.send(id, nothing);
        assert!(world.read(id)[0].starts_with(r#"{"connect":{"#), "{nothing}");
        // Whatever else it says is not listened to.
        world.send(id, "garbage");
        assert_eq!(world.code(id), None);
    }
    let id = open(&mut world, Some("[]"));
    assert_eq!(world.code(id), Some(3501));
}

#[test]
fn it_is_pinged_and_owes_no_pong() {
    let mut world = world();
    let id = open(&mut world, Some(r#"{"token":"ann"}"#));
    world.read(id);
    for _ in 0..10 {
        world.pass(Duration::from_secs(25));
    }
    assert_eq!(world.code(id), None);
    let pings = world.read(id);
    assert!(pings.len() >= 9 && pings.iter().all(|ping| ping == "{}"), "{pings:?}");
}
