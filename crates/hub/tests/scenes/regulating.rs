//! New options of namespaces, while clients are in their channels.

use std::sync::Arc;

use spanwire_hub::Input;
use spanwire_hub::namespace::{Namespace, Namespaces, Permission};

use crate::support::{ALL, HISTORY, World, namespaces};

/// The options of these worlds with one namespace changed, or taken out.
fn with(name: &str, namespace: Option<Namespace>) -> Namespaces {
    let mut all = namespaces();
    match namespace {
        Some(namespace) => all.named.insert(name.to_owned(), Arc::new(namespace)),
        None => all.named.remove(name),
    };
    all
}

fn regulate(world: &mut World, namespaces: Namespaces) {
    world.hub.handle(world.now, Input::Namespaces(namespaces));
}

#[test]
fn a_permission_that_is_taken_holds_for_new_commands_and_ends_no_subscription() {
    let mut world = World::new();
    let (ann, bob) = (world.subscriber("ann", "open:a"), world.connect("bob"));
    let shut = Namespace { subscribe: Permission::default(), ..Namespace::default() };
    regulate(&mut world, with("open", Some(shut)));
    world.send(ann, r#"{"id":3,"publish":{"channel":"open:a","data":1}}"#);
    assert_eq!(world.read(ann), [r#"{"id":3,"error":{"code":103,"message":"permission denied"}}"#]);
    world.send(bob, r#"{"id":3,"subscribe":{"channel":"open:a"}}"#);
    assert_eq!(world.read(bob), [r#"{"id":3,"error":{"code":103,"message":"permission denied"}}"#]);
    world.publish("open:a", "2");
    assert_eq!(world.heard(ann), ["2"]);
    world.end();
}

#[test]
fn a_permission_that_is_given_is_had_at_once() {
    let mut world = World::new();
    let ann = world.connect("ann");
    regulate(&mut world, with("shut", Some(Namespace { subscribe: ALL, ..Namespace::default() })));
    world.send(ann, r#"{"id":2,"subscribe":{"channel":"shut:a"}}"#);
    assert!(world.read(ann)[0].starts_with(r#"{"id":2,"subscribe":{"#));
    world.end();
}

#[test]
fn who_hears_a_channel_whose_namespace_is_gone_goes_on_and_nobody_comes_to_it() {
    let mut world = World::new();
    let (ann, bob) = (world.subscriber("ann", "open:a"), world.connect("bob"));
    regulate(&mut world, with("open", None));
    world.publish("open:a", "1");
    assert_eq!(world.heard(ann), ["1"]);
    world.send(bob, r#"{"id":3,"subscribe":{"channel":"open:a"}}"#);
    assert_eq!(world.read(bob), [r#"{"id":3,"error":{"code":102,"message":"unknown channel"}}"#]);
    world.end();
}

#[test]
fn positions_end_with_the_history_they_are_in_and_clients_are_told() {
    let mut world = World::new();
    let ann = world.subscriber("ann", "kept:a");
    let forgetful = Namespace { subscribe: ALL, publish: ALL, ..Namespace::default() };
    regulate(&mut world, with("kept", Some(forgetful)));
    let told = r#"{"push":{"channel":"kept:a","unsubscribe":{"code":2500,"reason":"insufficient state"}}}"#;
    assert_eq!(world.read(ann), [told]);
    world.send(ann, r#"{"id":3,"subscribe":{"channel":"kept:a","recover":true,"offset":1,"epoch":"x"}}"#);
    let reply = &world.read(ann)[0];
    assert!(reply.starts_with(r#"{"id":3,"subscribe":{"#) && !reply.contains("recovered"), "{reply}");
    world.end();
}

#[test]
fn a_channel_that_begins_to_keep_history_gives_positions_to_who_comes_then() {
    let mut world = World::new();
    let ann = world.subscriber("ann", "open:a");
    let kept = Namespace {
        subscribe: ALL,
        publish: ALL,
        history: Some(HISTORY),
        force_recovery: true,
        ..Namespace::default()
    };
    regulate(&mut world, with("open", Some(kept)));
    assert_eq!(world.read(ann), [""; 0], "it had no position that could be lost");
    let bob = world.connect("bob");
    world.send(bob, r#"{"id":3,"subscribe":{"channel":"open:a"}}"#);
    assert!(world.read(bob)[0].contains(r#""positioned":true"#));
    world.send(ann, r#"{"id":4,"publish":{"channel":"open:a","data":5}}"#);
    assert_eq!(world.heard(bob), ["5"]);
    assert_eq!(world.heard(ann), ["5"]);
    world.end();
}
