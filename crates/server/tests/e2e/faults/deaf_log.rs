//! A log that nobody reads: a pipe that is full before the server starts.

use std::io::{PipeReader, PipeWriter, Write as _};
use std::time::Duration;

use futures_util::future::join_all;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::stage::Port;
use crate::support::http;
use crate::support::server::{merged, scratch, spanwire};
use crate::support::until::{until, within};

/// More lines than wait for a reader.
const LINES: usize = 1100;

/// The system's bound on the bytes in a pipe (pipe(7)).
const PIPE_BYTES: u64 = 64 << 10;

/// A pipe into which not one byte more goes.
async fn full() -> (PipeReader, PipeWriter) {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let mut filler = writer.try_clone().expect("a descriptor");
    // It blocks when the pipe is full, and until its end.
    std::thread::spawn(move || while filler.write_all(&[b'x'; 4096]).is_ok() {});
    until("the pipe to be full", async || {
        (rustix::io::ioctl_fionread(&reader).expect("a pipe tells") >= PIPE_BYTES).then_some(())
    })
    .await;
    (reader, writer)
}

/// Says nothing that a trusted proxy would, which is worth a line.
async fn is_worth_a_line(address: std::net::SocketAddr) {
    let mut stream = TcpStream::connect(address).await.expect("the server accepts");
    stream.write_all(b"no PROXY header").await.expect("the server reads");
    // Read to the end, the line was logged.
    let _ = within("the end", stream.read_to_end(&mut Vec::new())).await;
}

#[tokio::test]
async fn a_log_that_nobody_reads_holds_up_nobody_and_its_lines_are_counted() {
    let port = Port::reserve();
    let path = scratch("deaf.json");
    let mut changes = port.setting();
    changes["log"] = json!({ "level": "debug" });
    changes["engine"] = json!({ "shards": 1 });
    changes["http_server"]["proxy_protocol"] = json!(true);
    changes["http_server"]["trusted_proxies"] = json!(["127.0.0.1"]);
    std::fs::write(&path, merged(changes).to_string()).expect("a config file can be written");
    let (_reader, writer) = full().await;
    let mut command = spanwire(&["serve", "-c", path.to_str().expect("our paths are UTF-8")]);
    let mut child = command.stderr(writer).spawn().expect("the binary can be started");
    let address = port.address();
    until("the server to be ready", async || TcpStream::connect(address).await.ok()).await;
    for _ in 0..LINES / 50 {
        join_all((0..50).map(|_| is_worth_a_line(address))).await;
    }
    let local = b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00";
    let asked = [&local[..], b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"].concat();
    let metrics = http::exchange(address, &asked).await.body;
    let dropped = super::stage::figure(&metrics, "spanwire_log_lines_dropped_total").expect("a figure");
    assert!(dropped > 0.0, "{LINES} lines cannot all wait");
    // It also ends, although its last lines go nowhere.
    let pid = Pid::from_raw(child.id().expect("it runs") as i32).expect("a process id is not zero");
    kill_process(pid, Signal::TERM).expect("it is ours to signal");
    let status = tokio::time::timeout(Duration::from_secs(20), child.wait()).await;
    assert!(status.expect("it ends").expect("a child can be awaited").success());
}
