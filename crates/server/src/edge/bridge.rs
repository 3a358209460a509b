//! A bridge from what only a task can read and write, TLS of the application's own for example, to a shard, which wants
//! a socket.
//!
//! Both ends of it are sockets of this machine. It costs a task, two buffers and two descriptors for each connection,
//! and one more copy of each byte. In return everything holds that holds for sockets: limits, compression, codes.

use std::io;
use std::os::unix::net;

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, split};
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::engine::Link;
use crate::engine::limits::CLOSE_PATIENCE;

/// How much is carried at a time, in bytes, each way. A message of more takes more turns, and most are shorter.
const LOAD_BYTES: usize = 4 << 10;

/// Builds a bridge to this connection, and sends a task across it for as long as both ends are there.
///
/// # Errors
/// The system has no descriptor left.
pub(super) fn build(upgraded: Upgraded) -> io::Result<Link> {
    let (near, far) = net::UnixStream::pair()?;
    near.set_nonblocking(true)?;
    far.set_nonblocking(true)?;
    let far = UnixStream::from_std(far)?;
    tokio::spawn(carry(TokioIo::new(upgraded), far));
    Ok(Link::plain(near))
}

async fn carry(client: impl AsyncRead + AsyncWrite, shard: UnixStream) {
    let (mut from_client, mut to_client) = split(client);
    let (mut from_shard, mut to_shard) = shard.into_split();
    let up = async {
        pour(&mut from_client, &mut to_shard).await;
        // Dropped, it tells the shard that the client has gone.
        drop(to_shard);
    };
    let down = async {
        pour(&mut from_shard, &mut to_client).await;
        // The client may have gone first.
        let _ = to_client.shutdown().await;
    };
    let (mut up, mut down) = (std::pin::pin!(up), std::pin::pin!(down));
    tokio::select! {
        () = &mut up => down.await,
        // The shard has said its last word. A client that does not answer it is not waited for.
        () = &mut down => drop(timeout(CLOSE_PATIENCE, up).await),
    }
}

/// Carries what comes until nothing more does, or nobody takes it.
async fn pour(from: &mut (impl AsyncRead + Unpin), to: &mut (impl AsyncWrite + Unpin)) {
    let mut load = vec![0; LOAD_BYTES];
    while let Ok(count @ 1..) = from.read(&mut load).await
        && to.write_all(&load[..count]).await.is_ok()
        && to.flush().await.is_ok()
    {}
}
