//! The memory of a process, from Linux's /proc.

use std::fs;

const KIBIBYTES_PER_MEBIBYTE: f64 = 1_024.0;

/// Returns the resident memory in MiB; `None` if /proc does not have it.
pub(super) fn resident(pid: u32) -> Option<f64> {
    read(pid, "VmRSS:")
}

/// Returns the peak of the resident memory in MiB since [`reset_peak`].
pub(super) fn peak(pid: u32) -> Option<f64> {
    read(pid, "VmHWM:")
}

/// Resets the peak and returns whether that was permitted.
pub(super) fn reset_peak(pid: u32) -> bool {
    fs::write(format!("/proc/{pid}/clear_refs"), "5").is_ok()
}

fn read(pid: u32, name: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes / KIBIBYTES_PER_MEBIBYTE)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_memory_of_this_process_is_known() {
        let pid = std::process::id();
        assert!(super::resident(pid).expect("resident memory") > 1.0);
        assert!(super::peak(pid).expect("peak memory") > 1.0);
    }
}
