//! A process that is stopped and goes on later, as in a debugger, a snapshot or an overcommitted machine.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;
use spanwire::cli::torture::Plan;

use super::stage::{acknowledged, crowd, meanwhile, nothing_is_left, settle, talk};
use crate::support::server::Server;
use crate::support::until::PATIENCE;

#[tokio::test]
async fn a_server_that_freezes_loses_nothing_and_those_who_gave_up_recover() {
    let server = Server::serve(json!({
        "client": { "ping_interval": "2s", "pong_timeout": "1s" },
        "channel": { "without_namespace": { "history_size": 2000 } },
    }))
    .await;
    let mut plan = Plan::new(30, 5, "frost ");
    // Half a second after a ping is due, the server is given up; a connection attempt after one second.
    plan.client.limits.ping_margin = Duration::from_millis(500);
    plan.client.limits.connect_within = Duration::from_secs(1);
    let crowd = crowd(server.address, &plan).await;
    meanwhile(&crowd, talk(100.0), async {
        acknowledged(&crowd, 50).await;
        server.signal(Signal::STOP);
        let gave_up = crowd.until(PATIENCE, |ledger| ledger.tally().disconnects >= 60).await;
        server.signal(Signal::CONT);
        assert!(gave_up, "nobody noticed: {:?}", crowd.tally());
        acknowledged(&crowd, 50).await;
    })
    .await;
    settle(&crowd).await;
    assert_eq!(crowd.tally().gaps, 0, "the history was there all the time");
    assert!(crowd.tally().recovered > 0 && crowd.tally().reconnects >= 30, "{:?}", crowd.tally());
    crowd.leave().await;
    nothing_is_left(&server).await;
}
