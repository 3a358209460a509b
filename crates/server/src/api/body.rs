//! The body of a call, within limits of size and time.

use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use http_body::Body as _;
use http_body_util::{BodyExt as _, Limited};

use crate::edge::limits::{BODY_BYTES_MAX, BODY_TIMEOUT};
use crate::edge::plain;

/// Reads it whole. A body that announces more than may be read is refused before any of it is.
pub(super) async fn read(request: Request) -> Result<Bytes, Response> {
    let too_large =
        || plain(StatusCode::PAYLOAD_TOO_LARGE, format!("The body may have {BODY_BYTES_MAX} bytes at most."));
    let body = request.into_body();
    if body.size_hint().lower() > BODY_BYTES_MAX as u64 {
        return Err(too_large());
    }
    match tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, BODY_BYTES_MAX).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(plain(StatusCode::BAD_REQUEST, "The body ended before it was complete.")),
        Err(_) => Err(plain(StatusCode::REQUEST_TIMEOUT, "The body took too long.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit() {
        let at_most = Request::new(Body::from(vec![b' '; BODY_BYTES_MAX]));
        assert_eq!(read(at_most).await.unwrap().len(), BODY_BYTES_MAX);
        let more = Request::new(Body::from(vec![b' '; BODY_BYTES_MAX + 1]));
        assert_eq!(read(more).await.unwrap_err().status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
}
