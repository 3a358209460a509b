//! What a client hears most of the time is read by a way of its own. A space in front leads every message back to the
//! general one, and both must find the same.

use std::collections::BTreeMap;

use spanwire_wire::message::{ClientInfo, Publication};
use spanwire_wire::{Encoding, Limits, Push, PushEvent, ServerMessage, encode_push, server_messages};

fn read(message: &str) -> Option<ServerMessage> {
    server_messages(Encoding::Json, message.as_bytes(), &Limits::REPLIES).next()?.ok()
}

fn is_read_the_same(message: &str) -> Option<ServerMessage> {
    let read_now = read(message);
    assert_eq!(read_now, read(&format!(" {message}")), "{message}");
    read_now
}

#[test]
fn a_publication_is_read_the_same_however_it_is_spelt() {
    let heard = [
        r#"{"push":{"channel":"a","pub":{"data":{"n":[1, "x"]}}}}"#,
        r#"{"push":{"channel":"a","pub":{"data":null,"offset":18446744073709551615}}}"#,
        r#"{"push":{"channel":"a","pub":{"data":1,"info":{"user":"ann","client":"1"},"offset":7}}}"#,
        r#"{"push":{"channel":"a","pub":{"data":1,"info":null,"offset":null}}}"#,
        r#"{"push":{"channel":"a","pub":{"data":1,"offset":7,"info":{"user":"ann"}}}}"#,
        r#"{"push":{"channel":"a","pub":{"data":1,"offset":7,"tags":{"k":"v"},"time":5}}}"#,
        r#"{"push":{"channel":"a","pub":{"data":1,"offset":7,"tags":{"k":"v","l":"\u00e9"}}}}"#,
        r#"{"push":{"channel":"a","pub":{"data":1,"tags":{"k":"v"}}}}"#,
        r#"{"push":{"channel":"a","pub":{"data":1,"tags":{"k":"v"},"offset":7}}}"#,
        r#"{"push":{"channel":"a","pub":{"data":1,"tags":{"k":"v","k":"w"}}}}"#,
        r#"{"push":{"channel":"a","pub":{"data":1,"tags":{}}}}"#,
        r#"{"push":{"channel":"a","pub":{"data":1,"tags":null}}}"#,
        r#"{"push":{"channel":"a","pub":{"data": 1 , "offset": 7 }}}"#,
        r#"{"push":{"channel":"a","pub":{"data":1},"id":3}}"#,
        r#"{"push":{"channel":"a","pub":{"data":1},"join":{}}}"#,
        r#"{"push":{"channel":"a","pub":{"data":1}},"id":3}"#,
        r#"{"push":{"channel":"a\"\u00e9","pub":{"data":1}}}"#,
        r#"{"push":{"channel":"é🙂","pub":{"data":"é🙂"}}}"#,
        r#"{"push":{"channel":"","pub":{"data":1}}}"#,
        r#"{"push":{"channel":null,"pub":{"data":1}}}"#,
        r#"{"push":{"pub":{"data":1},"channel":"a"}}"#,
        r#"{"push":{"channel":"a","pub":{"data":1}}} "#,
    ];
    for message in heard {
        assert!(is_read_the_same(message).is_some(), "{message}");
    }
}

#[test]
fn what_is_no_publication_is_refused_either_way() {
    let refused = [
        r#"{"push":{"channel":"a","pub":{"data":}}}"#,
        r#"{"push":{"channel":"a","pub":{"data":1,"offset":-7}}}"#,
        r#"{"push":{"channel":"a","pub":{"data":1,"offset":007}}}"#,
        r#"{"push":{"channel":"a","pub":{"data":1,"offset":+7}}}"#,
        r#"{"push":{"channel":"a","pub":{"data":1,"offset":7.5}}}"#,
        r#"{"push":{"channel":"a","pub":{"data":1,"info":[]}}}"#,
        r#"{"push":{"channel":"a","pub":{"data":1,"info":{"user":"u"}"offset":7}}}"#,
        r#"{"push":{"channel":"a","pub":{"data":1,"data":2}}}"#,
        r#"{"push":{"channel":"a","pub":{"data":1,"tags":{"k":1}}}}"#,
        r#"{"push":{"channel":"a","pub":{"data":1,"tags":{"k":null}}}}"#,
        r#"{"push":{"channel":"a","pub":{"data":1,"tags":[]}}}"#,
        r#"{"push":{"channel":"a","pub":{"data":1,"tags":{"k":"v"},"tags":{"k":"v"}}}}"#,
        r#"{"push":{"channel":1,"pub":{"data":1}}}"#,
        r#"{"push":{"channel":"a","pub":{"data":1}}}}"#,
        r#"{"push":{"channel":"a","pub":{"data":1}}}{}"#,
        "{\"push\":{\"channel\":\"\t\",\"pub\":{\"data\":1}}}",
        r#"{"push":{"channel":"a","pub":{"data":"\x"}}}"#,
        r#"{"push":{"channel":"a","pub":{"data":1}}"#,
    ];
    for message in refused {
        assert_eq!(is_read_the_same(message), None, "{message}");
    }
    // No text at all: a payload that is not UTF-8.
    let mut bytes = br#"{"push":{"channel":"a","pub":{"data":"?"}}}"#.to_vec();
    bytes[38] = 0xff;
    assert!(server_messages(Encoding::Json, &bytes, &Limits::REPLIES).next().unwrap().is_err());
}

#[test]
fn a_publication_that_is_cut_or_spoilt_anywhere_is_read_the_same() {
    let info = ClientInfo { user: "ann".to_owned(), client: "1".to_owned(), ..ClientInfo::default() };
    let data = br#"{"text":"x\n"}"#.as_slice().into();
    let tags = BTreeMap::from([("k".to_owned(), "v".to_owned())]);
    let publication = Publication { data, info: Some(info), offset: 12, tags, ..Publication::default() };
    let push = Push::new("chat:a", PushEvent::Publication(Box::new(publication)));
    let message = encode_push(Encoding::Json, &push);
    let message = std::str::from_utf8(&message).unwrap();
    assert_eq!(is_read_the_same(message), Some(ServerMessage::Push(push)));
    for at in 0..message.len() {
        is_read_the_same(&message[..at]);
        for spoilt in ["", " ", "\"", "}", "{", ",", "0", "\\"] {
            is_read_the_same(&[&message[..at], spoilt, &message[at + 1..]].concat());
            is_read_the_same(&[&message[..at], spoilt, &message[at..]].concat());
        }
    }
}
