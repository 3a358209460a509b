//! A process that is measured: started on its own core, and ended with us whatever happens.

use std::env;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal};

use crate::{machine, procfs};

/// Longest that a server may take until it accepts connections.
const READY_MAX: Duration = Duration::from_secs(10);
/// Longest that a server may take to end after SIGTERM; then it is killed.
const END_MAX: Duration = Duration::from_secs(5);
/// How often we look whether a process is ready or gone. It is another process, so there is nothing to
/// wait on but its port.
const LOOK: Duration = Duration::from_millis(1);

/// A running process; dropping it ends it.
pub(crate) struct Process {
    child: Child,
    /// From the start until the port accepted a connection, to about [`LOOK`].
    pub(crate) start_up: Duration,
}

impl Process {
    /// Starts `program` and waits until it accepts connections at `address`.
    ///
    /// It is started through this tool's own `leash` command, which sets what must be set inside the new
    /// process (and would need `unsafe` from outside) before it becomes `program`.
    pub(crate) fn start(program: &Command, address: SocketAddr) -> Result<Process> {
        let mut leash = Command::new(env::current_exe().context("cannot find this program's own file")?);
        leash.arg("leash").arg("--").arg(program.get_program()).args(program.get_args());
        leash.stdin(Stdio::null()).stdout(Stdio::null());
        let begun = Instant::now();
        let child = leash.spawn().context("cannot start the server")?;
        let mut process = Process { child, start_up: Duration::ZERO };
        while TcpStream::connect(address).is_err() {
            if let Some(status) = process.child.try_wait()? {
                bail!("the server ended before it listened at {address}: {status}");
            }
            if begun.elapsed() > READY_MAX {
                bail!("the server does not listen at {address} after {READY_MAX:?}");
            }
            std::thread::sleep(LOOK);
        }
        process.start_up = begun.elapsed();
        Ok(process)
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
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        if let Some(pid) = Pid::from_raw(self.child.id() as i32) {
            rustix::process::kill_process(pid, Signal::TERM)?;
        }
        let asked = Instant::now();
        while asked.elapsed() < END_MAX {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(LOOK);
        }
        eprintln!("bench: process {} did not end within {END_MAX:?} of SIGTERM: killed", self.child.id());
        self.child.kill()?;
        self.child.wait().map(drop)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            eprintln!("bench: cannot end process {}: {error}", self.child.id());
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

/// A port on loopback that was free a moment ago.
pub(crate) fn free_address() -> Result<SocketAddr> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").context("no free port on loopback")?;
    Ok(listener.local_addr()?)
}
