//! The ticker: two thousand prices a second, proved by checksums, and heard by somebody else as well.

use serde_json::{Value, json};

use crate::support::gallery::{
    Gallery, looks_good_everywhere, shows_its_code, shows_its_frames, tab_leads_to,
};
use crate::support::page::Page;
use crate::support::peer::Peer;
use crate::support::server::Server;
use crate::support::until::until;

const PAGE: &str = "/demos/ticker/";

/// How much a page may have grown in all the prices that it has heard meanwhile, in bytes.
const GROWTH_BYTES_MAX: i64 = 5_000_000;

/// Compares what the panes hear with what somebody else hears, and with what the server says of all prices.
async fn prices_are_those_that_anybody_else_hears(gallery: &Gallery, page: &Page) {
    let checkpoint = Peer::subscribe(gallery.server.address, "market:all").await.publication().await;
    let (n, sum) = (&checkpoint["n"], &checkpoint["sum"]);
    for pane in [0, 1] {
        page.until(&format!("__demo.sumAt({pane}, {n}) === {sum}")).await;
    }
    page.until("__demo.panes.every(({ updates, checked }) => updates > 4_000 && checked > 40)").await;
    assert_eq!(
        page.evaluate("__demo.panes.map(({ wrong, lost }) => [wrong, lost])").await,
        json!([[0, 0], [0, 0]])
    );
}

#[tokio::test]
async fn its_prices_are_those_that_anybody_else_hears() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = gallery.page(PAGE, 1280).await;
    prices_are_those_that_anybody_else_hears(&gallery, &page).await;
    page.until("__demo.panes.every(({ rate, alone, together }) => rate > 0 && alone > 0 && together > 0)")
        .await;
    gallery.behaved(&page);
}

#[tokio::test]
async fn with_the_stock_client_its_prices_are_the_same_and_so_they_are_after_a_cut() {
    let Some(gallery) = Gallery::open().await else { return };
    let Some(page) = gallery.page_with_stock_client(PAGE).await else { return };
    prices_are_those_that_anybody_else_hears(&gallery, &page).await;
    an_outage_costs_no_batch(&gallery, &page).await;
}

#[tokio::test]
async fn its_order_book_is_what_anybody_else_hears_and_only_that_of_the_share_which_is_looked_at() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = gallery.page(PAGE, 1280).await;
    let watched = async |expected: serde_json::Value| {
        let channels = async || {
            let channels = gallery.api("channels", &json!({ "pattern": "book:*" })).await;
            (channels["channels"] == expected).then_some(())
        };
        until(&format!("the books that are watched to be {expected}"), channels).await;
    };
    watched(json!({ "book:1": { "num_clients": 1 }, "book:7": { "num_clients": 1 } })).await;

    // The other trader looks at the same share, by keyboard.
    let same = "document.querySelector(`[data-pane=right] tr[data-name=${__demo.panes[0].share}] button`)";
    page.evaluate(&format!("{same}.focus()")).await;
    page.press_enter().await;
    watched(json!({ "book:1": { "num_clients": 2 } })).await;
    let mut peer = Peer::subscribe(gallery.server.address, "book:1").await;
    for _ in 0..3 {
        let book = peer.publication().await;
        for pane in [0, 1] {
            let shown = page.until(&format!("__demo.bookAt({pane}, {})", book["n"])).await;
            assert_eq!(shown, book);
        }
    }
    page.until("document.querySelectorAll('[data-pane=right] [data-test=book] tbody tr').length === 8").await;
    gallery.behaved(&page);
}

#[tokio::test]
async fn a_slow_line_brings_every_batch_later_and_none_less() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = gallery.page(PAGE, 1280).await;
    page.click("[data-pane=left] [data-test=slow]").await;
    page.until("__demo.panes[0].p50 >= 300").await;
    page.until("'done' in document.querySelector('[data-try=slow]').dataset").await;
    let found = page.evaluate("__demo.panes.map(({ wrong, lost, cuts }) => [wrong, lost, cuts])").await;
    assert_eq!(found, json!([[0, 0, 0], [0, 0, 0]]));
    gallery.behaved(&page);
}

/// Two listeners to the latest forty batches: one is told all of them; the other the first ten, and then, as a slow reader is,
/// that some were left out, and the latest of each half.
const LEFT_OUT: &str = "(async () => {
    const { connect } = await import('/spanwire.js');
    const { Feed } = await import('/demos/ticker/feed.js');
    const { messages } = await connect().channel('market:all').history({ limit: 40 });
    const listener = () => {
        const hears = {};
        const feed = new Feed({ channel: () => ({ on: (type, hear) => (hears[type] = hear) }) }, () => {});
        return [feed, hears];
    };
    const [[all, hearsAll], [slow, hearsSlow]] = [listener(), listener()];
    messages.forEach((message) => hearsAll.message(message));
    messages.slice(0, 10).forEach((message) => hearsSlow.message(message));
    hearsSlow.gap({ from: { offset: messages[9].offset }, to: { offset: messages[37].offset } });
    messages.slice(38).forEach((message) => hearsSlow.message(message));
    const account = ({ checked, wrong, lost }) => [checked, wrong, lost];
    return [account(all), account(slow), slow.prices.every((price, share) => price > 0 && price === all.prices[share])];
})()";

#[tokio::test]
async fn who_is_given_only_the_latest_of_each_half_has_the_same_prices_as_who_heard_all() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = gallery.page(PAGE, 1280).await;
    page.until("__demo.panes[0].last > 40").await;
    assert_eq!(page.evaluate(LEFT_OUT).await, json!([[39, 0, 0], [10, 0, 28], true]));
    gallery.behaved(&page);
}

#[tokio::test]
async fn the_series_is_the_same_on_every_server() {
    let mut heard = Vec::new();
    for _ in 0..2 {
        let server = Server::dev().await;
        let mut peer = Peer::subscribe(server.address, "market:all").await;
        while peer.publication().await["n"].as_u64() < Some(3) {}
        let beginning = json!({ "channel": "market:all", "limit": 3, "since": { "offset": 0, "epoch": "" } });
        let history = peer.call("history", beginning).await;
        let said =
            |publication: &Value| (publication["data"]["p"].clone(), publication["data"]["sum"].clone());
        heard.push(history["publications"].as_array().expect("a list").iter().map(said).collect::<Vec<_>>());
    }
    assert_eq!(heard[0].len(), 3);
    assert_eq!(heard[0], heard[1]);
}

async fn an_outage_costs_no_batch(gallery: &Gallery, page: &Page) {
    page.click("[data-pane=left] [data-test=outage]").await;
    page.until("__demo.panes[0].state !== 'connected'").await;
    let before = page.evaluate("__demo.panes.map(({ last }) => last)").await;
    page.until(&format!("__demo.panes[0].state === 'connected' && __demo.panes[0].last > {}", before[0]))
        .await;
    page.until(&format!("__demo.panes[1].last > {} + 20", before[1])).await;
    let found = page.evaluate("__demo.panes.map(({ wrong, lost, cuts }) => [wrong, lost, cuts])").await;
    assert_eq!(found, json!([[0, 0, 1], [0, 0, 0]]));
    // Every batch was checked but the very first, which tells of half of the shares.
    assert_eq!(page.evaluate("__demo.panes[0].updates / 100 - __demo.panes[0].checked").await, 1);
    gallery.behaved_though_cut(page);
}

#[tokio::test]
async fn a_pane_that_was_cut_comes_back_with_every_batch_that_it_missed() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = gallery.page(PAGE, 1280).await;
    an_outage_costs_no_batch(&gallery, &page).await;
}

#[tokio::test]
async fn it_sorts_pauses_shows_another_share_its_code_and_its_frames() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = gallery.page(PAGE, 1280).await;
    let shown = "[...document.querySelectorAll('[data-pane=left] [data-test=grid] tbody tr')].slice(0, 8)
        .map((row) => parseFloat(row.cells[1].textContent))";
    let sorted = "document.querySelector('[data-pane=left] [data-test=grid] th:nth-child(2)').ariaSort";
    // By keyboard, and a second time for the other way around.
    page.evaluate("document.querySelector('[data-pane=left] [data-test=by-price]').focus()").await;
    for (way, compared) in
        [("descending", "price <= all[at - 1] * 1.01"), ("ascending", "price >= all[at - 1] * 0.99")]
    {
        page.press_enter().await;
        page.until(&format!("{sorted} === '{way}'")).await;
        page.until(&format!("{shown}.every((price, at, all) => at === 0 || {compared})")).await;
    }
    let share = page.evaluate("__demo.panes[0].names[3]").await;
    let share = share.as_str().expect("a name");
    page.click(&format!("[data-pane=left] tr[data-name={share}] button")).await;
    page.until(&format!("__demo.panes[0].share === '{share}' && __demo.panes[0].candles > 0")).await;

    page.click("[data-pane=left] [data-test=pause]").await;
    let still = page
        .evaluate("[__demo.panes[0].last, document.querySelector('[data-pane=left] [data-test=grid] tbody').textContent]")
        .await;
    page.until(&format!("__demo.panes[0].last > {} + 10", still[0])).await;
    assert_eq!(
        page.evaluate("document.querySelector('[data-pane=left] [data-test=grid] tbody').textContent").await,
        still[1]
    );

    shows_its_code(&page, "rt.channel(\"market:all\"").await;
    let frames = shows_its_frames(&page, "[data-pane=right]").await.to_string();
    assert!(frames.contains("market:all"), "{frames}");
    tab_leads_to(&page, &["code", "theme", "pause", "grid", "by-name", "by-price", "share"]).await;
    gallery.behaved(&page);
}

#[tokio::test]
async fn it_is_light_legible_and_fits() {
    looks_good_everywhere("ticker", PAGE, async |_, page| {
        page.until("__demo.panes.every(({ rate, candles }) => rate > 0 && candles > 10)").await;
    })
    .await;
}

/// Listens for so many prices, and says by how many bytes the page has grown in the second half of them.
async fn growth(updates: u64) -> i64 {
    let Some(gallery) = Gallery::open().await else { return 0 };
    let page = gallery.page(PAGE, 1280).await;
    let mut sizes = Vec::new();
    for part in [updates / 2, updates] {
        page.until_within(600, &format!("__demo.panes.every(({{ updates }}) => updates > {part})")).await;
        sizes.push(page.heap_bytes().await);
    }
    assert_eq!(page.evaluate("__demo.panes.map(({ wrong }) => wrong)").await, json!([0, 0]));
    gallery.behaved(&page);
    sizes[1] - sizes[0]
}

#[tokio::test]
async fn it_does_not_grow_with_what_it_has_heard() {
    let grown = growth(40_000).await;
    assert!(grown < GROWTH_BYTES_MAX, "{grown} bytes");
}

/// The same for a minute of 2,000 prices a second, after a minute of them: `cargo test --test e2e -- --ignored minute`.
#[tokio::test]
#[ignore = "takes two minutes"]
async fn it_does_not_grow_in_a_minute() {
    let grown = growth(240_000).await;
    println!("the page has grown by {grown} bytes in the second minute");
    assert!(grown < GROWTH_BYTES_MAX, "{grown} bytes");
}
