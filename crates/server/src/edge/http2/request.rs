//! From HTTP/2's way of saying things to the one that all of the edge understands.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::RecvStream;
use http::header::{CONTENT_LENGTH, COOKIE, HOST, HeaderMap, HeaderValue};
use http::request::Parts;
use http_body::{Body, Frame, SizeHint};

/// The host is said twice, and differently (RFC 9113 section 8.3.1).
#[derive(Debug, PartialEq, Eq)]
pub(in crate::edge) struct TwoHosts;

/// Says the host and the cookies as HTTP/1 would: `:authority` as `Host`, and cookies on one line, of which HTTP/2
/// sends the crumbs (RFC 9113 section 8.2.3).
///
/// # Errors
/// [`TwoHosts`]: the request is malformed.
pub(in crate::edge) fn translate(parts: &mut Parts) -> Result<(), TwoHosts> {
    if let Some(authority) = parts.uri.authority() {
        let host = HeaderValue::from_str(authority.as_str()).map_err(|_| TwoHosts)?;
        let is_other = |said: &HeaderValue| !said.as_bytes().eq_ignore_ascii_case(host.as_bytes());
        if parts.headers.get_all(HOST).iter().any(is_other) {
            return Err(TwoHosts);
        }
        parts.headers.insert(HOST, host);
    }
    join_cookies(&mut parts.headers);
    Ok(())
}

fn join_cookies(headers: &mut HeaderMap) {
    let crumbs: Vec<_> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if crumbs.len() < 2 {
        return;
    }
    // Pieces of header values, joined by what they may contain, are one.
    if let Ok(cookie) = HeaderValue::from_bytes(&crumbs.join(b"; ".as_slice())) {
        headers.insert(COOKIE, cookie);
    }
}

/// What a request carries. The peer may send on as what has come is taken.
pub(super) struct Upload {
    stream: RecvStream,
    announced: Option<u64>,
}

impl Upload {
    pub(super) fn new(stream: RecvStream, headers: &HeaderMap) -> Self {
        let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        Self { stream, announced }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        match ready!(self.stream.poll_data(cx)) {
            Some(Ok(bytes)) => {
                let count = bytes.len();
                self.announced = self.announced.map(|left| left.saturating_sub(count as u64));
                Poll::Ready(Some(
                    self.stream.flow_control().release_capacity(count).map(|()| Frame::data(bytes)),
                ))
            }
            Some(Err(error)) => Poll::Ready(Some(Err(error))),
            None => match ready!(self.stream.poll_trailers(cx)) {
                Ok(trailers) => Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers)))),
                Err(error) => Poll::Ready(Some(Err(error))),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.stream.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match self.announced {
            Some(left) => SizeHint::with_exact(left),
            None if self.is_end_stream() => SizeHint::with_exact(0),
            None => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn translated(uri: &str, headers: &[(&str, &str)]) -> Result<HeaderMap, TwoHosts> {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        translate(&mut parts).map(|()| parts.headers)
    }

    #[test]
    fn the_authority_is_the_host_and_no_other_may_be_said() {
        let headers = translated("https://chat.test:8443/a", &[]).unwrap();
        assert_eq!(headers[HOST], "chat.test:8443");
        let headers = translated("https://chat.test/a", &[("host", "Chat.test")]).unwrap();
        assert_eq!(headers.get_all(HOST).iter().count(), 1);
        assert_eq!(translated("https://chat.test/a", &[("host", "evil.test")]), Err(TwoHosts));
        assert_eq!(translated("/a", &[("host", "chat.test")]).unwrap()[HOST], "chat.test");
    }

    #[test]
    fn crumbs_of_cookies_are_put_together() {
        let headers = translated("/", &[("cookie", "a=1"), ("cookie", "b=2"), ("cookie", "c=3")]).unwrap();
        let cookies: Vec<_> = headers.get_all(COOKIE).iter().collect();
        assert_eq!(cookies, ["a=1; b=2; c=3"]);
    }
}
