//! A bad network to practise with: ports of this machine that lead to this server, with obstacles on the way.
//!
//! A page opens a [`Line`] and loads itself through it; whatever it asks for then meets the obstacles that it wished
//! for, in the sockets and not in its scripts. Or it has a line for each of its clients, which then connect below a
//! path of the line's name ([`tunnel`]). Only the dev profile has it, only on loopback, and a line leads nowhere but
//! here.

mod head;
mod line;
mod obstacles;
mod relay;
mod routes;
mod tunnel;

pub(crate) use routes::routes;
pub(crate) use tunnel::Tunnel;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use self::line::Line;

/// Most lines at a time. One more ends the oldest: a page that is closed does not say so.
const LINES_MAX: usize = 8;

/// Most lines that have a name. One more ends the oldest, which is opened anew when somebody uses it again.
const NAMED_LINES_MAX: usize = 16;

/// Longest name of a line, in bytes.
const NAME_BYTES_MAX: usize = 32;

/// All lines, oldest first.
#[derive(Debug, Default)]
pub(crate) struct DevProxy {
    /// Where the server listens; known once it does.
    target: OnceLock<SocketAddr>,
    lines: Mutex<VecDeque<Line>>,
    named: Mutex<VecDeque<(Name, Line)>>,
}

/// What a page calls one of its lines: small letters, digits and dashes, at most [`NAME_BYTES_MAX`] of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(String);

impl DevProxy {
    /// Says where all lines lead.
    pub(crate) fn lead_to(&self, server: SocketAddr) {
        let _ = self.target.set(server);
    }

    /// Opens a line without obstacles, and returns its port.
    ///
    /// # Errors
    /// No port is free, or the server does not listen yet.
    fn open(&self) -> io::Result<u16> {
        let line = self.line()?;
        let port = line.port();
        let mut lines = locked(&self.lines);
        if lines.len() == LINES_MAX {
            lines.pop_front();
        }
        lines.push_back(line);
        Ok(port)
    }

    /// Does something to the line at this port, if there is one.
    fn with<T>(&self, port: u16, act: impl FnOnce(&Line) -> T) -> Option<T> {
        locked(&self.lines).iter().find(|line| line.port() == port).map(act)
    }

    /// Does something to the line of this name, which is opened without obstacles if there is none.
    ///
    /// # Errors
    /// No port is free, or the server does not listen yet.
    fn with_named<T>(&self, name: &Name, act: impl FnOnce(&Line) -> T) -> io::Result<T> {
        let mut named = locked(&self.named);
        if let Some((_, line)) = named.iter().find(|(each, _)| each == name) {
            return Ok(act(line));
        }
        let line = self.line()?;
        let outcome = act(&line);
        if named.len() == NAMED_LINES_MAX {
            named.pop_front();
        }
        named.push_back((name.clone(), line));
        Ok(outcome)
    }

    fn line(&self) -> io::Result<Line> {
        Line::to(*self.target.get().ok_or(io::ErrorKind::NotConnected)?)
    }
}

impl Name {
    fn read(text: String) -> Option<Self> {
        let is_fit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let fits = (1..=NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(is_fit);
        fits.then_some(Self(text))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
