//! The backend decides, and takes its time.

use std::time::Duration;

use spanwire_hub::backend::{Approval, Matter, Petition, Renewal};
use spanwire_hub::limits::Limits;
use spanwire_hub::{Answer, Credentials, Grant, Refusal, SessionId};
use spanwire_wire::message::Error;
use spanwire_wire::{DisconnectCode, ErrorCode};

use crate::support::{DAWN, World};

fn publish(world: &mut World, who: SessionId, id: u32, data: &str) {
    world.send(who, &format!(r#"{{"id":{id},"publish":{{"channel":"asked_kept:x","data":{data}}}}}"#));
}

fn approve() -> Answer {
    Answer::Approval(Ok(Approval::default()))
}

fn data_of(petition: &Petition) -> &[u8] {
    match &petition.matter {
        Matter::Publish { data, .. } | Matter::Rpc { data, .. } | Matter::Subscribe { data, .. } => data,
        Matter::Refresh | Matter::SubRefresh { .. } => b"",
    }
}

/// A world without pings, in which clients may be silent for long.
fn quiet() -> World {
    World::with_limits(Limits { ping_interval: Duration::ZERO, ..Limits::default() })
}

fn until(expire_at: u64) -> Answer {
    Answer::Renewal(Renewal::Until { expire_at: Some(expire_at), info: None, meta: None })
}

/// A client that the backend renews a minute after dawn.
fn expiring(world: &mut World) -> SessionId {
    let credentials = Credentials {
        user: "ann".into(),
        expire_at: Some(DAWN + 60),
        meta: r#"{"plan":"free"}"#.into(),
        renewed_by_backend: true,
        ..Credentials::default()
    };
    world.tokens.insert("expiring", Ok(credentials));
    world.connect("expiring")
}

/// A subscriber of a channel whose subscription the backend renews a minute after dawn.
fn expiring_subscriber(world: &mut World) -> SessionId {
    let ann = world.connect("ann");
    world.send(ann, r#"{"id":2,"subscribe":{"channel":"asked:x"}}"#);
    world.decide(Answer::Grant(Ok(Grant { expire_at: Some(DAWN + 60), ..Grant::default() })));
    assert_eq!(world.read(ann), [r#"{"id":2,"subscribe":{}}"#], "the client need not refresh it");
    ann
}

#[test]
fn a_subscribe_waits_for_the_backend_and_is_told_what_it_says() {
    let mut world = World::new();
    let ann = world.connect("ann");
    world.send(ann, r#"{"id":2,"subscribe":{"channel":"asked:x","data":{"n":1}}}"#);
    assert!(world.read(ann).is_empty());
    let grant = Grant { data: r#"{"topic":"tea"}"#.into(), ..Grant::default() };
    let petition = world.decide(Answer::Grant(Ok(grant)));
    assert_eq!((petition.user.as_str(), data_of(&petition)), ("ann", br#"{"n":1}"#.as_slice()));
    assert_eq!(world.read(ann), [r#"{"id":2,"subscribe":{"data":{"topic":"tea"}}}"#]);
    world.end();
}

#[test]
fn a_subscribe_that_was_taken_back_is_not_granted_later() {
    let mut world = World::new();
    let ann = world.connect("ann");
    world.send(ann, r#"{"id":2,"subscribe":{"channel":"asked:x"}}"#);
    let (ask, _) = world.petitions.pop_front().unwrap();
    world.order(spanwire_hub::Order::Unsubscribe {
        whom: spanwire_hub::Whom { user: "ann".into(), ..spanwire_hub::Whom::default() },
        channel: None,
        code: spanwire_wire::UnsubscribeCode::Server,
    });
    assert!(world.read(ann)[0].contains(r#""code":103"#));
    world.send(ann, r#"{"id":3,"subscribe":{"channel":"asked:x"}}"#);
    world.answer(ask, Answer::Grant(Ok(Grant::default())));
    assert!(world.read(ann).is_empty(), "the second subscribe has a question of its own");
    world.decide(Answer::Grant(Err(Refusal::Error(ErrorCode::PermissionDenied))));
    assert!(world.read(ann)[0].starts_with(r#"{"id":3,"error":{"code":103"#));
    world.end();
}

#[test]
fn an_unsubscribe_waits_behind_the_subscribe_that_is_being_decided() {
    let mut world = World::new();
    let ann = world.connect("ann");
    world.send(ann, "{\"id\":2,\"subscribe\":{\"channel\":\"asked:x\"}}\n{\"id\":3,\"unsubscribe\":{\"channel\":\"asked:x\"}}");
    assert!(world.hub.is_busy(ann));
    world.decide(Answer::Grant(Ok(Grant::default())));
    assert_eq!(world.read(ann), [r#"{"id":2,"subscribe":{}}"#, r#"{"id":3,"unsubscribe":{}}"#]);
    world.end();
}

#[test]
fn a_user_whom_the_channel_lists_and_a_token_need_no_backend() {
    let mut world = World::new();
    world.grants.insert("t", Ok(Grant::default()));
    let ann = world.connect("ann");
    world.send(ann, r#"{"id":2,"subscribe":{"channel":"asked:x","token":"t"}}"#);
    assert_eq!(world.read(ann), [r#"{"id":2,"subscribe":{}}"#]);
    world.send(ann, r#"{"id":3,"subscribe":{"channel":"$asked:y"}}"#);
    assert!(world.read(ann)[0].contains(r#""code":103"#), "a private channel wants a token");
    assert!(world.petitions.is_empty());
    world.end();
}

#[test]
fn publishes_of_a_client_are_published_in_its_order_however_long_each_decision_takes() {
    let mut world = World::new();
    let bob = world.connect("bob");
    world.send(bob, r#"{"id":2,"subscribe":{"channel":"asked_kept:x"}}"#);
    world.decide(Answer::Grant(Ok(Grant::default())));
    world.read(bob);
    let ann = world.connect("ann");
    for id in 2..5 {
        publish(&mut world, ann, id, &id.to_string());
    }
    assert_eq!(world.petitions.len(), 1, "one at a time");
    world.send(ann, r#"{"id":9,"rpc":{"method":"m"}}"#);
    for expected in ["2", "3", "4"] {
        assert_eq!(data_of(&world.decide(approve())), expected.as_bytes());
    }
    assert_eq!(world.heard(bob), ["2", "3", "4"]);
    world.decide(Answer::Rpc(Ok("7".into())));
    let ids: Vec<_> = world.read(ann).iter().map(|line| line[6..7].to_owned()).collect();
    assert_eq!(ids, ["2", "3", "4", "9"]);
    world.end();
}

#[test]
fn the_backend_may_change_what_is_published() {
    let mut world = World::new();
    let bob = world.connect("bob");
    world.send(bob, r#"{"id":2,"subscribe":{"channel":"asked_kept:x"}}"#);
    world.decide(Answer::Grant(Ok(Grant::default())));
    world.read(bob);
    let ann = world.connect("ann");
    publish(&mut world, ann, 2, r#""damn""#);
    let tags = [("mild".to_owned(), "1".to_owned())].into();
    let approval = Approval {
        data: Some(r#""****""#.into()),
        tags,
        skip_history: true,
        delta: true,
        idempotency_key: None,
        is_dropped: false,
    };
    world.decide(Answer::Approval(Ok(approval)));
    assert_eq!(world.read(ann), [r#"{"id":2,"publish":{}}"#]);
    let line = world.read(bob).remove(0);
    assert!(line.contains(r#""data":"****""#) && line.contains(r#""tags":{"mild":"1"}"#), "{line}");
    assert!(!line.contains("offset"), "past the history: {line}");
    world.end();
}

#[test]
fn what_the_backend_drops_nobody_hears_and_the_client_does_not_know() {
    let mut world = World::new();
    let bob = world.connect("bob");
    world.send(bob, r#"{"id":2,"subscribe":{"channel":"asked_kept:x"}}"#);
    world.decide(Answer::Grant(Ok(Grant::default())));
    world.read(bob);
    let ann = world.connect("ann");
    publish(&mut world, ann, 2, r#""spam""#);
    publish(&mut world, ann, 3, r#""ham""#);
    world.decide(Answer::Approval(Ok(Approval { is_dropped: true, ..Approval::default() })));
    world.decide(Answer::Approval(Ok(Approval::default())));
    assert_eq!(world.read(ann), [r#"{"id":2,"publish":{}}"#, r#"{"id":3,"publish":{}}"#]);
    assert_eq!(world.heard(bob), [r#""ham""#]);
    world.end();
}

#[test]
fn a_key_of_the_backend_makes_a_publish_safe_to_repeat() {
    let mut world = World::new();
    let ann = world.connect("ann");
    for id in 2..4 {
        publish(&mut world, ann, id, "1");
        let idempotency_key = Some("order-7".into());
        world.decide(Answer::Approval(Ok(Approval { idempotency_key, ..Approval::default() })));
    }
    world.send(ann, r#"{"id":4,"history":{"channel":"asked_kept:x"}}"#);
    assert!(world.read(ann)[2].ends_with(r#","offset":1}}"#));
    world.end();
}

#[test]
fn refusals_in_the_backends_words_reach_the_client() {
    let error = Error { code: 1001, message: "too rude".into(), ..Error::default() };
    let table = [
        (
            Refusal::Worded(Box::new(error)),
            r#"{"id":2,"error":{"code":1001,"message":"too rude"}}"#.to_owned(),
        ),
        (
            Refusal::Error(ErrorCode::Internal),
            r#"{"id":2,"error":{"code":100,"message":"internal server error","temporary":true}}"#.to_owned(),
        ),
    ];
    for (refusal, expected) in table {
        let mut world = World::new();
        let ann = world.connect("ann");
        publish(&mut world, ann, 2, "1");
        world.decide(Answer::Approval(Err(refusal)));
        assert_eq!(world.read(ann), [expected]);
        publish(&mut world, ann, 3, "2");
        world.decide(approve());
        assert_eq!(world.read(ann), [r#"{"id":3,"publish":{}}"#]);
        world.end();
    }
}

#[test]
fn an_end_in_the_backends_words_ends_the_connection_and_what_waited_behind_it() {
    let mut world = World::new();
    let ann = world.connect("ann");
    publish(&mut world, ann, 2, "1");
    publish(&mut world, ann, 3, "2");
    let reason = spanwire_wire::DisconnectReason::new(4501, "banned").unwrap();
    world.decide(Answer::Approval(Err(Refusal::Ended(reason))));
    assert_eq!(world.code(ann), Some(4501));
    assert!(world.petitions.is_empty());
    world.end();
}

#[test]
fn an_answer_for_a_client_that_has_gone_is_for_nobody() {
    for drains in [false, true] {
        let mut world = World::new();
        let ann = world.connect("ann");
        let eve = world.open();
        world.send(ann, r#"{"id":2,"subscribe":{"channel":"asked:x"}}"#);
        publish(&mut world, ann, 3, "1");
        world.send(ann, r#"{"id":4,"rpc":{}}"#);
        if drains {
            world.drain();
            assert_eq!((world.code(ann), world.code(eve)), (Some(3001), Some(3001)));
        } else {
            world.gone(ann);
        }
        world.decide(Answer::Grant(Ok(Grant::default())));
        world.decide(approve());
        world.decide(Answer::Rpc(Ok("1".into())));
        assert!(world.read(ann).is_empty());
        world.end();
    }
}

#[test]
fn a_call_is_answered_by_the_backend_and_a_binary_result_ends_a_client_that_speaks_json() {
    let mut world = World::new();
    let ann = world.connect("ann");
    world.send(ann, r#"{"id":2,"rpc":{"method":"add","data":[1,2]}}"#);
    world.send(ann, r#"{"id":3,"rpc":{"method":"raw"}}"#);
    let petition = world.decide(Answer::Rpc(Ok("3".into())));
    assert!(matches!(&petition.matter, Matter::Rpc { method, .. } if method == "add"));
    assert_eq!(world.read(ann), [r#"{"id":2,"rpc":{"data":3}}"#]);
    world.decide(Answer::Rpc(Ok(bytes::Bytes::from_static(b"\xff"))));
    assert_eq!(world.code(ann), Some(3506));
    world.end();
}

#[test]
fn an_expired_connection_is_renewed_without_a_word_of_the_client() {
    let mut world = quiet();
    let ann = expiring(&mut world);
    world.pass(Duration::from_secs(59));
    assert!(world.petitions.is_empty());
    world.pass(Duration::from_secs(2));
    let petition = world.decide(until(DAWN + 120));
    assert!(matches!(petition.matter, Matter::Refresh));
    assert_eq!(&petition.meta[..], br#"{"plan":"free"}"#);
    world.pass(Duration::from_secs(61));
    world.decide(Answer::Renewal(Renewal::Over));
    assert_eq!(world.code(ann), Some(3005));
    world.end();
}

#[test]
fn a_connection_that_expires_while_the_backend_is_asked_ends_and_the_answer_is_for_nobody() {
    let mut world = quiet();
    let ann = expiring(&mut world);
    world.pass(Duration::from_secs(86));
    assert_eq!(world.code(ann), Some(3005));
    world.decide(until(DAWN + 600));
    world.end();
}

#[test]
fn a_backend_that_cannot_say_is_asked_again_in_a_minute() {
    let mut world = quiet();
    let ann = expiring(&mut world);
    world.pass(Duration::from_secs(61));
    world.decide(Answer::Renewal(Renewal::Unknown));
    world.pass(Duration::from_secs(59));
    assert!(world.petitions.is_empty() && world.code(ann).is_none());
    world.pass(Duration::from_secs(2));
    world.decide(Answer::Renewal(Renewal::Refused(Refusal::Disconnect(DisconnectCode::InvalidToken))));
    assert_eq!(world.code(ann), Some(3500));
    world.end();
}

#[test]
fn a_renewal_changes_what_others_and_the_backend_are_told() {
    let mut world = quiet();
    let ann = expiring(&mut world);
    world.pass(Duration::from_secs(61));
    world.decide(Answer::Renewal(Renewal::Until {
        expire_at: None,
        info: Some(r#"{"name":"Ann"}"#.into()),
        meta: Some(r#"{"plan":"gold"}"#.into()),
    }));
    world.send(ann, r#"{"id":2,"publish":{"channel":"open:x","data":1}}"#);
    world.send(ann, r#"{"id":3,"rpc":{}}"#);
    assert_eq!(&world.decide(Answer::Rpc(Ok("1".into()))).meta[..], br#"{"plan":"gold"}"#);
    world.pass(Duration::from_secs(3600));
    assert!(world.petitions.is_empty());
    world.end();
}

#[test]
fn an_expired_subscription_is_renewed_without_a_word_of_the_client() {
    let mut world = quiet();
    let ann = expiring_subscriber(&mut world);
    world.pass(Duration::from_secs(61));
    assert!(matches!(world.decide(until(DAWN + 120)).matter, Matter::SubRefresh { .. }));
    world.pass(Duration::from_secs(61));
    world.decide(Answer::Renewal(Renewal::Unknown));
    world.pass(Duration::from_secs(61));
    world.decide(Answer::Renewal(Renewal::Over));
    let said = world.read(ann);
    assert!(said.last().unwrap().contains(r#""unsubscribe":{"code":2501"#), "{said:?}");
    world.end();
}

#[test]
fn a_subscription_that_expires_while_the_backend_is_asked_ends_and_a_later_one_is_not_renewed_by_the_answer()
{
    let mut world = quiet();
    let ann = expiring_subscriber(&mut world);
    world.pass(Duration::from_secs(86));
    assert!(world.read(ann).last().unwrap().contains(r#""code":2501"#));
    world.send(ann, r#"{"id":5,"subscribe":{"channel":"asked:x"}}"#);
    let (renewal, _) = world.petitions.pop_front().unwrap();
    world.decide(Answer::Grant(Ok(Grant { expire_at: Some(DAWN + 200), ..Grant::default() })));
    world.answer(renewal, until(DAWN + 10_000));
    world.read(ann);
    world.pass(Duration::from_secs(115));
    assert!(matches!(world.petitions[0].1.matter, Matter::SubRefresh { .. }), "its own time counts");
    world.end();
}

#[test]
fn a_client_may_not_refresh_what_the_backend_renews() {
    let mut world = quiet();
    let ann = expiring_subscriber(&mut world);
    world.send(ann, r#"{"id":3,"sub_refresh":{"channel":"asked:x","token":"t"}}"#);
    assert_eq!(world.code(ann), Some(3501));
    world.end();
}

#[test]
fn somebody_sent_away_is_told_when_to_come_back_if_it_asked_for_our_extensions() {
    let table = [(r#","headers":{"spanwire":"1"}"#, r#","sw_retry_after":1500"#), ("", "")];
    for (asks, told) in table {
        let mut world = World::new();
        world.tokens.insert("later", Err(Refusal::Later(Duration::from_millis(1500))));
        let ann = world.open();
        let subscribe = r#"{"id":2,"subscribe":{"channel":"open:x"}}"#;
        world.send(ann, &format!("{{\"id\":1,\"connect\":{{\"token\":\"later\"{asks}}}}}\n{subscribe}"));
        let error = format!(
            r#"{{"code":111,"message":"too many requests: try again in 1500 ms","temporary":true{told}}}"#
        );
        assert_eq!(world.read(ann), [format!(r#"{{"id":1,"error":{error}}}"#)]);
        assert_eq!(world.code(ann), None, "what it said in the same breath is not held against it");
        world.end();
    }
}
