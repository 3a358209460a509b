//! A hub on a stage, as an application's own tests use it: no port, no thread, and no time but what is let pass.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use spanwire::test::{Event, TestHub};
use spanwire::{
    Accept, Allow, ConnectCtx, DisconnectCtx, Hub, Namespace, Pub, PublishCtx, RefreshCtx, Reject, Renew,
    RpcCtx, SubRefreshCtx, SubscribeCtx,
};

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

/// An application with a handler of each kind.
fn described() -> spanwire::embed::Builder {
    let chat = Namespace::open().history(10, HOUR).recover().presence().join_leave();
    Hub::builder()
        .namespace("chat", chat.clone())
        .namespace("club", chat)
        .on_connect(async |c: ConnectCtx| match (c.cookie("session"), c.token.as_str()) {
            (Some("s3cret"), _) => Ok(Accept::user("ann").info(json!({ "name": "Ann" })).join("chat:news")),
            (_, "") => Err(Reject::denied("log in first")),
            (_, "short-lived") => Ok(Accept::user("eve").expires_at(1_893_499_200 + 60)),
            (_, name) => Ok(Accept::user(name).keep(json!({ "plan": "gold" }))),
        })
        .on_subscribe("club:*", async |c: SubscribeCtx| match c.conn.user.as_str() {
            "bob" => Ok(Allow),
            _ => Err(Reject::denied("not a member")),
        })
        .on_publish("club:*", async |p: PublishCtx| match p.json::<String>()?.as_str() {
            "spam" => Ok(Pub::Drop),
            _ => Ok(Pub::Pass),
        })
        .rpc("plan", async |c: RpcCtx, (): ()| Ok(c.conn.kept::<Value>()?["plan"].clone()))
        .rpc("shout", async |c: RpcCtx, text: String| {
            c.hub().publish("chat:lobby", text.to_uppercase()).await?;
            Ok(())
        })
        .rpc("panic", async |_: RpcCtx, (): ()| -> Result<(), Reject> { panic!("on purpose") })
}

#[tokio::test]
async fn of_a_channel_whose_latest_counts_that_is_what_is_heard() {
    let latest = Namespace::open().history(1, HOUR).recover();
    let described = Hub::builder()
        .anonymous()
        .namespace("price", latest.clone().latest_only())
        .namespace("quote", latest.latest_at_once());
    let test = TestHub::new(described).unwrap();
    let ann = test.client().connect().await.unwrap();
    for channel in ["price:a", "quote:a"] {
        test.hub().publish(channel, 1).await.unwrap();
        test.hub().publish(channel, 2).await.unwrap();
        ann.subscribe(channel).await.unwrap();
    }
    assert_eq!(ann.heard(), [2], "who comes for the first time hears only what is told at once");
    ann.lose_network();
    for number in 3..=5 {
        test.hub().publish("price:a", number).await.unwrap();
    }
    test.advance(MINUTE).await;
    ann.find_network();
    test.advance(MINUTE).await;
    assert_eq!(ann.heard(), [5], "what was passed over is not recovered");
    for incomplete in [Namespace::open().latest_only(), Namespace::open().history(1, HOUR).latest_at_once()] {
        let refused = TestHub::new(Hub::builder().anonymous().namespace("price", incomplete));
        assert!(refused.is_err_and(|error| error.to_string().contains("latest_only()")));
    }
}

#[tokio::test]
async fn who_is_cut_off_is_missed_and_comes_back_to_where_it_was() {
    let test = TestHub::new(described()).unwrap();
    let ann = test.client().token("ann").connect().await.unwrap();
    let bob = test.client().token("bob").connect().await.unwrap();
    ann.subscribe("chat:lobby").await.unwrap();
    bob.subscribe("chat:lobby").await.unwrap();
    ann.events();
    ann.lose_network();
    for n in 0..5 {
        bob.publish("chat:lobby", n).await.unwrap();
    }
    assert_eq!(bob.heard(), [0, 1, 2, 3, 4]);
    assert!(ann.heard().is_empty());
    assert_eq!(test.hub().presence("chat:lobby").await.unwrap().len(), 2, "not missed yet");
    test.advance(MINUTE).await;
    assert_eq!(test.hub().presence("chat:lobby").await.unwrap().len(), 1, "missed");
    ann.find_network();
    test.advance(MINUTE).await;
    assert_eq!(ann.heard(), [0, 1, 2, 3, 4], "each once, and in order");
    let events = ann.events();
    assert!(
        events.iter().any(|event| matches!(event, Event::Subscribed { recovered: true, .. })),
        "{events:?}"
    );
    assert!(!events.iter().any(|event| matches!(event, Event::Gap { .. })), "{events:?}");
}

#[tokio::test]
async fn what_the_history_no_longer_holds_is_told_as_a_gap() {
    let test = TestHub::new(described()).unwrap();
    let ann = test.client().token("ann").connect().await.unwrap();
    let bob = test.client().token("bob").connect().await.unwrap();
    ann.subscribe("chat:lobby").await.unwrap();
    bob.publish("chat:lobby", "seen").await.unwrap_err();
    bob.subscribe("chat:lobby").await.unwrap();
    bob.publish("chat:lobby", "seen").await.unwrap();
    assert_eq!(ann.heard(), ["seen"]);
    ann.lose_network();
    for n in 0..20 {
        bob.publish("chat:lobby", n).await.unwrap();
    }
    test.advance(MINUTE).await;
    ann.find_network();
    test.advance(MINUTE).await;
    assert!(ann.heard().is_empty(), "a part would be worse than nothing");
    let events = ann.events();
    assert!(events.iter().any(|event| matches!(event, Event::Gap { .. })), "{events:?}");
}

#[tokio::test]
async fn handlers_decide_and_their_words_reach_the_client() {
    let test = TestHub::new(described()).unwrap();
    let stranger = test.client().connect().await.unwrap_err();
    assert_eq!((stranger.code, stranger.message.as_str()), (103, "log in first"));
    let ann = test.client().header("cookie", "session=s3cret").connect().await.unwrap();
    assert_eq!(test.hub().presence("chat:news").await.unwrap().len(), 1, "joined by on_connect");
    let refused = ann.subscribe("club:x").await.unwrap_err();
    assert_eq!((refused.code, refused.message.as_str()), (103, "not a member"));
    let bob = test.client().token("bob").connect().await.unwrap();
    bob.subscribe("club:x").await.unwrap();
    bob.publish("club:x", "spam").await.unwrap();
    bob.publish("club:x", "ham").await.unwrap();
    assert_eq!(bob.publish("club:x", 7).await.unwrap_err().code, 107);
    assert_eq!(bob.heard(), ["ham"]);
    assert_eq!(bob.rpc::<String>("plan", ()).await.unwrap(), "gold");
    assert_eq!(bob.rpc::<()>("none", ()).await.unwrap_err().code, 104);
    assert_eq!(bob.rpc::<()>("panic", ()).await.unwrap_err().code, 100);
}

#[tokio::test]
async fn a_handler_publishes_and_orders_from_within_the_application_arrive() {
    let test = TestHub::new(described()).unwrap();
    let ann = test.client().token("ann").connect().await.unwrap();
    ann.subscribe("chat:lobby").await.unwrap();
    ann.rpc::<()>("shout", "hello").await.unwrap();
    assert_eq!(ann.heard(), ["HELLO"]);
    let published = test.hub().publish("chat:lobby", "from the application").await.unwrap();
    assert_eq!(published.offset, Some(2));
    test.settle().await;
    assert_eq!(ann.heard(), ["from the application"]);
    assert_eq!(test.hub().channels().await.unwrap()["chat:lobby"], 1);
    ann.events();
    test.hub().disconnect("ann");
    test.settle().await;
    let events = ann.events();
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::Disconnected { code: 3503, will_retry_at: None, .. })),
        "{events:?}"
    );
    assert_eq!(test.hub().census().await.unwrap().clients, 0);
}

#[tokio::test]
async fn time_passes_only_when_it_is_let() {
    let test = TestHub::new(described()).unwrap();
    let begun = test.unix_seconds();
    let eve = test.client().token("short-lived").connect().await.unwrap();
    eve.subscribe("chat:lobby").await.unwrap();
    eve.publish("chat:lobby", "hello").await.unwrap();
    assert_eq!(test.unix_seconds(), begun);
    test.advance(MINUTE / 2).await;
    assert_eq!(test.unix_seconds(), begun + 30);
    let disconnected = |event: &Event| matches!(event, Event::Disconnected { .. });
    assert!(!eve.events().iter().any(disconnected));
    test.advance(MINUTE * 2).await;
    assert!(eve.events().iter().any(disconnected), "its time was over");
    let all = || spanwire_hub::broker::HistoryQuery { limit: None, since: None, reverse: false };
    assert_eq!(test.hub().history("chat:lobby", all()).await.unwrap().publications.len(), 1);
    test.advance(2 * HOUR).await;
    assert_eq!(test.hub().history("chat:lobby", all()).await.unwrap().publications.len(), 0);
}

#[tokio::test]
async fn the_application_is_told_who_is_gone_and_why() {
    let gone = Arc::new(Mutex::new(Vec::new()));
    let list = gone.clone();
    let described = described().on_disconnect(move |gone: DisconnectCtx| {
        list.lock().unwrap().push((gone.user, gone.code));
        async {}
    });
    let test = TestHub::new(described).unwrap();
    let ann = test.client().token("ann").connect().await.unwrap();
    let bob = test.client().token("bob").connect().await.unwrap();
    test.client().connect().await.unwrap_err();
    ann.leave().await;
    bob.lose_network();
    test.advance(MINUTE).await;
    assert_eq!(*gone.lock().unwrap(), [("ann".to_owned(), 3000), ("bob".to_owned(), 3012)]);
}

#[tokio::test]
async fn who_leaves_is_gone_at_once() {
    let test = TestHub::new(described()).unwrap();
    let ann = test.client().token("ann").connect().await.unwrap();
    let bob = test.client().token("bob").connect().await.unwrap();
    for client in [&ann, &bob] {
        client.subscribe("chat:lobby").await.unwrap();
    }
    bob.events();
    ann.leave().await;
    let events = bob.events();
    assert!(events.iter().any(|event| matches!(event, Event::Leave { .. })), "{events:?}");
    assert_eq!(bob.presence("chat:lobby").await.unwrap().len(), 1);
}

/// When the clock of a stage begins.
const BEGIN: u64 = 1_893_499_200;

fn ended(events: &[Event]) -> Option<u32> {
    events.iter().find_map(|event| match event {
        Event::Disconnected { code, .. } | Event::Unsubscribed { code, .. } => Some(*code),
        _ => None,
    })
}

#[tokio::test]
async fn a_connection_that_has_expired_goes_on_if_the_application_says_so() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let list = asked.clone();
    let described = Hub::builder()
        .on_connect(async |c: ConnectCtx| Ok(Accept::user(c.token).keep("silver").expires_at(BEGIN + 60)))
        .on_refresh(move |c: RefreshCtx| {
            let plan = c.conn.kept::<String>();
            list.lock().unwrap().push(c.conn.user.clone());
            async move {
                match c.conn.user.as_str() {
                    "ann" if plan? == "silver" => Ok(Renew::until(BEGIN + 3600).keep("gold")),
                    "ann" => Ok(Renew::forever()),
                    "bob" => Err(Reject::internal("the database is away")),
                    "mallory" => Err(Reject::disconnect(4501, "banned")),
                    _ => Err(Reject::denied("no more")),
                }
            }
        })
        .rpc("plan", async |c: RpcCtx, (): ()| c.conn.kept::<String>());
    let test = TestHub::new(described).unwrap();
    let mut clients = Vec::new();
    for user in ["ann", "bob", "eve", "mallory"] {
        clients.push(test.client().token(user).connect().await.unwrap());
    }
    test.advance(Duration::from_secs(61)).await;
    let ends: Vec<_> = clients.iter().map(|client| ended(&client.events())).collect();
    assert_eq!(ends, [None, None, Some(3005), Some(4501)]);
    assert_eq!(clients[0].rpc::<String>("plan", ()).await.unwrap(), "gold");
    test.advance(2 * HOUR).await;
    assert_eq!(ended(&clients[0].events()), None, "it does not expire any more");
    assert_eq!(ended(&clients[1].events()), None, "nobody could say, and so it goes on");
    let asked = asked.lock().unwrap();
    let times = |user: &str| asked.iter().filter(|asked| *asked == user).count();
    assert_eq!(times("ann"), 2);
    assert!(times("bob") > 100, "once a minute, not {} times in two hours", times("bob"));
}

#[tokio::test]
async fn a_subscription_that_has_expired_goes_on_if_the_application_says_so() {
    let described = Hub::builder()
        .anonymous()
        .namespace("club", Namespace::open())
        .on_subscribe("club:*", async |_: SubscribeCtx| Ok(Allow.expires_at(BEGIN + 60)))
        .on_sub_refresh("club:*", async |c: SubRefreshCtx| match c.channel.as_str() {
            "club:open" => Ok(Renew::until(BEGIN + 3600)),
            _ => Err(Reject::denied("it is closed")),
        });
    let test = TestHub::new(described).unwrap();
    let ann = test.client().connect().await.unwrap();
    ann.subscribe("club:open").await.unwrap();
    ann.subscribe("club:closing").await.unwrap();
    ann.events();
    test.advance(MINUTE * 2).await;
    test.hub().publish("club:open", "still here").await.unwrap();
    test.hub().publish("club:closing", "nobody hears this").await.unwrap();
    test.settle().await;
    assert_eq!(ann.heard(), ["still here"]);
    let channel = ann.events().into_iter().find_map(|event| match event {
        Event::Unsubscribed { channel, .. } => Some(channel),
        _ => None,
    });
    assert_eq!(channel.as_deref(), Some("club:closing"));
}
