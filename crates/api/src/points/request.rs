//! The parsed parameters of a list of points, and their resolution into a request.

use time_series_domain::fingerprint::{Fingerprint, FingerprintHasher};
use time_series_domain::ports::Order;
use time_series_domain::query::ValueFilter;
use time_series_domain::query::points::{Method, PointSpec};
use time_series_domain::{
    Calendar, Interval, SeriesSelector, SessionId, Timestamp, UserId, Weekday,
};
use uuid::Uuid;

use super::cursor;
use super::params::{
    CURSOR, END_TIME, LIMIT, MAX_POINTS, METHOD, ORDER, OWNER_ID, SESSION_ID, START_TIME, USER_ID,
};
use crate::format::{END, End, FORMAT, Format};
use crate::problem::Problem;
use crate::request::{
    CursorKey, FromQuery, IS_COLUMNS, IS_FLAT, MIN_VERSION, Output, Parameter, QueryParams, SERIES,
    SERIES_MODE, TimeParam, WHERE, check_range, clash, read_output, read_selector,
};

/// Default of `limit` in JSON.
const DEFAULT_LIMIT: usize = 1_000;

/// The parameters of a list of points of a user.
pub(crate) struct PointParams;

/// The parameters of a list of points of a session.
pub(crate) struct SessionPointParams;

/// Lists the parameters of an endpoint, followed by those that both lists share.
macro_rules! with_shared {
    ($($own:expr),*) => {
        &[
            $($own,)*
            &SERIES,
            &SERIES_MODE,
            &START_TIME,
            &END_TIME,
            &WHERE,
            &ORDER,
            &LIMIT,
            &CURSOR,
            &MAX_POINTS,
            &METHOD,
            &FORMAT,
            &END,
            &IS_FLAT,
            &IS_COLUMNS,
            &MIN_VERSION,
        ]
    };
}

impl FromQuery for PointParams {
    type Parsed = PointListParams;

    const PARAMETERS: &'static [&'static dyn Parameter] = with_shared!(&USER_ID, &SESSION_ID);

    fn from_query(params: &mut QueryParams) -> PointListParams {
        let user = USER_ID.read_required(params);
        let session = SESSION_ID.read(params);
        PointListParams::read(params, Some(user), session)
    }
}

impl FromQuery for SessionPointParams {
    type Parsed = PointListParams;

    const PARAMETERS: &'static [&'static dyn Parameter] = with_shared!(&OWNER_ID);

    fn from_query(params: &mut QueryParams) -> PointListParams {
        let user = OWNER_ID.read(params);
        PointListParams::read(params, user, None)
    }
}

/// The parsed parameters. The faults of invalid ones are recorded in the pairs.
pub(crate) struct PointListParams {
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
    /// Maximum points of each series, and the algorithm.
    downsample: Option<(usize, Method)>,
    format: Option<Format>,
    end_mark: End,
    output: Output,
    pub(super) min_version: Option<u64>,
}

/// A resolved request: the query, and the parameters as given, which the answer echoes.
#[derive(Debug, Clone)]
pub(super) struct PointListRequest {
    pub(super) spec: PointSpec,
    pub(super) series: Vec<String>,
    pub(super) start: Option<Timestamp>,
    pub(super) end: Option<Timestamp>,
    /// Maximum points of each series, and the algorithm.
    pub(super) downsample: Option<(usize, Method)>,
    pub(super) format: Format,
    pub(super) end_mark: End,
    pub(super) output: Output,
    /// The cursor as given, not yet verified.
    cursor: Option<String>,
}

impl PointListRequest {
    /// Moves the start of the list to the position of the given cursor, if any.
    pub(super) fn at_cursor(mut self, cursors: &CursorKey) -> Result<Self, Problem> {
        if let Some(text) = &self.cursor {
            let index = cursor::open(cursors, &self.spec, text);
            self.spec.after = Some(index.ok_or_else(|| {
                let message = "is not one that this list gave for these parameters; \
                               leave it out to start anew";
                Problem::parameter("cursor", message)
            })?);
        }
        Ok(self)
    }

    /// Returns the fingerprint of the answer without the data: of the query and the rendering.
    pub(super) fn answer_key(
        &self,
        cursors: &CursorKey,
        cache_namespace: &Fingerprint,
    ) -> Fingerprint {
        // The cursor is represented by its position, which is part of the query.
        let Self {
            spec,
            series,
            start,
            end,
            downsample,
            format,
            end_mark,
            output,
            cursor: _,
        } = self;
        let mut hasher = FingerprintHasher::new("points");
        hasher
            .field("query", spec)
            .field("series", series)
            .field("start", start)
            .field("end", end)
            .field("downsample", downsample)
            .field("format", format)
            .field("end_mark", end_mark)
            .field("output", output)
            .field("cursors", &cursors.id())
            .field("edition", cache_namespace);
        hasher.finish()
    }
}

impl PointListParams {
    pub(super) fn read(
        params: &mut QueryParams,
        user_id: Option<Uuid>,
        session_id: Option<Uuid>,
    ) -> Self {
        let order = ORDER.read(params);
        let limit = LIMIT.read(params);
        let cursor = CURSOR.read(params);
        let max_points = MAX_POINTS.read(params);
        let method = METHOD.read(params);
        if max_points.is_some() {
            for (name, is_given) in [("limit", limit.is_some()), ("cursor", cursor.is_some())] {
                if is_given {
                    clash(
                        params,
                        name,
                        "cannot be with max_points, which downsamples all points; leave one out",
                    );
                }
            }
            if order == Some(Order::Descending) {
                clash(params, "order", "cannot be desc with max_points");
            }
        } else if method.is_some() && !MAX_POINTS.is_sent(params) {
            clash(
                params,
                "method",
                "says how max_points chooses; give max_points too",
            );
        }
        let (selector, series) = read_selector(params);
        Self {
            user_id,
            session_id,
            selector,
            series,
            start: START_TIME.read(params),
            end: END_TIME.read(params),
            filter: WHERE.read(params),
            order: order.unwrap_or_default(),
            limit,
            cursor,
            downsample: max_points.map(|max| (max, method.unwrap_or_default())),
            format: FORMAT.read(params),
            end_mark: END.read(params).unwrap_or_default(),
            output: read_output(params),
            min_version: MIN_VERSION.read(params),
        }
    }

    /// Resolves the parameters for a user or a session at the time `now`.
    pub(super) fn resolve(
        self,
        user: UserId,
        session: Option<SessionId>,
        accept: &str,
        now: Timestamp,
    ) -> Result<PointListRequest, Problem> {
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
        let by_default =
            (format == Format::Json && self.downsample.is_none()).then_some(DEFAULT_LIMIT);
        let spec = PointSpec {
            user_id: user,
            session_id: session.or(self.session_id.map(SessionId)),
            selector: self.selector,
            range,
            filter: self.filter,
            order: self.order,
            after: None,
            limit: self.limit.or(by_default),
        };
        Ok(PointListRequest {
            spec,
            series: self.series,
            start,
            end,
            downsample: self.downsample,
            format,
            end_mark: self.end_mark,
            output: self.output,
            cursor: self.cursor,
        })
    }
}

#[cfg(test)]
mod tests {
    use time_series_domain::UserId;

    use super::*;
    use crate::request::fuzz::fuzz_query_strings;

    fn ask(params: PointListParams) -> Result<(), Problem> {
        let user = UserId(params.user_id.unwrap_or_default());
        params
            .resolve(user, None, "*/*", Timestamp::EPOCH)
            .map(|_| ())
    }

    #[test]
    fn no_query_string_for_a_user_panics_and_problems_are_bounded() {
        fuzz_query_strings::<PointParams>(ask);
    }

    #[test]
    fn no_query_string_for_a_session_panics_and_problems_are_bounded() {
        fuzz_query_strings::<SessionPointParams>(ask);
    }
}
