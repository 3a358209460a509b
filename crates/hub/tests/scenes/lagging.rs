//! Channels of 4,000 bytes of outbox: a client lags from 1,000 unread bytes on, and goes on at 250.

use std::collections::BTreeSet;

use proptest::prelude::*;
use spanwire_hub::channel::{Channel, Epoch};
use spanwire_hub::delivery::Delivery;
use spanwire_hub::limits::Limits;
use spanwire_hub::{Input, SessionId};
use spanwire_wire::message::Publication;

use crate::support::World;

const KEYS: [&str; 5] = ["a", "b", "c", "d", "e"];

fn world() -> World {
    World::with_limits(Limits { outbox_bytes_max: 4_000, ..Limits::default() })
}

/// A connected client that tells gaps.
fn connect(world: &mut World, user: &'static str) -> SessionId {
    let id = world.open();
    world.send(id, &format!(r#"{{"id":1,"connect":{{"token":"{user}","headers":{{"spanwire":"1"}}}}}}"#));
    world.read(id);
    id
}

/// A subscriber that tells gaps, and reads nothing any more.
fn stalled(world: &mut World, channel: &str) -> SessionId {
    let id = connect(world, "slow");
    subscribe(world, id, channel);
    world.stall(id);
    id
}

fn subscribe(world: &mut World, id: SessionId, channel: &str) {
    world.send(id, &format!(r#"{{"id":2,"subscribe":{{"channel":"{channel}"}}}}"#));
    let reply = world.read(id).remove(0);
    assert!(reply.starts_with(r#"{"id":2,"subscribe":{"#), "{reply}");
}

/// Publishes to each key in turn, from the first, so many times in all.
fn publish(world: &mut World, channel: &str, times: usize) {
    for time in 0..times {
        world.publish_tagged(channel, "0", ("of", KEYS[time % KEYS.len()]));
    }
}

/// Publishes until the client lags, and no more. The result is how many that were; the last one is parked.
fn publish_until_it_lags(world: &mut World, channel: &str) -> u64 {
    let before = world.lagged.len();
    (1..200)
        .find(|_| {
            world.publish_tagged(channel, "0", ("of", "a"));
            world.lagged.len() > before
        })
        .expect("it lags at some time")
}

/// The offsets in what a client was sent.
fn offsets(lines: &[String]) -> Vec<u64> {
    let pushes = lines.iter().flat_map(|line| line.split('\n')).filter(|line| line.contains(r#""pub":{"#));
    let offset = |line: &str| {
        let rest = &line[line.find(r#""offset":"#).unwrap() + 9..];
        rest[..rest.find([',', '}']).unwrap()].parse().unwrap()
    };
    pushes.map(offset).collect()
}

fn heard(world: &mut World, id: SessionId) -> Vec<u64> {
    let lines = world.read(id);
    offsets(&lines)
}

/// What was left out since this was last asked, by namespace and delivery profile.
fn skipped(world: &mut World) -> Vec<((String, &'static str), u64)> {
    world.hub.take_skipped().into_counts().collect()
}

#[test]
fn a_client_that_lags_is_given_the_latest_of_each_key_in_order_when_it_reads_on() {
    let mut world = world();
    let slow = stalled(&mut world, "ticks:x");
    let fast = connect(&mut world, "fast");
    subscribe(&mut world, fast, "ticks:x");
    let direct = publish_until_it_lags(&mut world, "ticks:x") - 1;
    let mut all = heard(&mut world, fast);
    for _ in 0..20 {
        publish(&mut world, "ticks:x", 5);
        all.extend(heard(&mut world, fast));
    }
    let last = direct + 101;
    assert_eq!(all, (1..=last).collect::<Vec<_>>(), "who reads hears everything");
    world.resume_reading(slow);
    let expected: Vec<_> = (1..=direct).chain(last - 4..=last).collect();
    assert_eq!(heard(&mut world, slow), expected);
    assert_eq!(skipped(&mut world), [(("ticks".to_owned(), "conflate"), 101 - 5)]);
    publish(&mut world, "ticks:x", 3);
    assert_eq!(
        heard(&mut world, slow),
        [last + 1, last + 2, last + 3],
        "it is a member like any other again"
    );
    assert_eq!(world.code(slow), None);
    world.end();
}

#[test]
fn without_a_tag_to_go_by_the_latest_of_the_channel_is_all_that_is_parked() {
    let mut world = world();
    let slow = stalled(&mut world, "gauge:x");
    let direct = publish_until_it_lags(&mut world, "gauge:x") - 1;
    publish(&mut world, "gauge:x", 50);
    world.resume_reading(slow);
    assert_eq!(heard(&mut world, slow), (1..=direct).chain([direct + 51]).collect::<Vec<_>>());
    world.end();
}

#[test]
fn what_is_published_past_the_history_is_the_latest_of_its_key_like_any_other() {
    let mut world = world();
    let slow = stalled(&mut world, "ticks:x");
    publish_until_it_lags(&mut world, "ticks:x");
    publish(&mut world, "ticks:x", 10);
    world.publish_tagged_with("ticks:x", "77", ("of", "a"), None);
    world.resume_reading(slow);
    let heard = world.heard(slow);
    assert_eq!(heard[heard.len() - 5..], ["0", "0", "0", "0", "77"], "the latest of five keys");
    world.end();
}

#[test]
fn the_oldest_are_left_out_where_the_newest_count() {
    let mut world = world();
    let slow = stalled(&mut world, "newest:x");
    let direct = publish_until_it_lags(&mut world, "newest:x") - 1;
    publish(&mut world, "newest:x", 100);
    world.resume_reading(slow);
    let heard = heard(&mut world, slow);
    let (early, late) = heard.split_at(direct as usize);
    assert_eq!(early, (1..=direct).collect::<Vec<_>>());
    assert_eq!(late.last(), Some(&(direct + 101)));
    assert!(late.windows(2).all(|pair| pair[1] == pair[0] + 1), "the newest have no hole: {late:?}");
    assert!((10..=30).contains(&late.len()), "as many as may be parked: {late:?}");
    let expected = 101 - late.len() as u64;
    assert_eq!(skipped(&mut world), [(("newest".to_owned(), "drop_oldest"), expected)]);
    world.end();
}

#[test]
fn a_client_that_reads_a_little_lags_until_it_has_read_enough() {
    let mut world = world();
    let slow = stalled(&mut world, "ticks:x");
    publish_until_it_lags(&mut world, "ticks:x");
    let unread = world.unread(slow);
    assert!((1_000..1_200).contains(&unread), "{unread}");
    let left = |world: &mut World| world.hub.outbox_mut(slow).unwrap().len();
    while world.unread(slow) > 350 {
        let before = left(&mut world);
        world.read_some(slow, 1);
        // A driver that says so too early does no harm.
        world.hub.handle(world.now, Input::Drained(slow));
        assert_eq!(left(&mut world), before - 1);
    }
    let before = left(&mut world);
    world.read_some(slow, 2);
    assert_eq!(left(&mut world), before - 2 + 1, "what was parked is in its outbox now");
    world.end();
}

#[test]
fn whoever_comes_while_somebody_lags_hears_everything_from_there() {
    let mut world = world();
    let slow = stalled(&mut world, "ticks:x");
    let before = publish_until_it_lags(&mut world, "ticks:x");
    let late = connect(&mut world, "late");
    subscribe(&mut world, late, "ticks:x");
    publish(&mut world, "ticks:x", 7);
    assert_eq!(heard(&mut world, late), (before + 1..=before + 7).collect::<Vec<_>>());
    world.stall(late);
    publish_until_it_lags(&mut world, "ticks:x");
    publish(&mut world, "ticks:x", 20);
    for id in [slow, late] {
        world.resume_reading(id);
    }
    let (slow, late) = (heard(&mut world, slow), heard(&mut world, late));
    assert_eq!(slow[slow.len() - 5..], late[late.len() - 5..], "what is parked is the same for all");
    world.end();
}

#[test]
fn leaving_the_channel_takes_what_is_parked_along() {
    let mut world = world();
    let slow = stalled(&mut world, "ticks:x");
    let direct = publish_until_it_lags(&mut world, "ticks:x") - 1;
    world.send(slow, r#"{"id":3,"unsubscribe":{"channel":"ticks:x"}}"#);
    publish(&mut world, "ticks:x", 5);
    assert!(!world.hub.may_catch_up(slow));
    world.resume_reading(slow);
    let lines = world.read(slow);
    assert_eq!(offsets(&lines), (1..=direct).collect::<Vec<_>>());
    assert_eq!(lines.last().unwrap(), r#"{"id":3,"unsubscribe":{}}"#);
    subscribe(&mut world, slow, "ticks:x");
    publish(&mut world, "ticks:x", 1);
    assert_eq!(heard(&mut world, slow), [direct + 7]);
    world.end();
}

#[test]
fn one_who_leaves_or_is_lost_while_it_lags_leaves_the_others_where_they_are() {
    for ending in 0..3 {
        let mut world = world();
        let slow = ["one", "two", "three"].map(|user| {
            let id = connect(&mut world, user);
            subscribe(&mut world, id, "ticks:x");
            id
        });
        slow.iter().for_each(|id| world.stall(*id));
        while world.lagged.len() < 3 {
            world.publish_tagged("ticks:x", "0", ("of", "a"));
        }
        let gone = slow[ending];
        world.gone(gone);
        publish(&mut world, "ticks:x", 12);
        for id in slow.into_iter().filter(|id| *id != gone) {
            world.resume_reading(id);
            let heard = heard(&mut world, id);
            let last = *heard.last().unwrap();
            assert_eq!(heard[heard.len() - 5..], (last - 4..=last).collect::<Vec<_>>());
            assert_eq!(world.code(id), None);
        }
        world.end();
    }
}

#[test]
fn joins_and_leaves_and_replies_pass_what_is_parked() {
    let mut world = world();
    let slow = stalled(&mut world, "social_ticks:x");
    publish_until_it_lags(&mut world, "social_ticks:x");
    let ann = connect(&mut world, "ann");
    subscribe(&mut world, ann, "social_ticks:x");
    world.send(ann, r#"{"id":3,"unsubscribe":{"channel":"social_ticks:x"}}"#);
    world.send(slow, r#"{"id":7,"presence":{"channel":"social_ticks:x"}}"#);
    world.resume_reading(slow);
    let lines = world.read(slow);
    let place = |what: &str| lines.iter().position(|line| line.contains(what)).expect(what);
    let parked = lines.iter().rposition(|line| line.contains(r#""pub""#)).unwrap();
    let (join, leave, reply) = (place(r#""join""#), place(r#""leave""#), place(r#""id":7"#));
    assert!(join < leave && leave < reply && reply < parked, "{lines:?}");
    world.end();
}

#[test]
fn pings_pass_what_is_parked_and_silence_ends_a_client_that_lags() {
    let mut world = world();
    let slow = stalled(&mut world, "ticks:x");
    publish_until_it_lags(&mut world, "ticks:x");
    let unread = world.unread(slow);
    world.pass(std::time::Duration::from_secs(26));
    assert_eq!(world.unread(slow), unread + 2, "a ping");
    world.pass(std::time::Duration::from_secs(10));
    assert_eq!(world.code(slow), Some(3012));
    world.end();
}

#[test]
fn what_is_parked_is_no_hole_but_a_hole_is_one_for_those_who_lag_too() {
    let mut world = world();
    let slow = stalled(&mut world, "ticks:x");
    let direct = publish_until_it_lags(&mut world, "ticks:x") - 1;
    publish(&mut world, "ticks:x", 50);
    assert_eq!(world.hub.census().subscriptions, 1, "it keeps its place");
    world.deaf = true;
    publish(&mut world, "ticks:x", 1);
    world.deaf = false;
    publish(&mut world, "ticks:x", 1);
    assert_eq!(world.hub.census().subscriptions, 0);
    world.resume_reading(slow);
    let lines = world.read(slow);
    assert_eq!(offsets(&lines), (1..=direct).collect::<Vec<_>>());
    assert!(lines.last().unwrap().contains(r#""unsubscribe":{"code":2500"#), "{lines:?}");
    world.end();
}

#[test]
fn a_client_that_lags_and_comes_back_recovers_from_the_last_that_it_heard() {
    let mut world = world();
    let slow = stalled(&mut world, "ticks:x");
    let direct = publish_until_it_lags(&mut world, "ticks:x") - 1;
    publish(&mut world, "ticks:x", 4);
    // It reads what is in its outbox, and its connection is lost before what is parked.
    world.gone(slow);
    let back = connect(&mut world, "slow");
    world.send(back, r#"{"id":2,"history":{"channel":"ticks:x"}}"#);
    let reply = world.read(back).remove(0);
    let epoch = reply.split(r#""epoch":""#).nth(1).unwrap();
    let epoch = &epoch[..epoch.find('"').unwrap()];
    let since = format!(r#""recover":true,"offset":{direct},"epoch":"{epoch}""#);
    world.send(back, &format!(r#"{{"id":3,"subscribe":{{"channel":"ticks:x",{since}}}}}"#));
    let reply = world.read(back).remove(0);
    assert!(reply.contains(r#""recovered":true"#), "{reply}");
    assert_eq!(reply.matches(r#""data":0"#).count(), 5, "{reply}");
    world.end();
}

#[test]
fn who_was_promised_everything_and_is_not_told_of_gaps_is_let_go_and_everybody_else_lags() {
    // The channel, whether the client asked for our extensions, and whether it lags.
    let table = [
        ("ticks:x", true, true),
        ("ticks:x", false, false),
        ("newest:x", false, false),
        ("last_ticks:x", false, true),
        ("loose:x", false, true),
        ("kept:x", true, false),
        ("open:x", true, false),
    ];
    for (channel, extended, lags) in table {
        let mut world = world();
        let id = if extended { connect(&mut world, "slow") } else { world.connect("slow") };
        subscribe(&mut world, id, channel);
        assert_eq!(world.may_lag == [id], lags, "{channel} {extended}");
        world.stall(id);
        publish(&mut world, channel, 100);
        assert_eq!(world.code(id), (!lags).then_some(3008), "{channel} {extended}");
        assert_eq!(world.lagged.len(), usize::from(lags), "{channel} {extended}");
        world.end();
    }
}

#[test]
fn a_client_with_a_filter_cannot_tell_what_was_left_out_and_is_let_go() {
    let mut world = world();
    let id = connect(&mut world, "slow");
    let filter = r#"{"key":"of","cmp":"ex"}"#;
    world.send(id, &format!(r#"{{"id":2,"subscribe":{{"channel":"tagged_ticks:x","tf":{filter}}}}}"#));
    world.stall(id);
    publish(&mut world, "tagged_ticks:x", 100);
    assert_eq!(world.code(id), Some(3008));
    world.end();
}

#[test]
fn more_keys_than_may_be_parked_are_more_than_a_slow_client_may_be_behind() {
    let mut world = world();
    let slow = stalled(&mut world, "ticks:x");
    publish_until_it_lags(&mut world, "ticks:x");
    let names: Vec<String> = (0..40).map(|key| format!("key-{key}")).collect();
    for (count, name) in names.iter().enumerate() {
        world.publish_tagged("ticks:x", "0", ("of", name));
        assert!(count > 10 || world.code(slow).is_none());
    }
    assert_eq!(world.code(slow), Some(3008));
    world.end();
}

#[test]
fn one_slow_client_in_two_channels_is_given_both_and_the_world_hears_of_it_once() {
    let mut world = world();
    let slow = connect(&mut world, "slow");
    subscribe(&mut world, slow, "ticks:x");
    subscribe(&mut world, slow, "ticks:y");
    world.stall(slow);
    for _ in 0..40 {
        publish(&mut world, "ticks:x", 5);
        publish(&mut world, "ticks:y", 5);
    }
    assert_eq!(world.lagged, [(slow, "ticks:x".to_owned())]);
    world.resume_reading(slow);
    let lines = world.read(slow);
    for channel in ["ticks:x", "ticks:y"] {
        let its: Vec<_> = lines
            .iter()
            .flat_map(|line| line.split('\n'))
            .filter(|line| line.contains(channel))
            .map(str::to_owned)
            .collect();
        let heard = offsets(&its);
        assert_eq!(heard[heard.len() - 5..], [196, 197, 198, 199, 200], "{channel}");
    }
    world.end();
}

#[test]
fn a_channel_that_says_little_has_its_turn_beside_two_that_always_say_more_than_an_outbox() {
    let mut world = world();
    let slow = connect(&mut world, "slow");
    for channel in ["newest:x", "newest:y", "newest:z"] {
        subscribe(&mut world, slow, channel);
    }
    world.stall(slow);
    let long: &str = Box::leak(format!("[{}]", "1".repeat(300)).into());
    let is_busy = |world: &mut World| {
        for _ in 0..20 {
            world.publish("newest:x", long);
            world.publish("newest:y", long);
        }
    };
    is_busy(&mut world);
    world.publish("newest:z", "77");
    for _ in 0..4 {
        world.read_some(slow, usize::MAX);
        is_busy(&mut world);
    }
    assert!(world.heard(slow).contains(&"77".to_owned()));
    world.end();
}

#[test]
fn who_has_heard_some_of_what_comes_and_has_no_room_for_the_others_lags_like_everybody_else() {
    let mut world = world();
    let early = connect(&mut world, "early");
    subscribe(&mut world, early, "ticks:x");
    publish(&mut world, "ticks:x", 1);
    let ahead = connect(&mut world, "ahead");
    // The broker is at offset 3, and what it said of it to this shard is still on its way.
    world.deaf = true;
    publish(&mut world, "ticks:x", 2);
    world.deaf = false;
    world.send(ahead, r#"{"id":2,"subscribe":{"channel":"ticks:x"}}"#);
    let reply = world.read(ahead).remove(0);
    let epoch = reply.split(r#""epoch":""#).nth(1).unwrap().split('"').next().unwrap().to_owned();
    world.stall(ahead);
    for _ in 0..4 {
        world.send(ahead, r#"{"id":9,"history":{"channel":"ticks:x"}}"#);
    }
    assert!(world.unread(ahead) > 200 && world.unread(ahead) < 1_000);
    let channel = Channel::new("ticks:x");
    for (offset, bytes) in [(2, 1), (3, 1), (4, 3_700)] {
        let publication = Publication { data: vec![b'1'; bytes].into(), offset, ..Publication::default() };
        let delivery = Delivery::new(publication, Some(Epoch::new(&epoch)));
        world.hub.handle(world.now, Input::Publication(channel.clone(), delivery));
    }
    assert_eq!(heard(&mut world, early), [1, 2, 3, 4]);
    assert_eq!(world.code(ahead), None);
    world.resume_reading(ahead);
    assert_eq!(heard(&mut world, ahead), [4]);
    world.end();
}

#[test]
fn what_is_parked_for_one_client_in_many_channels_is_bounded() {
    for namespace in ["newest", "ticks"] {
        let mut world = world();
        let limits = Limits { outbox_bytes_max: 4_000, ..Limits::default() };
        let slow = connect(&mut world, "slow");
        let channels: Vec<_> = (0..100).map(|number| format!("{namespace}:{number}")).collect();
        for channel in &channels {
            subscribe(&mut world, slow, channel);
        }
        world.stall(slow);
        let long: &str = Box::leak(format!("[{}]", "1".repeat(300)).into());
        let mut most = 0;
        for (number, channel) in channels.iter().cycle().take(2_000).enumerate() {
            let key = KEYS[number / channels.len() % KEYS.len()];
            world.publish_tagged(channel, long, ("of", key));
            most = most.max(world.hub.census().parked_bytes);
        }
        let allowed = limits.parked_bytes_total_max() + channels.len() * 3 * 500;
        assert!(most > limits.parked_bytes_total_max() / 2, "{namespace}: {most}, or this says nothing");
        assert!(most <= allowed, "{namespace}: {most} of {allowed}");
        world.gone(slow);
        assert_eq!(world.hub.census().parked_bytes, 0);
        world.end();
    }
}

#[test]
fn whoever_would_be_the_first_to_lag_in_a_channel_is_let_go_when_too_much_is_parked() {
    let mut world = world();
    let all = Limits { outbox_bytes_max: 4_000, ..Limits::default() }.parked_bytes_total_max();
    let (greedy, late) = (stalled(&mut world, "newest:0"), connect(&mut world, "late"));
    let very_long: &str = Box::leak(format!("[{}]", "1".repeat(all / 3)).into());
    publish_until_it_lags(&mut world, "newest:0");
    world.publish("newest:0", very_long);
    assert!(world.hub.census().parked_bytes > all);
    subscribe(&mut world, late, "newest:1");
    world.stall(late);
    publish(&mut world, "newest:1", 100);
    assert_eq!(world.code(late), Some(3008));
    world.resume_reading(greedy);
    assert_eq!(world.code(greedy), None);
    let after = stalled(&mut world, "newest:1");
    publish(&mut world, "newest:1", 100);
    assert_eq!(world.code(after), None, "there is room again");
    world.end();
}

#[derive(Clone, Debug)]
enum Step {
    /// So many are published in one turn, to these keys.
    Publish(Vec<usize>),
    /// The client reads at most so many messages.
    Read(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let keys = prop::collection::vec(0..KEYS.len(), 1..8);
    let step = prop_oneof![3 => keys.prop_map(Step::Publish), 1 => (0..30_usize).prop_map(Step::Read)];
    prop::collection::vec(step, 1..80)
}

/// Plays the steps; then the client reads everything. The result are the keys that were published, in order, and the
/// offsets that it heard.
fn play(channel: &str, steps: Vec<Step>) -> (Vec<usize>, Vec<u64>) {
    let mut world = world();
    let slow = stalled(&mut world, channel);
    let mut published = Vec::new();
    for step in steps {
        match step {
            Step::Publish(keys) => {
                world.turn(|world| {
                    keys.iter().for_each(|key| world.publish_tagged(channel, "0", ("of", KEYS[*key])))
                });
                published.extend(keys);
            }
            Step::Read(messages) => {
                world.read_some(slow, messages);
            }
        }
    }
    world.resume_reading(slow);
    let heard = heard(&mut world, slow);
    assert_eq!(world.code(slow), None);
    let skipped: u64 = skipped(&mut world).into_iter().map(|(_, count)| count).sum();
    assert_eq!(skipped, (published.len() - heard.len()) as u64, "what is left out is counted");
    world.end();
    (published, heard)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_left_out_was_followed_by_a_later_one_of_its_key(steps in steps()) {
        let (published, heard) = play("ticks:x", steps);
        prop_assert!(heard.windows(2).all(|pair| pair[0] < pair[1]), "offsets only grow: {heard:?}");
        let heard: BTreeSet<_> = heard.into_iter().collect();
        for (index, key) in published.iter().enumerate().filter(|(index, _)| !heard.contains(&(*index as u64 + 1))) {
            let later = (index + 1..published.len()).find(|later| published[*later] == *key && heard.contains(&(*later as u64 + 1)));
            prop_assert!(later.is_some(), "offset {} was the latest of its key", index + 1);
        }
    }

    #[test]
    fn whatever_is_left_out_was_older_than_what_is_not(steps in steps()) {
        let (published, heard) = play("newest:x", steps);
        prop_assert!(heard.windows(2).all(|pair| pair[0] < pair[1]), "offsets only grow: {heard:?}");
        prop_assert_eq!(heard.last().copied().unwrap_or(0), published.len() as u64);
    }
}
