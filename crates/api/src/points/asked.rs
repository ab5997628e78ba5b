//! The parameters of raw points, parsed into what the domain asks.

use time_series_domain::fingerprint::{Fingerprint, FingerprintHasher, Fingerprinted};
use time_series_domain::ports::Order;
use time_series_domain::query::ValueFilter;
use time_series_domain::query::points::{Method, PointQuery};
use time_series_domain::{
    Calendar, Interval, SeriesSelector, SessionId, Timestamp, UserId, Weekday,
};
use uuid::Uuid;

use super::cursor;
use crate::format::{End, Format};
use crate::problem::Problem;
use crate::request::{
    CursorKey, QueryParams, TimeParam, check_range, clash, read_filter, read_selector,
};

const MAX_LIMIT: usize = 100_000;
const DEFAULT_LIMIT: usize = 1_000;
const LEAST_POINTS: usize = 3;

/// The parameters as parsed; what could not be has its fault in the pairs.
pub(crate) struct Parsed {
    pub(super) user_id: Option<Uuid>,
    session_id: Option<Uuid>,
    selector: SeriesSelector,
    series: Vec<String>,
    start: Option<TimeParam>,
    end: Option<TimeParam>,
    filter: Option<ValueFilter>,
    order: Order,
    limit: Option<usize>,
    cursor: Option<String>,
    thin: Option<(usize, Method)>,
    format: Option<Format>,
    end_mark: End,
    output: Output,
    pub(super) min_version: Option<u64>,
}

/// How points are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    /// A point a row.
    Nested,
    /// A leaf a row.
    Flat,
    /// An array a leaf.
    Columns,
}

/// A query, and what was asked as it was asked, to be echoed.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) query: PointQuery,
    pub(super) series: Vec<String>,
    pub(super) start: Option<Timestamp>,
    pub(super) end: Option<Timestamp>,
    pub(super) thin: Option<(usize, Method)>,
    pub(super) format: Format,
    pub(super) end_mark: End,
    pub(super) output: Output,
    /// The cursor as it was given, to be opened.
    cursor: Option<String>,
}

impl Asked {
    /// Starts behind the place of the cursor that was given, if one was.
    pub(super) fn at_cursor(mut self, cursors: &CursorKey) -> Result<Self, Problem> {
        if let Some(text) = &self.cursor {
            let place = cursor::open(cursors, &self.query, text);
            self.query.after = Some(place.ok_or_else(|| {
                let message = "is not one that this list gave for these parameters; leave it out to start anew";
                Problem::parameter("cursor", message)
            })?);
        }
        Ok(self)
    }

    /// Returns the fingerprint of the answer apart from the data: of the query and of how the answer is rendered.
    pub(super) fn answer_key(&self, cursors: &CursorKey, edition: &Fingerprint) -> Fingerprint {
        // The cursor counts as the place that it names, which is in the query.
        let Self {
            query,
            series,
            start,
            end,
            thin,
            format,
            end_mark,
            output,
            cursor: _,
        } = self;
        let mut hasher = FingerprintHasher::new("points");
        hasher
            .field("query", query)
            .field("series", series)
            .field("start", start)
            .field("end", end)
            .field("thin", thin)
            .field("format", format)
            .field("end_mark", end_mark)
            .field("output", output)
            .field("cursors", &cursors.id())
            .field("edition", edition);
        hasher.finish()
    }
}

impl Fingerprinted for Output {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        hasher.variant(match self {
            Self::Nested => "nested",
            Self::Flat => "flat",
            Self::Columns => "columns",
        });
    }
}

impl Parsed {
    pub(super) fn read(
        pairs: &mut QueryParams,
        user_id: Option<Uuid>,
        session_id: Option<Uuid>,
    ) -> Self {
        let order = pairs.word(
            "order",
            &[("asc", Order::Ascending), ("desc", Order::Descending)],
        );
        let limit = pairs.number("limit", &1, &MAX_LIMIT);
        let cursor = pairs.one("cursor");
        let max_points = pairs.number("max_points", &LEAST_POINTS, &MAX_LIMIT);
        let method = pairs.word(
            "method",
            &[("lttb", Method::Lttb), ("minmax", Method::MinMax)],
        );
        if max_points.is_some() {
            for (name, is_given) in [("limit", limit.is_some()), ("cursor", cursor.is_some())] {
                if is_given {
                    clash(
                        pairs,
                        name,
                        "cannot be with max_points, which thins out all points; leave one of them out",
                    );
                }
            }
            if order == Some(Order::Descending) {
                clash(pairs, "order", "cannot be desc with max_points");
            }
        } else if method.is_some() && pairs.all("max_points").is_empty() {
            clash(
                pairs,
                "method",
                "says how max_points chooses; give max_points too",
            );
        }
        let (selector, series) = read_selector(pairs);
        let flat = pairs
            .word("shape", &[("nested", false), ("flat", true)])
            .unwrap_or(false);
        let columns = pairs
            .word("layout", &[("rows", false), ("columns", true)])
            .unwrap_or(false);
        if columns && flat {
            clash(
                pairs,
                "layout",
                "is columns, which have no rows to be flat; leave out shape=flat or layout=columns",
            );
        }
        Self {
            user_id,
            session_id,
            selector,
            series,
            start: pairs.read("start_time", TimeParam::read),
            end: pairs.read("end_time", TimeParam::read),
            filter: read_filter(pairs),
            order: order.unwrap_or_default(),
            limit,
            cursor,
            thin: max_points.map(|most| (most, method.unwrap_or_default())),
            format: Format::from_query(pairs, &Format::ALL),
            end_mark: End::from_query(pairs),
            output: match (columns, flat) {
                (true, _) => Output::Columns,
                (false, true) => Output::Flat,
                (false, false) => Output::Nested,
            },
            min_version: pairs.number("min_version", &0, &u64::MAX),
        }
    }

    /// The query that these parameters ask of a user, or of a session.
    pub(super) fn ask(
        self,
        user: UserId,
        session: Option<SessionId>,
        accept: &str,
        now: Timestamp,
    ) -> Result<Asked, Problem> {
        let format = Format::negotiate(self.format, accept, &Format::ALL)?;
        if self.output == Output::Columns && format != Format::Json {
            return Err(Problem::parameter(
                "layout",
                "is columns, which is for format=json",
            ));
        }
        let utc = Calendar::new(Interval::All, "UTC", Weekday::Monday);
        let utc = utc.map_err(|_| Problem::internal())?;
        let start = self
            .start
            .map(|start| start.resolve("start_time", &utc, now))
            .transpose()?;
        let end = self
            .end
            .map(|end| end.resolve("end_time", &utc, now))
            .transpose()?;
        let range = start.unwrap_or(Timestamp::MIN)..end.unwrap_or(Timestamp::MAX);
        check_range(range.start, range.end, "end_time", |t| t.to_string())?;
        let by_default = (format == Format::Json && self.thin.is_none()).then_some(DEFAULT_LIMIT);
        let query = PointQuery {
            user_id: user,
            session_id: session.or(self.session_id.map(SessionId)),
            selector: self.selector,
            range,
            filter: self.filter,
            order: self.order,
            after: None,
            limit: self.limit.or(by_default),
        };
        Ok(Asked {
            query,
            series: self.series,
            start,
            end,
            thin: self.thin,
            format,
            end_mark: self.end_mark,
            output: self.output,
            cursor: self.cursor,
        })
    }
}
