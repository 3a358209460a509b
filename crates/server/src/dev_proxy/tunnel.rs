//! A line that begins at a path: whatever comes to `/dev/line/NAME/to/PATH` goes over the line to `/PATH`.
//!
//! So each client of a page has a way of its own that can be cut, and the page has one origin all the same.

use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONNECTION, TRANSFER_ENCODING};
use http::{StatusCode, Uri};
use hyper::client::conn::http1::handshake;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::TcpStream;

use crate::edge::plain;

/// The rest of a connection that was upgraded at the far end of a line: it travels in the extensions of the answer, until
/// the near end has changed its protocol too.
#[derive(Clone)]
pub(crate) struct Tunnel(Arc<Mutex<Option<TokioIo<Upgraded>>>>);

impl Tunnel {
    /// Takes it out of the answer that made it.
    pub(crate) fn of(response: &mut Response) -> Option<Self> {
        response.extensions_mut().remove()
    }

    /// Carries both ways what comes, until one end is gone; `ahead` has come from the near end already.
    ///
    /// # Errors
    /// It was cut.
    pub(crate) async fn carry(
        self,
        mut near: impl AsyncRead + AsyncWrite + Unpin,
        ahead: Bytes,
    ) -> io::Result<()> {
        let far = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut far = far.ok_or(io::ErrorKind::NotConnected)?;
        far.write_all(&ahead).await?;
        copy_bidirectional(&mut near, &mut far).await.map(|_| ())
    }
}

/// Asks the server over the line at this port, and brings its answer back.
pub(super) async fn forward(port: u16, request: Request) -> Response {
    ask(port, request).await.unwrap_or_else(|_| {
        // What a client learns from a network that is down, as far as HTTP can say it.
        plain(StatusCode::SERVICE_UNAVAILABLE, "Nothing gets through this line.")
    })
}

async fn ask(port: u16, mut request: Request) -> Result<Response, axum::Error> {
    *request.uri_mut() = beyond(request.uri()).map_err(axum::Error::new)?;
    let line = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.map_err(axum::Error::new)?;
    let (mut sender, connection) = handshake(TokioIo::new(line)).await.map_err(axum::Error::new)?;
    // It ends with the answer, or with whoever waits for it.
    tokio::spawn(connection.with_upgrades());
    let mut answer = sender.send_request(request).await.map_err(axum::Error::new)?;
    if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
        let far = hyper::upgrade::on(&mut answer).await.map_err(axum::Error::new)?;
        let tunnel = Tunnel(Arc::new(Mutex::new(Some(TokioIo::new(far)))));
        answer.extensions_mut().insert(tunnel);
    } else {
        // These are between the two ends of one connection (RFC 9110, section 7.6.1), and here there are two.
        for name in [CONNECTION, TRANSFER_ENCODING] {
            answer.headers_mut().remove(name);
        }
    }
    Ok(answer.map(Body::new))
}

/// Where a request goes to at the far end: what stands behind `/dev/line/NAME/to`.
fn beyond(uri: &Uri) -> Result<Uri, http::uri::InvalidUri> {
    let whole = uri.path_and_query().map_or("/", |whole| whole.as_str());
    let behind = whole.splitn(5, '/').nth(4).and_then(|rest| rest.strip_prefix("to"));
    behind.unwrap_or("/").parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_goes_to_what_stands_behind_the_line() {
        let table = [
            ("/dev/line/left-1/to/connection/sse?cf_connect=%7B%7D", "/connection/sse?cf_connect=%7B%7D"),
            ("http://localhost:8000/dev/line/a/to/dev/line/b/to/", "/dev/line/b/to/"),
            ("/dev/line/a/to/emulation", "/emulation"),
        ];
        for (uri, expected) in table {
            assert_eq!(beyond(&uri.parse().unwrap()).unwrap(), expected, "{uri}");
        }
    }
}
