//! Every claim that the protocol knows (section 13), in each form in which it may come: what it lets its bearer do, or
//! by which code it is refused. The tables are the documentation; [`every_claim_is_in_its_table`] keeps them whole.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::{Value, json};
use spanwire_hub::channel::Channel;
use spanwire_hub::{Credentials, Grant, Refusal, Right, Rights, SubscriptionOptions};

use super::tests::{NOW, PEER, ask, sign};
use super::*;
use crate::auth::{Expected, Key, Rules};

/// In which form a claim comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    Right,
    Absent,
    /// JSON of another type.
    Kind,
    /// The right type, and not what it may say.
    Value,
}
use Form::{Absent, Kind, Right as Good, Value as Bad};

/// What becomes of the bearer.
#[derive(Debug)]
enum End {
    /// It is let in, and this is among what holds for it, by JSON pointer.
    In(&'static str, Value),
    /// An error reply.
    Error(u32),
    /// The end of the connection.
    Closed(u32),
}
use End::{Closed, Error, In};

type Row = (&'static str, Form, Value, End);

/// Good in every respect.
fn base(kind: TokenPurpose) -> Value {
    let mut claims = json!({"sub": "ann", "iss": "https://id.test", "aud": "chat", "exp": NOW + 60});
    if kind == TokenPurpose::Subscription {
        claims["channel"] = json!("$room");
    }
    claims
}

/// What both kinds of token have in common; what is refused for its form is `invalid`.
fn of_both(invalid: fn() -> End) -> Vec<Row> {
    vec![
        ("exp", Good, json!(NOW + 9), In("/expire_at", json!(NOW + 9))),
        ("exp", Good, json!(NOW as f64 + 9.9), In("/expire_at", json!(NOW + 9))),
        ("exp", Absent, Value::Null, In("/expire_at", Value::Null)),
        ("exp", Kind, json!("soon"), invalid()),
        ("exp", Bad, json!(NOW), Error(109)),
        ("exp", Bad, json!(-1), Error(109)),
        ("nbf", Good, json!(NOW), In("/expire_at", json!(NOW + 60))),
        ("nbf", Good, json!(NOW + 60), In("/expire_at", json!(NOW + 60))),
        ("nbf", Absent, Value::Null, In("/expire_at", json!(NOW + 60))),
        ("nbf", Kind, json!("now"), invalid()),
        // Told that it has expired, a client would fetch the next one that is not good yet, and so on.
        ("nbf", Bad, json!(NOW + 61), invalid()),
        ("expire_at", Good, json!(NOW + 3600), In("/expire_at", json!(NOW + 3600))),
        ("expire_at", Good, json!(0), In("/expire_at", Value::Null)),
        ("expire_at", Absent, Value::Null, In("/expire_at", json!(NOW + 60))),
        ("expire_at", Kind, json!({}), invalid()),
        // What has expired is not what never does: the hub refuses it with error 110.
        ("expire_at", Bad, json!(-5), In("/expire_at", json!(1))),
        ("expire_at", Bad, json!(0.4), In("/expire_at", json!(1))),
        ("iat", Good, json!(NOW - 5), In("/issued_at", json!(NOW - 5))),
        ("iat", Absent, Value::Null, In("/issued_at", Value::Null)),
        ("iat", Kind, json!("yesterday"), invalid()),
        ("iat", Bad, json!(-5), In("/issued_at", json!(1))),
        ("jti", Good, json!("t1"), In("/id", json!("t1"))),
        ("jti", Absent, Value::Null, In("/id", json!(""))),
        ("jti", Kind, json!(7), invalid()),
        // Nothing as long as that can be on the list of those revoked.
        ("jti", Bad, json!("x".repeat(256)), In("/id", json!(""))),
        ("iss", Good, json!("https://id.test"), In("/expire_at", json!(NOW + 60))),
        ("iss", Absent, Value::Null, invalid()),
        ("iss", Kind, json!(["https://id.test"]), invalid()),
        ("iss", Bad, json!("https://other.test"), invalid()),
        ("aud", Good, json!("chat"), In("/expire_at", json!(NOW + 60))),
        ("aud", Good, json!(["mail", "chat"]), In("/expire_at", json!(NOW + 60))),
        ("aud", Absent, Value::Null, invalid()),
        ("aud", Kind, json!(7), invalid()),
        ("aud", Bad, json!(["mail"]), invalid()),
        ("info", Good, json!({"name": "Ann"}), In("/info", json!(r#"{"name":"Ann"}"#))),
        ("info", Good, json!("any JSON"), In("/info", json!(r#""any JSON""#))),
        ("info", Absent, Value::Null, In("/info", json!(""))),
        ("b64info", Good, json!("MQ=="), In("/info", json!("1"))),
        ("b64info", Absent, Value::Null, In("/info", json!(""))),
        ("b64info", Kind, json!(7), invalid()),
        ("b64info", Bad, json!("%%"), invalid()),
    ]
}

fn of_connections() -> Vec<Row> {
    let subs = |options: Value| json!({ "news": options });
    let caps = |channels: Value, allow: Value| json!([{ "channels": channels, "allow": allow }]);
    let mut rows = of_both(|| Closed(3500));
    rows.extend([
        ("sub", Good, json!("ann"), In("/user", json!("ann"))),
        ("sub", Absent, Value::Null, In("/user", json!(""))),
        ("sub", Kind, json!(42), Closed(3500)),
        ("sub", Bad, json!(""), In("/user", json!(""))),
        ("channel", Good, Value::Null, In("/user", json!("ann"))),
        ("channel", Absent, Value::Null, In("/user", json!("ann"))),
        ("channel", Kind, json!(7), Closed(3500)),
        // A subscription token opens no connection.
        ("channel", Bad, json!("$room"), Closed(3500)),
        ("channels", Good, json!(["a", "b"]), In("/channels", json!([["a", "", ""], ["b", "", ""]]))),
        ("channels", Absent, Value::Null, In("/channels", json!([]))),
        ("channels", Kind, json!("a"), Closed(3500)),
        ("channels", Bad, json!([7]), Closed(3500)),
        ("subs", Good, subs(json!({"info": 1, "data": 2})), In("/channels", json!([["news", "1", "2"]]))),
        (
            "subs",
            Good,
            subs(json!({"b64info": "MQ==", "b64data": "Mg=="})),
            In("/channels", json!([["news", "1", "2"]])),
        ),
        ("subs", Absent, Value::Null, In("/channels", json!([]))),
        ("subs", Kind, json!(["news"]), Closed(3500)),
        ("subs", Bad, subs(json!({"b64data": "%%"})), Closed(3500)),
        ("subs", Bad, subs(json!({"override": {"presence": true}})), Closed(3500)),
        ("meta", Good, json!({"plan": "free"}), In("/meta", json!(r#"{"plan":"free"}"#))),
        ("meta", Absent, Value::Null, In("/meta", json!(""))),
        ("meta", Kind, json!("free"), Closed(3500)),
        ("caps", Good, caps(json!(["room"]), json!(["pub"])), In("/may_publish", json!(true))),
        ("caps", Absent, Value::Null, In("/may_publish", json!(false))),
        ("caps", Kind, json!({}), Closed(3500)),
        ("caps", Bad, caps(json!(["room"]), json!(["publish"])), Closed(3500)),
        ("caps", Bad, caps(json!(["other"]), json!(["pub"])), In("/may_publish", json!(false))),
    ]);
    rows
}

fn of_subscriptions() -> Vec<Row> {
    let one = |name: &str, value: Value| json!({ name: { "value": value } });
    let mut rows = of_both(|| Error(103));
    rows.extend([
        ("sub", Good, json!("ann"), In("/expire_at", json!(NOW + 60))),
        // Made for somebody else: there is no use in trying again.
        ("sub", Absent, Value::Null, Closed(3500)),
        ("sub", Bad, json!("bob"), Closed(3500)),
        ("sub", Kind, json!(42), Error(103)),
        ("channel", Good, json!("$room"), In("/expire_at", json!(NOW + 60))),
        ("channel", Absent, Value::Null, Error(103)),
        ("channel", Kind, json!(["$room"]), Error(103)),
        ("channel", Bad, json!("$other"), Closed(3500)),
        ("client", Absent, Value::Null, In("/expire_at", json!(NOW + 60))),
        // A bond that is not checked must not be ignored.
        ("client", Good, json!("c1"), Closed(3500)),
        ("client", Bad, json!(""), Closed(3500)),
        ("client", Kind, json!(7), Closed(3500)),
        ("data", Good, json!({"a": 1}), In("/data", json!(r#"{"a":1}"#))),
        ("data", Absent, Value::Null, In("/data", json!(""))),
        ("b64data", Good, json!("MQ=="), In("/data", json!("1"))),
        ("b64data", Absent, Value::Null, In("/data", json!(""))),
        ("b64data", Kind, json!([]), Error(103)),
        ("b64data", Bad, json!("%%"), Error(103)),
        ("allow", Good, json!(["pub"]), In("/may_publish", json!(true))),
        ("allow", Absent, Value::Null, In("/may_publish", json!(false))),
        ("allow", Kind, json!("pub"), Error(103)),
        ("allow", Bad, json!(["everything"]), Error(103)),
        ("override", Absent, Value::Null, In("/override", json!([null, null, null, null, null]))),
        ("override", Kind, json!(true), Error(103)),
        ("override", Bad, json!({"presence": true}), Error(103)),
        ("override", Bad, one("presence", json!("yes")), Error(103)),
    ]);
    let options = ["presence", "join_leave", "force_push_join_leave", "force_positioning", "force_recovery"];
    for (at, name) in options.into_iter().enumerate() {
        let is_set = |value: bool| (0..5).map(|place| (place == at).then_some(value)).collect::<Vec<_>>();
        let effect = |value| In("/override", json!(is_set(value)));
        rows.extend([true, false].map(|value| ("override", Good, one(name, json!(value)), effect(value))));
    }
    rows
}

fn gate() -> Gate {
    let exactly = |text: &str| Some(Expected::Exactly(text.to_owned()));
    let rules = Rules { issuer: exactly("https://id.test"), audience: exactly("chat"), ..Rules::default() };
    let verifier = Verifier::new(vec![Key::secret(b"connect")], rules);
    Gate { connection: verifier, subscription: None, anonymous: Anonymous::Refused, anonymous_tokens: true }
}

/// What holds for the bearer of a connection token, for the tables.
fn seen(found: &Credentials) -> Value {
    let channels = found.channels.iter();
    let channels: Vec<_> =
        channels.map(|(name, grant)| json!([name.as_str(), text(&grant.info), text(&grant.data)])).collect();
    let mark = found.token.clone().unwrap_or_default();
    json!({
        "user": found.user, "expire_at": found.expire_at, "info": text(&found.info), "meta": text(&found.meta),
        "channels": channels, "may_publish": found.capabilities.give(Right::Publish, "room"),
        "id": &*mark.id, "issued_at": mark.issued_at,
    })
}

/// The same for a subscription token.
fn seen_of_grant(found: &Grant) -> Value {
    let mark = found.token.clone().unwrap_or_default();
    let SubscriptionOptions {
        presence,
        join_leave,
        force_push_join_leave,
        force_positioning,
        force_recovery,
        ..
    } = found.options;
    json!({
        "expire_at": found.expire_at, "info": text(&found.info), "data": text(&found.data),
        "may_publish": Rights::has(found.rights, Right::Publish),
        "override": [presence, join_leave, force_push_join_leave, force_positioning, force_recovery],
        "id": &*mark.id, "issued_at": mark.issued_at,
    })
}

fn text(bytes: &Bytes) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn shown(kind: TokenPurpose, claims: &Value) -> Result<Value, Refusal> {
    let token = sign(b"connect", claims);
    match kind {
        TokenPurpose::Connection => {
            gate().authenticate(NOW, &ask(&token, b""), &PEER).map(|found| seen(&found))
        }
        TokenPurpose::Subscription => gate()
            .verify_subscription(NOW, &token, &Channel::new("$room"), "ann")
            .map(|found| seen_of_grant(&found)),
    }
}

fn tables() -> [(TokenPurpose, Vec<Row>); 2] {
    [(TokenPurpose::Connection, of_connections()), (TokenPurpose::Subscription, of_subscriptions())]
}

#[test]
fn each_claim_does_what_its_row_says() {
    for (kind, rows) in tables() {
        for (claim, form, value, end) in rows {
            let mut claims = base(kind);
            match form {
                Absent => drop(claims.as_object_mut().unwrap().remove(claim)),
                _ => claims[claim] = value,
            }
            let found = shown(kind, &claims);
            let is_so = match (&end, &found) {
                (In(pointer, expected), Ok(found)) => found.pointer(pointer) == Some(expected),
                (Error(code), Err(Refusal::Error(found))) => found.code() == *code,
                (Closed(code), Err(Refusal::Disconnect(found))) => found.code() == *code,
                _ => false,
            };
            assert!(is_so, "{kind:?} {claim} {form:?} {claims}: {found:?} instead of {end:?}");
        }
    }
}

#[test]
fn an_absent_claim_and_null_are_the_same() {
    for (kind, rows) in tables() {
        for (claim, ..) in rows.into_iter().filter(|(_, form, ..)| *form == Absent) {
            let (mut absent, mut null) = (base(kind), base(kind));
            absent.as_object_mut().unwrap().remove(claim);
            null[claim] = Value::Null;
            assert_eq!(shown(kind, &absent), shown(kind, &null), "{kind:?} {claim}");
        }
    }
}

#[test]
fn every_claim_is_in_its_table() {
    let of_both =
        ["sub", "exp", "nbf", "iat", "jti", "aud", "iss", "expire_at", "info", "b64info", "channel"];
    let of_one = [
        (TokenPurpose::Connection, ["channels", "subs", "meta", "caps"].as_slice()),
        (TokenPurpose::Subscription, ["data", "b64data", "override", "allow", "client"].as_slice()),
    ];
    for ((kind, rows), (of_kind, claims)) in tables().into_iter().zip(of_one) {
        assert_eq!(kind, of_kind);
        for claim in of_both.iter().chain(claims) {
            let forms: BTreeSet<_> = rows.iter().filter(|row| row.0 == *claim).map(|row| row.1).collect();
            // Any JSON is right for these two, and what is right for `meta` is right.
            let wanted: &[_] = match *claim {
                "info" | "data" => &[Good, Absent],
                "meta" => &[Good, Absent, Kind],
                _ => &[Good, Absent, Kind, Bad],
            };
            assert_eq!(forms, wanted.iter().copied().collect(), "{kind:?} {claim}");
        }
        let known = of_both.iter().chain(claims).copied().collect::<BTreeSet<_>>();
        assert!(rows.iter().all(|row| known.contains(row.0)));
    }
}
