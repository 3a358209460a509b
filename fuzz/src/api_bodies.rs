//! The boundary between the body of a call to the server API and what is done for it.

use serde_json::Value;
use serde_json::value::RawValue;
use spanwire::api::{
    Article, Batch, CHANNELS_MAX, COMMANDS_MAX, Failure, IDEMPOTENCY_KEY_BYTES_MAX, Method, Request,
};
use spanwire::auth::NAME_BYTES_MAX;
use spanwire_hub::Whom;

/// A body, which every method reads in its own way.
///
/// What must hold: what is understood is an object of JSON, and says what a plain reader finds under the same keys;
/// what is asked for keeps the limits that the methods rely on; a key that nobody knows changes nothing; and what is
/// not understood is told in a sentence.
///
/// # Panics
///
/// When one of these does not hold.
pub fn api_bodies(input: &[u8]) {
    for method in Method::ALL {
        let outcome = Request::read(method, input);
        if method != Method::Info {
            changes_nothing(method, input, &outcome);
        }
        match outcome {
            Ok(Request::Info(_)) => {}
            Ok(request) => check(&request, input),
            Err(Failure::Malformed(trouble)) => assert!(trouble.starts_with("The body "), "{trouble}"),
            Err(Failure::Refused(code)) => assert!((100..=113).contains(&code.code()), "{code:?}"),
        }
    }
}

/// A body of a later version, with a key that is not ours, is read in the same way.
fn changes_nothing(method: Method, body: &[u8], outcome: &Result<Request, Failure>) {
    let Some(inside) = body.trim_ascii_start().strip_prefix(b"{") else {
        assert!(matches!(outcome, Err(Failure::Malformed(_))), "{method:?} took what is no object");
        return;
    };
    let comma = if inside.trim_ascii_start().starts_with(b"}") { "" } else { "," };
    let later = [b"{\"later\":[null]", comma.as_bytes(), inside].concat();
    match (outcome, Request::read(method, &later)) {
        (Err(Failure::Malformed(_)), Err(Failure::Malformed(_))) => {}
        (told, later) => assert_eq!(told, &later, "{method:?}"),
    }
}

/// What was asked for, against what a plain reader finds.
fn check(request: &Request, body: &[u8]) {
    serde_json::from_slice::<&RawValue>(body).expect("what is understood is JSON");
    // A payload may be deeper, and its numbers larger, than a plain reader takes; then there is nothing to compare with.
    let plain = serde_json::from_slice::<Value>(body).ok();
    match request {
        Request::Publish(publish) => {
            names(&plain, "channel", &publish.channel);
            article(&plain, &publish.article);
        }
        Request::Broadcast(broadcast) => {
            assert!((1..=CHANNELS_MAX).contains(&broadcast.channels.len()));
            article(&plain, &broadcast.article);
        }
        Request::Unsubscribe(unsubscribe) => {
            names(&plain, "channel", &unsubscribe.channel);
            somebody(&plain, &unsubscribe.whom);
        }
        Request::Disconnect(disconnect) => {
            somebody(&plain, &disconnect.whom);
            // Clients reconnect, or do not, by the range of the code.
            assert!((3000..5000).contains(&disconnect.disconnect.code()));
        }
        Request::Presence(presence) => names(&plain, "channel", &presence.channel),
        Request::PresenceStats(stats) => names(&plain, "channel", &stats.channel),
        Request::History(history) => {
            names(&plain, "channel", &history.channel);
            let first = history.query.since.as_ref().is_some_and(|since| since.offset == 0);
            assert!(!(history.query.reverse && first), "nothing is before the first");
        }
        Request::HistoryRemove(remove) => names(&plain, "channel", &remove.channel),
        Request::Channels(channels) => names(&plain, "pattern", &channels.pattern),
        Request::Info(_) => {}
        Request::Subscribe(subscribe) => {
            names(&plain, "channel", &subscribe.channel);
            somebody(&plain, &subscribe.whom);
        }
        Request::Refresh(refresh) => somebody(&plain, &refresh.whom),
        Request::Rpc(rpc) => {
            assert!(!rpc.method.is_empty());
            names(&plain, "method", &rpc.method);
        }
        Request::BlockUser(block) => kept(&plain, "user", &block.user),
        Request::UnblockUser(unblock) => kept(&plain, "user", &unblock.user),
        Request::RevokeToken(revoke) => kept(&plain, "uid", &revoke.uid),
        Request::InvalidateUserTokens(invalidate) => kept(&plain, "user", &invalidate.user),
        Request::Batch(batch) => parts(&plain, batch),
    }
}

/// Each part of a batch, as if it had come alone.
fn parts(plain: &Option<Value>, batch: &Batch) {
    assert!((1..=COMMANDS_MAX).contains(&batch.requests.len()));
    let Some(plain) = plain else { return };
    for (index, (method, request)) in batch.requests.iter().enumerate() {
        let body = &plain["commands"][index][method.name()];
        assert_ne!(*method, Method::Batch, "a batch in a batch");
        if let Ok(request) = request {
            check(request, body.to_string().as_bytes());
        }
    }
}

/// A text under a key; empty if it is not there.
fn names(plain: &Option<Value>, key: &str, told: &str) {
    if let Some(plain) = plain {
        assert_eq!(plain.get(key).map_or("", |value| value.as_str().expect("a text")), told);
    }
}

/// A name that is kept, for which there is a bound, and which is not everybody's.
fn kept(plain: &Option<Value>, key: &str, told: &str) {
    assert!((1..=NAME_BYTES_MAX).contains(&told.len()));
    names(plain, key, told);
}

/// Nobody is meant by mistake: whoever is meant has been named.
fn somebody(plain: &Option<Value>, whom: &Whom) {
    let Some(plain) = plain else { return };
    let named = |key| plain.get(key).and_then(Value::as_str);
    let is_narrowed = whom.client.is_some() || whom.session.is_some();
    assert!(named("user").is_some() || is_narrowed, "everybody anonymous is meant by mistake");
    assert_eq!(whom.user, named("user").unwrap_or_default());
    assert_eq!(whom.client.as_deref(), named("client").filter(|client| !client.is_empty()));
    assert_eq!(whom.session.as_deref(), named("session").filter(|session| !session.is_empty()));
}

fn article(plain: &Option<Value>, article: &Article) {
    assert!(!article.publication.data.is_empty(), "an empty payload");
    let key = article.idempotency_key.as_ref();
    assert!(key.is_none_or(|key| (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&key.len())));
    assert_eq!(article.publication.offset, 0, "only the broker gives offsets");
    let Some(plain) = plain else { return };
    if plain.get("b64data").is_none_or(Value::is_null) {
        let data: Value = serde_json::from_slice(&article.publication.data).expect("it is part of a body");
        assert_eq!(Some(&data), plain.get("data"));
    }
    let tags = plain.get("tags").and_then(Value::as_object).map_or(0, serde_json::Map::len);
    assert_eq!(article.publication.tags.len(), tags);
}
