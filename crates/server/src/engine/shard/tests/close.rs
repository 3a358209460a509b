//! Every end has its code, and comes to its end.

use std::io::Write;
use std::net::Shutdown;
use std::time::Duration;

use spanwire_hub::{Census, Opening, Order, Whom};
use spanwire_wire::{DisconnectCode, Encoding};
use spanwire_ws::Opcode;

use super::scene::{Client, Heard, Scene, config, session};
use crate::engine::letter::Letter;
use crate::engine::limits::CLOSE_PATIENCE;
use crate::engine::{EngineConfig, Purpose};

fn disconnect(scene: &mut Scene) {
    let whom = Whom::default();
    let order =
        Order::Disconnect { whom, spared: Vec::new(), disconnect: DisconnectCode::ForceNoReconnect.into() };
    scene.handle().order(&order);
}

#[test]
fn a_client_that_closes_gets_its_code_back_and_then_the_end() {
    let mut scene = Scene::new(config());
    let mut ann = scene.member(0, "a");
    ann.close(4001);
    scene.until(&mut ann, Client::has_ended);
    assert_eq!(ann.heard, [Heard::Close(Some(4001), String::new()), Heard::End]);
    assert_eq!(scene.connections(), 0);
    assert_eq!(scene.handle().stats()[0].disconnects, [(3000, 1)].into());
}

#[test]
fn a_client_that_is_let_go_is_told_why_and_hears_the_end_when_it_has_agreed() {
    let mut scene = Scene::new(config());
    let mut ann = scene.member(0, "a");
    disconnect(&mut scene);
    scene.until(&mut ann, |ann| !ann.heard.is_empty());
    assert_eq!(ann.heard, [Heard::Close(Some(3503), "force disconnect".to_owned())]);
    assert_eq!(scene.connections(), 1, "its own close frame is awaited");
    ann.close(3503);
    scene.until(&mut ann, Client::has_ended);
    assert_eq!(scene.connections(), 0);
}

#[test]
fn a_client_that_never_agrees_is_hung_up_on_when_patience_ends() {
    let mut scene = Scene::new(config());
    let mut ann = scene.member(0, "a");
    disconnect(&mut scene);
    scene.until(&mut ann, |ann| ann.close_code() == Some(3503));
    scene.pass(CLOSE_PATIENCE - Duration::from_millis(1));
    scene.said(&mut ann, Opcode::Text, b"still here");
    assert_eq!(scene.connections(), 1);
    scene.pass(Duration::from_millis(1));
    scene.until(&mut ann, Client::has_ended);
}

#[test]
fn sins_against_the_websocket_protocol_have_their_codes() {
    let table: [(&[u8], u16); 4] = [
        (b"\x81\x02hi", 1002),
        (b"\x83\x80\0\0\0\0", 1002),
        (b"\x81\x81\0\0\0\0\xff", 1007),
        (b"\x82\xff\0\0\0\0\0\x01\0\x01\0\0\0\0", 1009),
    ];
    for (bytes, code) in table {
        let mut scene = Scene::new(config());
        let mut ann = scene.member(0, "a");
        ann.socket.write_all(bytes).unwrap();
        scene.until(&mut ann, |ann| ann.close_code().is_some());
        assert_eq!(ann.close_code(), Some(code));
        assert_eq!(scene.handle().stats()[0].disconnects, [(code, 1)].into());
        assert_eq!(scene.handle().stats()[0].peer_errors.values().sum::<u64>(), 1);
        scene.until(&mut ann, Client::has_ended);
        ann.socket.shutdown(Shutdown::Write).unwrap();
        while scene.connections() > 0 {
            scene.pass(Duration::from_millis(100));
        }
    }
}

#[test]
fn a_session_ends_with_its_socket() {
    let mut scene = Scene::new(config());
    let ann = scene.member(0, "a");
    assert_eq!(scene.shards[0].hub.census().subscriptions, 1);
    ann.socket.shutdown(Shutdown::Both).unwrap();
    scene.settle(|scene| scene.connections() == 0);
    assert_eq!(scene.shards[0].hub.census(), Census::default());
    assert_eq!(scene.handle().stats()[0].disconnects, [(3000, 1)].into());
}

#[test]
fn data_and_the_end_in_one_go_are_both_noticed() {
    let mut scene = Scene::new(config());
    let mut ann = scene.member(0, "a");
    let mut bob = scene.member(0, "a");
    ann.publish(3, "a", "1");
    ann.socket.shutdown(Shutdown::Write).unwrap();
    scene.until(&mut bob, |bob| bob.publications() == ["1"]);
    scene.until(&mut ann, Client::has_ended);
    assert_eq!(scene.connections(), 1);
}

#[test]
fn a_shard_that_drains_tells_everybody_and_knows_when_they_are_gone() {
    let mut scene = Scene::new(config());
    let (mut ann, mut bob) = (scene.member(0, "a"), scene.client(0, Purpose::Echo));
    let (reply, mut drained) = tokio::sync::oneshot::channel();
    scene.shared_mailbox(0).put(Letter::Drain(reply)).unwrap();
    scene.until(&mut ann, |ann| ann.close_code().is_some());
    scene.until(&mut bob, |bob| bob.close_code().is_some());
    assert_eq!((ann.close_code(), bob.close_code()), (Some(3001), Some(1001)));
    assert!(drained.try_recv().is_err());
    ann.close(3001);
    bob.close(1001);
    scene.until(&mut ann, Client::has_ended);
    scene.until(&mut bob, Client::has_ended);
    assert!(drained.try_recv().is_ok());
}

fn natively_pinged() -> (Scene, Client) {
    let mut config = config();
    config.hub.limits.ping_interval = Duration::from_secs(20);
    config.hub.limits.pong_timeout = Duration::from_secs(5);
    let Purpose::Session { visitor, .. } = session() else { unreachable!() };
    let opening = Opening { transport_pings: true, ..Opening::new(Encoding::Json) };
    let mut scene = Scene::new(EngineConfig { ..config });
    let mut ann = scene.client(0, Purpose::Session { opening, visitor });
    ann.say(r#"{"id":1,"connect":{}}"#);
    scene.until(&mut ann, |ann| ann.texts().count() == 1);
    (scene, ann)
}

#[test]
fn a_client_that_answers_native_pings_stays() {
    let (mut scene, mut ann) = natively_pinged();
    scene.pass(Duration::from_secs(20));
    for round in 1..=3 {
        scene.until(&mut ann, |ann| ann.heard.iter().filter(|heard| **heard == Heard::Ping).count() == round);
        scene.said(&mut ann, Opcode::Pong, b"");
        scene.pass(Duration::from_secs(20));
    }
    assert_eq!(ann.close_code(), None);
}

#[test]
fn a_client_that_answers_no_native_ping_is_let_go() {
    let (mut scene, mut ann) = natively_pinged();
    scene.pass(Duration::from_secs(20));
    scene.until(&mut ann, |ann| ann.heard.contains(&Heard::Ping));
    scene.pass(Duration::from_secs(5));
    scene.until(&mut ann, |ann| ann.close_code().is_some());
    assert_eq!(ann.close_code(), Some(3012));
}
