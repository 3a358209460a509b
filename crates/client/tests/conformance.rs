//! Plays `conformance/scenarios.json`, which the browser client plays too. What the steps mean stands in the README there.

use std::collections::HashMap;

use serde_json::{Value, json};
use spanwire_client::{CallError, Client, Ended, Error, Event, Subscription};
use tokio::task::JoinHandle;

use support::server::{Peer, Server, within};

#[allow(dead_code, reason = "scenarios need no more of it")]
mod support {
    #[allow(unreachable_pub)]
    pub mod server;
}

#[tokio::test]
async fn the_client_does_what_the_scenarios_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../conformance/scenarios.json");
    let text = std::fs::read_to_string(path).expect("the scenarios");
    let scenarios: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    assert!(scenarios.len() > 15, "there are scenarios");
    for scenario in scenarios {
        println!("{}", scenario["name"]);
        let mut play = Play::new(scenario["deltas"] == true).await;
        for step in scenario["steps"].as_array().expect("steps") {
            play.step(step).await;
        }
        play.end().await;
    }
}

/// One scenario.
struct Play {
    server: Server,
    client: Client,
    peer: Option<Peer>,
    subscription: Option<Subscription<Value>>,
    /// Whether the client asks for them.
    deltas: bool,
    answers: HashMap<String, JoinHandle<Value>>,
    /// The texts that have a name.
    names: HashMap<String, Value>,
}

impl Play {
    async fn new(deltas: bool) -> Self {
        let server = Server::start().await;
        let client = server.client().connect().expect("an address");
        Self {
            server,
            client,
            peer: None,
            subscription: None,
            deltas,
            answers: HashMap::new(),
            names: HashMap::new(),
        }
    }

    async fn step(&mut self, step: &Value) {
        let (kind, value) = step
            .as_object()
            .and_then(|step| {
                step.iter().find(|(key, _)| !["as", "offset", "extensions"].contains(&key.as_str()))
            })
            .expect("a step");
        match kind.as_str() {
            "do" => self.act(value, step["as"].as_str()),
            "accepts" => self.peer = Some(self.server.peer().await),
            "hears" => self.hear(value).await,
            "says" => self.say(value).await,
            "hearing" => self.hear_channel(value, step).await,
            "cut" => drop(self.peer.take()),
            "closes" => {
                let code = value[0].as_u64().and_then(|code| code.try_into().ok()).expect("a code");
                self.peer.take().expect("a peer").closes(code, value[1].as_str().expect("a reason")).await;
            }
            "garbles" => self.peer().says(value.as_str().expect("a text")).await,
            "told" => {
                for expected in value.as_array().expect("a list") {
                    assert_eq!(Some(expected.as_str().expect("words")), self.told().await.as_deref());
                }
            }
            "becomes" => {
                for (name, expected) in value.as_object().expect("answers by their names") {
                    let answer = self.answers.remove(name).expect("somebody asked");
                    assert_eq!(&within(name, answer).await.expect("an answer"), expected);
                }
            }
            "closed" => {
                let why = within("the end", self.client.closed()).await;
                assert_eq!(u64::from(why.code), *value);
                let _ends_too = self.told().await;
            }
            other => panic!("what is {other}?"),
        }
    }

    fn act(&mut self, deed: &Value, name: Option<&str>) {
        let client = self.client.clone();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let answer = if let Some(channel) = deed.get("subscribe") {
            let channel = client.channel(text(channel));
            let channel = if self.deltas { channel.delta() } else { channel };
            self.subscription = Some(channel.listen());
            return;
        } else if deed.get("leave").is_some() {
            return self.subscription = None;
        } else if let Some(publish) = deed.get("publish") {
            let (channel, data) = (text(&publish[0]), publish[1].clone());
            tokio::spawn(async move {
                match client.publish(channel, &data).await {
                    Ok(Some(position)) => json!({ "offset": position.offset }),
                    Ok(None) => json!({ "value": null }),
                    Err(error) => failed(&error),
                }
            })
        } else {
            let (method, data) = (text(&deed["rpc"][0]), deed["rpc"][1].clone());
            tokio::spawn(async move {
                match client.rpc::<Value>(method, &data).await {
                    Ok(value) => json!({ "value": value }),
                    Err(error) => failed(&error),
                }
            })
        };
        self.answers.insert(name.expect("an answer has a name").to_owned(), answer);
    }

    async fn hear(&mut self, expected: &Value) {
        let (method, members) = expected.as_object().and_then(|it| it.iter().next()).expect("a method");
        let heard = self.peer().hears(method).await;
        self.matches(members, &heard);
    }

    async fn say(&mut self, messages: &Value) {
        let peer = self.peer();
        let frame = messages.as_array().expect("messages").iter().map(|message| {
            let mut message = message.clone();
            if let Some(method) = message.as_object_mut().and_then(|message| message.remove("to")) {
                message["id"] = peer.id(method.as_str().expect("a method"));
            }
            message.to_string()
        });
        let frame = frame.collect::<Vec<_>>().join("\n");
        peer.says(&frame).await;
    }

    async fn hear_channel(&mut self, channel: &Value, step: &Value) {
        self.act(&json!({ "subscribe": channel }), None);
        let mut peer = self.server.peer().await;
        peer.hears("connect").await;
        let extensions = step.get("extensions").cloned().unwrap_or(json!([]));
        peer.answers("connect", json!({ "client": "c1", "version": "t", "sw_ext": extensions })).await;
        let position = json!({
            "recoverable": true, "positioned": true, "epoch": "e", "offset": step["offset"], "delta": self.deltas,
        });
        peer.lets_in(channel.as_str().expect("a name"), position).await;
        assert_eq!(self.told().await.as_deref(), Some("subscribed"));
        self.peer = Some(peer);
    }

    /// What the application is told next of its channel. That it will be heard again is said by other clients in other
    /// ways, and so by no scenario.
    async fn told(&mut self) -> Option<String> {
        let subscription = self.subscription.as_mut()?;
        loop {
            return Some(match within("an event", subscription.next()).await? {
                Event::Interrupted(_) => continue,
                Event::Subscribed(it) if it.recovered => "subscribed recovered".to_owned(),
                Event::Subscribed(_) => "subscribed".to_owned(),
                Event::Publication(it) if it.recovered => format!("recovered {}", it.data),
                Event::Publication(it) => format!("publication {}", it.data),
                Event::Gap(gap) => {
                    let [from, to] = [gap.from, gap.to].map(|at| at.expect("a channel with positions"));
                    format!("gap {}{}..{}{}", from.epoch, from.offset, to.epoch, to.offset)
                }
                Event::Ended(why) => format!("ended {}", why.code),
                other => panic!("{other:?}"),
            });
        }
    }

    /// The end: the client has said and told nothing that was not expected.
    async fn end(mut self) {
        let (peer, client) = (self.peer.take(), self.client.clone());
        let goodbye = async move {
            let mut peer = peer?;
            within("the goodbye", peer.next()).await
        };
        let (next, ()) = tokio::join!(goodbye, client.close());
        assert_eq!(next, None, "nothing else is said");
        let last = self.told().await;
        let expected = format!("ended {}", Ended::WISH);
        assert!(last.as_ref().is_none_or(|last| *last == expected), "nothing else is told: {last:?}");
    }

    fn peer(&mut self) -> &mut Peer {
        self.peer.as_mut().expect("the server has accepted a connection")
    }

    fn matches(&mut self, expected: &Value, found: &Value) {
        for (key, wanted) in expected.as_object().into_iter().flatten() {
            let found = &found[key];
            match wanted {
                Value::Null => assert!(found.is_null() || *found == json!(false), "{key} is {found}"),
                Value::String(name) if name.starts_with('$') => {
                    assert!(found.as_str().is_some_and(|text| !text.is_empty()), "{key} is {found}");
                    assert_eq!(self.names.entry(name.clone()).or_insert(found.clone()), found);
                }
                Value::Object(_) if key != "data" => self.matches(wanted, found),
                _ => assert_eq!(found, wanted, "{key}"),
            }
        }
    }
}

fn failed(error: &Error) -> Value {
    match error {
        Error::Call(CallError::Refused(error)) => json!({ "error": error.code }),
        Error::Call(CallError::Unacknowledged) => json!({ "error": "unacknowledged" }),
        other => json!({ "error": other.to_string() }),
    }
}
