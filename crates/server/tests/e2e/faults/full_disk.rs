//! Nowhere to write: a server whose log and banner go to a full disk works as well.

use std::fs::File;

use serde_json::json;
use spanwire::cli::torture::Plan;

use super::stage::{Port, crowd, settle};
use crate::support::http;
use crate::support::server::{merged, scratch, spanwire};
use crate::support::until::{PATIENCE, until};

/// A disk on which every write fails with ENOSPC.
fn full() -> File {
    File::options().write(true).open("/dev/full").expect("Linux has it")
}

#[tokio::test]
async fn a_log_on_a_full_disk_harms_nobody() {
    let port = Port::reserve();
    let path = scratch("full.json");
    let mut changes = port.setting();
    changes["log"] = json!({ "level": "debug" });
    std::fs::write(&path, merged(changes).to_string()).expect("a config file can be written");
    let mut command = spanwire(&["serve", "-c", path.to_str().expect("our paths are UTF-8")]);
    let mut child = command.stdout(full()).stderr(full()).spawn().expect("the binary can be started");
    let address = port.address();
    until("the server to be ready", async || {
        tokio::net::TcpStream::connect(address).await.ok()?;
        Some(())
    })
    .await;
    // What a server logs: a page that may not connect, and a key that is none.
    for n in 0..20 {
        let origin = format!("Origin: http://page-{n}.example\r\n");
        let knock = format!(
            "GET /connection/websocket HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             {origin}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        assert_eq!(http::exchange(address, knock.as_bytes()).await.status, 403);
    }
    let crowd = crowd(address, &Plan::new(10, 2, "disk ")).await;
    let come_back = json!({ "code": 3011, "reason": "force reconnect" });
    http::api(address, "disconnect", &json!({ "user": "", "disconnect": come_back })).await;
    assert!(crowd.until(PATIENCE, |ledger| ledger.tally().reconnects >= 10).await, "{:?}", crowd.tally());
    settle(&crowd).await;
    assert!(child.try_wait().expect("it is ours").is_none(), "it runs on");
    crowd.leave().await;
    child.kill().await.expect("it is ours to end");
}
