use spanwire_hub::Credentials;
use spanwire_wire::Encoding;

use crate::support::World;

#[test]
fn a_publication_of_a_client_says_who_published_it_and_comes_back_to_it_too() {
    let mut world = World::new();
    let ann = world.subscriber("ann", "kept:x");
    let bob = world.subscriber("bob", "kept:x");
    world.send(ann, r#"{"id":3,"publish":{"channel":"kept:x","data":{"a":  [1]}}}"#);
    let lines = world.read(bob);
    assert!(
        lines[0].starts_with(
            r#"{"push":{"channel":"kept:x","pub":{"data":{"a":  [1]},"info":{"user":"ann","client":""#
        ),
        "{lines:?}"
    );
    let lines = world.read(ann);
    assert_eq!(lines.len(), 2);
    assert!(lines.contains(&r#"{"id":3,"publish":{}}"#.to_owned()));
    world.end();
}

#[test]
fn refusals() {
    let table = [
        (r#""publish":{"channel":"shut:x","data":1}"#, "103"),
        (r#""publish":{"channel":"nowhere:x","data":1}"#, "102"),
        (r#""publish":{"channel":"open:x"}"#, "107"),
        (r#""presence":{"channel":"open:x"}"#, "108"),
        (r#""presence_stats":{"channel":"open:x"}"#, "108"),
        (r#""history":{"channel":"open:x"}"#, "108"),
        (r#""history":{"channel":"kept:x","reverse":true,"since":{"offset":0}}"#, "107"),
        (r#""history":{"channel":"kept:x","since":{"offset":0,"epoch":"another"}}"#, "112"),
        (r#""sub_refresh":{"channel":"open:x","token":"t"}"#, "103"),
    ];
    let mut world = World::new();
    let ann = world.connect("ann");
    for (command, code) in table {
        world.send(ann, &format!(r#"{{"id":9,{command}}}"#));
        let reply = world.read(ann).remove(0);
        assert!(reply.starts_with(&format!(r#"{{"id":9,"error":{{"code":{code},"#)), "{command}: {reply}");
    }
    assert_eq!(world.code(ann), None);
    world.end();
}

#[test]
fn what_ends_the_connection() {
    let table = [
        (r#"{"send":{"data":1}}"#, 3508),
        (r#"{"id":9,"refresh":{}}"#, 3501),
        (r#"{"id":9,"publish":{"data":1}}"#, 3501),
        (r#"{"id":9,"unsubscribe":{}}"#, 3501),
        ("{}", 3501),
    ];
    for (command, code) in table {
        let mut world = World::new();
        let ann = world.connect("ann");
        world.send(ann, command);
        assert_eq!(world.code(ann), Some(code), "{command}");
        world.end();
    }
}

#[test]
fn history_is_paged_both_ways_and_says_where_the_top_is() {
    let mut world = World::new();
    for data in ["1", "2", "3"] {
        world.publish("kept:x", data);
    }
    let table = [
        (r#""limit":0"#, "[]"),
        (
            r#""limit":-1"#,
            r#"[{"data":1,"offset":1,"epoch":"E"},{"data":2,"offset":2},{"data":3,"offset":3}]"#,
        ),
        (r#""limit":1"#, r#"[{"data":1,"offset":1,"epoch":"E"}]"#),
        (r#""limit":1,"since":{"offset":1}"#, r#"[{"data":2,"offset":2}]"#),
        (r#""limit":2,"reverse":true"#, r#"[{"data":3,"offset":3},{"data":2,"offset":2}]"#),
        (
            r#""limit":9,"reverse":true,"since":{"offset":3}"#,
            r#"[{"data":2,"offset":2},{"data":1,"offset":1,"epoch":"E"}]"#,
        ),
    ];
    let ann = world.connect("ann");
    for (query, expected) in table {
        world.send(ann, &format!(r#"{{"id":9,"history":{{"channel":"kept:x",{query}}}}}"#));
        let reply = world.read(ann).remove(0);
        let (_, epoch) = reply.rsplit_once(r#""epoch":""#).unwrap();
        let expected = expected.replace('E', &epoch[..8]);
        assert!(reply.contains(&format!(r#""publications":{expected}"#)), "{query}: {reply}");
        assert!(reply.ends_with(r#","offset":3}}"#), "{query}: {reply}");
    }
    world.end();
}

#[test]
fn presence_counts_clients_and_users() {
    let mut world = World::new();
    let ann = world.subscriber("ann", "chat:x");
    let _again = world.subscriber("ann", "chat:x");
    let _bob = world.subscriber("bob", "chat:x");
    world.read(ann);
    world.send(ann, r#"{"id":3,"presence_stats":{"channel":"chat:x"}}"#);
    assert_eq!(world.read(ann), [r#"{"id":3,"presence_stats":{"num_clients":3,"num_users":2}}"#]);
    world.send(ann, r#"{"id":4,"presence":{"channel":"chat:x"}}"#);
    assert_eq!(world.read(ann)[0].matches(r#""user":"#).count(), 3);
    world.end();
}

#[test]
fn a_repeated_publish_with_the_same_key_is_published_once_and_told_the_same_position() {
    let mut world = World::new();
    let bob = world.subscriber("bob", "kept:x");
    for _ in 0..2 {
        let ann = world.open();
        world.send(ann, r#"{"id":1,"connect":{"headers":{"spanwire":"1"}}}"#);
        assert!(world.read(ann)[0].contains(r#""sw_ext":["idempotent_publish"]"#));
        world.send(ann, r#"{"id":2,"publish":{"channel":"kept:x","data":1,"sw_key":"k"}}"#);
        assert!(world.read(ann)[0].starts_with(r#"{"id":2,"publish":{"sw_offset":1,"sw_epoch":""#));
    }
    assert_eq!(world.heard(bob), ["1"]);
    world.end();
}

#[test]
fn keys_of_different_users_do_not_meet() {
    let mut world = World::new();
    let listener = world.subscriber("listener", "kept:x");
    for user in ["ann", "eve"] {
        world.connect(user);
        let id = world.open();
        world.send(id, &format!(r#"{{"id":1,"connect":{{"token":"{user}","headers":{{"spanwire":"1"}}}}}}"#));
        world.send(id, r#"{"id":2,"publish":{"channel":"kept:x","data":1,"sw_key":"k"}}"#);
    }
    assert_eq!(world.heard(listener), ["1", "1"]);
    world.end();
}

#[test]
fn without_the_extension_a_key_means_nothing_and_no_position_is_told() {
    let mut world = World::new();
    let ann = world.connect("ann");
    for _ in 0..2 {
        world.send(ann, r#"{"id":2,"publish":{"channel":"kept:x","data":1,"sw_key":"k"}}"#);
        assert_eq!(world.read(ann), [r#"{"id":2,"publish":{}}"#]);
    }
    world.publish("kept:x", "3");
    world.send(ann, r#"{"id":3,"history":{"channel":"kept:x"}}"#);
    assert!(world.read(ann)[0].ends_with(r#","offset":3}}"#));
    world.end();
}

#[test]
fn a_binary_payload_reaches_binary_clients_and_ends_those_that_speak_json() {
    let mut world = World::new();
    let ann = world.subscriber("ann", "open:x");
    let bob = world.open_as(Encoding::Protobuf);
    let command =
        |command: &spanwire_wire::Command| spanwire_wire::encode_command(Encoding::Protobuf, command);
    let request = spanwire_wire::Request::Connect(Default::default());
    world.send_bytes(bob, &command(&spanwire_wire::Command { id: 1, request }));
    let request = spanwire_wire::Request::Subscribe(spanwire_wire::message::SubscribeRequest {
        channel: "open:x".into(),
        ..Default::default()
    });
    world.send_bytes(bob, &command(&spanwire_wire::Command { id: 2, request }));
    world.read(bob);
    let request = spanwire_wire::Request::Publish(spanwire_wire::message::PublishRequest {
        channel: "open:x".into(),
        data: bytes::Bytes::from_static(b"\xffraw"),
        ..Default::default()
    });
    world.send_bytes(bob, &command(&spanwire_wire::Command { id: 3, request }));
    assert_eq!(world.code(ann), Some(3506));
    assert_eq!(world.code(bob), None);
    assert_eq!(world.read(bob).len(), 2);
    world.end();
}

#[test]
fn binary_information_about_a_client_is_left_out_of_what_json_clients_are_told() {
    let mut world = World::new();
    let forged =
        Credentials { user: "eve".into(), info: r#"1},"x":{"y":2"#.into(), ..Credentials::default() };
    world.tokens.insert("eve", Ok(forged));
    let ann = world.subscriber("ann", "chat:x");
    world.read(ann);
    let eve = world.subscriber("eve", "chat:x");
    world.send(eve, r#"{"id":3,"publish":{"channel":"chat:x","data":1}}"#);
    world.send(ann, r#"{"id":4,"presence":{"channel":"chat:x"}}"#);
    world.send(ann, r#"{"id":5,"history":{"channel":"chat:x","limit":9}}"#);
    let bob = world.connect("bob");
    world.send(bob, r#"{"id":2,"subscribe":{"channel":"chat:x","recover":true,"offset":0}}"#);
    let lines = [world.read(ann), world.read(bob)].concat();
    assert_eq!(lines.len(), 7, "join, publication, presence, history, join; reply, join: {lines:?}");
    for line in lines {
        assert!(spanwire_wire::is_json(line.as_bytes()) && !line.contains("conn_info"), "{line}");
    }
    world.end();
}
