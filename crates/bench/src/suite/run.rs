//! Runs the parts and reports their figures.

use anyhow::{Context, ensure};
use clap::ValueEnum;
use time_series_devkit::progress::say;

use super::environment::Environment;
use super::options::{Bench, Part};
use super::{docs, hostile, ingest, queries, report, storage};

impl Bench {
    /// Measures the parts and prints their figures.
    ///
    /// # Errors
    /// The service cannot be provided, or a part cannot be measured.
    pub async fn run(self) -> anyhow::Result<()> {
        ensure!(
            self.repeat > 0 && self.concurrency > 0 && self.scale > 0.0 && self.scale <= 1.0,
            "--repeat and --concurrency must be at least 1, and --scale more than 0 and at most 1"
        );
        let mut figures = Vec::new();
        let mut last = None;
        for part in Part::value_variants()
            .iter()
            .filter(|part| self.only.is_empty() || self.only.contains(part))
        {
            // Each part has its own database, so that no part influences the next.
            let mut environment = Environment::provide(&self).await?;
            let measured = match part {
                Part::Ingest => ingest::measure(&mut environment).await,
                Part::Queries => queries::measure(&mut environment).await,
                Part::Storage => storage::measure(&mut environment).await,
                Part::Hostile => hostile::measure(&mut environment).await,
            };
            let description = environment.describe().await;
            let cleaned_up = environment.clean_up().await;
            let (measured, description) = (measured?, description?);
            say(report::table(&self, &description, &measured));
            cleaned_up?;
            if self.docs {
                docs::write(*part, &report::conditions(&self, &description), &measured)?;
            }
            figures.extend(measured);
            last = Some(description);
        }
        if let (Some(file), Some(description)) = (&self.json, last) {
            let json = report::json(&self, &description, &figures);
            std::fs::write(file, format!("{json:#}\n"))
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
        Ok(())
    }
}
