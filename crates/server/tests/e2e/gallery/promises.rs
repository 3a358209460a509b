//! What the pages promise about time, measured, and left in `target/tmp/promises-*.json` for a person to read.
//!
//! Each promise is tried twice. Beside all other tests only what is out of all proportion fails: there, two cores have
//! several browsers and servers to run. As it stands it is demanded where nothing else runs, as `.ci/run` does at the end:
//!
//!     cargo test -p spanwire --test e2e -- --ignored --test-threads 1 alone_on_its_machine

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::gallery::{Gallery, WEIGHT};

/// From the call of the server API until the notice is on the page.
const TOAST: Duration = Duration::from_millis(300);

/// From the navigation until there is something to see.
const PAINT: Duration = Duration::from_millis(300);

/// From the server's clock to the page, for ninety-nine of a hundred batches of prices.
const DELAY: Duration = Duration::from_millis(50);

/// How many pictures the ticker draws in a second.
const FRAMES: u32 = 55;

/// From the moment in which a proxy begins to refuse WebSockets until the page has another transport.
const FALLBACK: Duration = Duration::from_secs(3);

/// What a whole page weighs at most as it is sent, in bytes.
const BYTES: u64 = 150_000;

/// How often something is tried. The best counts, for what disturbs it on a machine makes it slower and never faster.
const TRIES: usize = 5;

/// By how much a promise may be missed beside all other tests, where two cores run several browsers. It still finds what
/// waits for a retry, or stands in a queue that grows.
const NOISE: u32 = 10;

/// The same where a promise is in seconds. A page that never tries another transport is not back before its scene is over.
const NOISE_OF_SECONDS: u32 = 4;

/// Keeps figures for a person.
fn keep(name: &str, figures: &Value) {
    println!("{name}: {figures}");
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("promises-{name}.json"));
    std::fs::write(path, figures.to_string()).expect("figures can be written");
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

#[tokio::test]
async fn a_notice_is_seen_soon_after_the_call_that_sent_it() {
    notice(NOISE).await;
}

#[tokio::test]
#[ignore = "measures, and so needs the machine for itself"]
async fn a_notice_is_seen_in_time_alone_on_its_machine() {
    notice(1).await;
}

async fn notice(noise: u32) {
    let Some(gallery) = Gallery::open().await else { return };
    let page = gallery.page("/demos/notifications/?left=ana&right=ben", 1280).await;
    let mut times = Vec::new();
    for n in 0..TRIES {
        let text = format!("notice {n}");
        let notice = json!({ "channel": "inbox:#ana", "data": { "text": text } });
        let called = Instant::now();
        gallery.api("publish", &notice).await;
        page.until(&format!(
            "[...document.querySelectorAll('[data-pane=left] [data-test=toast]')].at(-1)?.textContent === {}",
            json!(text)
        ))
        .await;
        times.push(called.elapsed());
        if times[n] < TOAST * noise {
            break;
        }
    }
    keep("notice", &json!({ "milliseconds": times.iter().copied().map(milliseconds).collect::<Vec<_>>() }));
    let best = times.into_iter().min().expect("one at least");
    assert!(best < TOAST * noise, "{best:?}");
    gallery.behaved(&page);
}

#[tokio::test]
async fn every_page_is_light_and_soon_there() {
    pages(NOISE).await;
}

#[tokio::test]
#[ignore = "measures, and so needs the machine for itself"]
async fn every_page_is_there_in_time_alone_on_its_machine() {
    pages(1).await;
}

async fn pages(noise: u32) {
    let Some(gallery) = Gallery::open().await else { return };
    let index = gallery.page("/", 1280).await;
    let listed =
        index.evaluate("[...document.querySelectorAll('a.demo')].map(({ pathname }) => pathname)").await;
    let listed =
        listed.as_array().expect("a list").iter().map(|path| path.as_str().expect("a path").to_owned());
    let mut figures = json!({});
    for path in ["/".to_owned()].into_iter().chain(listed) {
        let mut painted = f64::INFINITY;
        for _ in 0..TRIES {
            // Each is a person of its own, with an empty cache.
            let page = gallery.page(&path, 1280).await;
            let bytes = page.evaluate(WEIGHT).await.as_u64().expect("a sum");
            assert!((1..BYTES).contains(&bytes), "{path} weighs {bytes} bytes");
            let time =
                page.until("performance.getEntriesByName('first-contentful-paint')[0]?.startTime").await;
            painted = painted.min(time.as_f64().expect("a time"));
            figures[&path] = json!({ "bytes": bytes, "painted_ms": painted.round() });
            page.close().await;
            if painted < milliseconds(PAINT * noise) {
                break;
            }
        }
        assert!(painted < milliseconds(PAINT * noise), "{path} is painted after {painted} ms");
    }
    keep("pages", &figures);
}

#[tokio::test]
async fn prices_do_not_queue_up_on_the_way_to_the_page_and_it_keeps_drawing() {
    // The slowest of a hundred is the machine's here, and so is how often it draws; a queue that grows delays the middle one
    // as well, and a page that does nothing but read never draws.
    prices(10_000, &format!("p50 < {} && fps > 1", milliseconds(DELAY * NOISE))).await;
}

#[tokio::test]
#[ignore = "measures, and so needs the machine for itself"]
async fn prices_are_on_the_page_in_time_alone_on_its_machine() {
    // Twenty seconds, which is as far back as a page's figures go.
    prices(40_000, &format!("p99 < {} && fps >= {FRAMES}", milliseconds(DELAY))).await;
}

#[tokio::test]
async fn a_page_whose_websockets_are_refused_soon_has_another_transport() {
    fallback(NOISE_OF_SECONDS).await;
}

#[tokio::test]
#[ignore = "measures, and so needs the machine for itself"]
async fn a_page_whose_websockets_are_refused_has_another_transport_in_time_alone_on_its_machine() {
    fallback(1).await;
}

async fn fallback(noise: u32) {
    let Some(gallery) = Gallery::open().await else { return };
    let page = gallery.page("/demos/fallback-lab/", 1280).await;
    page.until("__demo.chooser.transport === 'websocket' && __demo.chooser.last > 8").await;
    let refused = Instant::now();
    page.click("[data-test=refuse]").await;
    page.until("__demo.chooser.state === 'connected' && __demo.chooser.transport !== 'websocket'").await;
    let found = refused.elapsed();
    let account = "__demo.chooser.last > 16 && (({ transport, lost, twice }) => ({ transport, lost, twice }))(__demo.chooser)";
    let account = page.until(account).await;
    keep("fallback", &json!({ "milliseconds": milliseconds(found), "account": account }));
    assert_eq!([&account["lost"], &account["twice"]], [0, 0]);
    assert!(found < FALLBACK * noise, "{found:?}");
    gallery.behaved_though_cut(&page);
}

/// Waits until both panes have heard so many prices and then until this is true of both.
async fn prices(updates: u64, expected: &str) {
    let Some(gallery) = Gallery::open().await else { return };
    let page = gallery.page("/demos/ticker/", 1280).await;
    page.until_within(60, &format!("__demo.panes.every((pane) => pane.updates > {updates})")).await;
    page.until_within(60, &format!("__demo.panes.every(({{ p50, p99, fps }}) => {expected})")).await;
    let figures =
        "__demo.panes.map(({ rate, p50, p99, fps, wrong, lost }) => ({ rate, p50, p99, fps, wrong, lost }))";
    let figures = page.evaluate(figures).await;
    keep("prices", &figures);
    for pane in figures.as_array().expect("two panes") {
        assert_eq!([&pane["wrong"], &pane["lost"]], [0, 0]);
    }
    gallery.behaved(&page);
}
