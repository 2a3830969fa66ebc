//! The standard metrics of a process, under the names that dashboards know: read when they are asked for.

use std::fmt::{self, Write as _};
use std::fs;

/// Ticks of a second in `/proc/self/stat`: 100 wherever Linux runs on common hardware.
const TICKS: f64 = 100.0;

/// The process now, in the text format of Prometheus. What the system does not tell is left out.
pub(crate) fn text(started_at: f64) -> String {
    let mut text = String::new();
    // writing to a text does not fail
    let _ = write(&mut text, started_at);
    text
}

fn write(text: &mut String, started_at: f64) -> fmt::Result {
    let read = |name: &str| fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
    let descriptors = fs::read_dir("/proc/self/fd").ok().map(|all| all.count() as f64);
    for (name, kind, what, value) in [
        ("cpu_seconds_total", "counter", "CPU time of all threads, in seconds", cpu_seconds(&read("stat"))),
        ("resident_memory_bytes", "gauge", "Memory in use, in bytes", resident_bytes(&read("status"))),
        ("open_fds", "gauge", "Open file descriptors", descriptors),
        ("max_fds", "gauge", "The limit on open file descriptors", max_descriptors(&read("limits"))),
        ("start_time_seconds", "gauge", "When the process started, in seconds since 1970", Some(started_at)),
    ] {
        if let Some(value) = value {
            writeln!(text, "# HELP process_{name} {what}\n# TYPE process_{name} {kind}\nprocess_{name} {value}")?;
        }
    }
    Ok(())
}

/// The 14th and 15th field, counted from behind the name of the program, which may hold anything.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system) = (fields.next()?.parse::<f64>().ok()?, fields.next()?.parse::<f64>().ok()?);
    Some((user + system) / TICKS)
}

fn resident_bytes(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<f64>().ok()? * 1024.0)
}

/// The soft limit; none where there is none.
fn max_descriptors(limits: &str) -> Option<f64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 2 3 4 150 50 9 9 20 0 4 0 123 1 2 3";
        assert_eq!(cpu_seconds(stat), Some(2.0));
        assert_eq!(resident_bytes("Name:\ta\nVmRSS:\t    2048 kB\n"), Some(2_097_152.0));
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max open files            1024                 4096                 files     \n";
        assert_eq!(max_descriptors(limits), Some(1024.0));
        assert_eq!((cpu_seconds(""), resident_bytes("x"), max_descriptors("")), (None, None, None));
        let text = text(7.5);
        assert!(text.contains("process_open_fds ") && text.ends_with("\nprocess_start_time_seconds 7.5\n"), "{text}");
    }
}
