use std::time::Duration;

use spanwire_hub::channel::{Channel, Epoch, Position};
use spanwire_hub::{Credentials, Grant, Opening, Order, Upstream, Whom};
use spanwire_wire::Encoding;

use crate::support::World;

fn subscribe(channel: &str, since: Option<(u64, &str)>) -> String {
    let recover =
        since.map(|(offset, epoch)| format!(r#","recover":true,"offset":{offset},"epoch":"{epoch}""#));
    format!(r#"{{"id":2,"subscribe":{{"channel":"{channel}"{}}}}}"#, recover.unwrap_or_default())
}

/// What somebody is told who subscribes, and what it hears with it.
fn come(world: &mut World, channel: &str, since: Option<(u64, &str)>) -> (String, Vec<String>) {
    let id = world.connect("ann");
    world.send(id, &subscribe(channel, since));
    let reply = world.read(id).remove(0);
    let heard = reply.split(r#""data":"#).skip(1).map(|rest| rest[..1].to_owned()).collect();
    world.gone(id);
    (reply, heard)
}

fn epoch_of(world: &mut World, channel: &str) -> String {
    let (reply, _) = come(world, channel, None);
    let epoch = reply.split(r#""epoch":""#).nth(1).unwrap();
    epoch[..epoch.find('"').unwrap()].to_owned()
}

fn is_recovered(reply: &str) -> bool {
    assert!(reply.contains(r#""was_recovering":true"#), "{reply}");
    reply.contains(r#""recovered":true"#)
}

#[test]
fn who_comes_back_gets_the_latest_unless_it_has_seen_that() {
    let mut world = World::new();
    for data in ["1", "2", "3"] {
        world.publish("last:x", data);
    }
    let epoch = epoch_of(&mut world, "last:x");
    let table: [(u64, &str, &[&str]); 5] =
        [(1, &epoch, &["3"]), (0, "", &["3"]), (3, "another", &["3"]), (9, &epoch, &["3"]), (3, &epoch, &[])];
    for (offset, named, expected) in table {
        let (reply, heard) = come(&mut world, "last:x", Some((offset, named)));
        assert!(is_recovered(&reply) && reply.contains(r#""offset":3,"#), "{reply}");
        assert_eq!(heard, expected, "from {offset} in {named:?}");
    }
    world.end();
}

#[test]
fn who_comes_for_the_first_time_gets_the_latest_only_where_that_is_so_for_everybody() {
    let mut world = World::new();
    for channel in ["last:x", "at_once:x"] {
        world.publish(channel, "1");
        world.publish(channel, "2");
    }
    let (reply, heard) = come(&mut world, "last:x", None);
    assert!(!reply.contains("recovering") && heard.is_empty(), "{reply}");
    let (reply, heard) = come(&mut world, "at_once:x", None);
    assert!(is_recovered(&reply), "{reply}");
    assert_eq!(heard, ["2"]);
    world.end();
}

#[test]
fn where_nothing_is_kept_any_more_a_subscriber_is_told_that_it_has_not_the_latest() {
    let mut world = World::new();
    let _keeper = world.subscriber("keeper", "last:x");
    world.publish("last:x", "1");
    let epoch = epoch_of(&mut world, "last:x");
    world.pass(Duration::from_secs(301));
    assert!(!is_recovered(&come(&mut world, "last:x", Some((0, &epoch))).0));
    assert!(is_recovered(&come(&mut world, "last:x", Some((1, &epoch))).0), "it was there already");
    let ann = world.connect("ann");
    world.send(ann, &subscribe("last:x", Some((0, &epoch))).replace(r#""recover""#, r#""flag":2,"recover""#));
    assert_eq!(world.read(ann), [r#"{"id":2,"error":{"code":112,"message":"unrecoverable position"}}"#]);
    world.end();
}

#[test]
fn who_asks_only_by_its_namespace_is_not_refused_for_a_position_it_has_not_named() {
    let mut world = World::new();
    let ann = world.connect("ann");
    world.send(ann, r#"{"id":2,"subscribe":{"channel":"at_once:x","flag":2}}"#);
    let reply = world.read(ann).remove(0);
    assert!(!is_recovered(&reply) && reply.contains(r#""epoch""#), "{reply}");
    world.end();
}

#[test]
fn what_is_published_while_somebody_comes_follows_the_latest_once_and_in_order() {
    let mut world = World::new();
    world.publish("at_once:x", "1");
    world.publish("at_once:x", "2");
    let ann = world.connect("ann");
    world.hold();
    world.send(ann, &subscribe("at_once:x", None));
    world.publish("at_once:x", "3");
    world.release_with_late_answers(|world| world.publish("at_once:x", "4"));
    world.publish("at_once:x", "5");
    let heard = world.heard(ann);
    let first: u32 = heard[0].parse().unwrap();
    let all: Vec<String> = (first..=5).map(|number| number.to_string()).collect();
    assert!(first >= 2 && heard == all, "{heard:?}");
    world.end();
}

/// A client to which the server subscribes, as its token has it.
fn served(world: &mut World, channel: &str, cache_recover: bool, subs: &str) -> (String, Vec<String>) {
    let channels = vec![(Channel::new(channel), Grant { cache_recover, ..Grant::default() })];
    world
        .tokens
        .insert("served", Ok(Credentials { user: "u".to_owned(), channels, ..Credentials::default() }));
    let id = world.open();
    world.send(id, &format!(r#"{{"id":1,"connect":{{"token":"served","subs":{{{subs}}}}}}}"#));
    let reply = world.read(id).remove(0);
    let heard = reply.split(r#""data":"#).skip(1).map(|rest| rest[..1].to_owned()).collect();
    world.gone(id);
    (reply, heard)
}

#[test]
fn the_server_may_give_the_latest_with_its_own_subscriptions() {
    let mut world = World::new();
    for channel in ["last:x", "at_once:x", "kept:x", "open:x"] {
        world.publish(channel, "1");
        world.publish(channel, "2");
    }
    let nothing: &[&str] = &[];
    let back = r#""last:x":{"recover":true,"offset":1,"epoch":"gone"}"#;
    let table = [
        ("last:x", false, "", nothing),
        ("last:x", false, back, &["2"]),
        ("at_once:x", false, "", &["2"]),
        ("last:x", true, "", &["2"]),
        // The backend wants it where the namespace would recover everything.
        ("kept:x", true, "", &["2"]),
        // Nothing is kept that could be given.
        ("open:x", true, "", nothing),
    ];
    for (channel, cache_recover, subs, expected) in table {
        let (reply, heard) = served(&mut world, channel, cache_recover, subs);
        assert_eq!(heard, expected, "{channel}, {cache_recover}: {reply}");
    }
    world.end();
}

#[test]
fn a_client_that_only_hears_and_one_that_is_subscribed_by_order_get_the_latest_too() {
    let mut world = World::new();
    world.publish("at_once:x", "1");
    world.publish("at_once:x", "2");
    world.tokens.insert("uni", Ok(Credentials { user: "u".to_owned(), ..Credentials::default() }));
    let greeting = r#"{"token":"uni","subs":{"at_once:x":{}}}"#;
    let upstream = Upstream::Nothing(Some(greeting.into()));
    let uni = world.open_with(Opening { upstream, ..Opening::new(Encoding::Json) });
    let push = world.read(uni).remove(0);
    assert!(is_recovered(&push) && push.contains(r#""data":2"#), "{push}");

    let ann = world.connect("ann");
    let whom = Whom { user: "ann".to_owned(), ..Whom::default() };
    let channel = Channel::new("at_once:x");
    world.order(Order::Subscribe { whom, channel, grant: Grant::default(), since: None });
    let lines = world.read(ann);
    let [told, latest] = &lines[..] else { panic!("{lines:?}") };
    assert!(told.contains(r#""subscribe":{"#) && told.contains(r#""offset":1"#), "{told}");
    assert!(latest.contains(r#""data":2"#) && latest.contains(r#""offset":2"#), "{latest}");
    world.end();
}

#[test]
fn a_position_of_an_order_that_is_the_top_brings_nothing() {
    let mut world = World::new();
    world.publish("last:x", "1");
    let epoch = epoch_of(&mut world, "last:x");
    let ann = world.connect("ann");
    let whom = Whom { user: "ann".to_owned(), ..Whom::default() };
    let since = Some(Position { offset: 1, epoch: Epoch::new(&epoch) });
    world.order(Order::Subscribe { whom, channel: Channel::new("last:x"), grant: Grant::default(), since });
    assert_eq!(world.heard(ann), [""; 0]);
    world.publish("last:x", "2");
    assert_eq!(world.heard(ann), ["2"]);
    world.end();
}
