//! The body of a request, within limits of size and time.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use http_body::Body as _;
use http_body_util::{BodyExt as _, Limited};

use super::limits::BODY_TIMEOUT;
use super::plain;

/// Reads it whole. A body that announces more than may be read is refused before any of it is.
pub(crate) async fn read(body: Body, bytes_max: usize) -> Result<Bytes, Response> {
    let too_large =
        || plain(StatusCode::PAYLOAD_TOO_LARGE, format!("The body may have {bytes_max} bytes at most."));
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(too_large());
    }
    match tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, bytes_max).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(plain(StatusCode::BAD_REQUEST, "The body ended before it was complete.")),
        Err(_) => Err(plain(StatusCode::REQUEST_TIMEOUT, "The body took too long.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit() {
        assert_eq!(read(Body::from("12345"), 5).await.unwrap(), "12345");
        assert_eq!(read(Body::from("123456"), 5).await.unwrap_err().status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
}
