//! Clients that read slowly, or not at all, and what they can cost.

use std::time::Duration;

use spanwire_ws::Opcode;

use super::scene::{Client, Heard, Scene, config, session};
use crate::engine::limits::CLOSE_PATIENCE;

/// Commands until the shard has let somebody go. Every second publication is long enough to be written from where
/// it is.
fn flood(scene: &mut Scene, publisher: &mut Client, until: impl Fn(&Scene) -> bool) -> u32 {
    for number in 0..4000 {
        let filler = "x".repeat(if number % 2 == 0 { 100 } else { 20_000 });
        publisher.publish(10 + number, "a", &format!(r#""{number} {filler}""#));
        scene.until(publisher, |publisher| publisher.publications().len() == number as usize + 1);
        if until(scene) {
            return number + 1;
        }
    }
    panic!("the sockets took everything");
}

fn numbers(client: &Client) -> Vec<u32> {
    let number = |data: &str| data.trim_start_matches('"').split_once(' ').unwrap().0.parse().unwrap();
    client.publications().into_iter().map(number).collect()
}

#[test]
fn a_client_that_never_reads_costs_its_outbox_and_is_let_go_and_nobody_else_notices() {
    let mut config = config();
    config.hub.limits.outbox_bytes_max = 100_000;
    let mut scene = Scene::new(config);
    let (mut ann, mut bob) = (scene.member(0, "a"), scene.narrow_member(0, "a"));
    let sent = flood(&mut scene, &mut ann, |scene| scene.handle().stats()[0].outbox_overflows == 1);
    assert_eq!(numbers(&ann), (0..sent).collect::<Vec<_>>());

    // When it reads at last, it finds whole messages in their order, and the reason.
    scene.until(&mut bob, |bob| bob.close_code().is_some());
    assert_eq!(bob.close_code(), Some(3008));
    let heard = numbers(&bob);
    assert_eq!(heard, (0..heard.len() as u32).collect::<Vec<_>>());
    assert!(heard.len() < sent as usize, "what it could not keep up with is not sent");
}

#[test]
fn a_slow_reader_within_its_outbox_gets_everything_and_the_pong_for_its_last_ping() {
    let mut scene = Scene::new(config());
    let (mut ann, mut bob) = (scene.member(0, "a"), scene.narrow_member(0, "a"));
    let sent = flood(&mut scene, &mut ann, |scene| scene.is_blocked(1));
    scene.said(&mut bob, Opcode::Ping, b"first");
    scene.said(&mut bob, Opcode::Ping, b"last");
    scene.until(&mut bob, |bob| bob.publications().len() == sent as usize);
    assert_eq!(numbers(&bob), (0..sent).collect::<Vec<_>>());
    scene.until(&mut bob, |bob| bob.heard.contains(&Heard::Pong(b"last".to_vec())));
    assert!(!bob.heard.contains(&Heard::Pong(b"first".to_vec())));
}

#[test]
fn what_was_published_before_a_client_is_let_go_is_written_before_its_close_frame() {
    let mut scene = Scene::new(config());
    let (mut ann, mut bob) = (scene.member(0, "a"), scene.narrow_member(0, "a"));
    let sent = flood(&mut scene, &mut ann, |scene| scene.is_blocked(1));
    bob.say("not a command");
    scene.until(&mut bob, |bob| bob.close_code().is_some());
    assert_eq!(bob.close_code(), Some(3501));
    assert_eq!(numbers(&bob), (0..sent).collect::<Vec<_>>());
}

#[test]
fn a_socket_that_takes_nothing_for_too_long_is_given_up() {
    let mut scene = Scene::new(config());
    let (mut ann, _bob) = (scene.member(0, "a"), scene.narrow_member(0, "a"));
    flood(&mut scene, &mut ann, |scene| scene.is_blocked(1));
    scene.pass(Duration::from_millis(9_999));
    assert_eq!(scene.connections(), 2);
    scene.pass(Duration::from_millis(1));
    assert_eq!(scene.connections(), 1);
    assert_eq!(scene.handle().stats()[0].disconnects, [(3009, 1)].into());
}

#[test]
fn a_socket_that_the_kernel_calls_writable_too_late_is_asked_before_it_is_given_up() {
    let mut scene = Scene::new(config());
    let (mut ann, mut bob) = (scene.member(0, "a"), scene.narrow_member(0, "a"));
    let sent = flood(&mut scene, &mut ann, |scene| scene.is_blocked(1));
    scene.make_room(&mut bob, 1);
    scene.pass(Duration::from_secs(10));
    assert_eq!(scene.connections(), 2);
    scene.until(&mut bob, |bob| bob.publications().len() == sent as usize);
    assert_eq!(numbers(&bob), (0..sent).collect::<Vec<_>>());
}

#[test]
fn a_client_whose_socket_takes_the_rest_at_its_last_chance_does_not_outstay_the_patience_with_its_end() {
    let mut config = config();
    config.hub.limits.outbox_bytes_max = 100_000;
    let mut scene = Scene::new(config);
    let (mut ann, mut bob) = (scene.member(0, "a"), scene.narrow_member(0, "a"));
    flood(&mut scene, &mut ann, |scene| scene.is_blocked(1));
    ann.heard.clear();
    // So the write is given up before the end is.
    scene.pass(Duration::from_secs(6));
    flood(&mut scene, &mut ann, |scene| scene.handle().stats()[0].outbox_overflows == 1);
    scene.make_room(&mut bob, 1);
    scene.pass(Duration::from_secs(4));
    scene.until(&mut bob, |bob| bob.close_code() == Some(3008));
    // It has everything, and says nothing.
    scene.pass(CLOSE_PATIENCE - Duration::from_millis(4_001));
    assert_eq!(scene.connections(), 2, "its own close frame is awaited");
    scene.pass(Duration::from_millis(1));
    assert_eq!(scene.connections(), 1);
}

#[test]
fn a_client_that_is_let_go_while_blocked_does_not_outstay_the_patience_with_its_end() {
    let mut config = config();
    config.hub.limits.outbox_bytes_max = 100_000;
    let mut scene = Scene::new(config);
    let (mut ann, _bob) = (scene.member(0, "a"), scene.narrow_member(0, "a"));
    flood(&mut scene, &mut ann, |scene| scene.handle().stats()[0].outbox_overflows == 1);
    assert_eq!(scene.connections(), 2);
    scene.pass(Duration::from_secs(5));
    assert_eq!(scene.connections(), 1);
    assert_eq!(scene.handle().stats()[0].disconnects, [(3008, 1)].into());
}

#[test]
fn a_burst_to_one_channel_reaches_a_fast_reader_whole_however_much_it_is() {
    let mut config = config();
    config.hub.limits.outbox_bytes_max = 512 << 10;
    let mut scene = Scene::new(config);
    let mut publishers: Vec<_> = (0..40).map(|_| scene.connected(0, session())).collect();
    let mut ann = scene.member(0, "a");
    let filler = "x".repeat(2000);
    for publisher in &mut publishers {
        for number in 0..16 {
            publisher.publish(10 + number, "a", &format!(r#""{number} {filler}""#));
        }
    }
    // More than twice of the outbox is ready to be read by the shard, before it takes its first turn.
    scene.until(&mut ann, |ann| ann.publications().len() == 40 * 16);
    assert_eq!(ann.close_code(), None);
}
