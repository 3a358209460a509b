//! The bytes of a WebSocket on a stream of HTTP/2 (RFC 8441), for a client that knows nothing of that.

use std::future::poll_fn;
use std::net::SocketAddr;

use h2::ext::Protocol;
use h2::{RecvStream, SendStream};
use http::{Method, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio_tungstenite::tungstenite::Bytes;

use super::carrier::{RECEIVE_BYTES, narrow};
use crate::support::until::within;

/// What lies between the stream and the client, in bytes: little, so that one that does not read opens no window.
const BETWEEN: usize = 1 << 10;

/// Opens a stream on a connection of its own, and shakes hands there.
pub(crate) async fn open(address: SocketAddr, protocol: Option<&str>) -> DuplexStream {
    let (mut send, connection) = h2::client::Builder::new()
        .initial_window_size(RECEIVE_BYTES)
        .handshake::<_, Bytes>(narrow(address).await)
        .await
        .expect("the server speaks HTTP/2");
    // It ends with the stream, or with the server.
    tokio::spawn(async move { connection.await.unwrap_or_default() });
    let settings = async {
        while !send.is_extended_connect_protocol_enabled() {
            send = send.clone().ready().await.expect("the server is there");
            tokio::task::yield_now().await;
        }
        send
    };
    let mut send = within("the server's settings", settings).await;
    let mut request = Request::builder()
        .method(Method::CONNECT)
        .uri(format!("http://{address}/connection/websocket"))
        .header("sec-websocket-version", "13");
    if let Some(protocol) = protocol {
        request = request.header("sec-websocket-protocol", protocol);
    }
    let mut request = request.body(()).expect("a request");
    request.extensions_mut().insert(Protocol::from_static("websocket"));
    let (response, down) = send.send_request(request, false).expect("the connection is open");
    let response = within("the handshake", response).await.expect("the server answers");
    assert_eq!(response.status(), 200);
    let (near, far) = tokio::io::duplex(BETWEEN);
    let (read, write) = tokio::io::split(far);
    tokio::spawn(bring(response.into_body(), write));
    tokio::spawn(take(read, down));
    near
}

/// What the server says. Its window opens as the client reads.
async fn bring(mut stream: RecvStream, mut write: WriteHalf<DuplexStream>) {
    while let Some(Ok(bytes)) = stream.data().await {
        if write.write_all(&bytes).await.is_err() {
            return;
        }
        if stream.flow_control().release_capacity(bytes.len()).is_err() {
            break;
        }
    }
    // Whoever has gone needs no end.
    let _ = write.shutdown().await;
}

/// What the client says.
async fn take(mut read: ReadHalf<DuplexStream>, mut stream: SendStream<Bytes>) {
    let mut buffer = vec![0; BETWEEN];
    while let Ok(count @ 1..) = read.read(&mut buffer).await {
        let mut bytes = Bytes::copy_from_slice(&buffer[..count]);
        while !bytes.is_empty() {
            stream.reserve_capacity(bytes.len());
            let Some(Ok(room)) = poll_fn(|cx| stream.poll_capacity(cx)).await else { return };
            if stream.send_data(bytes.split_to(room.min(bytes.len())), false).is_err() {
                return;
            }
        }
    }
    // As above.
    let _ = stream.send_data(Bytes::new(), true);
}
