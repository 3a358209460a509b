//! One port, what is in its way, and who is using it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use super::obstacles::Obstacles;
use super::relay::carry;

/// Most connections of one line at a time; one more waits until another one ends.
const CONNECTIONS_MAX: usize = 64;

/// What a line is told, and its connections with it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Orders {
    /// For connections that begin now; a delay and the patience with silence are for all.
    pub(super) obstacles: Obstacles,
    /// How often everything was cut: when this changes, a connection ends.
    pub(super) cuts: u64,
}

/// A port that leads to the server. It ends with this value, and its connections with it.
#[derive(Debug)]
pub(super) struct Line {
    port: u16,
    orders: watch::Sender<Orders>,
}

impl Line {
    /// Listens on a free port of this machine for connections to `target`.
    pub(super) fn to(target: SocketAddr) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let (orders, told) = watch::channel(Orders::default());
        tokio::spawn(accept(listener, target, told));
        Ok(Self { port, orders })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn obstacles(&self) -> Obstacles {
        self.orders.borrow().obstacles
    }

    pub(super) fn set(&self, obstacles: Obstacles) {
        self.orders.send_modify(|orders| orders.obstacles = obstacles);
    }

    /// Resets every connection there is.
    pub(super) fn cut(&self) {
        self.orders.send_modify(|orders| orders.cuts += 1);
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, mut told: watch::Receiver<Orders>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        tokio::select! {
            (place, accepted) = next => {
                let (Ok(place), Ok((client, _))) = (place, accepted) else { return };
                let told = told.clone();
                tokio::spawn(async move {
                    // Whatever ends it, a client sees a connection that ended, as on any bad network.
                    let _ = carry(client, target, told).await;
                    drop(place);
                });
            }
            gone = closed(&mut told) => return gone,
        }
    }
}

/// Resolves when the line is gone.
async fn closed(told: &mut watch::Receiver<Orders>) {
    while told.changed().await.is_ok() {}
}
