//! The code of `docs/rust-client.md`, word for word, against a real server.

use std::error::Error;

use serde::{Deserialize, Serialize};
use serde_json::json;
use spanwire_client::{
    CallError, Client, Ended, Event, Filter, History, Overflow, Position, Raw, Subscription, TokenError,
    Transport,
};

use crate::support::http;
use crate::support::require;
use crate::support::server::Server;
use crate::support::token::signed;
use crate::support::until::within;

#[derive(Serialize, Deserialize)]
struct Tick {
    price: f64,
}

async fn first_steps(url: &str) -> Result<(), Box<dyn Error>> {
    let client = Client::builder(url).connect()?; // returns at once, and stays connected from then on
    let mut ticks = client.channel::<Tick>("ticks").subscribe().await?;
    client.publish("ticks", &Tick { price: 1.5 }).await?;
    while let Some(event) = ticks.next().await {
        match event {
            Event::Publication(tick) => {
                println!("{} at offset {}", tick.data.price, tick.offset);
                break;
            }
            Event::Gap(_) => { /* something was missed for good: reload it from where it is kept */ }
            _ => {}
        }
    }
    client.close().await;
    Ok(())
}

async fn from_where_i_was(client: &Client, seen: Position) -> Result<Vec<u64>, Ended> {
    let mut orders = client.channel::<Raw>("orders").since(seen).subscribe().await?;
    let mut offsets = Vec::new();
    while let Some(event) = orders.next().await {
        match event {
            Event::Publication(order) => offsets.push(order.offset), // those that were missed first
            Event::Subscribed(now) => {
                println!("recovered: {}, now at {:?}", now.recovered, now.position);
                break;
            }
            _ => {}
        }
    }
    Ok(offsets)
}

async fn slow(client: &Client) -> Result<(), Ended> {
    let prices = client
        .channel::<Tick>("prices")
        .buffer(64, 1 << 20) // events, and bytes of payloads
        .overflow(Overflow::DropOldest)
        .subscribe()
        .await?;
    drop(prices); // leaves the channel
    Ok(())
}

async fn only_some(client: &Client) -> Result<Subscription<Raw>, Ended> {
    let wanted = Filter::any_of("ticker", ["ACME", "INIT"]).and(Filter::at_least("price", "99.50"));
    let trades = client.channel::<Raw>("tagged:trades").filter(wanted).subscribe().await?;
    Ok(trades)
}

async fn fetch_token() -> Result<Option<String>, std::io::Error> {
    Ok(Some(signed(json!({ "sub": "ana" }))))
}

async fn with_tokens(url: &str) -> Result<Client, Box<dyn Error>> {
    let client = Client::builder(url)
        .token_provider(|| async {
            let token = fetch_token().await?; // an error is tried again, with backoff
            token.ok_or_else(TokenError::unauthorized) // and this is not
        })
        .connect()?;
    client.ready().await?;
    Ok(client)
}

async fn questions(client: &Client) -> Result<(), spanwire_client::Error> {
    let position = client.publish("ticks", &Tick { price: 2.5 }).await?;
    println!("published at {position:?}");
    let page = client.history::<Tick>("ticks", History::newest(10)).await?;
    println!("{} of {} publications", page.publications.len(), page.top.offset);
    let here = client.presence("ticks").await?;
    println!("{} are here", here.len());
    let sum: Result<i64, _> = client.rpc("add", &(2, 3)).await;
    match sum {
        Ok(sum) => println!("{sum}"),
        Err(spanwire_client::Error::Call(CallError::Unacknowledged)) => {
            println!("nobody knows whether it was done")
        }
        Err(error) if error.is_temporary() => println!("later, perhaps: {error}"),
        Err(error) => println!("no: {error}"),
    }
    Ok(())
}

async fn page_by_page(client: &Client, mut orders: Vec<u64>) -> Result<Vec<u64>, spanwire_client::Error> {
    let mut wanted = Some(History::all().limit(100));
    while let Some(page) = wanted {
        let page = client.history::<Raw>("orders", page).await?;
        orders.extend(page.publications.iter().map(|order| order.offset));
        wanted = page.next();
    }
    Ok(orders)
}

async fn now_or_never(client: &Client) {
    let _ = client.publish("cursors", &(3, 4)).queue(false).await; // lost is lost
}

async fn only_websockets(url: &str) -> Result<Client, Box<dyn Error>> {
    let client = Client::builder(url).protobuf().transports([Transport::WebSocket]).connect()?;
    Ok(client)
}

#[tokio::test]
async fn the_guide_does_what_it_says() {
    let server = Server::serve(json!({})).await;
    let url = server.websocket();
    within("the first steps", first_steps(&url)).await.expect("they work");
    let client = within("a client", with_tokens(&url)).await.expect("the token is good");
    within("the questions", questions(&client)).await.expect("everything may be asked");
    within("the channel", slow(&client)).await.expect("it is open");
    let mut trades = within("the trades", only_some(&client)).await.expect("it is open");
    for (number, price) in ["99.49", "99.5", "100"].iter().enumerate() {
        let tags = json!({ "ticker": "INIT", "price": price });
        let trade = json!({ "channel": "tagged:trades", "data": number, "tags": tags });
        http::api(server.address, "publish", &trade).await;
    }
    let mut offsets = Vec::new();
    while offsets.len() < 2 {
        match within("a trade", trades.next()).await {
            Some(Event::Publication(trade)) => offsets.push(trade.offset),
            Some(Event::Subscribed(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(offsets, [2, 3], "what does not pass is not heard, and is no gap");
    for number in 1..=3 {
        http::api(server.address, "publish", &json!({ "channel": "orders", "data": number })).await;
    }
    let top = client.history::<Raw>("orders", History::position()).await.expect("it has a history").top;
    let seen = Position { offset: 1, ..top };
    let missed = within("the orders", from_where_i_was(&client, seen)).await.expect("it is open");
    assert_eq!(missed, [2, 3]);
    let all = within("the pages", page_by_page(&client, Vec::new())).await.expect("it is open");
    assert_eq!(all, [1, 2, 3]);
    within("the cursor", now_or_never(&client)).await;
    let client = only_websockets(&url).await.expect("an address");
    within("the connection", client.ready()).await.expect("it lets us in");
}

#[test]
fn the_guide_shows_code_that_is_run() {
    let in_one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let code = in_one_line(include_str!("guide.rs"));
    let path = require::repository().join("docs/rust-client.md");
    let text = std::fs::read_to_string(path).expect("the guide");
    let blocks: Vec<_> =
        text.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() >= 6, "the guide shows code");
    for block in blocks {
        assert!(code.contains(&in_one_line(block)), "this is not what is run:\n{block}");
    }
}
