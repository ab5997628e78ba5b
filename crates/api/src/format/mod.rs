//! Response formats: JSON, CSV, NDJSON, Arrow and Parquet.

#[cfg(feature = "columnar")]
mod columnar;
mod csv;
mod end;
mod json;
mod table;
mod writer;

pub(crate) use end::{END, End};
pub(crate) use json::{JsonList, figure as json_figure, json, text as json_text};
pub(crate) use table::{Batch, Field, Kind, Table, Values};
pub(crate) use writer::{Writer, WriterError, elements, end_record};

use time_series_domain::fingerprint::{FingerprintHasher, Fingerprinted};
use time_series_domain::text::echo;

use crate::problem::{Code, Problem};
use crate::request::Choice;

/// The format of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Format {
    /// One JSON document.
    Json,
    /// Comma-separated values, RFC 4180.
    Csv,
    /// One JSON value per line.
    Ndjson,
    /// Arrow IPC stream.
    Arrow,
    /// Parquet.
    Parquet,
}

/// The parameter `format` of endpoints that offer every format.
pub(crate) static FORMAT: Choice<Format> = Choice::new(
    "format",
    &[
        ("json", Format::Json),
        ("csv", Format::Csv),
        ("ndjson", Format::Ndjson),
        ("arrow", Format::Arrow),
        ("parquet", Format::Parquet),
    ],
    "`json` (default), `csv`, `ndjson`, `arrow` or `parquet`; alternatively the header `Accept`.",
)
.example("json");

/// The parameter `format` of endpoints that offer text formats only.
pub(crate) static TEXT_FORMAT: Choice<Format> = Choice::new(
    "format",
    &[
        ("json", Format::Json),
        ("csv", Format::Csv),
        ("ndjson", Format::Ndjson),
    ],
    "`json` (default), `csv` or `ndjson`; alternatively the header `Accept`.",
)
.example("json");

impl Format {
    pub(crate) const ALL: [Self; 5] = [
        Self::Json,
        Self::Csv,
        Self::Ndjson,
        Self::Arrow,
        Self::Parquet,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Arrow => "arrow",
            Self::Parquet => "parquet",
        }
    }

    /// Returns the media type.
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Ndjson => "application/x-ndjson",
            Self::Arrow => "application/vnd.apache.arrow.stream",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// Returns the format of the parameter, otherwise that of the header `Accept`.
    pub(crate) fn negotiate(
        requested: Option<Self>,
        accept: &str,
        offered: &[Self],
    ) -> Result<Self, Problem> {
        let Some(format) = requested.or_else(|| accepted(accept, offered)) else {
            let types: Vec<&str> = offered.iter().map(|f| f.essence()).collect();
            let detail = format!(
                "Accept is {:?}; there are {}, or use ?format=",
                echo(accept),
                types.join(", ")
            );
            return Err(Problem::new(Code::NotAcceptable, detail));
        };
        if !cfg!(feature = "columnar") && matches!(format, Self::Arrow | Self::Parquet) {
            let detail = format!(
                "This build of the service was made without {}.",
                format.name()
            );
            return Err(Problem::new(Code::NotAcceptable, detail));
        }
        Ok(format)
    }

    pub(crate) fn essence(self) -> &'static str {
        self.media_type().split(';').next().unwrap_or_default()
    }
}

impl Fingerprinted for Format {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        hasher.variant(self.name());
    }
}

/// Returns the acceptable format with the greatest weight; of several, the first.
fn accepted(accept: &str, offered: &[Format]) -> Option<Format> {
    let mut best: Option<(f32, Format)> = None;
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let wanted = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = parts
            .find_map(|p| p.strip_prefix("q="))
            .and_then(|q| q.parse().ok())
            .unwrap_or(1.0);
        let main = wanted.strip_suffix("/*");
        let matches = |f: &&Format| {
            wanted == "*/*"
                || wanted == f.essence()
                || main.is_some_and(|m| f.essence().split('/').next() == Some(m))
        };
        if let Some(format) = offered.iter().find(matches)
            && weight > 0.0
            && best.is_none_or(|(w, _)| weight > w)
        {
            best = Some((weight, *format));
        }
    }
    best.map(|(_, format)| format)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_chooses() {
        let of = |accept| accepted(accept, &Format::ALL);
        assert_eq!(of("*/*"), Some(Format::Json));
        assert_eq!(of("text/html, text/csv;q=0.9"), Some(Format::Csv));
        assert_eq!(
            of("application/json;q=0.5, application/x-ndjson"),
            Some(Format::Ndjson)
        );
        assert_eq!(of("image/png"), None);
        assert_eq!(of("text/html,*/*;q=0.1"), Some(Format::Json));
    }
}
