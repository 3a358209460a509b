//! What the scenes of this family share: crowds, ports that outlive a server, and a look at what a process costs.

use std::net::SocketAddr;

use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};
use spanwire::Chance;
use spanwire::cli::torture::{Crowd, Plan, Storm, Target};

use crate::support::http;
use crate::support::server::Server;
use crate::support::until::{PATIENCE, until};

/// A port of 127.0.0.1 that nobody else is given, so that one server after another can listen at it.
pub(crate) struct Port(Socket);

impl Port {
    pub(crate) fn reserve() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        // A server binds beside a socket that does not listen, if both reuse addresses.
        socket.set_reuse_address(true).expect("an option that every socket has");
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("loopback has a free port");
        Self(socket)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0
            .local_addr()
            .ok()
            .and_then(|address| address.as_socket())
            .expect("a bound socket has an address")
    }

    /// The setting by which a server listens here.
    pub(crate) fn setting(&self) -> Value {
        json!({ "http_server": { "port": self.address().port() } })
    }
}

/// Starts a crowd, and waits until each of its subscribers has heard a first word in each of its channels.
pub(crate) async fn crowd(address: SocketAddr, plan: &Plan) -> Crowd {
    let crowd = coming(address, plan);
    arrived(&crowd).await;
    crowd
}

/// Starts a crowd, in the runtime that this is called in.
pub(crate) fn coming(address: SocketAddr, plan: &Plan) -> Crowd {
    let mut chance = Chance::from_system().expect("the system has chance");
    Crowd::start(&Target::at(address), plan, &mut chance)
}

/// Waits until everybody is there and has heard a first word.
pub(crate) async fn arrived(crowd: &Crowd) {
    crowd.arrived(2 * PATIENCE).await.unwrap_or_else(|objection| panic!("{objection}"));
}

/// Waits until everybody has everything, and demands that the promise was kept.
pub(crate) async fn settle(crowd: &Crowd) {
    let tally = crowd.vouch(2 * PATIENCE).await.unwrap_or_else(|objection| panic!("{objection}"));
    assert!(tally.is_clean(), "{tally:?}");
}

/// So many publications a second, and no accidents but those that the scene brings.
pub(crate) fn talk(per_second: f64) -> Storm {
    Storm::new(1, per_second, 0.0)
}

/// Lets a crowd talk while something happens.
pub(crate) async fn meanwhile<T>(crowd: &Crowd, storm: Storm, scene: impl Future<Output = T>) -> T {
    crowd.during(storm, scene).await
}

/// Waits until so many publications more have been acknowledged.
pub(crate) async fn acknowledged(crowd: &Crowd, more: u64) {
    crowd.acknowledged(more, PATIENCE).await.unwrap_or_else(|objection| panic!("{objection}"));
}

/// Waits until the server counts nobody and nothing any more.
pub(crate) async fn nothing_is_left(server: &Server) {
    let gauges = ["sessions", "clients", "subscriptions", "channels", "connections"];
    until("every counter to return to zero", async || {
        let metrics = http::get(server.address, "/metrics").await.body;
        gauges.iter().all(|gauge| figure(&metrics, &format!("spanwire_{gauge}")) == Some(0.0)).then_some(())
    })
    .await;
}

/// The value of a sample, by its name and labels as they are written.
pub(crate) fn figure(metrics: &str, name: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

/// CPU time that a process has used, in clock ticks of a hundredth of a second.
pub(crate) fn ticks(server: &Server) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.pid())).expect("it runs");
    // Behind the name, which may hold anything: user and system time are the 12th and 13th (proc_pid_stat(5)).
    let (_, figures) = stat.rsplit_once(')').expect("a name in parentheses");
    let figures = figures.split_whitespace().skip(11).take(2);
    figures.map(|figure| figure.parse::<u64>().expect("a number")).sum()
}
