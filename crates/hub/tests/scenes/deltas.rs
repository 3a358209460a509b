//! Who hears only what is different, and has what that is different from.

mod histories; // random ones, against what was published
mod taker; // a client that takes deltas

use spanwire_hub::channel::Channel;
use spanwire_hub::{Credentials, Grant, Opening, Upstream};
use spanwire_wire::Encoding;

use self::taker::Taker;
use crate::support::{HISTORY, World};

/// A payload that has most in common with any other.
fn payload(number: usize) -> String {
    format!(r#"{{"symbol":"SPAN","exchange":"XETR","currency":"EUR","price":{number},"venue":"café 😀"}}"#)
}

fn payloads(numbers: std::ops::RangeInclusive<usize>) -> Vec<String> {
    numbers.map(payload).collect()
}

fn publish(world: &mut World, channel: &str, numbers: std::ops::RangeInclusive<usize>) {
    for number in numbers {
        world.publish_with(channel, payload(number), Some(HISTORY));
    }
}

#[test]
fn the_first_is_told_whole_and_all_others_by_patches() {
    for encoding in Encoding::ALL {
        let mut world = World::new();
        publish(&mut world, "delta:x", 1..=1);
        let mut taker = Taker::subscribed(&mut world, "delta:x", encoding);
        assert!(taker.agreed);
        publish(&mut world, "delta:x", 2..=5);
        // What comes in one turn is told by one message, and by the same patches.
        world.turn(|world| publish(world, "delta:x", 6..=8));
        assert_eq!(taker.news(&mut world), (payloads(2..=8), "Wpppppp".to_owned()));
        world.publish_with("delta:x", "7", Some(HISTORY));
        publish(&mut world, "delta:x", 9..=10);
        let (heard, told) = taker.news(&mut world);
        assert_eq!(
            (heard[0].as_str(), told.as_str()),
            ("7", "WWp"),
            "a patch must be shorter than the payload"
        );
        world.end();
    }
}

#[test]
fn those_who_take_no_deltas_hear_the_same_channel_as_ever() {
    let mut world = World::new();
    let plain = world.subscriber("plain", "delta:x");
    let mut taker = Taker::subscribed(&mut world, "delta:x", Encoding::Json);
    publish(&mut world, "delta:x", 1..=2);
    let lines = world.read(plain);
    assert!(lines.iter().all(|line| line.contains(r#""data":{"symbol""#) && !line.contains("delta\":true")));
    assert_eq!(taker.news(&mut world), (payloads(1..=2), "Wp".to_owned()));
    world.end();
}

#[test]
fn only_what_is_published_with_delta_is_told_by_patches() {
    let mut world = World::new();
    let mut taker = Taker::subscribed(&mut world, "delta_asked:x", Encoding::Json);
    publish(&mut world, "delta_asked:x", 1..=3);
    assert!(taker.agreed);
    assert_eq!(taker.news(&mut world), (payloads(1..=3), "WWW".to_owned()));
    world.end();
}

#[test]
fn deltas_are_for_subscribers_with_a_position_in_namespaces_that_allow_them_and_leave_nothing_out() {
    let mut world = World::new();
    for channel in ["delta_open:x", "delta_slow:x", "kept:x"] {
        let mut taker = Taker::subscribed(&mut world, channel, Encoding::Json);
        publish(&mut world, channel, 1..=2);
        assert!(!taker.agreed, "{channel}");
        assert_eq!(taker.news(&mut world), (payloads(1..=2), "WW".to_owned()), "{channel}");
    }
    world.end();
}

#[test]
fn what_is_published_past_the_history_is_nobodys_base_and_leaves_none() {
    for encoding in Encoding::ALL {
        let mut world = World::new();
        let mut taker = Taker::subscribed(&mut world, "delta:x", encoding);
        publish(&mut world, "delta:x", 1..=2);
        world.publish_with("delta:x", payload(100), None);
        publish(&mut world, "delta:x", 3..=4);
        let expected = [payloads(1..=2), payloads(100..=100), payloads(3..=4)].concat();
        assert_eq!(taker.news(&mut world), (expected.clone(), "WpWWp".to_owned()));
        world.turn(|world| {
            publish(world, "delta:x", 5..=5);
            world.publish_with("delta:x", payload(100), None);
            publish(world, "delta:x", 6..=6);
        });
        assert_eq!(taker.news(&mut world).1, "pWW");
        world.end();
    }
}

#[test]
fn a_history_that_was_removed_leaves_nothing_to_patch() {
    let mut world = World::new();
    let mut taker = Taker::subscribed(&mut world, "delta:x", Encoding::Json);
    publish(&mut world, "delta:x", 1..=2);
    world.remove_history("delta:x");
    publish(&mut world, "delta:x", 3..=4);
    assert_eq!(taker.news(&mut world), (payloads(1..=4), "WpWp".to_owned()));
    world.end();
}

#[test]
fn who_comes_back_is_told_what_it_missed_whole_and_what_follows_by_patches() {
    for encoding in Encoding::ALL {
        let mut world = World::new();
        let mut taker = Taker::subscribed(&mut world, "delta:x", encoding);
        publish(&mut world, "delta:x", 1..=2);
        taker.listen(&mut world);
        taker.unsubscribe(&mut world);
        publish(&mut world, "delta:x", 3..=6);
        taker.news(&mut world);
        taker.subscribe(&mut world, true);
        publish(&mut world, "delta:x", 7..=8);
        let news = taker.news(&mut world);
        assert!(taker.recovered);
        assert_eq!(news, (payloads(3..=8), "WWWWpp".to_owned()));
        world.end();
    }
}

#[test]
fn who_missed_nothing_is_told_the_next_whole_for_it_may_be_another_program_than_before() {
    let mut world = World::new();
    publish(&mut world, "delta:x", 1..=2);
    let mut taker = Taker::subscribed(&mut world, "delta:x", Encoding::Json);
    taker.unsubscribe(&mut world);
    taker.subscribe(&mut world, true);
    publish(&mut world, "delta:x", 3..=4);
    let news = taker.news(&mut world);
    assert!(taker.recovered);
    assert_eq!(news, (payloads(3..=4), "Wp".to_owned()));
    world.end();
}

#[test]
fn what_is_published_while_somebody_joins_follows_by_patches_too() {
    for encoding in Encoding::ALL {
        let mut world = World::new();
        publish(&mut world, "delta:x", 1..=1);
        let mut taker = Taker::new(&mut world, "delta:x", encoding);
        world.hold();
        taker.subscribe(&mut world, false);
        world.release_with_late_answers(|world| publish(world, "delta:x", 2..=4));
        publish(&mut world, "delta:x", 5..=5);
        assert_eq!(taker.news(&mut world), (payloads(2..=5), "Wppp".to_owned()));
        world.end();
    }
}

#[test]
fn a_channel_of_which_only_the_latest_counts_is_begun_whole() {
    let mut world = World::new();
    let mut taker = Taker::subscribed(&mut world, "delta_last:x", Encoding::Json);
    publish(&mut world, "delta_last:x", 1..=2);
    assert_eq!(taker.news(&mut world).1, "Wp");
    taker.unsubscribe(&mut world);
    publish(&mut world, "delta_last:x", 3..=4);
    // Its position is the top; the latest comes with it, and is the base of the next.
    taker.subscribe(&mut world, true);
    let reply = world.read(taker.id).pop().unwrap();
    assert!(reply.contains(r#""recovered":true"#) && reply.contains(r#"\"price\":4"#), "{reply}");
    assert_eq!(reply.matches("\"data\":\"").count(), 1, "{reply}");
    publish(&mut world, "delta_last:x", 5..=5);
    let push = world.read(taker.id).pop().unwrap();
    assert!(push.contains(r#""delta":true"#), "{push}");
    world.end();
}

#[test]
fn a_hole_ends_the_subscription_and_the_next_one_begins_whole() {
    let mut world = World::new();
    let mut taker = Taker::subscribed(&mut world, "delta:x", Encoding::Json);
    publish(&mut world, "delta:x", 1..=2);
    world.deaf = true;
    publish(&mut world, "delta:x", 3..=3);
    world.deaf = false;
    publish(&mut world, "delta:x", 4..=4);
    assert_eq!(taker.news(&mut world), (payloads(1..=2), "Wp".to_owned()));
    assert!(!taker.subscribed);
    taker.subscribe(&mut world, true);
    publish(&mut world, "delta:x", 5..=5);
    assert_eq!(taker.news(&mut world), (payloads(3..=5), "WWp".to_owned()));
    world.end();
}

#[test]
fn a_filter_and_deltas_are_refused_together_and_the_operator_learns_why() {
    let mut world = World::new();
    let id = world.connect("ann");
    let filter = r#"{"key":"a","cmp":"ex"}"#;
    let both =
        format!(r#"{{"id":2,"subscribe":{{"channel":"delta_tagged:x","delta":"fossil","tf":{filter}}}}}"#);
    world.send(id, &both);
    assert!(world.read(id)[0].contains(r#""code":107"#));
    assert!(world.denials[0].contains("it may have one of them"), "{:?}", world.denials);
    world.end();
}

#[test]
fn a_subscription_by_the_server_takes_deltas_if_its_client_does() {
    let mut world = World::new();
    let channels = vec![(Channel::new("delta:x"), Grant::default())];
    world.tokens.insert("ann", Ok(Credentials { channels, ..Credentials::default() }));
    let connect = r#"{"id":1,"connect":{"token":"ann","subs":{"delta:x":{"delta":"fossil"}}}}"#;
    let ann = world.open();
    world.send(ann, connect);
    let reply = world.read(ann).remove(0);
    assert!(reply.contains(r#""delta":true"#), "{reply}");
    publish(&mut world, "delta:x", 1..=2);
    let lines = world.read(ann);
    assert!(lines[0].contains(r#""data":"{\"symbol"#) && lines[1].contains(r#""delta":true"#), "{lines:?}");

    let unknown = world.open();
    world.send(unknown, &connect.replace("fossil", "zip"));
    assert_eq!(world.code(unknown), Some(3501));

    let greeting = connect.trim_start_matches(r#"{"id":1,"connect":"#).strip_suffix('}').unwrap();
    let deaf = world.open_with(Opening {
        upstream: Upstream::Nothing(Some(greeting.into())),
        ..Opening::new(Encoding::Json)
    });
    world.read(deaf);
    publish(&mut world, "delta:x", 3..=3);
    let lines = world.read(deaf);
    assert!(lines[0].contains(r#""data":{"symbol""#), "whoever only hears is told as ever: {lines:?}");
    world.end();
}

#[test]
fn a_payload_that_is_not_json_ends_those_who_speak_json() {
    let mut world = World::new();
    let mut taker = Taker::subscribed(&mut world, "delta:x", Encoding::Json);
    publish(&mut world, "delta:x", 1..=1);
    taker.listen(&mut world);
    world.publish_with("delta:x", payload(2).trim_end_matches('}').to_owned(), Some(HISTORY));
    assert_eq!(world.code(taker.id), Some(3506));
    world.end();
}

#[test]
fn what_those_were_told_who_take_deltas_is_counted() {
    let mut world = World::new();
    let mut taker = Taker::subscribed(&mut world, "delta:x", Encoding::Json);
    world.subscriber("plain", "delta:x");
    publish(&mut world, "delta:x", 1..=3);
    taker.listen(&mut world);
    let bytes = world.hub.take_delta_bytes();
    let whole = payload(1).len() as u64;
    assert_eq!(bytes.whole, whole);
    assert_eq!(bytes.patches + bytes.saved, 2 * whole, "two patches stand for two payloads");
    assert!(bytes.patches < whole, "{bytes:?}");
    world.end();
}
