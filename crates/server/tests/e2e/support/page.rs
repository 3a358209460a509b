//! One page of the browser, used as a person uses it: look, click, type, wait until something is to be seen.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use super::chromium::DevTools;
use super::until::{PATIENCE, within};

/// How long a page waits for something to be seen on it: longer than the longest time that a client of ours waits
/// before it tries again to connect, and shorter than [`PATIENCE`], so that the page can say what was missing.
const ON_THE_PAGE: Duration = Duration::from_secs(25);
const _: () = assert!(ON_THE_PAGE.as_secs() < PATIENCE.as_secs());

/// A page. Its console and its network are watched from its first moment.
pub(crate) struct Page {
    devtools: Arc<DevTools>,
    session: String,
    target: String,
    /// The browser context, which other tabs may share.
    pub(super) person: String,
    diary: Arc<Mutex<Diary>>,
    loads: watch::Receiver<u64>,
    /// The requests that wait for somebody else's answer, by their ids.
    held: Option<mpsc::UnboundedReceiver<String>>,
}

/// What a page did that a good page does not do, and what it asked for.
#[derive(Default)]
struct Diary {
    complaints: Vec<String>,
    requests: Vec<String>,
}

impl Page {
    pub(super) async fn attach(
        devtools: Arc<DevTools>,
        session: String,
        target: String,
        person: String,
    ) -> Self {
        let diary = Arc::new(Mutex::new(Diary::default()));
        let (loaded, loads) = watch::channel(0);
        let (hold, held) = mpsc::unbounded_channel();
        devtools.listen(&session, keep(diary.clone(), loaded, hold));
        let page = Self { devtools, session, target, person, diary, loads, held: Some(held) };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.command(&format!("{domain}.enable"), json!({})).await;
        }
        // Every page believes that it is the one in front, so none of them is slowed down.
        page.command("Emulation.setFocusEmulationEnabled", json!({ "enabled": true })).await;
        page
    }

    /// Runs a script in every document before any of its own.
    pub(crate) async fn before_scripts(&self, script: &str) {
        self.command("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script })).await;
    }

    /// Answers with this script whenever the page asks for that path, and the server never hears of it. Once a page.
    pub(crate) async fn answer_with_script(&mut self, path: &str, script: &str) {
        let mut held = self.held.take().expect("a page has one script of somebody else");
        let (devtools, session) = (self.devtools.clone(), self.session.clone());
        let answer = json!({
            "responseCode": 200,
            "responseHeaders": [{ "name": "Content-Type", "value": "text/javascript; charset=utf-8" }],
            "body": base64::engine::general_purpose::STANDARD.encode(script),
        });
        tokio::spawn(async move {
            while let Some(request) = held.recv().await {
                let mut answer = answer.clone();
                answer["requestId"] = json!(request);
                devtools.command(Some(&session), "Fetch.fulfillRequest", answer).await;
            }
        });
        let patterns = json!([{ "urlPattern": format!("*{path}") }]);
        self.command("Fetch.enable", json!({ "patterns": patterns })).await;
    }

    /// Goes to an address and waits until it has loaded.
    pub(crate) async fn navigate(&mut self, url: &str) {
        self.loads.mark_unchanged();
        let result = self.command("Page.navigate", json!({ "url": url })).await;
        assert!(result["errorText"].is_null(), "{url}: {result}");
        within(&format!("{url} to load"), self.loads.changed()).await.expect("the browser is there");
    }

    /// The value of a JavaScript expression; of a promise, what it resolves to.
    pub(crate) async fn evaluate(&self, expression: &str) -> Value {
        let request = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let mut answer = self.command("Runtime.evaluate", request).await;
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].take()
    }

    /// Waits until an expression is truthy, and returns it.
    ///
    /// The page watches itself: it looks again at each change of its document, and each time it would paint, for a
    /// state can change without a trace in the document.
    pub(crate) async fn until(&self, expression: &str) -> Value {
        self.until_within(ON_THE_PAGE.as_secs(), expression).await
    }

    /// The same for what takes its time by itself, with a deadline in seconds.
    ///
    /// It is asked again and again, since a command to the browser has a deadline of its own.
    pub(crate) async fn until_within(&self, seconds: u64, expression: &str) -> Value {
        let deadline = Instant::now() + Duration::from_secs(seconds);
        loop {
            let mut answer = self.watch_for(expression).await;
            if answer["missed"] != true {
                return answer["found"].take();
            }
            if Instant::now() >= deadline {
                let text = self.evaluate("document.body.innerText").await;
                let complaints = self.complaints();
                panic!("the page never came to {expression}; it says {text}, and complained {complaints:?}");
            }
        }
    }

    async fn watch_for(&self, expression: &str) -> Value {
        let watch = format!(
            "new Promise((resolve) => {{
                const observer = new MutationObserver(look);
                const ticker = setInterval(look, 16);
                const late = setTimeout(() => done({{ missed: true }}), {patience});
                function done(answer) {{
                    observer.disconnect();
                    clearInterval(ticker);
                    clearTimeout(late);
                    resolve(answer);
                }}
                function look() {{
                    let found;
                    try {{ found = ({expression}); }} catch (error) {{ return; }}
                    if (found) done({{ found }});
                }}
                observer.observe(document, {{ subtree: true, childList: true, attributes: true, characterData: true }});
                look();
            }})",
            patience = ON_THE_PAGE.as_millis(),
        );
        self.evaluate(&watch).await
    }

    /// What its scripts hold in memory, once what nobody holds is gone.
    pub(crate) async fn heap_bytes(&self) -> i64 {
        self.command("HeapProfiler.collectGarbage", json!({})).await;
        let usage = self.command("Runtime.getHeapUsage", json!({})).await;
        usage["usedSize"].as_f64().expect("a size") as i64
    }

    /// Clicks in the middle of the first element that a selector finds, as soon as it is there.
    pub(crate) async fn click(&self, selector: &str) {
        let selector = json!(selector);
        self.until(&format!("document.querySelector({selector})?.getClientRects().length")).await;
        let place = self
            .evaluate(&format!(
                "(() => {{
                    const element = document.querySelector({selector});
                    element.scrollIntoView({{ block: 'center', behavior: 'instant' }});
                    const {{ x, y, width, height }} = element.getBoundingClientRect();
                    return {{ x: x + width / 2, y: y + height / 2 }};
                }})()"
            ))
            .await;
        for kind in ["mousePressed", "mouseReleased"] {
            let event =
                json!({ "type": kind, "x": place["x"], "y": place["y"], "button": "left", "clickCount": 1 });
            self.command("Input.dispatchMouseEvent", event).await;
        }
    }

    /// Types into whatever has the focus.
    pub(crate) async fn type_text(&self, text: &str) {
        self.command("Input.insertText", json!({ "text": text })).await;
    }

    /// Presses Enter.
    pub(crate) async fn press_enter(&self) {
        self.press_key(json!({ "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r" }))
            .await;
    }

    /// Presses a key that writes nothing, such as Tab (9) or Escape (27).
    pub(crate) async fn press(&self, key: &str, code: u32) {
        self.press_key(json!({ "key": key, "code": key, "windowsVirtualKeyCode": code })).await;
    }

    async fn press_key(&self, key: Value) {
        for kind in ["keyDown", "keyUp"] {
            let mut event = key.clone();
            event["type"] = json!(kind);
            self.command("Input.dispatchKeyEvent", event).await;
        }
    }

    /// Loads the page again, as a person does.
    pub(crate) async fn reload(&mut self) {
        self.loads.mark_unchanged();
        self.command("Page.reload", json!({})).await;
        within("the page to load again", self.loads.changed()).await.expect("the browser is there");
    }

    /// Gives the page another size, in CSS pixels.
    pub(crate) async fn resize(&self, width: u32, height: u32) {
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.command("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Makes the person prefer `light` or `dark`.
    pub(crate) async fn prefer(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.command("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Takes a picture for a person to look at, and returns where it is.
    pub(crate) async fn screenshot(&self, name: &str) -> PathBuf {
        let answer = self.command("Page.captureScreenshot", json!({ "format": "png" })).await;
        let data = answer["data"].as_str().expect("a picture is base64");
        let picture = base64::engine::general_purpose::STANDARD.decode(data).expect("a picture is base64");
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.png"));
        std::fs::write(&path, picture).expect("a picture can be written");
        path
    }

    /// Errors and warnings of its console, exceptions nobody caught, and resources that failed to load.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.diary.lock().expect("nobody panics while holding it").complaints.clone()
    }

    /// Every address it asked for, WebSockets included.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.diary.lock().expect("nobody panics while holding it").requests.clone()
    }

    /// Closes the page as a person closes a tab.
    pub(crate) async fn close(self) {
        self.devtools.command(None, "Target.closeTarget", json!({ "targetId": self.target })).await;
    }

    async fn command(&self, method: &str, parameters: Value) -> Value {
        self.devtools.command(Some(&self.session), method, parameters).await
    }
}

/// Writes the diary of a page from its events.
fn keep(
    diary: Arc<Mutex<Diary>>,
    loaded: watch::Sender<u64>,
    hold: mpsc::UnboundedSender<String>,
) -> impl FnMut(&str, &Value) + Send {
    move |method, parameters| {
        match method {
            "Page.loadEventFired" => loaded.send_modify(|count| *count += 1),
            "Fetch.requestPaused" => {
                let id = parameters["requestId"].as_str().expect("a request has an id");
                // Whoever asked for it is there, unless its page is not any more.
                let _ = hold.send(id.to_owned());
            }
            _ => {}
        }
        let mut diary = diary.lock().expect("nobody panics while holding it");
        diary.requests.extend(request(method, parameters));
        diary.complaints.extend(complaint(method, parameters));
    }
}

fn request(method: &str, parameters: &Value) -> Option<String> {
    let url = match method {
        "Network.requestWillBeSent" => &parameters["request"]["url"],
        "Network.webSocketCreated" => &parameters["url"],
        _ => return None,
    };
    url.as_str().map(str::to_owned)
}

fn complaint(method: &str, parameters: &Value) -> Option<String> {
    let serious = |level: &Value| matches!(level.as_str(), Some("error" | "warning" | "assert"));
    match method {
        "Runtime.exceptionThrown" => Some(parameters["exceptionDetails"].to_string()),
        "Runtime.consoleAPICalled" if serious(&parameters["type"]) => Some(parameters["args"].to_string()),
        "Log.entryAdded" if serious(&parameters["entry"]["level"]) => {
            let entry = &parameters["entry"];
            Some(format!("{} {}", entry["text"].as_str().unwrap_or(""), entry["url"].as_str().unwrap_or("")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{chromium::Chromium, require};

    /// A page that does everything a good page does not do, and something late.
    const RUDE: &str =
        "data:text/html,<button onclick=\"this.textContent='done'\">press</button><input><script>
        console.error('said badly');
        new Image().src = 'http://127.0.0.1:9/foreign.png';
        setTimeout(() => { window.late = 42 }, 50);
        setTimeout(() => { throw new Error('thrown badly') });
    </script>";

    #[tokio::test]
    async fn what_a_page_does_badly_is_noticed_and_what_it_shows_can_be_used() {
        let Some(chromium) = require::chromium() else { return };
        let browser = Chromium::launch(&chromium).await;
        let mut page = browser.page().await;
        page.navigate(RUDE).await;
        assert_eq!(page.until("window.late").await, 42);
        page.click("button").await;
        assert_eq!(
            page.until("document.querySelector('button').textContent == 'done' && 'yes'").await,
            "yes"
        );
        page.click("input").await;
        page.type_text("Grüße").await;
        assert_eq!(page.evaluate("document.querySelector('input').value").await, "Grüße");
        let complaints = page.complaints().join("\n");
        assert!(complaints.contains("said badly") && complaints.contains("thrown badly"), "{complaints}");
        assert!(page.requests().iter().any(|url| url.contains("foreign.png")), "{:?}", page.requests());
        page.close().await;
    }
}
