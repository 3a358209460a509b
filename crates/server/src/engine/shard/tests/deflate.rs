//! Compressed messages, in company that speaks otherwise.

use std::io::Write;

use spanwire_ws::deflate::{Agreement, Deflater, Side};
use spanwire_ws::{Extensions, Header, Opcode, mask};

use super::scene::{Client, Heard, Scene, config, session};
use crate::engine::Purpose;
use crate::engine::stats::ShardSnapshot;

/// Longer than what is sent as it is.
const LONG: &str = r#""a sentence that says the same as the sentence before it, which says the same as the sentence before it, and so on""#;

fn agreed(window_bits: u8, takeover: bool) -> Extensions {
    let side = Side { window_bits, takeover };
    Extensions::Deflate(Agreement { server: side, client: Side { window_bits: 15, takeover } })
}

fn stats(scene: &Scene) -> ShardSnapshot {
    scene.handle().stats().remove(0)
}

/// A subscriber whose messages are compressed.
fn member(scene: &mut Scene, extensions: Extensions) -> Client {
    let client = scene.client_of(0, session(), extensions);
    joined(scene, client)
}

fn joined(scene: &mut Scene, mut client: Client) -> Client {
    client.say(r#"{"id":1,"connect":{}}"#);
    scene.subscribe(client, "a")
}

/// Says something in compressed form.
fn say_compressed(client: &mut Client, deflater: &mut Deflater, takeover: bool, text: &[u8]) {
    let (mut payload, key) = (Vec::new(), [7, 6, 5, 4]);
    deflater.deflate_into(&mut payload, text, takeover);
    let (header, size) = Header::new(Opcode::Text, payload.len() as u64).compressed().masked(key).encode();
    mask::apply(&mut payload, key);
    client.socket.write_all(&[&header[..size], &payload].concat()).unwrap();
}

#[test]
fn a_publication_is_compressed_once_for_all_who_share_a_window() {
    let mut scene = Scene::new(config());
    let mut members: Vec<_> = [Some(15), None, Some(10), Some(15), None, Some(10), Some(15), Some(9)]
        .map(|bits| match bits {
            Some(bits) => member(&mut scene, agreed(bits, false)),
            None => scene.member(0, "a"),
        })
        .into();
    let before = stats(&scene);
    members[0].publish(9, "a", LONG);
    for member in &mut members {
        scene.until(member, |member| member.texts().any(|text| text.contains(LONG)));
    }
    let after = stats(&scene);
    assert_eq!(after.compressions - before.compressions, 3, "one for each window");
    let (saved, sent) = (after.bytes_saved - before.bytes_saved, after.bytes_out - before.bytes_out);
    assert!(saved > 6 * 50, "{saved} of {} bytes", saved + sent);
}

#[test]
fn what_is_short_is_sent_as_it_is() {
    let mut scene = Scene::new(config());
    let mut members = [false, true].map(|takeover| member(&mut scene, agreed(15, takeover)));
    let before = stats(&scene);
    members[0].publish(9, "a", "1");
    for member in &mut members {
        scene.until(member, |member| member.publications() == ["1"]);
    }
    let after = stats(&scene);
    assert_eq!((after.compressions, after.bytes_saved), (before.compressions, before.bytes_saved));
}

#[test]
fn with_takeover_each_member_has_its_own_and_a_repetition_costs_nearly_nothing() {
    let mut scene = Scene::new(config());
    let mut members: Vec<_> = (0..3).map(|_| member(&mut scene, agreed(15, true))).collect();
    let before = stats(&scene);
    assert_eq!(before.contexts_opened - before.contexts_closed, 3);
    for number in 1..=10 {
        members[0].publish(10 + number, "a", LONG);
        for member in &mut members {
            scene.until(member, |member| {
                member.texts().filter(|text| text.contains(LONG)).count() == number as usize
            });
        }
    }
    let after = stats(&scene);
    assert_eq!(after.compressions - before.compressions, 30);
    let sent = after.bytes_out - before.bytes_out;
    let plain = sent + after.bytes_saved - before.bytes_saved;
    assert!(sent * 3 < plain, "{sent} of {plain} bytes");
}

#[test]
fn a_context_is_given_back_when_its_connection_ends() {
    let mut scene = Scene::new(config());
    let mut client = member(&mut scene, agreed(15, true));
    client.close(1000);
    scene.until(&mut client, Client::has_ended);
    let stats = stats(&scene);
    assert_eq!((stats.contexts_opened, stats.contexts_closed), (1, 1));
}

#[test]
fn a_client_may_compress_what_it_says_or_not() {
    for takeover in [false, true] {
        let mut scene = Scene::new(config());
        let mut client = member(&mut scene, agreed(15, takeover));
        let mut deflater = Deflater::new(6, 15);
        for number in 0..3 {
            let publish = format!(r#"{{"id":{},"publish":{{"channel":"a","data":{number}}}}}"#, 10 + number);
            say_compressed(&mut client, &mut deflater, takeover, publish.as_bytes());
            client.publish(20 + number, "a", &format!("1{number}"));
        }
        scene.until(&mut client, |client| client.publications() == ["0", "10", "1", "11", "2", "12"]);
    }
}

#[test]
fn a_bomb_closes_its_connection_and_nothing_else() {
    let mut scene = Scene::new(config());
    let mut bystander = member(&mut scene, agreed(15, false));
    for takeover in [false, true] {
        let mut client = member(&mut scene, agreed(15, takeover));
        say_compressed(&mut client, &mut Deflater::new(9, 15), takeover, &vec![b' '; 4 << 20]);
        scene.until(&mut client, Client::has_ended);
        assert_eq!(client.close_code(), Some(1009));
    }
    assert_eq!(stats(&scene).peer_errors.get("compressed message longer than allowed here"), Some(&2));
    bystander.publish(9, "a", "1");
    scene.until(&mut bystander, |bystander| bystander.publications() == ["1"]);
}

#[test]
fn an_echo_compresses_too() {
    for takeover in [false, true] {
        let mut scene = Scene::new(config());
        let mut client = scene.client_of(0, Purpose::Echo, agreed(15, takeover));
        let mut deflater = Deflater::new(6, 15);
        for _ in 0..3 {
            say_compressed(&mut client, &mut deflater, takeover, LONG.repeat(2).as_bytes());
        }
        scene.until(&mut client, |client| client.heard.len() == 3);
        assert!(client.heard.iter().all(|heard| *heard == Heard::Text(LONG.repeat(2))));
        assert_eq!(stats(&scene).compressions, 3);
    }
}

/// A text that DEFLATE makes not much of, so that it fills sockets.
fn noise(number: u32) -> String {
    let mut state = number.wrapping_add(1);
    let digits = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'0' + (state >> 28) as u8)
    });
    digits.take(20_000).collect()
}

#[test]
fn what_a_socket_took_a_part_of_goes_on_where_it_was_cut() {
    for takeover in [false, true] {
        let mut scene = Scene::new(config());
        let slow = scene.narrow_with(0, session(), agreed(15, takeover));
        let mut slow = joined(&mut scene, slow);
        let mut ann = scene.member(0, "a");
        let mut published = 0;
        while !scene.is_blocked(0) || published < 8 {
            ann.publish(100 + published, "a", &format!("\"{}\"", noise(published)));
            published += 1;
            scene.until(&mut ann, |ann| ann.publications().len() == published as usize);
        }
        // A pong is owed in the middle of a message, and must wait for its end.
        scene.said(&mut slow, Opcode::Ping, b"still there?");
        ann.publish(99, "a", "1");
        scene.until(&mut slow, |slow| slow.publications().len() == published as usize + 1);
        let heard = slow.publications();
        for number in 0..published {
            assert!(
                heard[number as usize] == format!("\"{}\"", noise(number)),
                "message {number} arrives whole"
            );
        }
        assert_eq!(heard.last(), Some(&"1"));
        assert!(slow.heard.contains(&Heard::Pong(b"still there?".to_vec())));
    }
}

#[test]
fn a_slow_reader_of_compressed_messages_is_told_in_a_whole_frame() {
    for takeover in [false, true] {
        let mut scene = Scene::new(config());
        let slow = scene.narrow_with(0, session(), agreed(15, takeover));
        let mut slow = joined(&mut scene, slow);
        let mut ann = scene.member(0, "a");
        let mut published = 0;
        while stats(&scene).outbox_overflows == 0 {
            ann.publish(100 + published, "a", &format!("\"{}\"", noise(published)));
            published += 1;
            scene.until(&mut ann, |ann| ann.publications().len() == published as usize);
        }
        scene.until(&mut slow, |slow| slow.close_code() == Some(3008));
    }
}
