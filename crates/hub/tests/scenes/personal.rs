//! The channels that users have of their own.

use std::time::Duration;

use spanwire_hub::limits::Limits;
use spanwire_hub::namespace::PersonalChannels;
use spanwire_hub::{Credentials, Refusal};
use spanwire_wire::ErrorCode;

use crate::support::{DAWN, World, namespaces};

fn with_personal_channels(single_connection: bool) -> World {
    let mut namespaces = namespaces();
    namespaces.personal = Some(PersonalChannels { namespace: "users".to_owned(), single_connection });
    World::with(Limits::default(), namespaces)
}

fn user(name: &str) -> Credentials {
    Credentials { user: name.to_owned(), expire_at: Some(DAWN + 600), ..Credentials::default() }
}

#[test]
fn a_user_is_subscribed_to_its_own_channel_and_nobody_else_may_be() {
    let mut world = with_personal_channels(false);
    world.tokens.insert("ann", Ok(user("ann")));
    let ann = world.open();
    world.send(ann, r#"{"id":1,"connect":{"token":"ann"}}"#);
    assert!(world.read(ann)[0].contains(r##""subs":{"users:#ann":{}}"##));
    world.publish("users:#ann", "7");
    assert_eq!(world.heard(ann), ["7"]);
    let bob = world.connect("bob");
    world.send(bob, r##"{"id":2,"subscribe":{"channel":"users:#ann"}}"##);
    assert!(world.read(bob)[0].contains(r#""code":103"#));
    // A refresh brings no other channels than the client has.
    world.send(ann, r#"{"id":2,"refresh":{"token":"ann"}}"#);
    assert!(world.read(ann)[0].contains(r#""refresh":{"#));
    world.end();
}

#[test]
fn the_anonymous_have_no_channel_of_their_own() {
    let mut world = with_personal_channels(true);
    let nobody = ["", "also"].map(|token| {
        let id = world.open();
        world.send(id, &format!(r#"{{"id":1,"connect":{{"token":"{token}"}}}}"#));
        assert!(!world.read(id)[0].contains("subs"));
        id
    });
    assert_eq!(nobody.map(|id| world.code(id)), [None, None]);
    world.end();
}

#[test]
fn a_user_whose_channel_would_list_other_users_is_not_let_in() {
    let mut world = with_personal_channels(false);
    world.tokens.insert("two", Ok(user("ann,bob")));
    world.tokens.insert("refused", Err(Refusal::Error(ErrorCode::PermissionDenied)));
    for (token, code) in [("two", 107), ("refused", 103)] {
        let id = world.open();
        world.send(id, &format!(r#"{{"id":1,"connect":{{"token":"{token}"}}}}"#));
        assert!(world.read(id)[0].contains(&format!(r#""code":{code}"#)), "{token}");
    }
    world.end();
}

#[test]
fn a_newer_connection_of_a_user_ends_the_older_one_and_no_other() {
    let mut world = with_personal_channels(true);
    for name in ["ann", "bob"] {
        world.tokens.insert(name, Ok(user(name)));
    }
    let (first, bob) = (world.connect("ann"), world.connect("bob"));
    world.pass(Duration::from_millis(5));
    let second = world.connect("ann");
    assert_eq!([first, bob, second].map(|id| world.code(id)), [Some(3504), None, None]);
    // Two in one moment: one of them stays.
    let crowd = [world.connect("ann"), world.connect("ann"), world.connect("ann")];
    let staying = [second, crowd[0], crowd[1], crowd[2]].into_iter().filter(|id| world.code(*id).is_none());
    assert_eq!(staying.count(), 1);
    world.end();
}
