//! The limit on open files: raised as far as it goes, and what follows from it.

use std::fs::File;
use std::io;

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Descriptors kept for everything that is no client's connection: listeners, files, the ledger.
const RESERVE: u64 = 64;
/// Descriptors kept for the operators' connections, which have limits of their own: 64 connections, 32 streams, and one that waits.
const OPERATORS: u64 = 97;

/// Raises the soft limit on open files to the hard one. Says the limit that holds now.
pub(crate) fn raise_limit() -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return 1024;
    };
    if soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok() {
        return hard;
    }
    soft
}

/// Clients' connections that fit: each may need a descriptor of its own and one toward the upstream.
pub(crate) fn connections_within(limit: u64) -> usize {
    let fit = limit.saturating_sub(RESERVE + OPERATORS) / 2;
    usize::try_from(fit).unwrap_or(usize::MAX).clamp(16, tokio::sync::Semaphore::MAX_PERMITS)
}

/// The process (EMFILE) or the system (ENFILE) has no descriptor left.
pub(crate) fn out_of_descriptors(os_error: Option<i32>) -> bool {
    is_one_of(os_error, &[Errno::EMFILE, Errno::ENFILE])
}

/// This machine has no free port for a connection (EADDRNOTAVAIL), or no memory for it (ENOBUFS, ENOMEM).
pub(crate) fn out_of_ports_or_memory(os_error: Option<i32>) -> bool {
    is_one_of(os_error, &[Errno::EADDRNOTAVAIL, Errno::ENOBUFS, Errno::ENOMEM])
}

fn is_one_of(os_error: Option<i32>, errors: &[Errno]) -> bool {
    os_error.is_some_and(|code| errors.iter().any(|error| *error as i32 == code))
}

/// Why no descriptor can be had now; `None` when one is free. Name resolution needs descriptors, and its own errors do not say that it got none.
pub(crate) fn want_of_one() -> Option<io::Error> {
    File::open("/").err().filter(|error| out_of_descriptors(error.raw_os_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_a_reserve() {
        assert_eq!(connections_within(1024), 431);
        assert_eq!(connections_within(10), 16);
        assert_eq!(connections_within(u64::MAX), tokio::sync::Semaphore::MAX_PERMITS);
    }
}
