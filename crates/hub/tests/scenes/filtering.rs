use spanwire_hub::limits::Limits;
use spanwire_hub::tags_filter::FilterLimits;
use spanwire_hub::{Credentials, Opening, SessionId, Upstream};
use spanwire_wire::Encoding;
use spanwire_wire::message::{ConnectRequest, FilterNode, SubscribeRequest};
use spanwire_wire::{Command, Request, encode_command};

use crate::support::World;

const RED: &str = r#"{"key":"team","cmp":"eq","val":"red"}"#;

fn subscribe(channel: &str, filter: &str) -> String {
    format!(r#"{{"id":2,"subscribe":{{"channel":"{channel}","tf":{filter}}}}}"#)
}

/// A subscriber that wants only what its filter passes; its reply is read and thrown away.
fn choosy(world: &mut World, user: &'static str, channel: &str, filter: &str) -> SessionId {
    let id = world.connect(user);
    world.send(id, &subscribe(channel, filter));
    let reply = world.read(id).remove(0);
    assert!(reply.starts_with(r#"{"id":2,"subscribe":{"#), "{reply}");
    id
}

fn epoch_of(world: &mut World, channel: &str) -> String {
    let id = world.connect("reader");
    world.send(id, &format!(r#"{{"id":2,"history":{{"channel":"{channel}"}}}}"#));
    let reply = world.read(id).remove(0);
    let epoch = reply.split(r#""epoch":""#).nth(1).unwrap();
    epoch[..epoch.find('"').unwrap()].to_owned()
}

#[test]
fn only_what_passes_is_heard_and_everybody_else_hears_everything() {
    let mut world = World::new();
    for channel in ["tagged:x", "tagged_open:x"] {
        let all = world.subscriber("all", channel);
        let red = choosy(&mut world, "red", channel, RED);
        let not_red = choosy(&mut world, "not", channel, &format!(r#"{{"op":"not","nodes":[{RED}]}}"#));
        world.publish_tagged(channel, "1", ("team", "red"));
        world.publish_tagged(channel, "2", ("team", "blue"));
        world.publish(channel, "3");
        world.turn(|world| {
            world.publish_tagged(channel, "4", ("team", "red"));
            world.publish_tagged(channel, "5", ("team", "blue"));
            world.publish_tagged(channel, "6", ("team", "red"));
        });
        assert_eq!(world.heard(all), ["1", "2", "3", "4", "5", "6"]);
        assert_eq!(world.heard(red), ["1", "4", "6"]);
        assert_eq!(world.heard(not_red), ["2", "3", "5"]);
    }
    world.end();
}

#[test]
fn what_is_filtered_out_moves_the_position_and_is_no_hole() {
    let mut world = World::new();
    let red = choosy(&mut world, "red", "tagged:x", RED);
    for _ in 0..5 {
        world.publish_tagged("tagged:x", "0", ("team", "blue"));
    }
    world.publish_tagged("tagged:x", "6", ("team", "red"));
    let lines = world.read(red);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains(r#""offset":6"#), "{lines:?}");
    // A real hole is still told, also if it lies behind what was filtered out.
    world.publish_tagged("tagged:x", "7", ("team", "blue"));
    world.deaf = true;
    world.publish_tagged("tagged:x", "8", ("team", "blue"));
    world.deaf = false;
    world.publish_tagged("tagged:x", "9", ("team", "blue"));
    assert!(world.read(red)[0].contains(r#""code":2500"#));
    world.end();
}

#[test]
fn a_recovery_is_filtered_too_and_ends_at_the_top() {
    let mut world = World::new();
    for (data, team) in [("1", "red"), ("2", "blue"), ("3", "red"), ("4", "blue")] {
        world.publish_tagged("tagged:x", data, ("team", team));
    }
    let epoch = epoch_of(&mut world, "tagged:x");
    let recover = |offset: u64| {
        subscribe("tagged:x", RED)
            .replace(r#""tf""#, &format!(r#""recover":true,"offset":{offset},"epoch":"{epoch}","tf""#))
    };
    for (offset, expected, told) in
        [(0, &["1", "3"][..], ""), (1, &["3"], r#""offset":1,"#), (3, &[], r#""offset":4,"#)]
    {
        let ann = world.connect("ann");
        world.send(ann, &recover(offset));
        let lines = world.read(ann);
        assert!(lines[0].contains(r#""recovered":true"#) && lines[0].contains(told), "{lines:?}");
        let heard: Vec<_> = lines[0].split(r#""data":"#).skip(1).map(|rest| &rest[..1]).collect();
        assert_eq!(heard, expected, "from {offset}");
        world.gone(ann);
    }
    world.end();
}

#[test]
fn what_is_published_while_it_joins_is_filtered_once_and_in_order() {
    let mut world = World::new();
    let _keeper = world.subscriber("keeper", "tagged:x");
    world.publish_tagged("tagged:x", "1", ("team", "red"));
    let ann = world.connect("ann");
    world.hold();
    world.send(ann, &subscribe("tagged:x", RED).replace(r#""tf""#, r#""recover":true,"tf""#));
    world.publish_tagged("tagged:x", "2", ("team", "blue"));
    world.publish_tagged("tagged:x", "3", ("team", "red"));
    world.release_with_late_answers(|world| {
        world.publish_tagged("tagged:x", "4", ("team", "blue"));
        world.publish_tagged("tagged:x", "5", ("team", "red"));
    });
    world.publish_tagged("tagged:x", "6", ("team", "blue"));
    world.publish_tagged("tagged:x", "7", ("team", "red"));
    assert_eq!(world.heard(ann), ["1", "3", "5", "7"]);
    world.end();
}

#[test]
fn the_latest_is_the_latest_that_passes() {
    let mut world = World::new();
    for (data, team) in [("1", "red"), ("2", "red"), ("3", "blue")] {
        world.publish_tagged("tagged_last:x", data, ("team", team));
    }
    for (filter, expected) in [(RED, &["2"][..]), (r#"{"key":"team","cmp":"eq","val":"green"}"#, &[])] {
        let ann = world.connect("ann");
        world.send(ann, &subscribe("tagged_last:x", filter).replace(r#""tf""#, r#""recover":true,"tf""#));
        let lines = world.read(ann);
        let heard: Vec<_> = lines[0].split(r#""data":"#).skip(1).map(|rest| &rest[..1]).collect();
        assert_eq!(heard, expected);
        assert_eq!(lines[0].contains(r#""recovered":true"#), !expected.is_empty(), "{lines:?}");
        world.gone(ann);
    }
    world.end();
}

#[test]
fn the_latest_that_passes_is_not_looked_for_further_back_than_a_recovery_reaches() {
    for (reach, expected) in [(3, &["1"][..]), (2, &[])] {
        let limits = Limits { recovery_publications_max: reach, ..Limits::default() };
        let mut world = World::with_limits(limits);
        for (data, team) in [("1", "red"), ("2", "blue"), ("3", "blue")] {
            world.publish_tagged("tagged_last:x", data, ("team", team));
        }
        let ann = world.connect("ann");
        world.send(ann, &subscribe("tagged_last:x", RED).replace(r#""tf""#, r#""recover":true,"tf""#));
        let reply = world.read(ann).remove(0);
        let heard: Vec<_> = reply.split(r#""data":"#).skip(1).map(|rest| &rest[..1]).collect();
        assert_eq!(heard, expected, "{reach}: {reply}");
        assert!(reply.contains(r#""was_recovering":true"#), "{reply}");
        assert_eq!(reply.contains(r#""recovered":true"#), !expected.is_empty(), "{reach}: {reply}");
        world.end();
    }
}

#[test]
fn a_filter_that_is_none_or_not_permitted_is_refused_and_nothing_is_subscribed() {
    let mut world = World::new();
    let ann = world.connect("ann");
    let filters = [r#"{}"#, r#"{"key":"a","cmp":"like","val":"b"}"#, r#"{"op":"and","nodes":[]}"#];
    for filter in filters {
        world.send(ann, &subscribe("tagged:x", filter));
        assert_eq!(world.read(ann), [r#"{"id":2,"error":{"code":107,"message":"bad request"}}"#], "{filter}");
    }
    let told = world.denials.split_off(0);
    assert_eq!(told.len(), filters.len());
    assert!(told.iter().all(|line| line.ends_with("its filter is none by the protocol's rules")), "{told:?}");
    world.send(ann, &subscribe("kept:x", RED));
    assert_eq!(world.read(ann), [r#"{"id":2,"error":{"code":107,"message":"bad request"}}"#]);
    assert!(
        world.denials[0].contains("allow_tags_filter of namespace \"kept\" is off"),
        "{:?}",
        world.denials
    );
    assert_eq!(world.hub.census().subscriptions, 0);
    world.end();
}

#[test]
fn a_filter_beyond_its_limits_is_refused_and_the_client_stays() {
    let filter = FilterLimits { nodes_max: 2, ..FilterLimits::default() };
    let mut world = World::with_limits(Limits { filter, ..Limits::default() });
    let ann = world.connect("ann");
    world.send(ann, &subscribe("tagged:x", &format!(r#"{{"op":"and","nodes":[{RED},{RED}]}}"#)));
    assert_eq!(world.read(ann), [r#"{"id":2,"error":{"code":107,"message":"bad request"}}"#]);
    world.send(ann, &subscribe("tagged:x", &format!(r#"{{"op":"and","nodes":[{RED}]}}"#)));
    assert!(world.read(ann)[0].starts_with(r#"{"id":2,"subscribe""#));
    world.end();
}

#[test]
fn members_with_and_without_filters_come_and_go_in_any_order_and_keep_their_places() {
    let mut world = World::new();
    let all: Vec<_> = (0..4).map(|_| world.subscriber("all", "tagged:x")).collect();
    let red: Vec<_> = (0..4).map(|_| choosy(&mut world, "red", "tagged:x", RED)).collect();
    world.gone(red[0]);
    world.gone(all[1]);
    world.send(red[2], r#"{"id":3,"unsubscribe":{"channel":"tagged:x"}}"#);
    assert_eq!(world.hub.census().subscriptions, 5);
    world.publish_tagged("tagged:x", "1", ("team", "blue"));
    world.publish_tagged("tagged:x", "2", ("team", "red"));
    for id in [all[0], all[2], all[3]] {
        assert_eq!(world.heard(id), ["1", "2"]);
    }
    for id in [red[1], red[3]] {
        assert_eq!(world.heard(id), ["2"]);
    }
    assert_eq!(world.heard(red[2]), [""; 0]);
    world.end();
}

#[test]
fn who_filters_and_does_not_read_is_let_go_like_others() {
    let mut world = World::with_limits(Limits { outbox_bytes_max: 400, ..Limits::default() });
    let red = choosy(&mut world, "red", "tagged:x", RED);
    world.turn(|world| {
        for _ in 0..30 {
            world.publish_tagged("tagged:x", "\"some twenty bytes..\"", ("team", "red"));
        }
    });
    assert_eq!(world.code(red), Some(3008));
    world.end();
}

#[test]
fn who_comes_and_goes_is_told_to_those_who_filter_as_well() {
    let mut world = World::new();
    let red = choosy(&mut world, "red", "tagged_open:x", RED);
    world.read(red);
    let other = world.subscriber("other", "tagged_open:x");
    world.gone(other);
    let lines = world.read(red).concat();
    assert!(lines.contains(r#""join""#) && lines.contains(r#""leave""#), "{lines}");
    world.end();
}

#[test]
fn a_new_life_of_the_stream_ends_the_subscription_of_who_filters() {
    let mut world = World::new();
    let red = choosy(&mut world, "red", "tagged:x", RED);
    world.publish_tagged("tagged:x", "1", ("team", "red"));
    world.renew_broker();
    let _late = world.subscriber("late", "tagged:x");
    let lines = world.read(red);
    assert!(lines[0].contains(r#""data":1"#) && lines[1].contains(r#""code":2500"#), "{lines:?}");
    world.end();
}

#[test]
fn a_client_that_speaks_protobuf_and_one_that_only_hears_filter_as_well() {
    let mut world = World::new();
    world.tokens.insert("ann", Ok(Credentials { user: "ann".to_owned(), ..Credentials::default() }));
    let greeting = format!(r#"{{"token":"ann","subs":{{"tagged:x":{{"tf":{RED}}}}}}}"#);
    let upstream = Upstream::Nothing(Some(greeting.into()));
    let uni = world.open_with(Opening { upstream, ..Opening::new(Encoding::Json) });
    let binary = world.open_as(Encoding::Protobuf);
    let connect = ConnectRequest { token: "ann".to_owned(), ..ConnectRequest::default() };
    let filter = FilterNode {
        key: "team".to_owned(),
        cmp: "eq".to_owned(),
        val: "red".to_owned(),
        ..FilterNode::default()
    };
    let wish =
        SubscribeRequest { channel: "tagged:x".to_owned(), tf: Some(filter), ..SubscribeRequest::default() };
    for (id, request) in [(1, Request::Connect(connect)), (2, Request::Subscribe(wish))] {
        world.send_bytes(binary, &encode_command(Encoding::Protobuf, &Command { id, request }));
    }
    world.read(uni);
    world.publish_tagged("tagged:x", "\"for blue\"", ("team", "blue"));
    world.publish_tagged("tagged:x", "\"for red\"", ("team", "red"));
    for id in [uni, binary] {
        let said = world.read(id).concat();
        assert!(said.contains("for red") && !said.contains("for blue"), "{said}");
    }
    world.end();
}
