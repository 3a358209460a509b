//! The chat: two people on one page, each on a line that the page can cut.

use serde_json::json;

use crate::support::gallery::{
    Gallery, looks_good_everywhere, shows_its_code, shows_its_frames, tab_leads_to,
};
use crate::support::page::Page;

async fn chat(gallery: &Gallery, query: &str, panes: usize) -> Page {
    let page = gallery.page(&format!("/demos/chat/?{query}"), 1280).await;
    page.until(&format!(
        "__demo.panes.length === {panes} && __demo.panes.every(({{ ready, state }}) => ready && state === 'connected')"
    ))
    .await;
    page
}

/// Both say something while one of them is cut off.
async fn an_outage_costs_nothing_that_was_said(gallery: &Gallery, page: &Page) {
    page.click("[data-pane=left] [data-test=outage]").await;
    page.until("__demo.panes[0].state !== 'connected'").await;
    page.evaluate("for (let n = 1; n <= 20; n++) __demo.panes[1].say(`from the right ${n}`)").await;
    page.evaluate("for (let n = 1; n <= 5; n++) __demo.panes[0].say(`from the left ${n}`)").await;
    page.until("__demo.panes.every(({ messages }) => messages.filter(({ offset }) => offset).length === 25)")
        .await;
    page.until("__demo.panes[0].state === 'connected'").await;
    let said = "__demo.panes.map(({ messages }) => messages.map(({ text, offset }) => [offset, text]))";
    let said = page.evaluate(said).await;
    assert_eq!(said[0], said[1], "both have the same, in the same order");
    let offsets: Vec<_> = said[0].as_array().expect("a list").iter().map(|pair| pair[0].clone()).collect();
    assert_eq!(json!(offsets), json!((1..=25).collect::<Vec<_>>()), "each of them once");
    assert_eq!(
        page.evaluate("__demo.panes.map(({ gaps, cuts }) => [gaps, cuts])").await,
        json!([[0, 1], [0, 0]])
    );
    let fate = page.evaluate("__demo.panes[0].fate").await;
    assert!(fate.as_str().is_some_and(|fate| fate.starts_with("Last disconnect: ")), "{fate}");
    gallery.behaved_though_cut(page);
}

#[tokio::test]
async fn an_outage_of_one_pane_costs_it_nothing_that_was_said() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = chat(&gallery, "name=Ana", 2).await;
    an_outage_costs_nothing_that_was_said(&gallery, &page).await;
}

#[tokio::test]
async fn with_the_stock_client_an_outage_of_one_pane_costs_it_nothing_either() {
    let Some(gallery) = Gallery::open().await else { return };
    let Some(page) = gallery.page_with_stock_client("/demos/chat/?name=Ana").await else { return };
    page.until("__demo.panes.length === 2 && __demo.panes.every(({ ready, members }) => ready && members.length === 2)")
        .await;
    an_outage_costs_nothing_that_was_said(&gallery, &page).await;
    page.click("[data-pane=right] [data-test=text]").await;
    page.type_text("hm").await;
    page.until("__demo.panes[0].typing.length === 1").await;
}

#[tokio::test]
async fn messages_can_be_edited_removed_and_reacted_to_and_everybody_sees_it() {
    let Some(gallery) = Gallery::open().await else { return };
    let ana = chat(&gallery, "panes=1&name=Ana", 1).await;
    let ben = chat(&gallery, "panes=1&name=Ben", 1).await;
    ana.evaluate("__demo.say('helo')").await;
    ben.until("__demo.messages[0]?.text === 'helo'").await;
    ana.until("document.querySelector('[data-test=seen]')?.textContent === 'Seen by Ben'").await;

    // He may react and nothing else; she may change what was her own.
    ben.click("[data-test=more]").await;
    assert_eq!(ben.evaluate("document.querySelectorAll('.tools [data-test]').length").await, 4);
    ben.click("[data-test=react]").await;
    ana.until("document.querySelector('[data-test=reaction]')?.title === 'Ben'").await;
    ana.click("[data-test=more]").await;
    ana.click("[data-test=edit]").await;
    ana.evaluate("document.querySelector('[data-test=text]').select()").await;
    ana.type_text("hello").await;
    ana.press_enter().await;
    ben.until("__demo.messages[0].text === 'hello' && __demo.messages[0].edited").await;

    // Whoever says that he removes it is not believed, unless it was his.
    let forged = "(await import('/spanwire.js')).connect({ data: { name: 'Ben' } })
        .publish('chat:lobby', { about: __demo.messages[0].id, removed: true })";
    ben.evaluate(&format!("(async () => {{ await {forged}; }})()")).await;
    ana.evaluate("__demo.say('bye')").await;
    ben.until("__demo.messages.length === 2").await;
    assert_eq!(ben.evaluate("__demo.messages[0].removed").await, false);
    // Nothing moves any more under what is clicked on.
    ana.until(
        "[...document.querySelectorAll('[data-test=message]')].at(-1).querySelector('[data-test=seen]')",
    )
    .await;
    ana.click("[data-test=more]").await;
    ana.click("[data-test=remove]").await;
    for page in [&ana, &ben] {
        page.until("__demo.messages[0].removed").await;
        page.until("document.querySelector('.bubble').textContent === 'This message was removed.'").await;
    }

    // A late comer finds it as it is now.
    let eve = chat(&gallery, "panes=1&name=Eve", 1).await;
    let seen = eve
        .evaluate("__demo.messages.map(({ text, removed, reactions }) => [text, removed, reactions])")
        .await;
    assert_eq!(seen, json!([["hello", true, [["👍", ["Ben"]]]], ["bye", false, []]]));
    for page in [&ana, &ben, &eve] {
        gallery.behaved(page);
    }
}

#[tokio::test]
async fn two_hundred_messages_back_are_a_scroll_away() {
    let Some(gallery) = Gallery::open().await else { return };
    let ana = chat(&gallery, "panes=1&name=Ana", 1).await;
    ana.evaluate("for (let n = 1; n <= 200; n++) __demo.say(`message ${n}`)").await;
    ana.until("__demo.messages.length === 200 && __demo.messages.every(({ offset }) => offset)").await;

    let ben = chat(&gallery, "panes=1&name=Ben", 1).await;
    assert_eq!(ben.evaluate("__demo.messages.length").await, 50, "one page to begin with");
    // A person goes on scrolling up until all of it is there.
    ben.until("(document.querySelector('[data-test=log]').scrollTop = 0, __demo.messages.length === 200)")
        .await;
    let offsets = ben.evaluate("__demo.messages.map(({ offset }) => offset)").await;
    assert_eq!(offsets, json!((1..=200).collect::<Vec<_>>()));
    gallery.behaved(&ben);
}

#[tokio::test]
async fn who_reads_further_up_sees_how_much_is_new_and_where_it_begins() {
    let Some(gallery) = Gallery::open().await else { return };
    let ana = chat(&gallery, "panes=1&name=Ana", 1).await;
    let ben = chat(&gallery, "panes=1&name=Ben", 1).await;
    ana.evaluate("for (let n = 1; n <= 40; n++) __demo.say(`message ${n}`)").await;
    ana.until("__demo.messages.length === 40 && __demo.messages.every(({ offset }) => offset)").await;
    ana.until("(document.querySelector('[data-test=log]').scrollTop = 0, __demo.place)").await;
    ben.evaluate("for (const text of ['news', 'more of it']) __demo.say(text)").await;
    ana.until("__demo.unread === 2").await;
    let jump = "document.querySelector('[data-test=jump]')";
    assert_eq!(ana.evaluate(&format!("[{jump}.hidden, {jump}.textContent]")).await, json!([false, "2 new"]));
    let below = "document.querySelector('[data-test=unread]').closest('[data-test=message]')";
    assert_eq!(
        ana.evaluate(&format!("{below}.querySelector('.bubble').textContent")).await,
        "news",
        "the divider stands above the first of them"
    );
    // He is not told that she has read what she has not seen.
    assert_eq!(ben.evaluate("document.querySelectorAll('[data-test=seen]').length").await, 0);
    ana.click("[data-test=jump]").await;
    ana.until(&format!("__demo.unread === 0 && {jump}.hidden")).await;
    ben.until("document.querySelector('[data-test=seen]')?.textContent === 'Seen by Ana'").await;
    for page in [&ana, &ben] {
        gallery.behaved(page);
    }
}

#[tokio::test]
async fn who_is_cut_off_while_typing_is_not_shown_as_typing_for_ever() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = chat(&gallery, "name=Ana", 2).await;
    page.click("[data-pane=right] [data-test=text]").await;
    page.type_text("hm").await;
    page.until("__demo.panes[0].typing.length === 1").await;
    page.click("[data-pane=right] [data-test=outage]").await;
    page.until("__demo.panes[0].typing.length === 0").await;
    assert_eq!(page.evaluate("document.querySelector('[data-test=typing]').textContent").await, "");
    gallery.behaved_though_cut(&page);
}

#[tokio::test]
async fn what_is_said_in_one_room_is_not_heard_in_another() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = chat(&gallery, "name=Ana", 2).await;
    let other = chat(&gallery, "panes=1&name=Eve", 1).await;
    page.evaluate("__demo.say('in the lobby')").await;
    other.until("__demo.messages.length === 1").await;
    page.click("[data-pane=left] [data-room=kitchen]").await;
    page.until(
        "__demo.panes.every(({ room, ready, messages }) => room === 'kitchen' && ready && !messages.length)",
    )
    .await;
    other.until("__demo.members.join() === 'Eve'").await;
    page.evaluate("__demo.say('in the kitchen')").await;
    page.until("__demo.panes.every(({ messages }) => messages[0]?.text === 'in the kitchen')").await;
    page.click("[data-pane=left] [data-room=lobby]").await;
    page.until(
        "__demo.panes.every(({ messages }) => messages.length === 1 && messages[0].text === 'in the lobby')",
    )
    .await;
    assert_eq!(other.evaluate("__demo.messages.map(({ text }) => text)").await, json!(["in the lobby"]));
    for page in [&page, &other] {
        gallery.behaved(page);
    }
}

#[tokio::test]
async fn loading_the_page_again_finds_the_place_where_one_was_reading() {
    let Some(gallery) = Gallery::open().await else { return };
    let mut page = chat(&gallery, "panes=1&name=Ana", 1).await;
    page.evaluate("(async () => { for (let n = 1; n <= 200; n++) __demo.say(`message ${n}`); })()").await;
    page.until("__demo.messages.length === 200 && __demo.messages.every(({ offset }) => offset)").await;
    page.evaluate("document.querySelectorAll('[data-test=message]')[40].scrollIntoView({ block: 'start' })")
        .await;
    let place = page.until("__demo.place").await;
    assert!((38..=42).contains(&place.as_u64().expect("an offset")), "{place}");
    page.reload().await;
    page.until(&format!("__demo.ready && __demo.place === {place}")).await;
    let offsets = page.evaluate("__demo.messages.map(({ offset }) => offset)").await;
    let offsets = offsets.as_array().expect("a list");
    assert!(offsets.windows(2).all(|pair| pair[0].as_u64() < pair[1].as_u64()), "in order: {offsets:?}");
    gallery.behaved(&page);
}

#[tokio::test]
async fn bots_with_the_same_seed_say_the_same() {
    let Some(gallery) = Gallery::open().await else { return };
    let mut said = Vec::new();
    for room in ["one", "two"] {
        let page = chat(&gallery, &format!("panes=1&seed=7#{room}"), 1).await;
        page.until("__demo.members.length === 3 && __demo.messages.length >= 2").await;
        said.push(page.evaluate("__demo.messages.slice(0, 2).map(({ name, text }) => [name, text])").await);
        page.click("[data-test=bots]").await;
        page.until("__demo.members.length === 1").await;
        gallery.behaved(&page);
    }
    assert_eq!(said[0], said[1]);
}

#[tokio::test]
async fn another_transport_takes_the_seat_and_has_the_same_history() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = chat(&gallery, "panes=1&name=Ana", 1).await;
    page.evaluate("__demo.say('over a WebSocket')").await;
    page.until("__demo.messages[0]?.offset === 1").await;
    for transport in ["sse", "poll", "http_stream"] {
        let choose = format!(
            "Object.assign(document.querySelector('[data-test=transport]'), {{ value: '{transport}' }})
                .dispatchEvent(new Event('change'))"
        );
        page.evaluate(&choose).await;
        page.until(&format!(
            "__demo.transport === '{transport}' && __demo.ready && __demo.state === 'connected'"
        ))
        .await;
        assert_eq!(page.evaluate("__demo.messages[0].text").await, "over a WebSocket");
        page.evaluate(&format!("__demo.say('over {transport}')")).await;
        page.until(&format!(
            "__demo.messages.at(-1).text === 'over {transport}' && __demo.messages.at(-1).offset"
        ))
        .await;
    }
    gallery.behaved(&page);
}

#[tokio::test]
async fn it_shows_its_code_and_its_frames_and_can_be_used_by_keyboard() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = chat(&gallery, "name=Ana", 2).await;
    shows_its_code(&page, "room.on(\"gap\", on.gap)").await;
    let frames = shows_its_frames(&page, "[data-pane=left]").await.to_string();
    assert!(frames.contains("chat:lobby") && frames.contains("connect"), "{frames}");
    tab_leads_to(
        &page,
        &["code", "theme", "room", "text", "send", "name", "cut", "outage", "slow", "transport", "frames"],
    )
    .await;
    gallery.behaved(&page);
}

#[tokio::test]
async fn it_is_light_legible_and_fits_with_everything_it_can_show() {
    looks_good_everywhere("chat-full", "/demos/chat/?name=Ana", async |gallery, page| {
        let room = page.evaluate("innerWidth").await;
        page.evaluate(&format!("location.hash = 'at-{room}'")).await;
        page.until(&format!("__demo.room === 'at-{room}' && __demo.ready")).await;
        let eve = chat(gallery, &format!("panes=1&name=Eve#at-{room}"), 1).await;
        for (page, line) in
            [(&eve, "Is anybody there?"), (page, "I am. It is quiet here."), (page, "Not for long!")]
        {
            page.evaluate(&format!("__demo.say({})", json!(line))).await;
            page.until(&format!(
                "__demo.messages.at(-1)?.text === {} && __demo.messages.at(-1).offset",
                json!(line)
            ))
            .await;
        }
        eve.until("__demo.messages.length === 3").await;
        eve.click("[data-test=more]").await;
        eve.click("[data-test=react]").await;
        page.until(
            "document.querySelector('[data-test=reaction]') && document.querySelector('[data-test=seen]')",
        )
        .await;
        page.click("[data-test=more]").await;
        page.click("[data-test=slow]").await;
    })
    .await;
}
