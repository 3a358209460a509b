//! A bad network to practise with: ports of this machine that lead to this server, with obstacles on the way.
//!
//! A page opens a [`Line`] and loads itself through it; whatever it asks for then meets the obstacles that it wished
//! for, in the sockets and not in its scripts. Only the dev profile has it, only on loopback, and a line leads nowhere
//! but here.

mod head;
mod line;
mod obstacles;
mod relay;
mod routes;

pub(crate) use routes::routes;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, OnceLock, PoisonError};

use self::line::Line;

/// Most lines at a time. One more ends the oldest: a page that is closed does not say so.
const LINES_MAX: usize = 8;

/// All lines, oldest first.
#[derive(Debug, Default)]
pub(crate) struct DevProxy {
    /// Where the server listens; known once it does.
    target: OnceLock<SocketAddr>,
    lines: Mutex<VecDeque<Line>>,
}

impl DevProxy {
    /// Says where all lines lead.
    pub(crate) fn lead_to(&self, server: SocketAddr) {
        let _ = self.target.set(server);
    }

    /// Opens a line without obstacles, and returns its port.
    ///
    /// # Errors
    /// No port is free, or the server does not listen yet.
    async fn open(&self) -> io::Result<u16> {
        let target = *self.target.get().ok_or(io::ErrorKind::NotConnected)?;
        let line = Line::to(target).await?;
        let port = line.port();
        let mut lines = self.lines();
        if lines.len() == LINES_MAX {
            lines.pop_front();
        }
        lines.push_back(line);
        Ok(port)
    }

    /// Does something to the line at this port, if there is one.
    fn with<T>(&self, port: u16, act: impl FnOnce(&Line) -> T) -> Option<T> {
        self.lines().iter().find(|line| line.port() == port).map(act)
    }

    fn lines(&self) -> std::sync::MutexGuard<'_, VecDeque<Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
