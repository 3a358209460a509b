//! SIGKILL under load, and a new process at the same address that remembers nothing.

use serde_json::json;
use spanwire::cli::torture::Plan;

use super::stage::{Port, acknowledged, crowd, meanwhile, nothing_is_left, settle, talk};
use crate::support::server::Server;
use crate::support::until::PATIENCE;

#[tokio::test]
async fn after_a_crash_every_subscriber_is_told_of_a_gap() {
    let port = Port::reserve();
    let server = Server::serve(port.setting()).await;
    let plan = Plan::new(40, 5, "crash ");
    let subscribers = (plan.clients * plan.channels_per_client) as u64;
    let crowd = crowd(server.address, &plan).await;
    assert_eq!(crowd.tally().gaps, 0);
    let server = meanwhile(&crowd, talk(200.0), async {
        acknowledged(&crowd, 100).await;
        server.kill().await;
        let server = Server::serve(port.setting()).await;
        let told = crowd.until(PATIENCE, |ledger| ledger.tally().gaps >= subscribers).await;
        assert!(told, "some were told nothing: {:?}", crowd.tally());
        acknowledged(&crowd, 100).await;
        server
    })
    .await;
    settle(&crowd).await;
    assert!(crowd.tally().reconnects >= 40);
    crowd.leave().await;
    nothing_is_left(&server).await;
}

#[tokio::test]
async fn accidents_and_crashes_together_break_no_promise() {
    let port = Port::reserve();
    let short_memory = json!({ "channel": { "without_namespace": { "history_size": 5 } } });
    let mut setting = port.setting();
    setting["channel"] = short_memory["channel"].clone();
    let mut server = Server::serve(setting.clone()).await;
    let crowd = crowd(server.address, &Plan::new(30, 6, "bad day ")).await;
    let storm = spanwire::cli::torture::Storm::new(7, 150.0, 30.0);
    let server = meanwhile(&crowd, storm, async {
        for _ in 0..3 {
            acknowledged(&crowd, 100).await;
            server.kill().await;
            server = Server::serve(setting.clone()).await;
        }
        acknowledged(&crowd, 100).await;
        server
    })
    .await;
    settle(&crowd).await;
    crowd.leave().await;
    nothing_is_left(&server).await;
}
