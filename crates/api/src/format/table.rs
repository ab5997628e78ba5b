//! Tables of flat rows, stored by column, independent of the format.

use std::sync::Arc;

use time_series_domain::query::{Axis, Figure};
use time_series_domain::{Json, Timestamp};
use uuid::Uuid;

/// A column of a table.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// The type of a column.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// Instants, formatted for the axis if there is one.
    Time(Option<Axis>),
    /// UUIDs.
    Id,
    /// Names with few distinct values.
    Name,
    /// Numbers.
    Number,
    /// Whole numbers.
    Count,
    /// JSON values; strings are written without quotes.
    Json,
    /// Figures of any type, for formats with untyped columns.
    Figure,
}

/// The columns of a table.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) fields: Vec<Field>,
}

/// A batch of rows, by column.
pub(crate) struct Batch {
    pub(crate) columns: Vec<Values>,
}

/// The values of a column in a batch.
pub(crate) enum Values {
    Time(Vec<Timestamp>),
    Id(Vec<Option<Uuid>>),
    Name(Vec<Option<Arc<str>>>),
    Number(Vec<Option<f64>>),
    Count(Vec<Option<u64>>),
    Json(Vec<Option<Json>>),
    Figure(Vec<Figure>),
}

impl Field {
    pub(crate) fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            kind,
        }
    }

    /// Formats an instant.
    pub(crate) fn label(&self, t: Timestamp) -> String {
        match &self.kind {
            Kind::Time(Some(axis)) => axis.label(t),
            _ => t.to_string(),
        }
    }
}

impl Table {
    /// Returns an empty batch.
    pub(crate) fn batch(&self) -> Batch {
        let columns = self.fields.iter().map(|field| match field.kind {
            Kind::Time(_) => Values::Time(Vec::new()),
            Kind::Id => Values::Id(Vec::new()),
            Kind::Name => Values::Name(Vec::new()),
            Kind::Number => Values::Number(Vec::new()),
            Kind::Count => Values::Count(Vec::new()),
            Kind::Json => Values::Json(Vec::new()),
            Kind::Figure => Values::Figure(Vec::new()),
        });
        Batch {
            columns: columns.collect(),
        }
    }
}

impl Batch {
    /// Returns the number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.columns.first().map_or(0, Values::len)
    }
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Self::Time(v) => v.len(),
            Self::Id(v) => v.len(),
            Self::Name(v) => v.len(),
            Self::Number(v) => v.len(),
            Self::Count(v) => v.len(),
            Self::Json(v) => v.len(),
            Self::Figure(v) => v.len(),
        }
    }
}
