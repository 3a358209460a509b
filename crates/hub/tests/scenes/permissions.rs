//! What capabilities and subscriptions let a client do beyond its namespaces, and what the operator is told when
//! something is denied.

mod oracle;
mod sequences;
mod table;

use spanwire_hub::capabilities::{Capabilities, Claim, MatchMode};
use spanwire_hub::{Answer, Credentials, Grant, Refusal, Right};
use spanwire_wire::ErrorCode;

use crate::support::{DAWN, World};

/// Capabilities in the channels that fit a wildcard.
fn wildcard(pattern: &str, rights: &[Right]) -> Capabilities {
    let rights = rights.iter().copied().collect();
    let claim = Claim { channels: vec![pattern.to_owned()], match_mode: MatchMode::Wildcard, rights };
    Capabilities::read(vec![claim]).unwrap()
}

fn holder(user: &str, capabilities: Capabilities) -> Credentials {
    Credentials { user: user.to_owned(), capabilities, ..Credentials::default() }
}

/// What becomes of a command: its error code, or 0.
fn outcome(world: &mut World, id: spanwire_hub::SessionId, command: &str) -> u32 {
    world.send(id, &format!(r#"{{"id":9,{command}}}"#));
    let replies = world.read(id);
    let reply = replies.iter().find(|reply| reply.starts_with(r#"{"id":9,"#)).expect("a reply");
    match reply.split_once(r#""error":{"code":"#) {
        Some((_, rest)) => rest[..3].parse().unwrap(),
        None => 0,
    }
}

#[test]
fn a_capability_opens_what_the_namespace_keeps_shut_and_nothing_else() {
    let table = [
        (Right::Subscribe, r#""subscribe":{"channel":"shut:x"}"#, 103),
        (Right::Publish, r#""publish":{"channel":"shut:x","data":1}"#, 103),
        (Right::History, r#""history":{"channel":"shut_kept:x"}"#, 103),
        (Right::Presence, r#""presence":{"channel":"shut_kept:x"}"#, 103),
        (Right::Presence, r#""presence_stats":{"channel":"shut_kept:x"}"#, 103),
    ];
    for (right, command, refused) in table {
        for held in Right::ALL {
            let mut world = World::new();
            world.tokens.insert("ann", Ok(holder("ann", wildcard("shut*:?", &[held]))));
            let ann = world.connect("ann");
            let expected = if held == right { 0 } else { refused };
            assert_eq!(outcome(&mut world, ann, command), expected, "{command} with {held:?}");
            let elsewhere = command.replace(":x", ":outside");
            assert_eq!(outcome(&mut world, ann, &elsewhere), refused, "{elsewhere} with {held:?}");
            world.end();
        }
    }
}

#[test]
fn no_capability_opens_what_a_name_closes() {
    let everything = wildcard("*", &Right::ALL);
    let mut world = World::new();
    world.tokens.insert("ann", Ok(holder("ann", everything)));
    let ann = world.connect("ann");
    for channel in ["$shut:x", "users:x#bob", "users:x#"] {
        let command = format!(r#""subscribe":{{"channel":"{channel}"}}"#);
        assert_eq!(outcome(&mut world, ann, &command), 103, "{channel}");
    }
    assert_eq!(outcome(&mut world, ann, r#""subscribe":{"channel":"users:x#bob,ann"}"#), 0);
    world.end();
}

#[test]
fn a_capability_spares_the_backend_a_question_about_a_subscription_but_not_about_a_publication() {
    let mut world = World::new();
    world.tokens.insert("ann", Ok(holder("ann", wildcard("asked:*", &Right::ALL))));
    let ann = world.connect("ann");
    assert_eq!(outcome(&mut world, ann, r#""subscribe":{"channel":"asked:x"}"#), 0);
    assert!(world.petitions.is_empty());
    world.send(ann, r#"{"id":9,"publish":{"channel":"asked:x","data":1}}"#);
    world.decide(Answer::Approval(Err(Refusal::Error(ErrorCode::PermissionDenied))));
    assert!(world.read(ann)[0].contains(r#""code":103"#));
    world.end();
}

#[test]
fn what_a_subscription_is_given_ends_with_it() {
    let mut world = World::new();
    let rights = [Right::Publish, Right::History].into_iter().collect();
    world.grants.insert("pass", Ok(Grant { rights, ..Grant::default() }));
    let ann = world.connect("ann");
    let publish = r#""publish":{"channel":"shut_kept:x","data":1}"#;
    assert_eq!(outcome(&mut world, ann, publish), 103);
    let subscribe = r#""subscribe":{"channel":"shut_kept:x","token":"pass","recoverable":true}"#;
    world.send(ann, &format!(r#"{{"id":2,{subscribe}}}"#));
    // Who may read the history may have positions for the asking.
    assert!(world.read(ann)[0].contains(r#""recoverable":true"#));
    assert_eq!(outcome(&mut world, ann, publish), 0);
    assert_eq!(outcome(&mut world, ann, r#""history":{"channel":"shut_kept:x"}"#), 0);
    assert_eq!(outcome(&mut world, ann, r#""presence":{"channel":"shut_kept:x"}"#), 103);
    assert_eq!(outcome(&mut world, ann, r#""publish":{"channel":"shut_kept:y","data":1}"#), 103);
    assert_eq!(outcome(&mut world, ann, r#""unsubscribe":{"channel":"shut_kept:x"}"#), 0);
    assert_eq!(outcome(&mut world, ann, publish), 103);
    world.end();
}

#[test]
fn a_refresh_brings_the_rights_of_the_new_token_in_place_of_the_old() {
    let mut world = World::new();
    let lasting = |capabilities| Credentials { expire_at: Some(DAWN + 60), ..holder("ann", capabilities) };
    world.tokens.insert("ann", Ok(lasting(wildcard("shut:*", &[Right::Publish]))));
    world.tokens.insert("less", Ok(lasting(Capabilities::default())));
    let ann = world.connect("ann");
    let publish = r#""publish":{"channel":"shut:x","data":1}"#;
    assert_eq!(outcome(&mut world, ann, publish), 0);
    assert_eq!(outcome(&mut world, ann, r#""refresh":{"token":"less"}"#), 0);
    assert_eq!(outcome(&mut world, ann, publish), 103);

    let grant = |rights: &[Right]| Grant {
        rights: rights.iter().copied().collect(),
        expire_at: Some(DAWN + 60),
        ..Grant::default()
    };
    world.grants.insert("more", Ok(grant(&[Right::Publish])));
    world.grants.insert("less", Ok(grant(&[])));
    assert_eq!(outcome(&mut world, ann, r#""subscribe":{"channel":"shut:x","token":"more"}"#), 0);
    assert_eq!(outcome(&mut world, ann, publish), 0);
    assert_eq!(outcome(&mut world, ann, r#""sub_refresh":{"channel":"shut:x","token":"less"}"#), 0);
    assert_eq!(outcome(&mut world, ann, publish), 103);
    world.end();
}

#[test]
fn the_operator_is_told_of_each_denial_and_not_of_mistakes() {
    let table = [
        (r#""subscribe":{"channel":"shut:x"}"#, "allow_subscribe_for_client of namespace \"shut\""),
        (r#""subscribe":{"channel":"$shut:x"}"#, "only a subscription token opens it"),
        (r#""subscribe":{"channel":"users:x#bob"}"#, "its name lists its users"),
        (r#""subscribe":{"channel":"nowhere:x"}"#, "namespace \"nowhere\" is not among channel.namespaces"),
        (
            r#""subscribe":{"channel":"open:x","token":"forged"}"#,
            "its subscription token was refused with code 103",
        ),
        (r#""publish":{"channel":"shut:x","data":1}"#, "allow_publish_for_client of namespace \"shut\""),
        (r#""publish":{"channel":"news","data":1}"#, "allow_publish_for_client of channel.without_namespace"),
        (
            r#""history":{"channel":"open:x"}"#,
            "history_size and history_ttl of namespace \"open\" are not set",
        ),
        (r#""presence":{"channel":"open:x"}"#, "presence of namespace \"open\" is off"),
        (r#""publish":{"channel":"open:x"}"#, ""),
        (r#""sub_refresh":{"channel":"open:x","token":"t"}"#, ""),
    ];
    let mut world = World::new();
    let ann = world.connect("ann");
    for (command, reason) in table {
        assert_ne!(outcome(&mut world, ann, command), 0, "{command}");
        match std::mem::take(&mut world.denials).as_slice() {
            [] => assert_eq!(reason, "", "{command} is a denial"),
            [said] => {
                assert!(said.starts_with(r#"user "ann" (client "#), "{said}");
                assert!(!reason.is_empty() && said.contains(reason), "{command}: {said}");
            }
            more => panic!("{more:?}"),
        }
    }
    world.end();
}
