//! What can befall the process, done to the real binary while a crowd that keeps accounts talks through it.
//!
//! Each scene ends with the crowd's ledger (every acknowledged publication once and in order, or a gap told) and with
//! the server's own counters back at zero.

mod churn; //        many come and go, and nothing of them stays
mod clock; //        the wall clock jumps by hours
mod deaf_log; //     a pipe for a log, and nobody at its end
mod descriptors; //  no more sockets to be had
mod freezing; //     SIGSTOP, and SIGCONT after everybody has given up
mod full_disk; //    nowhere to write the log
mod killing; //      SIGKILL, and a new process that remembers nothing
mod memory; //       a limit of memory, and readers that never read
mod slow_readers; // readers that stop reading in the hottest channel
pub(crate) mod stage;
mod stampede; //     thousands lose their connections at once
mod torture; //      the command, as it is typed
