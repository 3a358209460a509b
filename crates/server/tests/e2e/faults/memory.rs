//! A limit of memory, and readers that never read.

use serde_json::json;
use spanwire::cli::torture::{Order, Plan};

use super::stage::{crowd, meanwhile, nothing_is_left, settle, talk};
use crate::support::server::Server;

use super::slow_readers::{FOREVER, overflowed};

#[tokio::test]
async fn a_server_at_its_memory_limit_outlives_readers_that_never_read() {
    let changes = json!({ "client": { "queue_max_size": 128 << 10 }, "engine": { "shards": 1 } });
    // What a server without clients has reserved, and 32 MiB: a tenth of what is published to those who do not read.
    let reserved = Server::serve(changes.clone()).await.reserved_bytes();
    let limit = (reserved + (32 << 20)) >> 10;
    let server = Server::serve_under(&format!("ulimit -v {limit}"), changes).await;
    let mut plan = Plan::new(24, 1, "hunger ");
    (plan.payload_bytes, plan.receive_bytes) = (16 << 10, Some(32 << 10));
    let crowd = crowd(server.address, &plan).await;
    for client in 0..20 {
        crowd.order(client, Order::Stall(FOREVER));
    }
    meanwhile(&crowd, talk(200.0), overflowed(&server, 20)).await;
    for client in 0..20 {
        crowd.order(client, Order::Stall(std::time::Duration::ZERO));
    }
    settle(&crowd).await;
    crowd.leave().await;
    nothing_is_left(&server).await;
}
