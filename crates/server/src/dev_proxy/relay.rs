//! One connection over a line, from the first byte to the last.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::head::Head;
use super::line::Orders;
use super::obstacles::Upgrades;

/// How long a client may take for the head of its request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How much of an answer is held back at most, in bytes; a longer one is cut off.
const HELD_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How much is read at a time.
const PIECE_BYTES: usize = 16 * 1024;

const REFUSAL: &[u8] = b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 38\r\n\
    Connection: close\r\n\r\nThis proxy lets no WebSockets through.\n";

/// Carries one connection to `target` until it is done, cut, or its line is gone.
///
/// # Errors
/// It ended in disorder.
pub(super) async fn carry(
    mut client: TcpStream,
    target: SocketAddr,
    mut told: watch::Receiver<Orders>,
) -> io::Result<()> {
    let orders = *told.borrow_and_update();
    let head = timeout(HEAD_TIMEOUT, Head::read(&mut client)).await??;
    if head.is_order() {
        let mut server = TcpStream::connect(target).await?;
        server.write_all(&head.onward()).await?;
        copy_bidirectional(&mut client, &mut server).await?;
        return Ok(());
    }
    if orders.obstacles.down {
        return reset(&client);
    }
    match orders.obstacles.upgrades {
        Upgrades::Refuse if head.is_upgrade() => {
            client.write_all(REFUSAL).await?;
            return client.shutdown().await;
        }
        Upgrades::Hang if head.is_upgrade() => {
            tokio::select! {
                () = cut(&mut told, orders.cuts) => {}
                _ = client.read_u8() => {}
            }
            return reset(&client);
        }
        _ => {}
    }
    let mut server = TcpStream::connect(target).await?;
    sleep(orders.obstacles.delay()).await;
    server.write_all(&head.onward()).await?;
    Relay { client, server, told, orders, held: Vec::new() }.run().await
}

struct Relay {
    client: TcpStream,
    server: TcpStream,
    told: watch::Receiver<Orders>,
    /// As they were when the connection began.
    orders: Orders,
    /// What of the answer the client has not been given yet.
    held: Vec<u8>,
}

impl Relay {
    async fn run(mut self) -> io::Result<()> {
        let mut up = vec![0; PIECE_BYTES];
        let mut down = vec![0; PIECE_BYTES];
        let mut client_speaks = true;
        loop {
            let now = self.told.borrow().obstacles;
            let silence = async {
                match now.idle() {
                    Some(idle) => sleep(idle).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                read = self.client.read(&mut up), if client_speaks => {
                    let length = read?;
                    sleep(now.delay()).await;
                    client_speaks = length > 0;
                    if length == 0 {
                        self.server.shutdown().await?;
                    }
                    self.server.write_all(&up[..length]).await?;
                }
                read = self.server.read(&mut down) => {
                    let length = read?;
                    sleep(now.delay()).await;
                    if length == 0 {
                        self.client.write_all(&self.held).await?;
                        return self.client.shutdown().await;
                    }
                    self.answer(&down[..length]).await?;
                }
                () = silence => return self.reset(),
                changed = self.told.changed() => {
                    if changed.is_err() || self.told.borrow().cuts != self.orders.cuts {
                        return self.reset();
                    }
                }
            }
        }
    }

    async fn answer(&mut self, piece: &[u8]) -> io::Result<()> {
        if !self.orders.obstacles.hold_answers {
            return self.client.write_all(piece).await;
        }
        if self.held.len() + piece.len() > HELD_BYTES_MAX {
            return self.reset();
        }
        self.held.extend_from_slice(piece);
        Ok(())
    }

    fn reset(&self) -> io::Result<()> {
        reset(&self.client)?;
        reset(&self.server)
    }
}

/// Resolves at the next cut, or when the line is gone.
async fn cut(told: &mut watch::Receiver<Orders>, before: u64) {
    let _ = told.wait_for(|orders| orders.cuts != before).await;
}

/// A socket that is closed without lingering says RST instead of FIN.
fn reset(stream: &TcpStream) -> io::Result<()> {
    socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO))
}
