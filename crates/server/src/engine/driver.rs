//! A shard's thread: sleeps until there is something to do, then has the shard take a turn.

use std::any::Any;
use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::thread::{self, JoinHandle};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::{LocalSet, spawn_local, yield_now};
use tokio::time::{Instant, sleep_until};

use super::clock::Clock;
use super::listener;
use super::node::ShardFailed;
use super::shard::{Pace, Shard};
use super::{Serve, ShardHandle};

/// Most turns before the runtime gets its time, which costs one more system call.
const TURNS_AT_A_STRETCH: usize = 16;

/// What one shard's thread has to do.
pub(super) struct Task {
    pub(super) shard: Shard,
    pub(super) clock: Clock,
    pub(super) listeners: Vec<TcpListener>,
    pub(super) handle: ShardHandle,
    pub(super) serve: Serve,
}

/// Starts the shard's thread, which reports its end.
///
/// # Errors
/// The system has no thread left.
pub(super) fn spawn(
    index: usize,
    task: Task,
    report: UnboundedSender<Result<(), ShardFailed>>,
) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(format!("shard-{index}")).spawn(move || {
        // The shard is dropped by the panic's unwinding, so nobody sees it half-changed.
        let end = match catch_unwind(AssertUnwindSafe(|| run(task))) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(ShardFailed { shard: index, reason: error.to_string() }),
            Err(panic) => Err(ShardFailed { shard: index, reason: message_of(&*panic) }),
        };
        if let Err(failure) = &end {
            tracing::error!(shard = index, reason = %failure.reason, "shard failed");
        }
        // Nobody may want to know.
        let _ = report.send(end);
    })
}

fn run(task: Task) -> io::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, drive(task))
}

async fn drive(task: Task) -> io::Result<()> {
    let Task { mut shard, clock, listeners, handle, serve } = task;
    for listener in listeners {
        spawn_local(listener::accept(listener, handle.clone(), serve.clone()));
    }
    let poller = watch(shard.poller_descriptor()?)?;
    let mut alarm = pin!(sleep_until(Instant::now()));
    loop {
        match take_turns(&mut shard, clock)? {
            Pace::Over => return Ok(()),
            // The HTTP edge runs on this thread too, and gets its time between turns.
            Pace::Again => yield_now().await,
            Pace::Rest(deadline) => {
                let deadline = Instant::from_std(clock.instant_of(deadline));
                // Setting a timer costs more than waking up once too often, so an earlier one stays.
                if deadline < alarm.deadline() || alarm.is_elapsed() {
                    alarm.as_mut().reset(deadline);
                }
                tokio::select! {
                    biased;
                    ready = readable(&poller) => ready?,
                    () = &mut alarm => {}
                }
            }
        }
    }
}

/// Has the shard take turns while it wants to, but not for long without the runtime.
fn take_turns(shard: &mut Shard, clock: Clock) -> io::Result<Pace> {
    for _ in 1..TURNS_AT_A_STRETCH {
        match shard.turn(clock.read())? {
            Pace::Again => {}
            other => return Ok(other),
        }
    }
    shard.turn(clock.read())
}

/// Waits until the shard's poller has something. Its events are edges, and so are those of tokio's set that it is in:
/// each new one wakes us, so readiness may be forgotten before the turn that takes everything there is.
async fn readable(poller: &AsyncFd<OwnedFd>) -> io::Result<()> {
    poller.readable().await?.clear_ready();
    Ok(())
}

/// The safe way in is deprecated, because what is registered could close its descriptor meanwhile. An owned
/// descriptor does not.
#[expect(deprecated, reason = "its successor is unsafe, and the danger that it warns of is not ours")]
fn watch(poller: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(poller, Interest::READABLE)
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panic".to_owned())
}
