//! Notifications: a channel for each person, published to by the server API, on devices that sleep.

use serde_json::json;

use crate::support::gallery::{
    Gallery, looks_good_everywhere, shows_its_code, shows_its_frames, tab_leads_to,
};
use crate::support::http::{get, post};
use crate::support::page::Page;
use crate::support::server::Server;
use crate::support::until::until;

async fn devices(gallery: &Gallery, left: &str, right: &str, width: u32) -> Page {
    gallery.page(&format!("/demos/notifications/?left={left}&right={right}"), width).await
}

#[tokio::test]
async fn what_a_backend_publishes_to_one_person_is_seen_by_that_person_alone() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = devices(&gallery, "ana", "ben", 1280).await;
    let notice = json!({ "channel": "inbox:#ana", "data": { "text": "only <b>you</b>" } });
    assert_eq!(gallery.api("publish", &notice).await["offset"], 1);
    page.until(
        "document.querySelector('[data-pane=left] [data-test=toast]')?.textContent === 'only <b>you</b>'",
    )
    .await;
    page.until("document.title.startsWith('(1) ')").await;

    // He hears what is for everybody, and not what was for her.
    page.evaluate("__demo.send(['ana', 'ben', 'cleo'], { text: 'for all' })").await;
    page.until("__demo.panes[0].texts.length === 2 && __demo.panes[1].texts.length === 1").await;
    assert_eq!(
        page.evaluate("__demo.panes.map(({ texts }) => texts)").await,
        json!([["only <b>you</b>", "for all"], ["for all"]])
    );
    let metrics = get(gallery.server.address, "/metrics").await.body;
    assert!(metrics.contains(r#"spanwire_api_calls_total{method="broadcast",code="0"} 1"#), "{metrics}");

    // Nor is he let in if he asks.
    let asks = "(async () => {
        const { connect } = await import('/spanwire.js');
        const { token } = await import('/demos/notifications/backend.js');
        const rt = connect({ getToken: () => token('ben') });
        return new Promise((resolve) => rt.channel('inbox:#ana').on('error', ({ code }) => resolve(code)));
    })()";
    assert_eq!(page.evaluate(asks).await, 103);
    gallery.behaved(&page);
}

#[tokio::test]
async fn what_is_read_on_one_device_is_read_on_all_of_them() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = devices(&gallery, "ana", "ana", 1280).await;
    let other = devices(&gallery, "ben", "ana", 1280).await;
    page.click("[data-test=move]").await;
    page.click("[data-test=announce]").await;
    page.until("__demo.panes.every(({ unread }) => unread === 2)").await;
    other.until("__demo.panes[1].unread === 2 && __demo.panes[0].unread === 0").await;
    let badge = "document.querySelector('[data-pane=right] [data-test=badge]')";
    assert_eq!(other.evaluate(&format!("{badge}.textContent")).await, "2");
    page.click("[data-pane=right] [data-test=read]").await;
    page.until("__demo.panes.every(({ unread }) => unread === 0) && !document.title.startsWith('(')").await;
    other.until(&format!("__demo.panes[1].unread === 0 && {badge}.hidden")).await;
    gallery.behaved(&page);
    gallery.behaved(&other);
}

#[tokio::test]
async fn two_tabs_of_a_browser_have_one_connection_for_each_device_and_show_the_same() {
    let Some(gallery) = Gallery::open().await else { return };
    let first = devices(&gallery, "ana", "ben", 1280).await;
    let mut second = gallery.browser.tab_beside(&first).await;
    second.resize(1280, 800).await;
    second.navigate(first.evaluate("location.href").await.as_str().expect("an address")).await;
    for tab in [&first, &second] {
        tab.until("__demo.ready && __demo.panes.every(({ connections }) => connections === 1)").await;
    }
    let metrics = get(gallery.server.address, "/metrics").await.body;
    assert!(metrics.lines().any(|line| line == "spanwire_clients 2"), "{metrics}");
    let same = "__demo.panes.map(({ client }) => client)";
    assert_eq!(first.evaluate(same).await, second.evaluate(same).await);

    second.click("[data-test=announce]").await;
    for tab in [&first, &second] {
        tab.until(
            "document.querySelector('[data-pane=left] [data-test=toast]') && __demo.panes[0].unread === 1",
        )
        .await;
        assert_eq!(tab.evaluate("__demo.panes[1].texts").await, json!([]));
    }
    first.click("[data-pane=left] [data-test=read]").await;
    second.until("__demo.panes[0].unread === 0 && !document.title.startsWith('(')").await;

    // A device that is cut comes back in both, and the tab that is left goes on without the other.
    first.click("[data-pane=left] [data-test=cut]").await;
    for tab in [&first, &second] {
        tab.until("__demo.panes[0].cuts === 1 && __demo.panes[0].state === 'connected'").await;
    }
    gallery.behaved_though_cut(&first);
    first.close().await;
    second.click("[data-test=announce]").await;
    second.until("__demo.panes[0].texts.length === 2 && __demo.panes[0].lost === 0").await;
    gallery.behaved_though_cut(&second);
}

#[tokio::test]
async fn three_that_came_while_a_device_slept_are_on_its_badge_when_it_wakes() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = devices(&gallery, "ana", "ana", 1280).await;
    page.click("[data-pane=right] [data-test=sleep]").await;
    page.until("__demo.panes[1].asleep && __demo.panes[1].state !== 'connected'").await;
    page.evaluate(
        "(async () => { for (const n of [1, 2, 3]) await __demo.send(['ana'], { text: `notice ${n}` }); })()",
    )
    .await;
    page.until("__demo.panes[0].unread === 3").await;
    assert_eq!(page.evaluate("__demo.panes[1].unread").await, 0);
    page.click("[data-pane=right] [data-test=sleep]").await;
    page.until("__demo.panes[1].state === 'connected' && __demo.panes[1].unread === 3").await;
    let woken = page.evaluate("[__demo.panes[1].texts, __demo.panes[1].lost]").await;
    assert_eq!(woken, json!([["notice 1", "notice 2", "notice 3"], 0]));
    page.until("document.querySelector('[data-pane=right] [data-test=toast]')?.textContent === '3 notices came while you were away.'")
        .await;
    gallery.behaved_though_cut(&page);
}

/// An inbox whose client says what this scene has it say, and what it shows after each of three parts: before the stream
/// began anew, right after, and when one notice of each kind has come by then.
const ANEW: &str = "(async () => {
    const { Inbox } = await import('/demos/notifications/inbox.js');
    const hears = {};
    const rt = { status: { state: 'connected' }, on: (type, hear) => (hears[type] = hear) };
    const inbox = new Inbox(rt, 'ana', { came() {}, caughtUp() {}, changed() {}, failed() {} });
    const seen = [];
    const look = () => seen.push([inbox.notices.map(({ text }) => text), inbox.unread, inbox.lost]);
    const hear = (offset, data) => hears.message({ channel: 'inbox:#ana', offset, data, recovered: false });
    hear(1, { text: 'first' });
    hear(2, { text: 'second' });
    hear(3, { read: 2 });
    look();
    hears.gap({ from: { epoch: 'old', offset: 3 }, to: { epoch: 'new', offset: 0 } });
    look();
    hear(1, { text: 'anew' });
    hears.gap({ from: { epoch: 'new', offset: 1 }, to: { epoch: 'new', offset: 3 } });
    hear(4, { text: 'later' });
    look();
    return seen;
})()";

#[tokio::test]
async fn notices_of_a_stream_that_began_anew_are_not_taken_for_those_before() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = devices(&gallery, "ben", "cleo", 1280).await;
    let seen = page.evaluate(ANEW).await;
    assert_eq!(seen, json!([[["first", "second"], 0, 0], [[], 0, 0], [["anew", "later"], 2, 2]]));
    gallery.behaved(&page);
}

#[tokio::test]
async fn a_device_can_be_handed_to_somebody_else() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = devices(&gallery, "ana", "ben", 1280).await;
    page.evaluate("__demo.send(['ana'], { text: 'for Ana' })").await;
    page.until("__demo.panes[0].unread === 1").await;
    for (user, texts) in [("cleo", json!([])), ("ana", json!(["for Ana"]))] {
        let choose = format!(
            "Object.assign(document.querySelector('[data-pane=right] [data-test=who]'), {{ value: '{user}' }})
                .dispatchEvent(new Event('change'))"
        );
        page.evaluate(&choose).await;
        page.until(&format!("__demo.panes[1].user === '{user}' && __demo.panes[1].ready")).await;
        assert_eq!(page.evaluate("__demo.panes[1].texts").await, texts);
    }
    // Who was signed in before is not there any more: only Ana is, and that on two devices.
    page.until("__demo.panes.every(({ connections }) => connections === 2)").await;
    let metrics = async || {
        get(gallery.server.address, "/metrics").await.body.contains("\nspanwire_clients 2\n").then_some(())
    };
    until("those who have signed out to be gone", metrics).await;
    gallery.behaved(&page);
}

#[tokio::test]
async fn the_backend_of_the_pages_is_for_them_and_knows_three_people() {
    let server = Server::dev().await;
    let token =
        |headers: &'static str, body: &'static str| post(server.address, "/dev/backend/token", headers, body);
    assert_eq!(token("", r#"{"user":"ana"}"#).await.status, 200);
    assert_eq!(token("Origin: https://evil.example\r\n", r#"{"user":"ana"}"#).await.status, 403);
    assert_eq!(token("", r#"{"user":"root"}"#).await.status, 422);
    let secure = Server::serve(json!({})).await;
    assert_eq!(post(secure.address, "/dev/backend/token", "", r#"{"user":"ana"}"#).await.status, 404);
}

#[tokio::test]
async fn it_shows_its_code_and_its_frames_and_can_be_used_by_keyboard() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = devices(&gallery, "ana", "ben", 1280).await;
    shows_its_code(&page, "shared(`${url}?as=${user}`, { getToken: () => token(user) })").await;
    let frames = shows_its_frames(&page, "[data-pane=left]").await.to_string();
    assert!(frames.contains("inbox:#ana"), "{frames}");
    tab_leads_to(&page, &["code", "to", "move", "announce", "busy", "who", "cut", "frames", "sleep", "list"])
        .await;
    gallery.behaved(&page);
}

#[tokio::test]
async fn it_is_light_legible_and_fits() {
    looks_good_everywhere("notifications", "/demos/notifications/?left=ana&right=cleo", async |_, page| {
        page.evaluate("document.querySelector('[data-test=to]').value = 'everybody'").await;
        let had = page.evaluate("__demo.panes[0].texts.length").await.as_u64().expect("a number");
        for (count, button) in [(1, "move"), (2, "move"), (3, "announce")] {
            page.click(&format!("[data-test={button}]")).await;
            page.until(&format!("__demo.panes.every(({{ texts }}) => texts.length >= {})", had + count))
                .await;
        }
        page.click("[data-pane=left] [data-test=read]").await;
        page.until("__demo.panes[0].unread === 0").await;
        page.click("[data-test=move]").await;
        page.until("__demo.panes[0].unread === 1").await;
    })
    .await;
}
