//! The browser's client and the demos, which are part of the binary. A debug build reads them from the working tree
//! at each request instead, so that they can be edited while it runs.

use std::io::Write as _;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    HeaderName, HeaderValue, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, StatusCode};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::edge::plain;

/// What our own pages may do (Content Security Policy, level 3): nothing that did not come from here, no code in the
/// markup, and no frame of somebody else around them.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(RustEmbed)]
#[folder = "../../js/"]
#[include = "spanwire.js"]
#[include = "spanwire/*.js"]
#[allow_missing = true]
struct Scripts;

#[derive(RustEmbed)]
#[folder = "../../demos/"]
#[exclude = "*.md"]
#[allow_missing = true]
struct Demos;

/// A module of the browser's client.
pub(crate) async fn script(path: &str, request: Request) -> Response {
    answer(path, Scripts::get(path), request.headers())
}

/// A file of the demos; a folder is its `index.html`.
pub(crate) async fn demo(path: &str, request: Request) -> Response {
    let index = format!("{}/index.html", path.trim_end_matches('/'));
    match Demos::get(path) {
        Some(file) => answer(path, Some(file), request.headers()),
        // Without the slash, links relative to the folder would miss it.
        None if !path.ends_with('/') && Demos::get(&index).is_some() => {
            axum::response::Redirect::permanent(&format!("{}/", request.uri().path())).into_response()
        }
        None => answer(&index, Demos::get(&index), request.headers()),
    }
}

fn answer(path: &str, file: Option<EmbeddedFile>, headers: &HeaderMap) -> Response {
    let Some(file) = file else {
        return plain(StatusCode::NOT_FOUND, "There is no such file.");
    };
    let zips = content_type(path).contains("charset") && takes_gzip(headers);
    let etag = etag(&file, zips);
    let known = headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes());
    let mut response = match known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false if zips => Body::from(zip(&file.data)).into_response(),
        false => Body::from(file.data).into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    if zips && !known {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(path)));
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    // Names stay the same from version to version, so browsers are to ask each time, which costs them 304.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(ETAG, etag);
    }
    response
}

/// The name of these very bytes (RFC 9110, section 8.8.3): those of gzip are others.
fn etag(file: &EmbeddedFile, zips: bool) -> String {
    let hash = file.metadata.sha256_hash();
    let hex: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    let suffix = if zips { "-gzip" } else { "" };
    format!("\"{hex}{suffix}\"")
}

/// Whether the client says that it takes gzip (RFC 9110, section 12.5.3); one that gives it no weight does not.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut codings = values.flat_map(|value| value.split(','));
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_ok_and(|weight| weight > 0.0)
    })
}

/// Compressed anew for each browser that has not seen it yet: none of our files takes a millisecond.
fn zip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail.
    let _ = encoder.write_all(data);
    encoder.finish().unwrap_or_default()
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("webp") => "image/webp",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("wasm") => "application/wasm",
        Some("txt" | "md") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn status(response: Response) -> (StatusCode, Option<String>) {
        let etag = response.headers().get(ETAG).map(|etag| etag.to_str().unwrap().to_owned());
        (response.status(), etag)
    }

    #[tokio::test]
    async fn a_browser_that_has_the_file_is_told_so() {
        let ask = |etag: &str| Request::builder().header(IF_NONE_MATCH, etag).body(Body::empty()).unwrap();
        let (found, etag) = status(script("spanwire.js", ask("\"other\"")).await).await;
        assert_eq!(found, StatusCode::OK);
        let (again, _) = status(script("spanwire.js", ask(&etag.unwrap())).await).await;
        assert_eq!(again, StatusCode::NOT_MODIFIED);
    }

    #[tokio::test]
    async fn gzip_is_for_those_who_take_it() {
        for (accepted, zipped) in [
            (None, false),
            (Some("gzip, deflate, br, zstd"), true),
            (Some("br;q=1.0, GZIP;q=0.2"), true),
            (Some("gzip;q=0, *"), false),
            (Some("gzip;q=x"), false),
        ] {
            let mut request = Request::new(Body::empty());
            if let Some(accepted) = accepted {
                request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static(accepted));
            }
            let response = script("spanwire.js", request).await;
            assert_eq!(response.headers().contains_key(CONTENT_ENCODING), zipped, "{accepted:?}");
            assert_eq!(response.headers()[VARY], "Accept-Encoding");
            let (_, etag) = status(response).await;
            assert_eq!(etag.unwrap().contains("gzip"), zipped);
        }
        let mut back = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&zip(b"hello")[..]), &mut back).unwrap();
        assert_eq!(back, b"hello");
    }

    #[tokio::test]
    async fn nothing_but_the_files_can_be_had() {
        for path in ["", "package.json", "spanwire/../package.json", "../Cargo.toml", "/etc/passwd", "test/"]
        {
            let request = Request::new(Body::empty());
            assert_eq!(script(path, request).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[test]
    fn scripts_have_the_type_that_modules_need() {
        assert_eq!(content_type("spanwire/client.js"), "text/javascript; charset=utf-8");
        assert_eq!(content_type("index.html"), "text/html; charset=utf-8");
        assert_eq!(content_type("LICENSE"), "application/octet-stream");
    }
}
