//! A line between a client and the server that can be cut, delayed and silenced.
//!
//! A browser told to be offline keeps its sockets open and merely stalls them, so an outage has to be made outside.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;

/// What the line does with bytes and with new connections.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Line {
    /// Carries everything at once.
    Clear,
    /// Holds each piece for this long before it carries it on.
    Slow(Duration),
    /// Carries nothing and says nothing, as a phone in a tunnel.
    Silent,
    /// Resets every connection attempt. Connections that exist go on.
    Refusing,
}

/// How a connection is ended that both sides still wanted.
#[derive(Clone, Copy)]
pub(crate) enum Cut {
    /// As a crash or a NAT that forgot: RST.
    Reset,
    /// As a proxy that was restarted in good order, but knows nothing of WebSocket: FIN.
    Close,
}

#[derive(Clone, Copy)]
struct State {
    target: SocketAddr,
    line: Line,
    /// The latest cut, and how many there have been: a connection ends when this changes.
    cut: (u64, Cut),
}

/// A socket to connect to the target with.
type Dial = fn() -> TcpSocket;

/// A TCP proxy in front of one address. It ends with this value, and its connections with it.
pub(crate) struct Proxy {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    state: watch::Sender<State>,
}

impl Proxy {
    /// Listens on a free port for connections to `target`.
    pub(crate) async fn to(target: SocketAddr) -> Self {
        Self::with(target, dial).await
    }

    /// The same, as if there were an Ethernet behind it: within one machine, buffers between two sockets hold megabytes.
    pub(crate) async fn over_ethernet_to(target: SocketAddr) -> Self {
        Self::with(target, dial_over_ethernet).await
    }

    async fn with(target: SocketAddr, dial: Dial) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let (state, states) = watch::channel(State { target, line: Line::Clear, cut: (0, Cut::Reset) });
        tokio::spawn(accept(listener, dial, states));
        Self { address, state }
    }

    /// Changes what the line does, for connections that exist and those to come.
    pub(crate) fn set(&self, line: Line) {
        self.state.send_modify(|state| state.line = line);
    }

    /// Leads connections to come to another address.
    pub(crate) fn lead_to(&self, target: SocketAddr) {
        self.state.send_modify(|state| state.target = target);
    }

    /// Ends every connection there is.
    pub(crate) fn cut(&self, how: Cut) {
        self.state.send_modify(|state| state.cut = (state.cut.0 + 1, how));
    }
}

fn dial() -> TcpSocket {
    TcpSocket::new_v4().expect("there are descriptors")
}

fn dial_over_ethernet() -> TcpSocket {
    let socket = dial();
    let options = socket2::SockRef::from(&socket);
    options.set_tcp_mss(1_448).expect("less than a loopback's is always possible");
    options.set_recv_buffer_size(32 << 10).expect("less is always possible");
    socket
}

async fn accept(listener: TcpListener, dial: Dial, mut states: watch::Receiver<State>) {
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { return };
                let State { target, line, .. } = *states.borrow();
                if line == Line::Refusing {
                    reset(client);
                } else {
                    tokio::spawn(carry(client, dial, target, states.clone()));
                }
            }
            changed = states.changed() => if changed.is_err() { return },
        }
    }
}

/// Carries one connection both ways until both ends are done with it, or it is cut.
async fn carry(mut client: TcpStream, dial: Dial, target: SocketAddr, states: watch::Receiver<State>) {
    let Ok(mut server) = dial().connect(target).await else { return reset(client) };
    let cut = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let up = pump(from_client, to_server, states.clone());
        let down = pump(from_server, to_client, states.clone());
        tokio::select! {
            _ = async { tokio::join!(up, down) } => None,
            how = next_cut(states) => Some(how),
        }
    };
    if let Some(Cut::Reset) = cut {
        reset(client);
        reset(server);
    }
}

/// Carries one direction. An end of stream is carried on too, so that closing in good order looks as it is.
async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut states: watch::Receiver<State>,
) -> std::io::Result<()> {
    let mut piece = vec![0; 16 * 1024];
    loop {
        let length = from.read(&mut piece).await?;
        let Ok(line) = states.wait_for(|state| state.line != Line::Silent).await.map(|state| state.line)
        else {
            return Ok(());
        };
        if let Line::Slow(hold) = line {
            tokio::time::sleep(hold).await;
        }
        if length == 0 {
            return to.shutdown().await;
        }
        to.write_all(&piece[..length]).await?;
    }
}

/// The next cut. A proxy that is gone has cut everything.
async fn next_cut(mut states: watch::Receiver<State>) -> Cut {
    let (before, _) = states.borrow().cut;
    states.wait_for(|state| state.cut.0 != before).await.map_or(Cut::Reset, |state| state.cut.1)
}

fn reset(stream: TcpStream) {
    // A socket that is closed without lingering says RST instead of FIN.
    let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::super::until::within;
    use super::*;

    /// A server which sends back what it is sent, and the proxy before it.
    async fn echo() -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        Proxy::to(target).await
    }

    async fn says(stream: &mut TcpStream, word: &[u8]) {
        stream.write_all(word).await.unwrap();
        let mut back = vec![0; word.len()];
        within("the echo", stream.read_exact(&mut back)).await.unwrap();
        assert_eq!(back, word);
    }

    async fn connect(proxy: &Proxy) -> TcpStream {
        TcpStream::connect(proxy.address).await.unwrap()
    }

    #[tokio::test]
    async fn a_clear_line_carries_both_ways_and_closes_in_good_order() {
        let proxy = echo().await;
        let mut stream = connect(&proxy).await;
        says(&mut stream, b"hello").await;
        stream.shutdown().await.unwrap();
        assert_eq!(within("the end", stream.read(&mut [0; 1])).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_reset_and_a_close_look_different_to_the_peer() {
        let proxy = echo().await;
        let mut one = connect(&proxy).await;
        says(&mut one, b"one").await;
        proxy.cut(Cut::Reset);
        let error = within("the reset", one.read(&mut [0; 1])).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        let mut other = connect(&proxy).await;
        says(&mut other, b"other").await;
        proxy.cut(Cut::Close);
        assert_eq!(within("the close", other.read(&mut [0; 1])).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_refusing_line_resets_new_connections_and_spares_old_ones() {
        let proxy = echo().await;
        let mut old = connect(&proxy).await;
        says(&mut old, b"before").await;
        proxy.set(Line::Refusing);
        let mut new = connect(&proxy).await;
        let error = within("the reset", new.read(&mut [0; 1])).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        says(&mut old, b"after").await;
    }

    #[tokio::test]
    async fn a_silent_line_holds_everything_until_it_is_clear_again() {
        let proxy = echo().await;
        let mut stream = connect(&proxy).await;
        says(&mut stream, b"before").await;
        proxy.set(Line::Silent);
        stream.write_all(b"held").await.unwrap();
        let mut back = [0; 4];
        let early = tokio::time::timeout(Duration::from_millis(100), stream.read_exact(&mut back)).await;
        assert!(early.is_err(), "nothing may come through");
        proxy.set(Line::Clear);
        within("what was held", stream.read_exact(&mut back)).await.unwrap();
        assert_eq!(&back, b"held");
    }

    #[tokio::test]
    async fn a_slow_line_holds_each_piece_for_its_time() {
        let proxy = echo().await;
        let mut stream = connect(&proxy).await;
        let hold = Duration::from_millis(30);
        proxy.set(Line::Slow(hold));
        let started = std::time::Instant::now();
        says(&mut stream, b"there and back").await;
        assert!(started.elapsed() >= 2 * hold);
    }
}
