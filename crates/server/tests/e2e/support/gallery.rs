//! The pages of the gallery, and what is demanded of each: that it is light, asks nobody else, complains about nothing,
//! fits, can be read, and can be used without a mouse.

use serde_json::{Value, json};

use super::chromium::Chromium;
use super::http::post;
use super::page::Page;
use super::require;
use super::server::Server;

/// Most that a whole page may weigh, in bytes as they are sent.
const PAGE_BYTES_MAX: u64 = 100_000;

/// The least contrast of text with what is behind it (WCAG 2.2, success criterion 1.4.3, level AA), for small and for large text,
/// and what has no name for whoever cannot see it (4.1.2). A list of faults.
const FAULTS: &str = r#"(() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 });
    const context = canvas.getContext('2d', { willReadFrequently: true });
    const paint = (colour) => { context.fillStyle = colour; context.fillRect(0, 0, 1, 1); };
    const read = () => [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
    const behind = (element) => {
        const layers = [];
        for (let each = element; each; each = each.parentElement) layers.unshift(getComputedStyle(each).backgroundColor);
        paint('white');
        layers.forEach(paint);
        return read();
    };
    const light = (rgb) => {
        const [r, g, b] = rgb.map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (element) => {
        const back = light(behind(element));
        paint(getComputedStyle(element).color);
        const front = light(read());
        return (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    };
    const seen = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true })
        && !element.closest('.unseen, :disabled, svg, option, dialog:not([open])') && element.getClientRects().length;
    const texts = [...document.querySelectorAll('body *')].filter((element) => seen(element)
        && [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
    const pale = texts.flatMap((element) => {
        const { fontSize, fontWeight } = getComputedStyle(element);
        const px = parseFloat(fontSize);
        const least = px >= 24 || (px >= 18.66 && fontWeight >= 700) ? 3 : 4.5;
        const found = contrast(element);
        return found < least ? [`contrast ${found.toFixed(2)} of "${element.textContent.trim().slice(0, 40)}" (${element.className})`] : [];
    });
    const named = (element) => element.labels?.length || element.ariaLabel || element.textContent.trim() || element.getAttribute('aria-labelledby');
    const nameless = [...document.querySelectorAll('button, a, input, select, textarea, dialog, canvas, [role=log], [role=grid], svg:not([aria-hidden]):not([hidden]):not([hidden] *)')]
        .filter((element) => element.getClientRects().length && !named(element)).map((element) => `no name: ${element.outerHTML.slice(0, 120)}`);
    const headings = document.querySelectorAll('h1').length === 1 ? [] : ['one h1, please'];
    const dead = [...document.querySelectorAll('[tabindex]:not([tabindex="0"]):not([tabindex="-1"])')].map(() => 'an order of its own for Tab');
    return [...pale, ...nameless, ...headings, ...dead];
})()"#;

/// How many bytes the page has loaded, what its clients exchange left out.
pub(crate) const WEIGHT: &str =
    "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    .filter(({ name }) => !/\\/connection\\/|\\/dev\\/|\\/emulation|\\/metrics/.test(name))
    .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)";

/// Resolves when nothing moves that would come to rest.
const STILL: &str = "Promise.allSettled(document.getAnimations()
    .filter((each) => each.effect.getTiming().iterations !== Infinity).map(({ finished }) => finished))";

/// The most presses of Tab that lead through a page.
const TABS_MAX: usize = 80;

/// A server that shows the gallery, and a browser to look at it.
pub(crate) struct Gallery {
    pub(crate) server: Server,
    pub(crate) browser: Chromium,
}

impl Gallery {
    pub(crate) async fn open() -> Option<Self> {
        let chromium = require::chromium()?;
        Some(Self { server: Server::dev().await, browser: Chromium::launch(&chromium).await })
    }

    /// Opens a page, as a person of its own, and waits until it is ready and connected.
    pub(crate) async fn page(&self, path: &str, width: u32) -> Page {
        self.open_in(self.browser.page().await, path, width).await
    }

    /// The same with the stock client `centrifuge` in place of ours, where that is installed: it is what `/spanwire.js`
    /// brings then, and the page knows nothing of it.
    pub(crate) async fn page_with_stock_client(&self, path: &str) -> Option<Page> {
        let client = "node_modules/centrifuge/dist/centrifuge.js";
        require::node_with("e2e/node", client)?;
        let read = |path: &str| std::fs::read_to_string(require::repository().join("e2e").join(path));
        let mut page = self.browser.page().await;
        page.before_scripts(&read(&format!("node/{client}")).expect("it is installed")).await;
        let adapter = read("browser/centrifuge.js").expect("a file of this repository");
        page.answer_with_script("/spanwire.js", &adapter).await;
        let page = self.open_in(page, path, 1280).await;
        let offered = page.evaluate("import('/spanwire.js').then((module) => Object.keys(module))").await;
        assert_eq!(offered, json!(["connect"]), "this is not our client");
        Some(page)
    }

    async fn open_in(&self, mut page: Page, path: &str, width: u32) -> Page {
        page.resize(width, 800).await;
        page.navigate(&format!("http://localhost:{}{path}", self.server.address.port())).await;
        page.until(
            "window.__demo?.ready && (__demo.panes ?? []).every(({ state }) => state === 'connected')",
        )
        .await;
        page
    }

    /// Calls the server API with the key that the dev profile has printed, and returns the result.
    pub(crate) async fn api(&self, method: &str, body: &Value) -> Value {
        let said = self.server.said();
        let key = said.split("X-API-Key: ").nth(1).and_then(|rest| rest.split_whitespace().next());
        let header = format!("X-API-Key: {}\r\n", key.expect("the dev profile prints its key"));
        let path = format!("/api/{method}");
        let answer = post(self.server.address, &path, &header, &body.to_string()).await.json();
        assert!(answer["error"].is_null(), "{answer}");
        answer["result"].clone()
    }

    /// What holds for a page that nothing befell, at the end of its scene: no complaint, and no request to anybody else.
    ///
    /// A client gives up what does not open in its time, which the browser writes down. On a machine without time that
    /// happens to any page, so it is forgiven; a connection that was refused or has broken is not.
    pub(crate) fn behaved(&self, page: &Page) {
        self.demand_of(page, |text| {
            text.contains("WebSocket is closed before the connection is established")
        });
    }

    /// The same for a page that its scene has cut or blocked: the browser writes down each connection that broke or was
    /// refused, and that is forgiven as well.
    pub(crate) fn behaved_though_cut(&self, page: &Page) {
        self.demand_of(page, |text| text.contains("/connection/") || text.contains("/emulation"));
    }

    fn demand_of(&self, page: &Page, is_forgiven: impl Fn(&str) -> bool) {
        let complaints: Vec<_> = page.complaints().into_iter().filter(|text| !is_forgiven(text)).collect();
        assert!(complaints.is_empty(), "{complaints:#?}");
        let here = format!("://localhost:{}/", self.server.address.port());
        let foreign: Vec<_> = page.requests().into_iter().filter(|url| !url.contains(&here)).collect();
        assert!(foreign.is_empty(), "these left the origin: {foreign:?}");
    }
}

/// Looks at a page on a screen and on a phone, each in both themes, once it has something to show.
pub(crate) async fn looks_good_everywhere(name: &str, path: &str, liven: impl AsyncFn(&Gallery, &Page)) {
    let Some(gallery) = Gallery::open().await else { return };
    for width in [1280, 360] {
        let page = gallery.page(path, width).await;
        liven(&gallery, &page).await;
        looks_good(&page, name, width).await;
        gallery.behaved(&page);
    }
}

/// Takes pictures of the page as it is in both themes, and demands of it what a good page has.
async fn looks_good(page: &Page, name: &str, width: u32) {
    for theme in ["light", "dark"] {
        page.prefer(theme).await;
        page.evaluate(STILL).await;
        page.screenshot(&format!("{name}-{theme}-{width}")).await;
        let faults = page.evaluate(FAULTS).await;
        assert_eq!(faults, json!([]), "{name} in {theme} at {width}");
    }
    // Nothing may be wider than the screen, or a phone shows everything smaller than it was meant to be.
    let wider = "innerWidth + Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)";
    assert_eq!(page.evaluate(wider).await, width, "{name}");
    let bytes = page.evaluate(WEIGHT).await.as_u64().expect("a sum");
    assert!((1..PAGE_BYTES_MAX).contains(&bytes), "{name} weighs {bytes} bytes");
    let painted = page.until("performance.getEntriesByName('first-contentful-paint')[0]?.startTime").await;
    println!("{name} at {width}: {bytes} bytes, first painted after {painted} ms");
}

/// Goes through the page with Tab, from its top, until each of these `data-test` had the focus and showed it.
pub(crate) async fn tab_leads_to(page: &Page, wanted: &[&str]) {
    page.evaluate("document.querySelector('.brand').focus()").await;
    let focused = "document.activeElement.matches(':focus-visible') && document.activeElement.dataset.test";
    let mut missing = wanted.to_vec();
    for _ in 0..TABS_MAX {
        page.press("Tab", 9).await;
        let here = page.evaluate(focused).await;
        missing.retain(|wanted| here != *wanted);
        if missing.is_empty() {
            return;
        }
    }
    panic!("Tab does not lead to {missing:?}");
}

/// Takes a picture of an open drawer, of which the same is demanded as of the page.
pub(crate) async fn is_legible(page: &Page, what: &str) {
    let title = page.evaluate("document.title.split(' · ')[0].toLowerCase().replaceAll(' ', '-')").await;
    let title = title.as_str().expect("a page has a title");
    page.evaluate(STILL).await;
    page.screenshot(&format!("{title}-{what}")).await;
    assert_eq!(page.evaluate(FAULTS).await, json!([]), "{what} of {title}");
}

/// Reads the source that the page shows of itself, and demands that it is one that can be read in one go.
pub(crate) async fn shows_its_code(page: &Page, telling: &str) {
    page.click("[data-test=code]").await;
    let shown = "document.querySelector('[data-test=drawer] code').textContent";
    page.until(&format!("{shown}.includes({})", json!(telling))).await;
    let lines = page.evaluate(&format!("{shown}.trim().split('\\n').length")).await;
    assert!(lines.as_u64().is_some_and(|lines| lines <= 60), "{lines} lines are too many to show");
    is_legible(page, "code").await;
    page.click("[data-test=close-drawer]").await;
    page.until("!document.querySelector('[data-test=drawer]').open").await;
}

/// Reads the frames of a place on the page in their drawer, and returns those that are there.
pub(crate) async fn shows_its_frames(page: &Page, place: &str) -> Value {
    page.click(&format!("{place} [data-test=frames]")).await;
    let rows = "[...document.querySelectorAll('[data-test=frame]')]";
    page.until(&format!("{rows}.length > 1")).await;
    let frames = page
        .evaluate(&format!("{rows}.map((row) => [row.dataset.sent, row.querySelector('code').textContent])"))
        .await;
    is_legible(page, "frames").await;
    page.click("[data-test=close-frames-drawer]").await;
    frames
}
