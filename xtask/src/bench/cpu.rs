//! Where the time of the processors went, as Linux tells it.

use std::fs;

use tokio_postgres::Client;

/// Seconds of processor time until now.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CpuTimes {
    pub(super) service: f64,
    pub(super) database: f64,
    /// This program: the load.
    pub(super) load: f64,
}

impl CpuTimes {
    /// Of the service, of the database server whose postmaster that is, and of ourselves.
    pub(super) fn now(service: Option<u32>, postmaster: Option<u32>) -> Self {
        Self {
            service: service.and_then(read).map_or(0.0, |stat| stat.own),
            database: postmaster.map_or(0.0, with_children),
            load: read(std::process::id()).map_or(0.0, |stat| stat.own),
        }
    }

    /// What went since `earlier`.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        Self {
            service: self.service - earlier.service,
            database: self.database - earlier.database,
            load: self.load - earlier.load,
        }
    }

    /// As a sentence.
    pub(super) fn shares(&self) -> String {
        let all = (self.service + self.database + self.load).max(f64::MIN_POSITIVE);
        let percent = |part: f64| 100.0 * part / all;
        format!(
            "of the processor time the service took {:.0} %, PostgreSQL {:.0} %, the load generator {:.0} %",
            percent(self.service),
            percent(self.database),
            percent(self.load)
        )
    }
}

/// The process that a session's process comes from, if the server runs on this machine.
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

struct Stat {
    name: String,
    parent: u32,
    own: f64,
    /// Of children that have ended.
    ended: f64,
}

fn with_children(postmaster: u32) -> f64 {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let children = pids
        .filter_map(read)
        .filter(|stat| stat.parent == postmaster)
        .map(|stat| stat.own);
    children.sum::<f64>() + read(postmaster).map_or(0.0, |stat| stat.own + stat.ended)
}

#[expect(clippy::cast_precision_loss, reason = "clock ticks")]
fn read(pid: u32) -> Option<Stat> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in parentheses and may have any characters.
    let (head, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = |place: usize| fields.get(place)?.parse::<u64>().ok();
    let seconds = |ticks: u64| ticks as f64 / rustix::param::clock_ticks_per_second() as f64;
    Some(Stat {
        name: head.split_once('(')?.1.to_owned(),
        parent: fields.get(1)?.parse().ok()?,
        own: seconds(ticks(11)? + ticks(12)?),
        ended: seconds(ticks(13)? + ticks(14)?),
    })
}

#[cfg(test)]
mod tests {
    use super::CpuTimes;

    #[test]
    fn our_own_time_passes() {
        let before = CpuTimes::now(None, None);
        while CpuTimes::now(None, None).since(&before).load < 0.02 {
            std::hint::black_box((0..1_000_000_u64).sum::<u64>());
        }
    }
}
