//! Servers from Debian's packages, unpacked into a folder: no root, nothing installed. They run with their own libc
//! through their own loader.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::cargo::{output, run};
use crate::progress::Step;

const POSTGRES_VERSION: u32 = 17;
const MIRROR: &str = "http://deb.debian.org/debian";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// What is unpacked together.
struct Set {
    folder: &'static str,
    suite: &'static str,
    what: &'static str,
    packages: &'static [&'static str],
    /// Below the prefix.
    programs: &'static [&'static str],
}

/// What the service runs and is tested on.
const SERVERS: Set = Set {
    folder: "debian-trixie",
    suite: "trixie",
    what: "PostgreSQL 17, TimescaleDB and Redis",
    packages: &["postgresql-17-timescaledb", "redis-server"],
    programs: &[
        "usr/lib/postgresql/17/bin/initdb",
        "usr/lib/postgresql/17/bin/pg_ctl",
        "usr/lib/postgresql/17/bin/postgres",
        "usr/lib/postgresql/17/bin/pg_isready",
        "usr/lib/postgresql/17/bin/psql",
        "usr/lib/postgresql/17/bin/pg_dump",
        "usr/bin/redis-server",
    ],
};
/// What it is measured beside.
const PEERS: Set = Set {
    folder: "debian-bookworm-peers",
    suite: "bookworm",
    what: "InfluxDB and VictoriaMetrics",
    packages: &["influxdb", "victoria-metrics"],
    programs: &[INFLUXDB, VICTORIA_METRICS],
};
const INFLUXDB: &str = "usr/bin/influxd";
const VICTORIA_METRICS: &str = "usr/bin/victoria-metrics";

/// What these programs never load.
const LEFT_OUT: [&str; 28] = [
    "perl",
    "libperl",
    "libjson-perl",
    "libtext-",
    "libio-",
    "libipc-",
    "libllvm",
    "libz3",
    "systemd",
    "libsystemd-shared",
    "locales",
    "libc-l10n",
    "debconf",
    "dpkg",
    "adduser",
    "passwd",
    "procps",
    "ucf",
    "ssl-cert",
    "openssl-provider",
    "postgresql-common",
    "postgresql-client-common",
    "gcc-",
    "tzdata",
    "coreutils",
    "util-linux",
    "sysvinit",
    "init-system-helpers",
];

/// An unpacked set of packages.
pub(crate) struct Debian {
    set: &'static Set,
    prefix: PathBuf,
    loader: PathBuf,
    libraries: PathBuf,
}

impl Debian {
    /// Unpacks what the service needs below `folder`, once.
    pub(crate) fn provide(folder: &Path) -> anyhow::Result<Self> {
        Self::provide_set(folder, &SERVERS)
    }

    /// Unpacks what the service is measured beside, once.
    pub(crate) fn provide_peers(folder: &Path) -> anyhow::Result<Self> {
        Self::provide_set(folder, &PEERS)
    }

    fn provide_set(folder: &Path, set: &'static Set) -> anyhow::Result<Self> {
        let prefix = folder.join(set.folder);
        let (triplet, loader) = match std::env::consts::ARCH {
            "x86_64" => ("x86_64-linux-gnu", "ld-linux-x86-64.so.2"),
            "aarch64" => ("aarch64-linux-gnu", "ld-linux-aarch64.so.1"),
            other => {
                bail!(
                    "Debian's packages are unpacked on x86_64 and aarch64 only, not on {other}; set DATABASE_URL"
                )
            }
        };
        let libraries = prefix.join("usr/lib").join(triplet);
        let debian = Self {
            set,
            loader: libraries.join(loader),
            libraries,
            prefix,
        };
        if !debian.prefix.join("complete").exists() {
            debian.unpack()?;
        }
        Ok(debian)
    }

    /// Where PostgreSQL's programs are.
    pub(crate) fn postgres_bin(&self) -> PathBuf {
        self.prefix
            .join(format!("usr/lib/postgresql/{POSTGRES_VERSION}/bin"))
    }

    /// Where the Redis server is.
    pub(crate) fn redis_server(&self) -> PathBuf {
        self.prefix.join("usr/bin/redis-server")
    }

    /// Where InfluxDB's and VictoriaMetrics' servers are.
    pub(crate) fn peers(&self) -> [PathBuf; 2] {
        [INFLUXDB, VICTORIA_METRICS].map(|program| self.prefix.join(program))
    }

    fn unpack(&self) -> anyhow::Result<()> {
        for tool in ["apt-get", "dpkg-deb", "tar"] {
            if Command::new(tool).arg("--version").output().is_err() {
                bail!(
                    "{tool} is needed to bring {}; on other systems set DATABASE_URL (and TEST_* for tests)",
                    self.set.what
                );
            }
        }
        let step = Step::start(format!("Debian {}'s {}", self.set.suite, self.set.what));
        if self.prefix.exists() {
            fs::remove_dir_all(&self.prefix).context("cannot remove a half-unpacked prefix")?;
        }
        let apt = self.prefix.join("apt");
        for folder in ["lists/partial", "cache/archives/partial", "debs"] {
            fs::create_dir_all(apt.join(folder))?;
        }
        for folder in ["bin", "sbin", "lib", "lib64"] {
            fs::create_dir_all(self.prefix.join("usr").join(folder))?;
            symlink(format!("usr/{folder}"), self.prefix.join(folder))?;
        }
        self.download(&apt)?;
        for package in fs::read_dir(apt.join("debs"))? {
            self.extract(&package?.path())?;
        }
        fs::remove_dir_all(&apt)?;
        for program in self.set.programs {
            self.wrap(&self.prefix.join(program))?;
        }
        fs::write(self.prefix.join("complete"), "")?;
        step.done("unpacked");
        Ok(())
    }

    fn download(&self, apt: &Path) -> anyhow::Result<()> {
        fs::write(apt.join("status"), "")?;
        fs::write(
            apt.join("sources.list"),
            format!(
                "deb [signed-by={KEYRING}] {MIRROR} {} main\n",
                self.set.suite
            ),
        )?;
        let options = [
            format!("Dir::Etc::SourceList={}/sources.list", apt.display()),
            "Dir::Etc::SourceParts=/dev/null".to_owned(),
            format!("Dir::State::Lists={}/lists", apt.display()),
            format!("Dir::State::status={}/status", apt.display()),
            format!("Dir::Cache={}/cache", apt.display()),
            "APT::Install-Recommends=0".to_owned(),
            "Debug::NoLocking=1".to_owned(),
            "Acquire::Check-Valid-Until=false".to_owned(),
            "Acquire::Languages=none".to_owned(),
            "Acquire::Retries=3".to_owned(),
            "APT::Sandbox::User=root".to_owned(),
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false".to_owned(),
        ];
        let apt_get = || {
            let mut command = Command::new("apt-get");
            command.arg("-qq").current_dir(apt.join("debs"));
            for option in &options {
                command.arg("-o").arg(option);
            }
            command
        };
        output(apt_get().arg("update"))?;
        let uris = output(
            apt_get()
                .args(["-y", "--print-uris", "install"])
                .args(self.set.packages),
        )?;
        let names: Vec<&str> = uris
            .lines()
            .filter_map(package_name)
            .filter(|name| !is_left_out(name))
            .collect();
        output(apt_get().arg("download").args(names))?;
        Ok(())
    }

    fn extract(&self, package: &Path) -> anyhow::Result<()> {
        let mut dpkg = Command::new("dpkg-deb")
            .arg("--fsys-tarfile")
            .arg(package)
            .stdout(std::process::Stdio::piped())
            .spawn()?;
        let archive = dpkg.stdout.take().context("dpkg-deb gives no archive")?;
        let mut tar = Command::new("tar");
        tar.args(["-x", "--keep-directory-symlink", "--no-same-owner"])
            .arg("-C")
            .arg(&self.prefix)
            .stdin(archive);
        for unneeded in [
            "./usr/share/doc",
            "./usr/share/man",
            "./usr/share/locale",
            "./usr/lib/postgresql/*/lib/bitcode",
        ] {
            tar.arg("--exclude").arg(unneeded);
        }
        run(&mut tar)?;
        if !dpkg.wait()?.success() {
            bail!("cannot unpack {}", package.display());
        }
        Ok(())
    }

    /// Puts a script in the place of a program that starts it with its own loader and libraries.
    fn wrap(&self, program: &Path) -> anyhow::Result<()> {
        let real = fs::canonicalize(program)
            .with_context(|| format!("{} is missing", program.display()))?;
        let beside = program.with_extension("bin");
        fs::copy(&real, &beside)?;
        fs::remove_file(program)?;
        let script = format!(
            "#!/bin/sh\nexec '{}' --library-path '{}' --argv0 '{}' '{}' \"$@\"\n",
            self.loader.display(),
            self.libraries.display(),
            program.display(),
            beside.display()
        );
        fs::write(program, script)?;
        fs::set_permissions(program, fs::Permissions::from_mode(0o755))?;
        Ok(())
    }
}

/// The name in a line `'http://…/name_version_arch.deb' name_version_arch.deb size hash`.
fn package_name(line: &str) -> Option<&str> {
    line.strip_prefix('\'')?
        .split_whitespace()
        .nth(1)?
        .split('_')
        .next()
}

fn is_left_out(name: &str) -> bool {
    LEFT_OUT.iter().any(|prefix| name.starts_with(prefix))
}
