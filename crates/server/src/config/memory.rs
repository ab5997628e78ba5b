//! The memory that is available to the process.

use std::fs;

/// Assumed memory if it cannot be determined, in bytes.
const FALLBACK_BYTES: usize = 1 << 30;

/// Returns the available memory in bytes: the smallest limit of the control groups of the process
/// and the memory of the machine.
pub(super) fn available() -> usize {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let limits = group_files(&groups)
        .into_iter()
        .filter_map(|path| limit(&fs::read_to_string(path).ok()?));
    let machine = fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| total(&text));
    limits.chain(machine).min().unwrap_or(FALLBACK_BYTES)
}

/// Returns the files with the limits of the groups in `/proc/self/cgroup` and of their ancestors.
fn group_files(groups: &str) -> Vec<String> {
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else {
            continue;
        };
        let (root, file) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            controllers if controllers.split(',').any(|c| c == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => continue,
        };
        let mut path = path.trim_end_matches('/');
        loop {
            files.push(format!("{root}{path}/{file}"));
            match path.rfind('/') {
                Some(parent) => path = &path[..parent],
                None => break,
            }
        }
    }
    files
}

/// Parses a limit. `max` and implausibly large values are `None`.
fn limit(text: &str) -> Option<usize> {
    text.trim().parse().ok().filter(|bytes| *bytes < 1 << 60)
}

/// Returns the memory of the machine from `/proc/meminfo`, in bytes.
fn total(meminfo: &str) -> Option<usize> {
    let line = meminfo.lines().find(|line| line.starts_with("MemTotal:"))?;
    let kibibytes: usize = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_ancestor_groups_are_read() {
        assert_eq!(
            group_files("0::/a/b\n"),
            [
                "/sys/fs/cgroup/a/b/memory.max",
                "/sys/fs/cgroup/a/memory.max",
                "/sys/fs/cgroup/memory.max"
            ]
        );
        assert_eq!(
            group_files("5:cpu:/x\n4:memory:/x\n"),
            [
                "/sys/fs/cgroup/memory/x/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes"
            ]
        );
    }

    #[test]
    fn limits_are_parsed() {
        assert_eq!(limit("209715200\n"), Some(200 << 20));
        assert_eq!(
            [limit("max\n"), limit("9223372036854771712\n")],
            [None, None]
        );
        assert_eq!(
            total("MemTotal:       24576 kB\nMemFree: 1 kB\n"),
            Some(24 << 20)
        );
    }
}
