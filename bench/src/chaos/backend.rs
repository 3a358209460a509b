//! A backend that lets everybody in, and takes its time.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

/// Who is let in: the anonymous, whom the ledger knows by what they say.
const ANSWER: &str = r#"{"result":{"user":""}}"#;

/// What it does, and what it has seen. Its threads end with the process.
#[derive(Default)]
pub(super) struct Backend {
    takes_ms: AtomicU64,
    now: AtomicUsize,
    most: AtomicUsize,
    answered: AtomicUsize,
}

impl Backend {
    /// Starts one on a free port.
    pub(super) fn start() -> Result<(Arc<Self>, SocketAddr)> {
        let listener = TcpListener::bind("127.0.0.1:0").context("no port for a backend")?;
        let address = listener.local_addr()?;
        let backend = Arc::<Self>::default();
        let serving = backend.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let backend = serving.clone();
                // One that is cut off in the middle has nothing to say to anybody.
                thread::spawn(move || drop(backend.serve(stream)));
            }
        });
        Ok((backend, address))
    }

    /// From now on each answer takes so long.
    pub(super) fn takes(&self, time: Duration) {
        self.takes_ms.store(u64::try_from(time.as_millis()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// How many questions it had at a time, at most.
    pub(super) fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    /// How many it has answered.
    pub(super) fn answered(&self) -> usize {
        self.answered.load(Ordering::SeqCst)
    }

    /// Answers on one connection, one question after the other.
    #[expect(
        clippy::disallowed_methods,
        reason = "an answer that takes its time is what this backend is for"
    )]
    fn serve(&self, stream: TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        let (mut reader, mut writer) = (BufReader::new(stream.try_clone()?), stream);
        loop {
            let mut length = 0;
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line)? == 0 {
                    return Ok(());
                }
                if line == "\r\n" {
                    break;
                }
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse()?;
                }
            }
            reader.read_exact(&mut vec![0; length])?;
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(self.takes_ms.load(Ordering::SeqCst)));
            self.now.fetch_sub(1, Ordering::SeqCst);
            self.answered.fetch_add(1, Ordering::SeqCst);
            write!(writer, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{ANSWER}", ANSWER.len())?;
        }
    }
}
