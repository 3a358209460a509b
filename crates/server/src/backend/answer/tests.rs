use spanwire_hub::SubscriptionOptions;
use spanwire_hub::backend::ProxyId;

use super::*;

fn matter(what: &str) -> Matter {
    let (proxy, channel) = (ProxyId(0), Channel::new("c"));
    match what {
        "refresh" => Matter::Refresh,
        "sub_refresh" => Matter::SubRefresh { proxy, channel },
        "subscribe" => Matter::Subscribe { proxy, channel, data: Bytes::new() },
        "publish" => Matter::Publish { proxy, channel, data: Bytes::new() },
        _ => Matter::Rpc { method: String::new(), data: Bytes::new() },
    }
}

#[test]
fn a_connect_answer_says_who_somebody_is() {
    let body = br#"{"result":{"user":"42","expire_at":1700000000,"info":{"name":"Ann"},"b64data":"/w==",
        "channels":["news"],"subs":{"chat:1":{"data":{"topic":1},"override":{"presence":{"value":true}},"cache_recover":true}},
        "meta":{"plan":"gold"},"caps":[],"labels":{}}}"#;
    let found = of_connect(body, true).unwrap().unwrap().unwrap();
    assert_eq!(
        (found.user.as_str(), found.expire_at, found.renewed_by_backend),
        ("42", Some(1_700_000_000), true)
    );
    assert_eq!((&found.info[..], &found.data[..]), (br#"{"name":"Ann"}"#.as_slice(), b"\xff".as_slice()));
    assert_eq!(&found.meta[..], br#"{"plan":"gold"}"#);
    let options = SubscriptionOptions { presence: Some(true), ..SubscriptionOptions::default() };
    let chat = Grant { data: r#"{"topic":1}"#.into(), options, cache_recover: true, ..Grant::default() };
    assert_eq!(found.channels, [(Channel::new("chat:1"), chat), (Channel::new("news"), Grant::default())]);
}

#[test]
fn a_time_of_expiry_may_be_written_with_a_point_as_for_the_server_api() {
    for (written, expected) in
        [("1.7e9", Some(1_700_000_000)), ("1700000000.0", Some(1_700_000_000)), ("null", None)]
    {
        let body = format!(r#"{{"result":{{"expire_at":{written}}}}}"#);
        let credentials = of_connect(body.as_bytes(), true).unwrap().unwrap().unwrap();
        assert_eq!(credentials.expire_at, expected, "{written}");
        let subscribed = of_matter(&matter("subscribe"), body.as_bytes()).unwrap();
        let Answer::Grant(Ok(grant)) = subscribed else { panic!("{written}: {subscribed:?}") };
        assert_eq!(grant.expire_at, expected, "{written}");
        let refreshed = of_matter(&matter("refresh"), body.as_bytes()).unwrap();
        let Answer::Renewal(Renewal::Until { expire_at, .. }) = refreshed else {
            panic!("{written}: {refreshed:?}")
        };
        assert_eq!(expire_at, expected, "{written}");
    }
    assert!(of_connect(br#"{"result":{"expire_at":1.5}}"#, true).is_err());
}

#[test]
fn a_backend_without_a_word_on_somebody_leaves_it_to_the_rule_for_strangers() {
    for body in [r#"{}"#, r#"{"result":null}"#, r#"{"result":null,"error":null,"disconnect":null}"#] {
        assert!(of_connect(body.as_bytes(), false).unwrap().is_none(), "{body}");
    }
    let anonymous =
        of_connect(br#"{"result":{"user":null,"channels":null}}"#, false).unwrap().unwrap().unwrap();
    assert_eq!(anonymous.user, "");
}

#[test]
fn refusals_are_told_in_the_backends_words_and_a_disconnect_wins() {
    let error = br#"{"result":{},"error":{"code":1000,"message":"custom","temporary":true}}"#;
    let Answer::Grant(Err(Refusal::Worded(words))) = of_matter(&matter("subscribe"), error).unwrap() else {
        panic!("an error");
    };
    assert_eq!((words.code, words.message.as_str(), words.temporary), (1000, "custom", true));
    let both = br#"{"error":{"code":1000},"disconnect":{"code":4500,"reason":"banned"}}"#;
    let Answer::Approval(Err(Refusal::Ended(reason))) = of_matter(&matter("publish"), both).unwrap() else {
        panic!("an end");
    };
    assert_eq!(reason, DisconnectReason::new(4500, "banned").unwrap());
}

#[test]
fn empty_answers_allow_a_subscribe_and_a_publish_and_end_what_has_expired() {
    let table = [
        ("subscribe", r#"{}"#),
        ("publish", r#"{"result":{}}"#),
        ("refresh", r#"{}"#),
        ("sub_refresh", r#"{"result":{"expired":true,"expire_at":9}}"#),
        ("rpc", r#"{"result":{}}"#),
    ];
    for (what, body) in table {
        let fits = match of_matter(&matter(what), body.as_bytes()).unwrap() {
            Answer::Grant(grant) => grant == Ok(Grant::default()),
            Answer::Approval(approval) => approval == Ok(Approval::default()),
            Answer::Renewal(renewal) => renewal == Renewal::Over,
            Answer::Rpc(data) => data == Ok(Bytes::new()),
            _ => false,
        };
        assert!(fits, "{what}");
    }
}

#[test]
fn a_renewal_changes_only_what_it_mentions() {
    let body = br#"{"result":{"expire_at":1700000000,"info":{"a":1}}}"#;
    let Answer::Renewal(renewal) = of_matter(&matter("refresh"), body).unwrap() else { panic!("a renewal") };
    let info = Some(Bytes::from_static(br#"{"a":1}"#));
    assert_eq!(renewal, Renewal::Until { expire_at: Some(1_700_000_000), info, meta: None });
}

#[test]
fn an_approval_may_change_what_is_published() {
    let body = br#"{"result":{"data":{"x": 1},"skip_history":true,"tags":{"k":"v"},"idempotency_key":"i",
        "delta":true,"version":3}}"#;
    let Answer::Approval(Ok(approval)) = of_matter(&matter("publish"), body).unwrap() else {
        panic!("approved")
    };
    assert_eq!(approval.data.as_deref(), Some(br#"{"x": 1}"#.as_slice()));
    assert_eq!((approval.skip_history, approval.delta, approval.tags["k"].as_str()), (true, true, "v"));
    assert_eq!(approval.idempotency_key.as_deref(), Some(b"i".as_slice()));
}

#[test]
fn nonsense_is_told_from_answers() {
    let long = format!(r#"{{"result":{{"idempotency_key":"{}"}}}}"#, "x".repeat(257));
    let table = [
        ("rpc", ""),
        ("rpc", "[]"),
        ("rpc", "<html>"),
        ("subscribe", r#"{"result":[]}"#),
        ("rpc", r#"{"result":7}"#),
        ("rpc", r#"{"result":{"b64data":"!"}}"#),
        ("rpc", r#"{"error":{"code":0}}"#),
        ("rpc", r#"{"error":{"code":2000}}"#),
        ("rpc", r#"{"disconnect":{"code":3000}}"#),
        ("rpc", r#"{"disconnect":{"code":5000}}"#),
        ("refresh", r#"{"result":{"expire_at":-1}}"#),
        ("subscribe", r#"{"result":{"override":{"presence":1}}}"#),
        ("publish", &long),
    ];
    for (what, body) in table {
        assert!(of_matter(&matter(what), body.as_bytes()).is_err(), "{what} {body}");
    }
}
