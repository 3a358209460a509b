//! Listening: every shard accepts its own connections.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tokio::task::spawn_local;

use super::limits::ACCEPT_REST;
use super::{Incoming, Serve, ShardHandle};

/// Connections that the kernel may keep for us while a turn takes its time (capped by `net.core.somaxconn`).
const BACKLOG: i32 = 4096;

/// Listeners for each of `shards` at each address, and the addresses with the ports that were chosen for port 0.
///
/// # Errors
/// An address is taken, or may not be listened at.
pub(super) fn bind_all(
    addresses: &[SocketAddr],
    shards: usize,
) -> io::Result<(Vec<SocketAddr>, Vec<Vec<TcpListener>>)> {
    let mut resolved = Vec::with_capacity(addresses.len());
    let mut listeners: Vec<_> = (0..shards).map(|_| Vec::with_capacity(addresses.len())).collect();
    for &address in addresses {
        let address = probe(address)?;
        for own in &mut listeners {
            own.push(bind(address, true)?.into());
        }
        resolved.push(address);
    }
    Ok((resolved, listeners))
}

/// Makes sure that nobody else listens here: with `SO_REUSEPORT` alone, a second server of the same user would
/// get half of our connections and no error. Resolves port 0.
fn probe(address: SocketAddr) -> io::Result<SocketAddr> {
    let socket = bind(address, false)?;
    socket.local_addr()?.as_socket().ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
}

fn bind(address: SocketAddr, shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // Whoever wants IPv4 too lists its address.
        socket.set_only_v6(true)?;
    }
    if shared {
        socket.set_reuse_port(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket)
}

/// Accepts connections and has each served by a task of its own, until the engine accepts no more.
pub(super) async fn accept(listener: TcpListener, shard: ShardHandle, serve: Serve) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let mut accepting = shard.engine().accepting();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // The listener closes with this function, so that clients go to another node.
            _ = accepting.wait_for(|accepting| !accepting) => return Ok(()),
        };
        match accepted {
            Ok((stream, peer)) => welcome(stream, peer, &shard, &serve),
            Err(error) => {
                shard.stats().accept_errors.one();
                tokio::time::sleep(rest_after(&error)).await;
            }
        }
    }
}

fn welcome(stream: tokio::net::TcpStream, peer: SocketAddr, shard: &ShardHandle, serve: &Serve) {
    let Some(permit) = shard.engine().permits().acquire() else {
        shard.stats().connections_refused.one();
        return;
    };
    // A turn's messages leave in one write, so that waiting for more could only add latency. A socket that refuses
    // the option is broken and says so at the first read.
    let _ = stream.set_nodelay(true);
    spawn_local(serve(Incoming { stream, peer, shard: shard.clone(), permit }));
}

/// A connection that died in the queue concerns nobody else; everything else is the system's distress.
fn rest_after(error: &io::Error) -> Duration {
    match error.kind() {
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset => Duration::ZERO,
        _ => ACCEPT_REST,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_shards_listen_at_the_one_port_that_was_chosen() {
        let any_port = "127.0.0.1:0".parse().unwrap();
        let (addresses, listeners) = bind_all(&[any_port], 3).unwrap();
        assert_ne!(addresses[0].port(), 0);
        assert_eq!(listeners.len(), 3);
        for own in &listeners {
            assert_eq!(own[0].local_addr().unwrap(), addresses[0]);
        }
    }

    #[test]
    fn a_port_that_another_engine_listens_at_is_an_error() {
        let any_port = "127.0.0.1:0".parse().unwrap();
        let (addresses, _listeners) = bind_all(&[any_port], 2).unwrap();
        let error = bind_all(&addresses, 2).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }
}
