//! A line of the dev profile's own proxy, asked for as a page asks for it.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::http::post;
use super::server::Server;

/// A way to a server in the dev profile, and what can be put in it.
pub(crate) struct DevLine {
    server: SocketAddr,
    /// Where it begins.
    pub(crate) address: SocketAddr,
}

impl DevLine {
    /// Opens a line without obstacles.
    pub(crate) async fn to(server: &Server) -> Self {
        let response = post(server.address, "/dev/proxy", "", "{}").await;
        let port = response.json()["port"].as_u64().and_then(|port| port.try_into().ok());
        let address = SocketAddr::from(([127, 0, 0, 1], port.expect("a port")));
        Self { server: server.address, address }
    }

    /// Puts these in the way of connections to come.
    pub(crate) async fn set(&self, obstacles: &Value) {
        let response = post(self.server, &self.path(""), "", &obstacles.to_string()).await;
        assert_eq!(response.status, 200, "{response:?}");
    }

    /// Resets the connections that there are.
    pub(crate) async fn cut(&self) {
        let response = post(self.server, &self.path("/cut"), "", &json!({}).to_string()).await;
        assert_eq!(response.status, 204, "{response:?}");
    }

    fn path(&self, rest: &str) -> String {
        format!("/dev/proxy/{}{rest}", self.address.port())
    }
}
