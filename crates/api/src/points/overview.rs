//! Request and answer shared by the latest points and the catalogue of a user.

use std::sync::Arc;

use actix_web::http::header::ETAG;
use actix_web::web;
use schemars::JsonSchema;
use serde::Serialize;
use time_series_domain::fingerprint::{Fingerprint, FingerprintHasher};
use time_series_domain::ports::DataVersion;
use time_series_domain::{SeriesSelector, UserId};
use uuid::Uuid;

use apistos::ApiComponent;

use crate::format::{
    Batch, END, End, Format, JsonList, TEXT_FORMAT, Table, Writer, WriterError, elements,
    json as to_json,
};
use crate::openapi::Rendered;
use crate::problem::Problem;
use crate::reads::Reads;
use crate::request::{
    FromQuery, Id, MIN_VERSION, Parameter, QueryParams, RequestContext, SERIES, SERIES_MODE,
    USER_VERSION, etag_of, read_selector,
};
use crate::state::AppState;

const OFFERED: [Format; 3] = [Format::Json, Format::Csv, Format::Ndjson];

static USER_ID: Id =
    Id::required("user_id", "The user.").example("d38834e0-fe46-4bf9-831d-1d5b125bdc9b");

/// The parameters of a list of the series of a user.
pub(crate) struct OverviewParams;

/// The parsed parameters.
pub(crate) struct OverviewRequest {
    pub(super) user: UserId,
    pub(super) selector: SeriesSelector,
    series: Vec<String>,
    format: Option<Format>,
    end: End,
    min_version: Option<u64>,
}

impl FromQuery for OverviewParams {
    type Parsed = OverviewRequest;

    const PARAMETERS: &'static [&'static dyn Parameter] = &[
        &USER_ID,
        &SERIES,
        &SERIES_MODE,
        &TEXT_FORMAT,
        &END,
        &MIN_VERSION,
    ];

    fn from_query(params: &mut QueryParams) -> OverviewRequest {
        let (selector, series) = read_selector(params);
        OverviewRequest {
            user: UserId(USER_ID.read_required(params)),
            selector,
            series,
            format: TEXT_FORMAT.read(params),
            end: END.read(params).unwrap_or_default(),
            min_version: MIN_VERSION.read(params),
        }
    }
}

impl OverviewRequest {
    /// Answers with the table that `read` returns.
    pub(super) async fn answer<T: Send + 'static, F>(
        self,
        name: &'static str,
        caller: &RequestContext,
        state: web::Data<AppState>,
        read: fn(Arc<Reads>, UserId, SeriesSelector) -> F,
    ) -> Result<Rendered<T>, Problem>
    where
        F: Future<Output = Result<(DataVersion, Table, Batch), Problem>> + Send + 'static,
    {
        let format = Format::negotiate(self.format, caller.accept(), &OFFERED)?;
        let (known, users) = (caller.known_etags(), [self.user]);
        state.log_users.note(self.user).await;
        let source = state
            .source_of_reads(caller, &users, self.min_version)
            .await?;
        let shared = state.clone().into_inner();
        let (overview, known) = (Arc::new(self), Arc::new(known));
        let answer = move |reads: Arc<Reads>| {
            let (overview, known, shared) = (overview.clone(), known.clone(), shared.clone());
            async move {
                let tag = |data_version: DataVersion| {
                    overview.tag(name, format, &shared.cache_namespace, data_version)
                };
                let (user, selector) = (overview.user, &overview.selector);
                if known.is_conditional() {
                    let data_version = reads.aggregate.data_version(&users).await?;
                    let data_version = reads
                        .points
                        .data_version_of_all(user, selector, data_version)
                        .await?;
                    if known.has(&tag(data_version)) {
                        let version = data_version.version.to_string();
                        return Ok(Rendered::not_modified()
                            .header(ETAG, &tag(data_version))
                            .header(USER_VERSION, &version));
                    }
                }
                let (data_version, table, batch) = read(reads, user, selector.clone()).await?;
                let body = overview
                    .render(format, data_version, table, batch)
                    .map_err(|e| {
                        tracing::error!(error = %e, "an overview could not be written");
                        Problem::internal()
                    })?;
                let rendered = Rendered::whole(format.media_type(), body);
                Ok(rendered
                    .header(ETAG, &tag(data_version))
                    .header(USER_VERSION, &data_version.version.to_string()))
            }
        };
        let spec = async move { source.answer(answer).await };
        state.queries.run(caller, spec).await
    }

    fn tag(
        &self,
        name: &str,
        format: Format,
        cache_namespace: &Fingerprint,
        data_version: DataVersion,
    ) -> String {
        // The negotiated format is hashed; the required version does not change the answer.
        let Self {
            user,
            selector,
            series,
            format: _,
            end,
            min_version: _,
        } = self;
        let mut hasher = FingerprintHasher::new("overview answer");
        hasher
            .field("name", name)
            .field("user", user)
            .field("selector", selector)
            .field("series", series)
            .field("format", &format)
            .field("end", end)
            .field("edition", cache_namespace)
            .field("head", &data_version);
        etag_of(&hasher.finish().to_string())
    }

    fn render(
        &self,
        format: Format,
        data_version: DataVersion,
        table: Table,
        batch: Batch,
    ) -> Result<Vec<u8>, WriterError> {
        let mut out = Vec::new();
        if format == Format::Json {
            let metadata = OverviewMetadata {
                count: batch.rows(),
                user_id: self.user.0,
                series: self.series.clone(),
                version: data_version.version,
            };
            out.extend_from_slice(b"{\"metadata\":");
            to_json(&mut out, &metadata);
            out.extend_from_slice(b",\"results\":[");
            elements(&table, &batch, &mut JsonList::default(), &mut out);
            out.extend_from_slice(b"]}");
            return Ok(out);
        }
        // CSV has no end marker: its end is known from the length.
        let end = if format == Format::Csv {
            End::None
        } else {
            self.end
        };
        let mut writer = Writer::new(format, table, end, &mut out)?;
        writer.batch(batch, &mut out)?;
        writer.end("", &mut out)?;
        Ok(out)
    }
}

/// The effective parameters and the version of the data.
#[derive(Serialize, JsonSchema, ApiComponent)]
pub(crate) struct OverviewMetadata {
    /// The number of results.
    count: usize,
    /// The user.
    user_id: Uuid,
    /// The series parameters as they were given; empty for all.
    series: Vec<String>,
    /// The version of the user's data.
    version: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::fuzz::fuzz_query_strings;

    #[test]
    fn no_query_string_panics_and_problems_are_bounded() {
        fuzz_query_strings::<OverviewParams>(|_| Ok(()));
    }
}
