//! Flat rows as columns, whatever they are written as.

use std::sync::Arc;

use time_series_domain::query::{Axis, Figure};
use time_series_domain::{Json, Timestamp};
use uuid::Uuid;

/// A column.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// What a column holds.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// Instants of an axis, which knows how they are written.
    Time(Option<Axis>),
    /// UUIDs.
    Id,
    /// Names of which there are few.
    Name,
    /// Numbers.
    Number,
    /// Whole numbers.
    Count,
    /// JSON values, without quotes where they are strings.
    Json,
    /// Figures of any kind: for formats whose columns have no type.
    Figure,
}

/// The columns of an answer.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) fields: Vec<Field>,
}

/// Some rows, by column.
pub(crate) struct Batch {
    pub(crate) columns: Vec<Values>,
}

/// The values of a column in some rows.
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

    /// An instant as text.
    pub(crate) fn label(&self, t: Timestamp) -> String {
        match &self.kind {
            Kind::Time(Some(axis)) => axis.label(t),
            _ => t.to_string(),
        }
    }
}

impl Table {
    /// No rows yet.
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
    /// How many rows there are.
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
