//! The wall clock jumps by hours, as after a battery ran empty, or when a time server is wrong and then right.
//!
//! A token is worth what the wall clock says when it is shown. Whoever is in stays for as long as was left then:
//! everything else goes by the clock that does not jump.

use std::path::{Path, PathBuf};

use serde_json::json;
use spanwire::cli::torture::{Plan, Storm};

use super::stage::{acknowledged, crowd, meanwhile, nothing_is_left, settle};
use crate::support::peer::Peer;
use crate::support::require;
use crate::support::server::{Server, scratch};
use crate::support::token::{seconds_from_now, signed};

const HOUR: i64 = 3600;

/// The code of a reply to a token that has expired.
const TOKEN_EXPIRED: u64 = 109;

/// The wall clock of a server, off by so many seconds.
struct Clock {
    file: PathBuf,
}

impl Clock {
    fn right() -> Self {
        let clock = Self { file: scratch("clock") };
        clock.jump(0);
        clock
    }

    /// In one step, so that the server never reads half of it.
    fn jump(&self, seconds: i64) {
        let draft = self.file.with_extension("draft");
        std::fs::write(&draft, format!("{seconds:+}")).expect("a scratch file can be written");
        std::fs::rename(&draft, &self.file).expect("a scratch file can be replaced");
    }

    fn environment(&self, library: &Path) -> [(&'static str, String); 4] {
        [
            ("LD_PRELOAD", library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.display().to_string()),
            // The file is read anew at each look at the clock.
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
    }
}

fn token(user: &str, seconds: i64) -> String {
    signed(json!({ "sub": user, "exp": seconds_from_now(seconds) }))
}

async fn is_let_in(server: &Server, token: &str) -> bool {
    let mut peer = Peer::open(server.address).await;
    let reply = peer.reply("connect", json!({ "token": token })).await;
    if reply["error"].is_null() {
        peer.leave().await;
        return true;
    }
    assert_eq!(reply["error"]["code"], TOKEN_EXPIRED, "{reply}");
    false
}

/// Asks for everything since the beginning, and says whether it got the publications of before.
async fn remembers(server: &Server, epoch: &str) -> bool {
    let mut peer = Peer::connect(server.address).await;
    let since = json!({ "channel": "square", "recover": true, "offset": 0, "epoch": epoch });
    let result = peer.call("subscribe", since).await;
    peer.leave().await;
    result["recovered"] == true && result["publications"].as_array().map(Vec::len) == Some(3)
}

#[tokio::test]
async fn a_wall_clock_that_jumps_changes_what_tokens_are_worth_and_nothing_else() {
    let Some(library) = require::faketime() else { return };
    let clock = Clock::right();
    let settings = json!({
        "client": { "ping_interval": "3s", "pong_timeout": "2900ms", "expired_close_delay": "0s" },
        "channel": { "without_namespace": { "history_size": 2000 } },
    });
    let server = Server::serve_with(&clock.environment(&library), settings).await;
    let (short, long, past) = (token("ann", HOUR), token("bob", 8 * HOUR), token("cat", -HOUR));
    assert!(is_let_in(&server, &short).await && !is_let_in(&server, &past).await);

    let mut stays = Peer::connect_as(server.address, json!({ "token": short })).await;
    let epoch = stays.call("subscribe", json!({ "channel": "square" })).await["epoch"].clone();
    for number in 0..3 {
        stays.call("publish", json!({ "channel": "square", "data": number })).await;
    }
    assert_eq!(stays.publications(3).await.len(), 3);
    let epoch = epoch.as_str().expect("a channel with history has an epoch");

    let crowd = crowd(server.address, &Plan::new(30, 5, "clock ")).await;
    meanwhile(&crowd, Storm::new(1, 100.0, 0.0), async {
        acknowledged(&crowd, 50).await;
        clock.jump(6 * HOUR);
        assert!(!is_let_in(&server, &short).await, "five hours ago it expired");
        assert!(is_let_in(&server, &long).await, "it is worth two hours more");
        acknowledged(&crowd, 50).await;
        assert!(remembers(&server, epoch).await, "history is no older than it was");
        // Whoever is in is not thrown out by a clock: this one hears a ping, and a reply.
        stays.ping().await;
        stays.text("{}").await;
        stays.answers_pings = true;
        stays.call("presence_stats", json!({ "channel": "square" })).await;

        clock.jump(-6 * HOUR);
        assert!(is_let_in(&server, &past).await, "it has five hours left");
        acknowledged(&crowd, 50).await;
        assert!(remembers(&server, epoch).await, "history is no younger than it was");
        // What is left of a token is counted from when it was shown, whatever the clock does after.
        let brief = token("dan", -6 * HOUR + 2);
        let mut leaves = Peer::connect_as(server.address, json!({ "token": brief })).await;
        clock.jump(-12 * HOUR);
        let (code, _) = leaves.closed().await;
        assert_eq!(code, 3005, "the connection expired");
        clock.jump(0);
        acknowledged(&crowd, 50).await;
    })
    .await;
    settle(&crowd).await;
    let tally = crowd.tally();
    assert_eq!((tally.gaps, tally.disconnects), (0, 0), "nobody noticed: {tally:?}");
    stays.leave().await;
    crowd.leave().await;
    nothing_is_left(&server).await;
}
