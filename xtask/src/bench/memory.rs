//! How much memory a process has, as Linux tells it.

use std::fs;

const KIBIBYTES_PER_MEBIBYTE: f64 = 1_024.0;

/// What is resident now, in MiB; `None` where nobody tells.
pub(super) fn resident(pid: u32) -> Option<f64> {
    read(pid, "VmRSS:")
}

/// The most that was resident since [`forget_peak`].
pub(super) fn peak(pid: u32) -> Option<f64> {
    read(pid, "VmHWM:")
}

/// Begins the peak anew; `false` where that is not allowed.
pub(super) fn forget_peak(pid: u32) -> bool {
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
    fn our_own_memory_is_known() {
        let pid = std::process::id();
        assert!(super::resident(pid).expect("resident") > 1.0);
        assert!(super::peak(pid).expect("peak") > 1.0);
    }
}
