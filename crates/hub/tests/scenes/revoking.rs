//! Tokens that are good no more, and what they have opened.

use spanwire_hub::{Credentials, Expiry, Grant, Order, Revocation, Revoked, TokenMark, Whom};

use crate::support::{DAWN, World};

fn mark(id: &str, issued_at: Option<u64>) -> Option<TokenMark> {
    Some(TokenMark { id: id.into(), issued_at })
}

fn credentials(user: &str, token: Option<TokenMark>) -> Credentials {
    Credentials { user: user.to_owned(), token, ..Credentials::default() }
}

fn revoke(world: &mut World, revocation: Revocation) -> Revoked {
    world.order(Order::Revoke(revocation));
    world.hub.take_revoked()
}

fn token(id: &str) -> Revocation {
    Revocation::Token { id: id.to_owned() }
}

fn tokens_of(user: &str, issued_before: u64, channel: Option<&str>) -> Revocation {
    Revocation::UserTokens { user: user.to_owned(), issued_before, channel: channel.map(str::to_owned) }
}

fn ended(connections: u64, subscriptions: u64) -> Revoked {
    Revoked { connections, subscriptions }
}

#[test]
fn a_revoked_token_takes_its_connections_along_and_no_others() {
    let mut world = World::new();
    world.tokens.insert("one", Ok(credentials("ann", mark("t1", None))));
    world.tokens.insert("other", Ok(credentials("ann", mark("t2", None))));
    let (first, second, other, bare) =
        (world.connect("one"), world.connect("one"), world.connect("other"), world.connect("ann"));
    assert_eq!(revoke(&mut world, token("t1")), ended(2, 0));
    for id in [first, second] {
        assert_eq!(world.code(id), Some(3500));
    }
    for id in [other, bare] {
        assert_eq!(world.code(id), None);
    }
    assert_eq!(revoke(&mut world, token("t1")), ended(0, 0), "nothing is ended twice");
    world.end();
}

#[test]
fn tokens_of_a_user_end_by_their_age_and_those_that_do_not_say_it_with_them() {
    let mut world = World::new();
    let table = [
        ("old", "ann", Some(Some(DAWN - 1)), Some(3500)),
        ("same second", "ann", Some(Some(DAWN)), None),
        ("ageless", "ann", Some(None), Some(3500)),
        ("no token", "ann", None, None),
        ("of another", "bob", Some(Some(DAWN - 1)), None),
    ];
    let ids = table.map(|(name, user, issued_at, _)| {
        let mark = issued_at.map(|issued_at| TokenMark { id: name.into(), issued_at });
        world.tokens.insert(name, Ok(credentials(user, mark)));
        world.connect(name)
    });
    assert_eq!(revoke(&mut world, tokens_of("ann", DAWN, None)), ended(2, 0));
    for ((name, .., code), id) in table.into_iter().zip(ids) {
        assert_eq!(world.code(id), code, "{name}");
    }
    world.end();
}

#[test]
fn a_connection_stands_by_the_token_that_it_was_refreshed_with() {
    let mut world = World::new();
    world.tokens.insert("first", Ok(credentials("ann", mark("t1", None))));
    world.tokens.insert("second", Ok(credentials("ann", mark("t2", None))));
    let ann = world.connect("first");
    world.send(ann, r#"{"id":2,"refresh":{"token":"second"}}"#);
    assert_eq!(revoke(&mut world, token("t1")), ended(0, 0));
    assert_eq!(revoke(&mut world, token("t2")), ended(1, 0));
    assert_eq!(world.code(ann), Some(3500));
    world.end();
}

#[test]
fn a_revoked_subscription_token_ends_its_subscription_and_leaves_the_connection() {
    let mut world = World::new();
    let grant =
        |id| Grant { token: mark(id, Some(DAWN - 9)), expire_at: Some(DAWN + 60), ..Grant::default() };
    world.grants.insert("brief", Ok(grant("s1")));
    world.grants.insert("longer", Ok(grant("s2")));
    let ann = world.connect("ann");
    for channel in ["$open:a", "$open:b"] {
        world.send(ann, &format!(r#"{{"id":2,"subscribe":{{"channel":"{channel}","token":"brief"}}}}"#));
    }
    world.send(ann, r#"{"id":3,"sub_refresh":{"channel":"$open:b","token":"longer"}}"#);
    world.read(ann);
    assert_eq!(revoke(&mut world, token("s1")), ended(0, 1));
    assert_eq!(
        world.read(ann),
        [r#"{"push":{"channel":"$open:a","unsubscribe":{"code":2000,"reason":"server unsubscribe"}}}"#]
    );
    assert_eq!(revoke(&mut world, tokens_of("ann", DAWN, Some("$open:a"))), ended(0, 0));
    assert_eq!(revoke(&mut world, tokens_of("ann", DAWN, Some("$open:b"))), ended(0, 1));
    assert_eq!(world.code(ann), None);
    world.end();
}

#[test]
fn a_token_is_revoked_while_its_subscribe_is_being_answered() {
    let mut world = World::new();
    world.grants.insert("good", Ok(Grant { token: mark("s1", None), ..Grant::default() }));
    let ann = world.connect("ann");
    world.hold();
    world.send(ann, r#"{"id":2,"subscribe":{"channel":"$kept:a","token":"good"}}"#);
    assert_eq!(revoke(&mut world, token("s1")), ended(0, 1));
    assert_eq!(world.read(ann), [r#"{"id":2,"error":{"code":103,"message":"permission denied"}}"#]);
    world.release();
    assert_eq!(world.read(ann), [""; 0]);
    world.end();
}

#[test]
fn what_the_backend_orders_later_does_not_bring_a_token_back() {
    let mut world = World::new();
    world.tokens.insert("one", Ok(credentials("ann", mark("t1", None))));
    let ann = world.connect("one");
    let whom = Whom { user: "ann".to_owned(), ..Whom::default() };
    world.order(Order::Refresh { whom, expiry: Expiry::Never, info: None });
    assert_eq!(revoke(&mut world, token("t1")), ended(1, 0));
    assert_eq!(world.code(ann), Some(3500));
    world.end();
}
