//! Sending with flow control (RFC 9113 section 5.2): a peer that opens no window holds up nothing but its stream.

use std::future::poll_fn;
use std::time::Duration;

use bytes::Bytes;
use h2::{Reason, SendStream};
use tokio::time::timeout;

/// Why nothing more can be sent on a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    /// The peer has reset the stream, or is gone.
    Gone,
    /// The peer has opened no window for too long. The stream was reset.
    Blocked,
}

/// Sends all of these bytes, as far at a time as the peer's window and [our buffer](crate::edge::limits) go.
///
/// # Errors
/// [`Stopped`]: not all of them were sent.
pub(super) async fn send(
    stream: &mut SendStream<Bytes>,
    mut bytes: Bytes,
    patience: Duration,
) -> Result<(), Stopped> {
    while !bytes.is_empty() {
        stream.reserve_capacity(bytes.len());
        let room = match stream.capacity() {
            0 => room(stream, patience).await?,
            room => room,
        };
        let part = bytes.split_to(room.min(bytes.len()));
        stream.send_data(part, false).map_err(|_| Stopped::Gone)?;
    }
    Ok(())
}

/// Waits for room in the window.
async fn room(stream: &mut SendStream<Bytes>, patience: Duration) -> Result<usize, Stopped> {
    let capacity = async {
        loop {
            match poll_fn(|cx| stream.poll_capacity(cx)).await {
                // A window may shrink between two looks (section 6.9.2).
                Some(Ok(0)) => {}
                Some(Ok(room)) => return Ok(room),
                Some(Err(_)) | None => return Err(Stopped::Gone),
            }
        }
    };
    match timeout(patience, capacity).await {
        Ok(found) => found,
        Err(_) => {
            stream.send_reset(Reason::CANCEL);
            Err(Stopped::Blocked)
        }
    }
}

/// Waits until the peer has reset the stream, or is gone.
pub(super) async fn reset(stream: &mut SendStream<Bytes>) {
    // An error is an end as well.
    let _ = poll_fn(|cx| stream.poll_reset(cx)).await;
}
