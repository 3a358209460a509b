//! The body of a request, within limits of size and time.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use http::header::EXPECT;
use http_body::Body as _;
use http_body_util::{BodyExt as _, Limited};

use super::limits::{SKIP_TIMEOUT, SKIPPED_BYTES_MAX};
use super::plain;

/// Reads it whole. A body that announces more than may be read is refused before any of it is.
pub(crate) async fn read(body: Body, bytes_max: usize, patience: Duration) -> Result<Bytes, Response> {
    let too_large =
        || plain(StatusCode::PAYLOAD_TOO_LARGE, format!("The body may have {bytes_max} bytes at most."));
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(too_large());
    }
    match tokio::time::timeout(patience, Limited::new(body, bytes_max).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(plain(StatusCode::BAD_REQUEST, "The body ended before it was complete.")),
        Err(_) => Err(plain(StatusCode::REQUEST_TIMEOUT, "The body took too long.")),
    }
}

/// Reads the body of a request that is refused before anybody looked at it, and forgets it: a client that sends all of
/// it before it reads would find a reset connection instead of the answer (RFC 9112, section 9.6). What is too long for that
/// stays where it is, and so does what its sender keeps until it is asked for it (RFC 9110, section 10.1.1).
pub(crate) async fn skip(request: Request) {
    let body = request.body();
    let is_kept_back = request.headers().contains_key(EXPECT) && !body.is_end_stream();
    if is_kept_back || body.size_hint().lower() > SKIPPED_BYTES_MAX as u64 {
        return;
    }
    let mut body = Limited::new(request.into_body(), SKIPPED_BYTES_MAX);
    let all = async { while let Some(Ok(_)) = body.frame().await {} };
    // Whoever takes longer is answered all the same.
    let _ = tokio::time::timeout(SKIP_TIMEOUT, all).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit() {
        let read = async |text: &'static str| read(Body::from(text), 5, Duration::from_secs(60)).await;
        assert_eq!(read("12345").await.unwrap(), "12345");
        assert_eq!(read("123456").await.unwrap_err().status(), StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_a_body_longer_than_it_may_take() {
        let silence = Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>());
        let refusal = read(silence, 5, Duration::from_secs(60)).await.unwrap_err();
        assert_eq!(refusal.status(), StatusCode::REQUEST_TIMEOUT);
    }
}
