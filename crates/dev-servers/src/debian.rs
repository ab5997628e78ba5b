//! Servers from Debian's packages, unpacked into a folder without root and without installation.
//!
//! The programs run with the libc and the loader of the packages.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use time_series_devkit::cargo::{output, run};
use time_series_devkit::progress::Step;

const POSTGRES_VERSION: u32 = 17;
const MIRROR: &str = "http://deb.debian.org/debian";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Packages that are unpacked into one folder.
struct PackageSet {
    folder: &'static str,
    suite: &'static str,
    description: &'static str,
    packages: &'static [&'static str],
    /// Paths of the programs, relative to the folder.
    programs: &'static [&'static str],
}

/// The servers that the service runs on and is tested with.
const SERVERS: PackageSet = PackageSet {
    folder: "debian-trixie",
    suite: "trixie",
    description: "PostgreSQL 17, TimescaleDB and Redis",
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
/// The databases that the service is compared with.
const PEERS: PackageSet = PackageSet {
    folder: "debian-bookworm-peers",
    suite: "bookworm",
    description: "InfluxDB and VictoriaMetrics",
    packages: &["influxdb", "victoria-metrics"],
    programs: &[INFLUXDB, VICTORIA_METRICS],
};
const INFLUXDB: &str = "usr/bin/influxd";
const VICTORIA_METRICS: &str = "usr/bin/victoria-metrics";

/// Prefixes of packages that these programs do not need.
const EXCLUDED: [&str; 28] = [
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
pub struct Debian {
    set: &'static PackageSet,
    prefix: PathBuf,
    loader: PathBuf,
    libraries: PathBuf,
}

impl Debian {
    /// Unpacks PostgreSQL, TimescaleDB and Redis below `folder`, unless that is done.
    ///
    /// # Errors
    /// The architecture is unknown, or the packages cannot be downloaded or unpacked.
    pub fn provide(folder: &Path) -> anyhow::Result<Self> {
        Self::provide_set(folder, &SERVERS)
    }

    /// Unpacks InfluxDB and VictoriaMetrics below `folder`, unless that is done.
    ///
    /// # Errors
    /// The architecture is unknown, or the packages cannot be downloaded or unpacked.
    pub fn provide_peers(folder: &Path) -> anyhow::Result<Self> {
        Self::provide_set(folder, &PEERS)
    }

    fn provide_set(folder: &Path, set: &'static PackageSet) -> anyhow::Result<Self> {
        let prefix = folder.join(set.folder);
        let (triplet, loader) = match std::env::consts::ARCH {
            "x86_64" => ("x86_64-linux-gnu", "ld-linux-x86-64.so.2"),
            "aarch64" => ("aarch64-linux-gnu", "ld-linux-aarch64.so.1"),
            other => {
                bail!(
                    "Debian's packages are supported on x86_64 and aarch64, not on {other}: \
                     set DATABASE_URL"
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

    /// Returns the folder of PostgreSQL's programs.
    pub(crate) fn postgres_bin(&self) -> PathBuf {
        self.prefix
            .join(format!("usr/lib/postgresql/{POSTGRES_VERSION}/bin"))
    }

    /// Returns the path of the Redis server.
    pub(crate) fn redis_server(&self) -> PathBuf {
        self.prefix.join("usr/bin/redis-server")
    }

    /// Returns the path of InfluxDB's server.
    #[must_use]
    pub fn influxdb(&self) -> PathBuf {
        self.prefix.join(INFLUXDB)
    }

    /// Returns the path of VictoriaMetrics' server.
    #[must_use]
    pub fn victoria_metrics(&self) -> PathBuf {
        self.prefix.join(VICTORIA_METRICS)
    }

    fn unpack(&self) -> anyhow::Result<()> {
        for tool in ["apt-get", "dpkg-deb", "tar"] {
            if Command::new(tool).arg("--version").output().is_err() {
                bail!(
                    "{tool} is needed to unpack {}: on other systems set DATABASE_URL \
                     (and TEST_* for tests)",
                    self.set.description
                );
            }
        }
        let step = Step::start(format!(
            "{} from Debian {}",
            self.set.description, self.set.suite
        ));
        if self.prefix.exists() {
            fs::remove_dir_all(&self.prefix).context("cannot remove an incomplete folder")?;
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
        output(apt_get(apt, &options).arg("update"))?;
        let uris = output(
            apt_get(apt, &options)
                .args(["-y", "--print-uris", "install"])
                .args(self.set.packages),
        )?;
        let names: Vec<&str> = uris
            .lines()
            .filter_map(package_name)
            .filter(|name| !is_excluded(name))
            .collect();
        output(apt_get(apt, &options).arg("download").args(names))?;
        Ok(())
    }

    fn extract(&self, package: &Path) -> anyhow::Result<()> {
        let mut dpkg = Command::new("dpkg-deb")
            .arg("--fsys-tarfile")
            .arg(package)
            .stdout(std::process::Stdio::piped())
            .spawn()?;
        let archive = dpkg.stdout.take().context("dpkg-deb has no output")?;
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

    /// Replaces a program by a script that starts it with the loader and libraries of the packages.
    fn wrap(&self, program: &Path) -> anyhow::Result<()> {
        let real = fs::canonicalize(program)
            .with_context(|| format!("{} is missing", program.display()))?;
        let binary = program.with_extension("bin");
        fs::copy(&real, &binary)?;
        fs::remove_file(program)?;
        let script = format!(
            "#!/bin/sh\nexec '{}' --library-path '{}' --argv0 '{}' '{}' \"$@\"\n",
            self.loader.display(),
            self.libraries.display(),
            program.display(),
            binary.display()
        );
        fs::write(program, script)?;
        fs::set_permissions(program, fs::Permissions::from_mode(0o755))?;
        Ok(())
    }
}

/// Returns an `apt-get` that works in the folder `apt` only.
fn apt_get(apt: &Path, options: &[String]) -> Command {
    let mut command = Command::new("apt-get");
    command.arg("-qq").current_dir(apt.join("debs"));
    for option in options {
        command.arg("-o").arg(option);
    }
    command
}

/// Returns the package name in a line of `apt-get --print-uris`:
/// `'http://…/name_version_arch.deb' name_version_arch.deb size hash`.
fn package_name(line: &str) -> Option<&str> {
    line.strip_prefix('\'')?
        .split_whitespace()
        .nth(1)?
        .split('_')
        .next()
}

fn is_excluded(name: &str) -> bool {
    EXCLUDED.iter().any(|prefix| name.starts_with(prefix))
}
