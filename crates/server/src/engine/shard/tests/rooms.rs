//! Messages find their way, in order.

use std::io::Write;

use spanwire_hub::broker::{BrokerAnswer, BrokerRequest, Draft};
use spanwire_hub::channel::Channel;
use spanwire_wire::Encoding;
use spanwire_wire::message::Publication;
use spanwire_ws::{Opcode, frame};

use super::scene::{Heard, Scene, config, session, session_in};
use crate::engine::EngineConfig;
use crate::engine::connections::Key;

fn two_shards() -> EngineConfig {
    EngineConfig { shards: 2, ..config() }
}

#[test]
fn a_frame_of_commands_is_answered_in_its_order() {
    let mut scene = Scene::new(config());
    let mut ann = scene.client(0, session());
    ann.say("{\"id\":1,\"connect\":{}}\n{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}\n{\"id\":3,\"publish\":{\"channel\":\"a\",\"data\":1}}");
    scene.until(&mut ann, |ann| ann.texts().count() >= 4);
    let mut texts: Vec<_> = ann.texts().collect();
    // Whether its own publication or the reply comes first is not promised.
    texts[2..].sort_unstable();
    let starts = [r#"{"id":1,"connect""#, r#"{"id":2,"subscribe""#, r#"{"id":3,"publish""#, r#"{"push""#];
    assert!(texts.iter().zip(starts).all(|(text, start)| text.starts_with(start)), "{texts:?}");
}

#[test]
fn everybody_hears_everything_in_the_same_order_whichever_shard_owns_the_channel() {
    for channel in ["a", "b", "c", "d", "e", "f"] {
        let mut scene = Scene::new(two_shards());
        let mut members: Vec<_> = [0, 1, 0, 1].map(|shard| scene.member(shard, channel)).into();
        for number in 0..50 {
            let [ann, bob, ..] = &mut members[..] else { unreachable!() };
            ann.publish(10 + number, channel, &format!("{number}"));
            bob.publish(10 + number, channel, &format!("{}", 100 + number));
        }
        for member in &mut members {
            scene.until(member, |member| member.publications().len() == 100);
        }
        let heard: Vec<_> = members.iter().map(|member| member.publications()).collect();
        assert!(heard.iter().all(|one| *one == heard[0]), "{heard:?}");
        let of_ann: Vec<_> = heard[0].iter().filter(|data| data.parse::<u32>().unwrap() < 100).collect();
        assert!(of_ann.is_sorted_by_key(|data| data.parse::<u32>().unwrap()), "{of_ann:?}");
    }
}

#[test]
fn a_publication_crosses_to_a_shard_once_however_many_subscribers_it_has_there() {
    let mut scene = Scene::new(two_shards());
    let mut members: Vec<_> = [0, 1, 1, 1, 1].map(|shard| scene.member(shard, "a")).into();
    members[0].publish(9, "a", "1");
    for member in &mut members {
        scene.until(member, |member| member.publications() == ["1"]);
    }
    let stats = scene.handle().stats();
    assert_eq!([stats[0].publications, stats[1].publications], [1, 1]);
}

#[test]
fn somebody_outside_of_the_shards_may_publish_and_is_answered() {
    let mut scene = Scene::new(two_shards());
    let mut ann = scene.member(1, "a");
    let handle = scene.handle();
    let publication = Publication { data: "1".into(), ..Publication::default() };
    let draft =
        Draft { publication, history: None, idempotency_key: None, rate: Default::default(), delta: false };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let call =
        runtime.spawn(async move { handle.broker(Channel::new("a"), BrokerRequest::Publish(draft)).await });
    let answer = runtime.block_on(async {
        tokio::task::yield_now().await;
        scene.turns();
        call.await.unwrap()
    });
    assert!(matches!(answer, Ok(BrokerAnswer::Published(None))), "{answer:?}");
    scene.until(&mut ann, |ann| ann.publications() == ["1"]);
}

#[test]
fn protobuf_goes_out_in_binary_messages() {
    let mut scene = Scene::new(config());
    let mut ann = scene.client(0, session_in(Encoding::Protobuf));
    // A command of length 4: id 1, and an empty connect request.
    ann.send(spanwire_ws::Opcode::Binary, &[4, 0x08, 1, 0x22, 0]);
    scene.until(&mut ann, |ann| !ann.heard.is_empty());
    assert!(matches!(&ann.heard[0], Heard::Binary(reply) if reply.len() > 4), "{:?}", ann.heard);
}

#[test]
fn what_was_read_behind_the_handshake_comes_first() {
    let mut scene = Scene::new(config());
    let mut leftover = Vec::new();
    frame::client_frame_into(&mut leftover, Opcode::Text, br#"{"id":1,"connect":{}}"#, [3; 4]);
    frame::client_frame_into(&mut leftover, Opcode::Text, br#"{"id":2,"subscribe":{"channel":"a"}}"#, [4; 4]);
    let (cut, rest) = leftover.split_at(leftover.len() - 5);
    let mut ann = scene.client_with(cut);
    ann.socket.write_all(rest).unwrap();
    ann.publish(3, "a", "1");
    scene.until(&mut ann, |ann| ann.publications() == ["1"]);
}

#[test]
fn a_connection_at_rest_has_nothing_behind_it() {
    let mut scene = Scene::new(config());
    let mut ann = scene.member(0, "a");
    ann.send(spanwire_ws::Opcode::Ping, b"are you there");
    scene.until(&mut ann, |ann| ann.heard.contains(&Heard::Pong(b"are you there".to_vec())));
    let connection = scene.shards[0].connections.get(Key::Session(0)).unwrap();
    assert!(connection.aside().is_none());
    assert_eq!(connection.ws.bytes_held(), 0);
}

#[test]
fn places_of_gone_connections_are_used_again() {
    let mut scene = Scene::new(config());
    for _ in 0..200 {
        let mut ann = scene.member(0, "a");
        ann.close(1000);
        scene.until(&mut ann, |ann| ann.has_ended());
    }
    assert_eq!(scene.connections(), 0);
    let mut bob = scene.member(0, "a");
    assert_eq!(scene.shards[0].connections.places(), 1);
    bob.publish(3, "a", "1");
    scene.until(&mut bob, |bob| bob.publications() == ["1"]);
}
