//! HTTP/1.1 over one connection at a time.

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;

use crate::carrier::dial::dial;
use crate::carrier::{Loss, Way};
use crate::event::Ended;

/// One connection that takes requests, one after the other.
pub(super) struct Line {
    requests: SendRequest<Full<Bytes>>,
    /// What moves its bytes; it ends with this.
    _mover: JoinSet<()>,
}

impl Line {
    pub(super) async fn dial(way: &Way) -> Result<Self, Ended> {
        let stream = dial(way).await?;
        let (requests, connection) = handshake(TokioIo::new(stream)).await.map_err(lost)?;
        let mut mover = JoinSet::new();
        mover.spawn(async move {
            // That it is over is noticed by whoever asks.
            let _ = connection.await;
        });
        Ok(Self { requests, _mover: mover })
    }

    /// Whether it takes another request; a server may have closed it since the last one.
    pub(super) fn is_open(&self) -> bool {
        !self.requests.is_closed()
    }

    /// Asks, and gives the body of the answer.
    ///
    /// # Errors
    /// The connection is lost, or the answer is none of success: then the code is its status.
    pub(super) async fn ask(&mut self, request: Request<Bytes>) -> Result<Incoming, Loss> {
        self.requests.ready().await.map_err(lost)?;
        let answer = self.requests.send_request(request.map(Full::new)).await.map_err(lost)?;
        match answer.status() {
            StatusCode::OK | StatusCode::NO_CONTENT => Ok(answer.into_body()),
            status => {
                let retry_after = answer.headers().get(header::RETRY_AFTER).map(HeaderValue::as_bytes);
                Err(Loss::refused(status.as_u16(), format!("the server answered {status}"), retry_after))
            }
        }
    }
}

/// Completes a request with what all of them have.
pub(super) fn finish(
    builder: http::request::Builder,
    way: &Way,
    body: Bytes,
) -> Result<Request<Bytes>, Ended> {
    let content_type = match way.encoding {
        spanwire_client_core::Encoding::Json => "application/json",
        spanwire_client_core::Encoding::Protobuf => "application/octet-stream",
    };
    let builder =
        builder.header(header::HOST, &way.address.authority).header(header::CONTENT_TYPE, content_type);
    let builder = way.headers.iter().fold(builder, |builder, (name, value)| builder.header(name, value));
    builder.body(body).map_err(|error| Ended::new(Ended::LOST, error.to_string()))
}

fn lost(error: hyper::Error) -> Ended {
    Ended::new(Ended::LOST, error.to_string())
}
