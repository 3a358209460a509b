use std::time::Duration;

use serde_json::{Value, json};

use crate::support::proxy::{Cut, Proxy};
use crate::support::secure::Secure;
use crate::support::server::spanwire;
use crate::support::until::within;

#[tokio::test]
async fn torture_over_wss_and_a_line_that_is_cut_loses_nothing_and_repeats_nothing() {
    let secure = Secure::serve(json!({})).await;
    let proxy = Proxy::to(secure.server.address).await;
    let mut command = spanwire(&["torture", &format!("wss://{}", proxy.address), "--ca-file"]);
    command.arg(secure.authority()).args(["--clients", "30", "--channels", "5", "--seconds", "4", "--json"]);
    let mut torture = std::pin::pin!(command.output());
    let output = within("torture to end", async {
        for how in [Cut::Reset, Cut::Close, Cut::Reset] {
            let pause = tokio::time::sleep(Duration::from_secs(1));
            tokio::select! {
                output = &mut torture => return output,
                () = pause => proxy.cut(how),
            }
        }
        torture.await
    })
    .await
    .expect("the binary can be started");
    let (line, talk) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let accounts: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}{talk}"));
    assert_eq!(accounts["kept"], json!(true), "{line}{talk}");
    for figure in ["lost", "duplicates", "out_of_order"] {
        assert_eq!(accounts[figure], json!(0), "{line}");
    }
    assert!(accounts["reconnects"].as_u64() > Some(30), "the line was cut for everybody: {line}");
}

#[tokio::test]
async fn pub_and_sub_speak_https_with_whom_they_are_told_to_trust() {
    let secure = Secure::serve(json!({})).await;
    let url = format!("https://localhost:{}", secure.server.address.port());
    let key = crate::support::server::API_KEY;
    let publish = ["pub", "--url", &url, "--key", key, "news", "1"];
    let refused = within("pub to end", spanwire(&publish).output()).await.expect("it can be started");
    assert_eq!(refused.status.code(), Some(77));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("--ca-file"), "{said}");
    let trusted =
        within("pub to end", spanwire(&publish).arg("--ca-file").arg(secure.authority()).output()).await;
    let trusted = trusted.expect("it can be started");
    assert!(trusted.status.success(), "{}", String::from_utf8_lossy(&trusted.stderr));
}
