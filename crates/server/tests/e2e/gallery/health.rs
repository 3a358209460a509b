//! System health: the server's own metrics, pushed by the server, and compared with what it says when it is asked.

use std::sync::Arc;
use std::time::Instant;

use serde_json::json;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::support::descriptors;
use crate::support::gallery::{
    Gallery, looks_good_everywhere, shows_its_code, shows_its_frames, tab_leads_to,
};
use crate::support::http::get;
use crate::support::page::Page;
use crate::support::peer::{EMPTY, Peer};
use crate::support::server::Server;
use crate::support::until::until;

const PAGE: &str = "/demos/health/";

/// How many are there while the tiles are compared, and leave all at once.
const COMPARED: u32 = 100;

/// How many watch a match, and how many of them leave before its end.
const VIEWERS: u32 = 2_000;
const LEAVING: u32 = 500;

/// Of what the metrics are as a whole, how much they may be as patches.
const PATCHED_PART_MAX: f64 = 0.4;

/// How many come at the same time: a hall has a few doors.
const DOORS: usize = 32;

/// A sample of `/metrics`, by its name and labels.
async fn metric(server: &Server, name: &str) -> f64 {
    let text = get(server.address, "/metrics").await.body;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{name} is not in {text}"))
}

/// Those who watch a channel in which nothing is said: they answer the server's signs of life until they are told to go.
struct Viewers {
    /// Of how many of them it is time to go.
    gone: watch::Sender<u32>,
    tasks: JoinSet<()>,
}

impl Viewers {
    async fn gather(server: &Server, channel: &'static str, count: u32) -> Self {
        let (gone, told) = watch::channel(0);
        let mut tasks = JoinSet::new();
        let doors = Arc::new(Semaphore::new(DOORS));
        let mut coming = JoinSet::new();
        for _ in 0..count {
            let (address, doors) = (server.address, doors.clone());
            coming.spawn(async move {
                let _door = doors.acquire().await.expect("doors stay open");
                Peer::subscribe(address, channel).await
            });
        }
        for number in 0..count {
            let peer = coming.join_next().await.expect("as many as were asked for").expect("they get in");
            tasks.spawn(stay(peer, number, told.clone()));
        }
        Self { gone, tasks }
    }

    /// Lets so many go, and waits until they have closed their connections.
    async fn leave(&mut self, count: u32) {
        self.gone.send_modify(|gone| *gone += count);
        for _ in 0..count {
            self.tasks.join_next().await.expect("they are there").expect("they leave in peace");
        }
    }
}

async fn stay(mut peer: Peer, number: u32, mut gone: watch::Receiver<u32>) {
    while number >= *gone.borrow_and_update() {
        tokio::select! {
            _ = peer.sooner_or_later() => peer.text(EMPTY).await,
            // Who gathered them keeps this open until they are gone.
            _ = gone.changed() => {}
        }
    }
    peer.leave().await;
}

#[tokio::test]
async fn its_tiles_are_what_the_server_says_when_it_is_asked() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = gallery.page(PAGE, 1280).await;
    let mut viewers = Viewers::gather(&gallery.server, "news", COMPARED).await;
    // Two panes, and all those others, each of them with a subscription; a channel counts once on each shard.
    let all = f64::from(COMPARED + 2);
    let channels = metric(&gallery.server, "spanwire_channels").await;
    for (tile, name, expected) in [
        ("clients", "spanwire_clients", all),
        ("subscriptions", "spanwire_subscriptions", all),
        ("channels", "spanwire_channels", channels),
        ("let_go", "spanwire_outbox_overflows_total", 0.0),
    ] {
        assert_eq!(metric(&gallery.server, name).await, expected, "{name}");
        page.until(&format!("__demo.panes.every(({{ tiles }}) => tiles.{tile} === {expected})")).await;
        page.until(&format!(
            "[...document.querySelectorAll('[data-part={tile}]')].every(({{ textContent }}) => textContent === '{expected}')"
        ))
        .await;
    }
    let name = "spanwire_transport_sessions{transport=\"websocket\"}";
    let now = metric(&gallery.server, name).await;
    page.until(&format!("__demo.now(0, {}) === {now}", json!(name))).await;
    viewers.leave(COMPARED).await;
    page.until("__demo.panes.every(({ tiles }) => tiles.clients === 2 && tiles.subscriptions === 2)").await;
    let gone = "spanwire_disconnects_total{code=\"3000\"}";
    let total = metric(&gallery.server, gone).await;
    page.until(&format!("__demo.panes.every((_, pane) => __demo.now(pane, {}) === {total})", json!(gone)))
        .await;
    gallery.behaved(&page);
}

#[tokio::test]
async fn two_thousand_viewers_are_counted_and_so_are_those_who_stay_when_five_hundred_leave() {
    let Some(gallery) = Gallery::open().await else { return };
    descriptors::raise();
    let page = gallery.page(PAGE, 1280).await;
    let began = Instant::now();
    let mut viewers = Viewers::gather(&gallery.server, "match", VIEWERS).await;
    println!("{VIEWERS} viewers have come after {:?}", began.elapsed());
    for (leaving, staying) in [(0, VIEWERS), (LEAVING, VIEWERS - LEAVING), (VIEWERS - LEAVING, 0)] {
        let asked = Instant::now();
        viewers.leave(leaving).await;
        // Whoever asks is told two numbers, however many there are.
        let expected = json!({ "num_clients": staying, "num_users": u32::from(staying > 0) });
        until(&format!("presence to be {expected}"), async || {
            let stats = gallery.api("presence_stats", &json!({ "channel": "match" })).await;
            (stats == expected).then_some(())
        })
        .await;
        page.until(&format!("__demo.panes.every(({{ tiles }}) => tiles.clients === {})", staying + 2)).await;
        println!(
            "{staying} are counted on both screens {:?} after {leaving} were told to go",
            asked.elapsed()
        );
    }
    gallery.behaved(&page);
}

/// Compares the samples of both panes with those of somebody who takes no deltas, and how much was told of them.
async fn its_samples_come_as_patches(gallery: &Gallery, page: &Page) {
    let mut whole = Peer::subscribe(gallery.server.address, "health:node").await;
    for _ in 0..5 {
        let sample = whole.publication().await;
        let values = sample["values"].as_object().expect("values by their names");
        for pane in [0, 1] {
            let heard = page.until(&format!("__demo.sampleOf({pane}, {})", sample["at"])).await;
            assert_eq!(heard["values"].as_object().map(serde_json::Map::len), Some(values.len()));
            // The one reads 1 where the other reads 1.0.
            for (name, value) in values {
                assert_eq!(heard["values"][name].as_f64(), value.as_f64(), "{name}");
            }
        }
    }
    let patches = metric(&gallery.server, "spanwire_delta_bytes_total{kind=\"patch\"}").await;
    let saved = metric(&gallery.server, "spanwire_delta_saved_bytes_total").await;
    let part = patches / (patches + saved);
    println!("{patches} bytes of patches saved {saved}: they are {:.1} % of the samples", part * 100.0);
    assert!(patches > 0.0 && part < PATCHED_PART_MAX, "{part}");
    gallery.behaved(page);
}

#[tokio::test]
async fn its_samples_come_as_patches_much_smaller_than_they_are_and_are_the_same() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = gallery.page(PAGE, 1280).await;
    its_samples_come_as_patches(&gallery, &page).await;
}

#[tokio::test]
async fn with_the_stock_client_its_samples_come_as_patches_too() {
    let Some(gallery) = Gallery::open().await else { return };
    let Some(page) = gallery.page_with_stock_client(PAGE).await else { return };
    its_samples_come_as_patches(&gallery, &page).await;
}

#[tokio::test]
async fn a_crowd_comes_talks_and_goes_and_every_screen_counts_it() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = gallery.page(PAGE, 1280).await;
    page.click("[data-test=come]").await;
    page.until("__demo.panes.every(({ tiles }) => tiles.clients === 27)").await;
    page.click("[data-test=talk]").await;
    page.until("__demo.panes.every(({ tiles }) => tiles.messages > 20 && tiles.delay > 0)").await;
    page.click("[data-test=leave]").await;
    page.until("__demo.panes.every(({ tiles }) => tiles.clients === 2)").await;
    assert_eq!(page.evaluate("document.querySelector('[data-test=leave]').disabled").await, true);
    gallery.behaved(&page);
}

#[tokio::test]
async fn a_screen_that_was_cut_has_every_sample_when_it_is_back() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = gallery.page(PAGE, 1280).await;
    page.click("[data-pane=left] [data-test=outage]").await;
    page.until("__demo.panes[0].state !== 'connected'").await;
    page.until("__demo.panes[0].state === 'connected' && __demo.panes[1].samples > 6").await;
    page.until("__demo.panes[0].samples >= __demo.panes[1].samples && __demo.panes[0].cuts === 1").await;
    assert_eq!(page.evaluate("__demo.panes.map(({ lost }) => lost)").await, json!([0, 0]));
    gallery.behaved_though_cut(&page);
}

#[tokio::test]
async fn it_shows_its_code_and_its_frames_and_can_be_used_by_keyboard() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = gallery.page(PAGE, 1280).await;
    shows_its_code(&page, "rt.channel(\"health:node\"").await;
    let frames = shows_its_frames(&page, "[data-pane=left]").await.to_string();
    assert!(frames.contains("spanwire_clients"), "{frames}");
    tab_leads_to(&page, &["code", "theme", "come", "cut", "outage", "transport", "frames"]).await;
    gallery.behaved(&page);
}

#[tokio::test]
async fn it_is_light_legible_and_fits() {
    looks_good_everywhere("health", PAGE, async |_, page| {
        page.click("[data-test=come]").await;
        page.click("[data-test=talk]").await;
        page.until("__demo.panes.every(({ samples, tiles }) => samples > 8 && tiles.messages > 20)").await;
    })
    .await;
}

#[tokio::test]
async fn codes_are_said_in_words_and_by_themselves_where_there_are_none() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = gallery.page(PAGE, 1280).await;
    let said = "(async () => {
        const { words } = await import('/demos/frame/words.js');
        return [[1001, ''], [3012, ''], [3012, 'slow: 3012: see the table'], ['hidden', ''], ['bad_frame', ''], ['closed', '']]
            .map(([code, message]) => words({ code, message }));
    })()";
    let expected = [
        "1001, the other side went away",
        "3012",
        "3012, slow",
        "the page was left",
        "what came was not the protocol",
        "closed by this page",
    ];
    assert_eq!(page.evaluate(said).await, json!(expected));
}
