//! The way from a page to a phone: a code that a camera reads, and whether a phone gets there.

use serde_json::{Value, json};

use crate::support::gallery::{Gallery, is_legible};
use crate::support::page::Page;
use crate::support::require;

/// A page that can read QR codes with somebody else's eyes; nothing where that reader is not installed.
async fn page_that_reads(gallery: &Gallery, path: &str, width: u32) -> Option<Page> {
    let reader = "node_modules/jsqr/dist/jsQR.js";
    require::node_with("e2e/node", reader)?;
    let source = require::repository().join("e2e/node").join(reader);
    let page = gallery.page(path, width).await;
    page.evaluate(&std::fs::read_to_string(source).expect("the reader is installed")).await;
    Some(page)
}

/// What the reader makes of the picture that is shown.
async fn read(page: &Page) -> Value {
    page.evaluate(
        "(() => {
            const canvas = document.querySelector('[data-test=qr]');
            const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            return jsQR(data, width, height)?.data;
        })()",
    )
    .await
}

#[tokio::test]
async fn a_camera_reads_the_address_and_the_page_says_that_a_phone_does_not_get_there() {
    let Some(gallery) = Gallery::open().await else { return };
    for width in [1280, 360] {
        let Some(page) = page_that_reads(&gallery, "/demos/chat/?name=Ana#workshop", width).await else {
            return;
        };
        page.click("[data-test=phone]").await;
        page.until("document.querySelector('[data-test=phone-drawer]').open").await;
        let port = gallery.server.address.port();
        let address = format!("http://localhost:{port}/demos/chat/#workshop");
        assert_eq!(read(&page).await, address, "without the name, which is this person's own");
        let said = page.evaluate("document.querySelector('[data-test=phone-drawer]').innerText").await;
        let said = said.as_str().expect("text");
        for part in
            ["A phone cannot get there yet.", &format!("adb reverse tcp:{port} tcp:{port}"), "spanwire serve"]
        {
            assert!(said.contains(part), "{part} is not in {said}");
        }
        for theme in ["light", "dark"] {
            page.prefer(theme).await;
            is_legible(&page, &format!("phone-{theme}-{width}")).await;
        }
        gallery.behaved(&page);
    }
}

#[tokio::test]
async fn an_address_that_others_reach_is_shown_without_a_warning() {
    let Some(gallery) = Gallery::open().await else { return };
    let page = gallery.page("/demos/health/", 1280).await;
    let warned = "(async () => {
        const { wayTo } = await import('/demos/frame/phone.js');
        const at = (url) => wayTo(new URL(url)).some(({ dataset }) => dataset.test === 'only-here');
        return ['http://localhost:8000/', 'http://127.0.0.1/', 'http://[::1]:8000/', 'https://localhost.example.org/', 'http://192.168.0.7:8000/'].map(at);
    })()";
    assert_eq!(page.evaluate(warned).await, json!([true, true, true, false, false]));
    let ports = "(async () => {
        const { wayTo } = await import('/demos/frame/phone.js');
        const told = (url) => wayTo(new URL(url)).map(({ textContent }) => textContent).join(' ').match(/tcp:\\d+/)[0];
        return ['http://localhost:8000/', 'http://localhost/', 'https://localhost/'].map(told);
    })()";
    assert_eq!(page.evaluate(ports).await, json!(["tcp:8000", "tcp:80", "tcp:443"]));
    // What does not fit into a code is still a link.
    let large = "(async () => {
        const { wayTo } = await import('/demos/frame/phone.js');
        return wayTo(new URL(`http://localhost:8000/${'x'.repeat(200)}`)).map(({ tagName }) => tagName)[0];
    })()";
    assert_eq!(page.evaluate(large).await, "P");
    gallery.behaved(&page);
}

/// Draws texts of all lengths that fit, and reads each of them back; returns those that were misread.
const MISREAD: &str = "(async () => {
    const { matrixOf } = await import('/demos/frame/qr/matrix.js');
    const context = Object.assign(document.createElement('canvas'), { width: 260, height: 260 }).getContext('2d', { willReadFrequently: true });
    const read = (rows) => {
        const side = (rows.length + 8) * 4;
        context.fillStyle = 'white';
        context.fillRect(0, 0, side, side);
        context.fillStyle = 'black';
        rows.forEach((row, y) => row.forEach((isDark, x) => isDark && context.fillRect((x + 4) * 4, (y + 4) * 4, 4, 4)));
        return jsQR(context.getImageData(0, 0, side, side).data, side, side)?.data;
    };
    const texts = Array.from({ length: 213 }, (_, at) => Array.from({ length: at + 1 }, (_, n) => String.fromCharCode(33 + ((7 * n + at) % 90))).join(''));
    return texts.filter((text) => read(matrixOf(text)) !== text);
})()";

#[tokio::test]
async fn every_length_that_fits_into_a_code_can_be_read_and_the_next_is_refused() {
    let Some(gallery) = Gallery::open().await else { return };
    let Some(page) = page_that_reads(&gallery, "/demos/health/", 1280).await else { return };
    assert_eq!(page.evaluate(MISREAD).await, json!([]));
    let refused = "import('/demos/frame/qr/matrix.js').then(({ matrixOf }) => matrixOf('ö'.repeat(107))).catch(({ name, message }) => [name, message])";
    let expected = ["RangeError", "a QR code of ours has room for 213 bytes, and not for 214"];
    assert_eq!(page.evaluate(refused).await, json!(expected));
}
