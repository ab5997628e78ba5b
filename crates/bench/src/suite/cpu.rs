//! CPU time of service, database and load generator, from Linux's /proc.

use std::fs;

use tokio_postgres::Client;

/// CPU seconds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CpuTimes {
    pub(super) service: f64,
    pub(super) database: f64,
    /// The CPU time of this process, which generates the load.
    pub(super) load: f64,
}

impl CpuTimes {
    /// Reads the CPU time since the start of the processes. An unknown process counts as 0.
    pub(super) fn now(service: Option<u32>, postmaster: Option<u32>) -> Self {
        Self {
            service: service.and_then(read).map_or(0.0, |stat| stat.own),
            database: postmaster.map_or(0.0, with_children),
            load: read(std::process::id()).map_or(0.0, |stat| stat.own),
        }
    }

    /// Returns the CPU time since `earlier`.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        Self {
            service: self.service - earlier.service,
            database: self.database - earlier.database,
            load: self.load - earlier.load,
        }
    }

    /// Describes the shares of the three in words.
    pub(super) fn shares(&self) -> String {
        let total = (self.service + self.database + self.load).max(f64::MIN_POSITIVE);
        let percent = |part: f64| 100.0 * part / total;
        format!(
            "CPU time: service {:.0} %, PostgreSQL {:.0} %, load generator {:.0} %",
            percent(self.service),
            percent(self.database),
            percent(self.load)
        )
    }
}

/// Returns the postmaster of a connection, if the server runs on this machine.
pub(super) async fn postmaster(client: &Client) -> anyhow::Result<Option<u32>> {
    let backend: i32 = client
        .query_one("SELECT pg_backend_pid()", &[])
        .await?
        .try_get(0)?;
    let stat = u32::try_from(backend).ok().and_then(read);
    Ok(stat
        .filter(|stat| stat.name.contains("postgres") || stat.name.contains("ld-linux"))
        .map(|stat| stat.parent))
}

/// The fields of /proc/PID/stat that are used here.
struct Stat {
    name: String,
    parent: u32,
    /// CPU seconds of the process.
    own: f64,
    /// CPU seconds of its children that have ended.
    ended_children: f64,
}

/// Returns the CPU time of the postmaster and its children.
fn with_children(postmaster: u32) -> f64 {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let children = pids
        .filter_map(read)
        .filter(|stat| stat.parent == postmaster)
        .map(|stat| stat.own);
    children.sum::<f64>() + read(postmaster).map_or(0.0, |stat| stat.own + stat.ended_children)
}

#[expect(clippy::cast_precision_loss, reason = "clock ticks")]
fn read(pid: u32) -> Option<Stat> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name is in parentheses and may contain any character.
    let (head, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let seconds = |ticks: u64| ticks as f64 / rustix::param::clock_ticks_per_second() as f64;
    Some(Stat {
        name: head.split_once('(')?.1.to_owned(),
        parent: fields.get(1)?.parse().ok()?,
        own: seconds(ticks(11)? + ticks(12)?),
        ended_children: seconds(ticks(13)? + ticks(14)?),
    })
}

#[cfg(test)]
mod tests {
    use super::CpuTimes;

    #[test]
    fn the_cpu_time_of_this_process_grows() {
        let before = CpuTimes::now(None, None);
        while CpuTimes::now(None, None).since(&before).load < 0.02 {
            std::hint::black_box((0..1_000_000_u64).sum::<u64>());
        }
    }
}
