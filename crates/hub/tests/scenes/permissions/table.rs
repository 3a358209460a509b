//! The protocol's permission table, row by row.

use std::sync::Arc;

use spanwire_hub::limits::Limits;
use spanwire_hub::namespace::{Namespace, Namespaces, Permission};
use spanwire_hub::{Credentials, Grant};

use super::outcome;
use crate::support::{HISTORY, World};

/// What a namespace says by `allow_…_for_client`, `…_subscriber` and `…_anonymous` (c, s, a); who asks; whether it is
/// subscribed; and what becomes of a subscribe, a publish, a history and a presence: 0 or the error's code.
const TABLE: &str = "
    says  user  subscribed   subscribe  publish  history  presence
    ---   ann   no           103        103      103      103
    c--   ann   no           0          0        0        0
    c--   -     no           103        103      103      103
    c-a   -     no           0          0        0        0
    --a   -     no           103        103      103      103
    --a   ann   no           103        103      103      103
    -s-   ann   no           103        103      103      103
    -s-   ann   yes          105        0        0        0
    -s-   -     yes          105        103      103      103
    -sa   -     yes          105        0        0        0
    -sa   -     no           103        103      103      103
    --a   -     yes          105        103      103      103
    ---   ann   yes          105        103      103      103
    cs-   -     yes          105        103      103      103
    csa   -     no           0          0        0        0
";

fn world(says: &str, user: &str, is_subscribed: bool) -> (World, spanwire_hub::SessionId) {
    let permission = Permission {
        client: says.contains('c'),
        subscriber: says.contains('s'),
        anonymous: says.contains('a'),
    };
    let namespace = Namespace {
        presence: true,
        history: Some(HISTORY),
        subscribe: permission,
        publish: permission,
        read_history: permission,
        see_presence: permission,
        ..Namespace::default()
    };
    let mut world = World::with(
        Limits::default(),
        Namespaces { without_namespace: Arc::new(namespace), ..Namespaces::default() },
    );
    world.tokens.insert("who", Ok(Credentials { user: user.to_owned(), ..Credentials::default() }));
    world.grants.insert("pass", Ok(Grant::default()));
    let id = world.connect("who");
    if is_subscribed {
        assert_eq!(outcome(&mut world, id, r#""subscribe":{"channel":"x","token":"pass"}"#), 0);
    }
    (world, id)
}

#[test]
fn each_row_of_the_permission_table_holds() {
    let commands = [
        r#""subscribe":{"channel":"x"}"#,
        r#""publish":{"channel":"x","data":1}"#,
        r#""history":{"channel":"x"}"#,
        r#""presence":{"channel":"x"}"#,
    ];
    let rows: Vec<Vec<_>> = TABLE
        .lines()
        .map(|row| row.split_whitespace().collect())
        .filter(|row: &Vec<_>| !row.is_empty())
        .collect();
    for row in &rows[1..] {
        let [says, user, subscribed, codes @ ..] = row.as_slice() else { panic!("{row:?}") };
        for (command, code) in commands.iter().zip(codes) {
            let (mut world, id) = world(says, user.trim_matches('-'), *subscribed == "yes");
            assert_eq!(outcome(&mut world, id, command).to_string(), **code, "{command} in the row {row:?}");
            world.end();
        }
    }
    assert_eq!(rows.len(), 16);
}
