//! A process that is measured: started on its own core, and ended with us whatever happens.

use std::env;
use std::io::{self, BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, PidfdFlags, Signal};

use crate::{machine, procfs};

/// Longest that a server may take until it is ready.
const READY_MAX: Duration = Duration::from_secs(10);
/// Longest that a server may take to end after SIGTERM, in seconds; then it is killed.
const END_MAX_S: i64 = 10;
/// What a line of a server's standard output contains when it accepts connections.
pub(crate) const READY: &str = "ready";

/// A running process; dropping it ends it.
pub(crate) struct Process {
    child: Child,
    reader: Option<JoinHandle<()>>,
    /// From the start until it said that it was ready.
    pub(crate) start_up: Duration,
}

impl Process {
    /// Starts `program` and waits until it says that it is ready.
    ///
    /// It is started through this tool's own `leash` command, which sets what must be set inside the new
    /// process (and would need `unsafe` from outside) before it becomes `program`.
    pub(crate) fn start(program: &Command) -> Result<Process> {
        let mut leash = Command::new(env::current_exe().context("cannot find this program's own file")?);
        leash.arg("leash").arg("--").arg(program.get_program()).args(program.get_args());
        leash.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        leash.stdin(Stdio::null()).stdout(Stdio::piped());
        let begun = Instant::now();
        let mut child = leash.spawn().context("cannot start the server")?;
        let (tell, told) = mpsc::channel();
        let reader = child.stdout.take().map(|stdout| thread::spawn(move || read_out(stdout, &tell)));
        let mut process = Process { child, reader, start_up: Duration::ZERO };
        process.await_ready(&told)?;
        process.start_up = begun.elapsed();
        Ok(process)
    }

    fn await_ready(&mut self, told: &Receiver<()>) -> Result<()> {
        match told.recv_timeout(READY_MAX) {
            Ok(()) => Ok(()),
            Err(RecvTimeoutError::Timeout) => bail!("the server is not ready after {READY_MAX:?}"),
            Err(RecvTimeoutError::Disconnected) => {
                bail!("the server ended before it was ready: {}", self.child.wait()?)
            }
        }
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        let pid = Pid::from_raw(self.child.id() as i32).context("a process id is not zero")?;
        rustix::process::kill_process(pid, signal).context("cannot signal the server")
    }

    /// Processor time used so far, by all of its threads.
    pub(crate) fn cpu_time(&self) -> Result<Duration> {
        procfs::cpu_time(self.child.id())
    }

    /// Resident memory of its own, in bytes.
    pub(crate) fn resident_bytes(&self) -> Result<u64> {
        procfs::resident_bytes(self.child.id())
    }

    fn end(&mut self) -> io::Result<()> {
        if self.child.try_wait()?.is_none() && !self.ends_when_asked()? {
            eprintln!("bench: process {} outlived SIGTERM by {END_MAX_S} s: killed", self.child.id());
            self.child.kill()?;
        }
        self.child.wait()?;
        if let Some(reader) = self.reader.take() {
            drop(reader.join());
        }
        Ok(())
    }

    fn ends_when_asked(&self) -> io::Result<bool> {
        let Some(pid) = Pid::from_raw(self.child.id() as i32) else { return Ok(false) };
        let handle = rustix::process::pidfd_open(pid, PidfdFlags::empty())?;
        rustix::process::pidfd_send_signal(&handle, Signal::TERM)?;
        let patience = Timespec { tv_sec: END_MAX_S, tv_nsec: 0 };
        let mut ended = [PollFd::new(&handle, PollFlags::IN)];
        Ok(rustix::event::poll(&mut ended, Some(&patience))? > 0)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            eprintln!("bench: cannot end process {}: {error}", self.child.id());
        }
    }
}

/// Reads a server's standard output to its end, so that it never blocks on a full pipe, and tells when the
/// server says that it is ready.
fn read_out(stdout: ChildStdout, tell: &Sender<()>) {
    let mut tell = Some(tell);
    for line in BufReader::new(stdout).lines() {
        let Ok(line) = line else { return };
        if line.contains(READY) {
            // Nobody listens any more if readiness came too late.
            tell.take().map(|tell| tell.send(()));
        }
    }
}

/// Becomes `command` after tying this process to the server's core and to its parent's life, so that a
/// bench that is killed leaves nothing running. Returns only if that fails.
pub(crate) fn leash(command: &[String]) -> Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .context("cannot tie the server to this process's life")?;
    machine::pin(machine::SERVER_CORE);
    machine::raise_descriptors()?;
    let (program, arguments) = command.split_first().context("leash needs a command")?;
    Err(Command::new(program).args(arguments).exec()).with_context(|| format!("cannot start {program}"))
}

/// A port of this loopback address that was free a moment ago.
pub(crate) fn free_address(address: Ipv4Addr) -> Result<SocketAddr> {
    let listener = std::net::TcpListener::bind((address, 0)).context("no free port on loopback")?;
    Ok(listener.local_addr()?)
}
