//! Sessions that a task serves, with the test as the task.

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use spanwire_hub::{Census, Opening, Reach, Upstream};
use spanwire_wire::{DisconnectCode, Encoding};

use super::scene::{Scene, config, visitor};
use crate::engine::limits::{INLET_FRAMES_MAX, PARCEL_BYTES};
use crate::engine::pipe::{Parcel, Pipe};
use crate::engine::{EngineConfig, Transport};

fn open_as(scene: &mut Scene, transport: Transport, opening: Opening) -> Pipe {
    let pipe = scene.handle().shard(0).open_piped(transport, opening, visitor()).unwrap();
    scene.turns();
    pipe
}

fn open(scene: &mut Scene) -> Pipe {
    open_as(scene, Transport::HttpStream, Opening::new(Encoding::Json))
}

/// Sends a frame, which must find room at once.
fn say(scene: &mut Scene, pipe: &Pipe, frame: &str) {
    assert!(offer(pipe, frame), "the inlet is full");
    scene.turns();
}

/// Whether there was room for a frame.
fn offer(pipe: &Pipe, frame: &str) -> bool {
    let frame = Bytes::copy_from_slice(frame.as_bytes());
    let sent = std::pin::pin!(pipe.inlet().send(frame));
    sent.poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

/// What the task is given if it comes now; `None` is nothing yet.
fn look(pipe: &mut Pipe) -> Option<Option<Parcel>> {
    match pipe.poll_recv(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(parcel) => Some(parcel),
        Poll::Pending => None,
    }
}

/// All messages that come while the shard goes on, as one text.
fn listen(scene: &mut Scene, pipe: &mut Pipe) -> String {
    let mut heard = Vec::new();
    while let Some(Some(Parcel::Messages(messages))) = look(pipe) {
        heard.extend(messages.iter().map(|message| String::from_utf8_lossy(message).into_owned()));
        scene.turns();
    }
    heard.join("\n")
}

fn connected(scene: &mut Scene) -> Pipe {
    let mut pipe = open(scene);
    say(scene, &pipe, r#"{"id":1,"connect":{}}"#);
    assert!(listen(scene, &mut pipe).starts_with(r#"{"id":1,"connect":{"client":""#));
    pipe
}

fn member(scene: &mut Scene, channel: &str) -> Pipe {
    let mut pipe = connected(scene);
    say(scene, &pipe, &format!(r#"{{"id":2,"subscribe":{{"channel":"{channel}"}}}}"#));
    assert_eq!(listen(scene, &mut pipe), r#"{"id":2,"subscribe":{}}"#);
    pipe
}

fn nobody_is_left(scene: &mut Scene) {
    scene.turns();
    assert_eq!(scene.shards[0].hub.census(), Census::default());
    assert_eq!(scene.shards[0].pipes.len(), 0);
    let stats = scene.handle().stats();
    assert_eq!(stats[0].sessions_opened, stats[0].sessions_closed);
}

#[test]
fn a_publication_reaches_a_piped_session_and_a_dropped_pipe_is_a_client_gone() {
    let mut scene = Scene::new(config());
    let mut ann = member(&mut scene, "tea");
    let mut bob = scene.member(0, "tea");
    bob.publish(3, "tea", "1");
    scene.until(&mut bob, |bob| bob.publications() == ["1"]);
    assert!(listen(&mut scene, &mut ann).contains(r#""data":1"#));
    say(&mut scene, &ann, r#"{"id":3,"publish":{"channel":"tea","data":2}}"#);
    scene.until(&mut bob, |bob| bob.publications() == ["1", "2"]);
    assert_eq!(scene.handle().stats()[0].sessions_opened[Transport::HttpStream as usize], 1);
    let inlet = ann.inlet().clone();
    drop(ann);
    bob.close(1000);
    scene.until(&mut bob, |bob| bob.has_ended());
    assert!(inlet.is_ended());
    nobody_is_left(&mut scene);
}

#[test]
fn a_client_whose_commands_come_by_requests_is_told_where_to_send_them() {
    let mut scene = Scene::new(config());
    let reach = Reach { session: "secret".to_owned(), node: "here".to_owned() };
    let opening = Opening { upstream: Upstream::Requests(Box::new(reach)), ..Opening::new(Encoding::Json) };
    assert!(!format!("{opening:?}").contains("secret"));
    let mut pipe = open_as(&mut scene, Transport::Sse, opening);
    say(&mut scene, &pipe, r#"{"id":1,"connect":{}}"#);
    let told = listen(&mut scene, &mut pipe);
    assert!(told.contains(r#""session":"secret","node":"here""#), "{told}");
}

#[test]
fn a_task_that_does_not_come_leaves_the_messages_in_the_outbox_and_its_client_is_slow() {
    let mut scene = Scene::new(slow_config());
    let mut ann = member(&mut scene, "tea");
    let mut bob = scene.connected(0, super::scene::session());
    let data = format!("\"{}\"", "x".repeat(PARCEL_BYTES / 2));
    let mut id = 3;
    while scene.handle().stats()[0].outbox_overflows == 0 {
        bob.publish(id, "tea", &data);
        scene.until(&mut bob, |bob| bob.texts().any(|text| text.contains(&format!("\"id\":{id}"))));
        id += 1;
        assert!(id < 20, "an outbox of 100 kB takes no end of messages");
    }
    // What was in the pipe is there still; behind it comes the reason.
    assert!(matches!(look(&mut ann), Some(Some(Parcel::Messages(_)))));
    scene.turns();
    assert_eq!(look(&mut ann), Some(Some(Parcel::Close(DisconnectCode::Slow.into()))));
    scene.turns();
    assert_eq!(look(&mut ann), None, "nothing follows, and the shard waits for the task to leave");
    drop(ann);
    drop(bob);
    scene.settle(|scene| scene.connections() == 0);
    nobody_is_left(&mut scene);
}

#[test]
fn a_task_that_takes_nothing_for_the_write_timeout_is_given_up() {
    let mut scene = Scene::new(slow_config());
    let ann = member(&mut scene, "tea");
    let mut bob = scene.connected(0, super::scene::session());
    for id in 3..5 {
        bob.publish(id, "tea", "1");
        scene.until(&mut bob, |bob| bob.texts().any(|text| text.contains(&format!("\"id\":{id}"))));
    }
    let timeout = config().write_timeout;
    scene.pass(timeout - Duration::from_millis(1));
    assert!(!ann.inlet().is_ended());
    scene.pass(Duration::from_millis(1));
    assert!(ann.inlet().is_ended());
    let code = DisconnectCode::WriteError.code() as u16;
    assert_eq!(scene.handle().stats()[0].disconnects.get(&code), Some(&1));
}

#[test]
fn a_client_that_polls_may_take_its_time() {
    let mut scene = Scene::new(config());
    let pipe = open_as(&mut scene, Transport::Poll, Opening::new(Encoding::Json));
    say(&mut scene, &pipe, r#"{"id":1,"connect":{}}"#);
    say(&mut scene, &pipe, r#"{"id":2,"subscribe":{"channel":"tea"}}"#);
    scene.pass(10 * config().write_timeout);
    assert!(!pipe.inlet().is_ended());
    pipe.abandon(DisconnectCode::NoPong);
    scene.turns();
    let code = DisconnectCode::NoPong.code() as u16;
    assert_eq!(scene.handle().stats()[0].disconnects.get(&code), Some(&1));
    nobody_is_left(&mut scene);
}

#[test]
fn frames_wait_at_the_inlet_while_the_hub_is_busy_with_those_before_them() {
    // The owner of the channel is the other shard, which does not get a turn: the subscribe stays unanswered.
    let mut scene = Scene::new(EngineConfig { shards: 2, ..config() });
    let channel = (0..)
        .map(|n| format!("tea{n}"))
        .find(|name| scene.owner(&spanwire_hub::channel::Channel::new(name.as_str())) == 1);
    let channel = channel.expect("both shards own channels");
    let mut pipe = connected(&mut scene);
    let subscribe = format!(r#"{{"id":2,"subscribe":{{"channel":"{channel}"}}}}"#);
    let publish = format!(r#"{{"id":3,"publish":{{"channel":"{channel}","data":1}}}}"#);
    assert!(offer(&pipe, &subscribe));
    scene.turn_one(0);
    // The first publish is what makes the hub busy; the next ones stay at the inlet.
    let mut taken = 0;
    while offer(&pipe, &publish) {
        scene.turn_one(0);
        taken += 1;
        assert!(taken < 100, "the inlet takes no end of frames");
    }
    assert_eq!(taken, 1 + INLET_FRAMES_MAX);
    scene.turns();
    let heard = listen(&mut scene, &mut pipe);
    assert_eq!(heard.matches(r#"{"id":3,"publish""#).count(), taken, "{heard}");
}

#[test]
fn a_drain_waits_until_the_tasks_have_told_their_clients() {
    let mut scene = Scene::new(config());
    let mut pipe = connected(&mut scene);
    let (told, mut drained) = tokio::sync::oneshot::channel();
    scene.shared_mailbox(0).put(crate::engine::letter::Letter::Drain(told)).unwrap();
    scene.turns();
    assert_eq!(look(&mut pipe), Some(Some(Parcel::Close(DisconnectCode::Shutdown.into()))));
    scene.turns();
    assert!(drained.try_recv().is_err());
    drop(pipe);
    scene.turns();
    assert_eq!(drained.try_recv(), Ok(()));
}

#[test]
fn a_task_that_does_not_drop_its_pipe_is_not_waited_for_for_ever() {
    let mut scene = Scene::new(config());
    let pipe = connected(&mut scene);
    let (told, mut drained) = tokio::sync::oneshot::channel();
    scene.shared_mailbox(0).put(crate::engine::letter::Letter::Drain(told)).unwrap();
    scene.turns();
    scene.pass(crate::engine::limits::CLOSE_PATIENCE);
    assert_eq!(drained.try_recv(), Ok(()));
    drop(pipe);
    nobody_is_left(&mut scene);
}

#[test]
fn there_are_no_more_piped_sessions_than_connections_may_be() {
    let mut scene = Scene::new(EngineConfig { connections_max: 1, ..config() });
    let ann = open(&mut scene);
    let again = |scene: &Scene| {
        let shard = scene.handle().shard(0);
        shard.open_piped(Transport::Sse, Opening::new(Encoding::Json), visitor()).is_ok()
    };
    assert!(!again(&scene));
    drop(ann);
    scene.turns();
    assert!(again(&scene));
}

fn slow_config() -> EngineConfig {
    let mut config = config();
    config.hub.limits.outbox_bytes_max = 100 << 10;
    config
}
