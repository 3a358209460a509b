//! One channel with more subscribers than a process may have descriptors: several servers, each with its part of them.
//!
//! Each publication is published once to each server, as a backend without a broker between its servers would. The
//! subscribers of each server are held by a load process of its own; all talk at the same time.

use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use crate::load::fanout::{Fanout, Pace, Room};
use crate::machine;
use crate::spanwire::Spanwire;
use crate::subject::{self, Server};

/// Most subscribers of one server: some descriptors are for other things.
const SUBSCRIBERS_MAX: usize = 17_000;

/// The processes that so many subscribers need.
pub(crate) fn processes(subscribers: usize) -> usize {
    subscribers.div_ceil(SUBSCRIBERS_MAX)
}

/// How a load process is started.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct WingOptions {
    /// Where its server listens.
    #[arg(long)]
    address: SocketAddr,
    /// Its part of the subscribers.
    #[arg(long)]
    subscribers: usize,
    /// Messages that are counted.
    #[arg(long)]
    messages: u32,
    /// Messages before them.
    #[arg(long)]
    warm_up: u32,
    /// Messages at a time.
    #[arg(long)]
    burst: u32,
    /// Milliseconds between them; at zero the next leave when all before them have arrived.
    #[arg(long)]
    interval_ms: u64,
}

impl WingOptions {
    fn load(&self) -> Fanout {
        let pace = match self.interval_ms {
            0 => Pace::FlatOut { in_flight: self.burst },
            ms => Pace::Every { interval: Duration::from_millis(ms), burst: self.burst },
        };
        Fanout::new(self.subscribers, pace, self.messages, self.warm_up)
    }

    fn arguments(&self) -> Vec<String> {
        let WingOptions { address, subscribers, messages, warm_up, burst, interval_ms } = self;
        vec![
            "wing".to_owned(),
            format!("--address={address}"),
            format!("--subscribers={subscribers}"),
            format!("--messages={messages}"),
            format!("--warm-up={warm_up}"),
            format!("--burst={burst}"),
            format!("--interval-ms={interval_ms}"),
        ]
    }
}

/// Is a load process: takes its seats and warms up, and talks when it is told to. Each is answered by a line.
pub(crate) fn run_wing(options: &WingOptions) -> Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .context("cannot tie the load to the bench's life")?;
    machine::raise_descriptors()?;
    let mut room: Option<Room> = None;
    for line in io::stdin().lock().lines() {
        line.context("no orders any more")?;
        match &mut room {
            None => room.insert(options.load().open(options.address)?).warm_up()?,
            Some(room) => room.talk()?,
        }
        writeln!(io::stdout(), "done").context("nobody hears the answer")?;
    }
    Ok(())
}

/// A load process, as its parent sees it; dropping it ends it.
struct Wing {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Wing {
    fn start(options: &WingOptions) -> Result<Wing> {
        let mut command = Command::new(env::current_exe().context("cannot find this program's own file")?);
        command.args(options.arguments()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start a load process")?;
        let orders = child.stdin.take().context("a load process has no input")?;
        let answers = child.stdout.take().context("a load process has no output")?;
        Ok(Wing { child, orders, answers: BufReader::new(answers) })
    }

    fn tell(&mut self) -> Result<()> {
        writeln!(self.orders).context("a load process takes no orders")
    }

    fn hear(&mut self) -> Result<()> {
        let mut line = String::new();
        self.answers.read_line(&mut line).context("cannot hear a load process")?;
        ensure!(line == "done\n", "a load process failed");
        Ok(())
    }
}

impl Drop for Wing {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("bench: cannot end load process {}: {error}", self.child.id());
        }
    }
}

/// Tells all, then waits for all.
fn all(wings: &mut [Wing]) -> Result<()> {
    wings.iter_mut().try_for_each(Wing::tell)?;
    wings.iter_mut().try_for_each(Wing::hear)
}

/// Processor time of all servers for each delivery, in nanoseconds.
pub(crate) fn server_ns(load: &Fanout, start: impl Fn(usize) -> Result<Server>) -> Result<f64> {
    let (count, mut servers, mut wings) = (processes(load.subscribers), Vec::new(), Vec::new());
    let (burst, interval) = match load.pace {
        Pace::Every { interval, burst } => (burst, interval),
        Pace::FlatOut { in_flight } => (in_flight, Duration::ZERO),
    };
    for index in 0..count {
        let server = start(index)?;
        wings.push(Wing::start(&WingOptions {
            address: server.address,
            subscribers: load.subscribers / count + usize::from(index < load.subscribers % count),
            messages: load.messages,
            warm_up: load.warm_up,
            burst,
            interval_ms: interval.as_millis() as u64,
        })?);
        servers.push(server);
    }
    all(&mut wings)?;
    let cpu = || servers.iter().map(|server| server.process.cpu_time()).sum::<Result<Duration>>();
    let before = cpu()?;
    all(&mut wings)?;
    let deliveries = load.subscribers as f64 * f64::from(load.messages);
    Ok((cpu()? - before).as_nanos() as f64 / deliveries)
}

/// A server for part of the subscribers, at a loopback address of its own.
pub(crate) fn spanwire(spanwire: &Spanwire, index: usize, ping_s: u64) -> Result<Server> {
    let last = u8::try_from(index + 1).context("more processes than loopback addresses are set aside")?;
    spanwire.start_at(Ipv4Addr::new(127, 0, 2, last), ping_s)
}

/// A floor for part of the subscribers.
pub(crate) fn floor() -> Result<Server> {
    subject::start_floor(crate::floor::Writing::Slab, crate::floor::Waiting::Own, 0)
}
