//! How the authority is asked.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use instant_acme::{BodyWrapper, BytesResponse, Error};
use tokio::time::timeout;

use crate::http_client::HttpClient;

/// How long the authority may take to answer one request.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Largest answer that is read, in bytes: a chain of certificates has a few thousand.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Our client, as the library of ACME wants to see it.
#[derive(Clone)]
pub(super) struct Http(pub(super) HttpClient);

impl instant_acme::HttpClient for Http {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let http = self.0.clone();
        Box::pin(async move {
            timeout(ANSWER_TIMEOUT, ask(http, request))
                .await
                .unwrap_or_else(|_| Err(Error::Other("no answer came in time".into())))
        })
    }
}

async fn ask(http: HttpClient, request: Request<BodyWrapper<Bytes>>) -> Result<BytesResponse, Error> {
    let (head, body) = request.into_parts();
    let body = Full::new(body.collect().await.map_or_else(|never| match never {}, |body| body.to_bytes()));
    let answer = http.request(Request::from_parts(head, body)).await;
    let (head, body) = answer.map_err(|error| Error::Other(error.into()))?.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(Error::Other)?;
    Ok(Response::from_parts(head, Full::new(body.to_bytes())).into())
}
