//! A flock as its parent sees it.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};

use super::flock::{Answer, FlockOptions, Order};

/// A running flock; dropping it ends it.
pub(super) struct Shepherd {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Shepherd {
    /// Starts a flock without connections.
    pub(super) fn start(options: &FlockOptions) -> Result<Shepherd> {
        let mut command = Command::new(env::current_exe().context("cannot find this program's own file")?);
        command.arg("flock").arg("--address").arg(options.address.to_string());
        command.arg("--channels").arg(options.channels.to_string());
        command.arg("--each").arg(options.each.to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start a load process")?;
        let orders = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().context("a load process has no output")?);
        Ok(Shepherd { child, orders, answers })
    }

    /// Gives an order and does not wait for it to be done.
    pub(super) fn tell(&mut self, order: Order) -> Result<()> {
        let orders = self.orders.as_mut().context("a load process has no input")?;
        writeln!(orders, "{}", serde_json::to_string(&order)?).context("a load process takes no orders")
    }

    /// Waits for the answer to an order. A flock that fails says why on standard error, and answers nothing.
    pub(super) fn hear(&mut self) -> Result<Answer> {
        let mut line = String::new();
        self.answers.read_line(&mut line).context("cannot hear a load process")?;
        if line.is_empty() {
            bail!("a load process failed");
        }
        serde_json::from_str(&line).context("a load process answers nonsense")
    }
}

impl Drop for Shepherd {
    fn drop(&mut self) {
        // It ends with its input; if it is busy or stuck, it is not worth waiting for.
        self.orders = None;
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("bench: cannot end load process {}: {error}", self.child.id());
        }
    }
}
