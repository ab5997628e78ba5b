//! Which series a query is about.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::aggregate::QueryError;
use super::ask::{AggFunction, AggregateQuery, Fill, ValueFilter};
use super::plan::Selected;
use crate::catalogue::CatalogueCache;
use crate::metric_type::{Catalogue, MetricType, SeriesSelector};
use crate::ports::{CatalogueView, MetricTypeStore, PointSource, ScanHead, StoreError};
use crate::{MetricTypeId, SchemaVersion, UserId};

/// Maximum attempts of a query whose own metric types change while it runs.
pub(super) const CATALOGUE_ATTEMPTS: usize = 16;
/// A pattern is resolved against the whole catalogue up to this number of metric types, and against those of the users'
/// points beyond it.
const SMALL_CATALOGUE: usize = 32;

/// Maximum users whose metric types are remembered.
const REMEMBERED_USERS: usize = 10_000;

/// What a query selects.
pub(super) struct Choice<'a> {
    pub(super) users: &'a [UserId],
    pub(super) selector: &'a SeriesSelector,
    pub(super) filter: Option<&'a ValueFilter>,
    /// Where the metric types of the users' points are found.
    pub(super) points: PointSource,
    /// Returns what needs numbers, for a metric type without numbers that the query therefore skips.
    pub(super) needs_numbers: &'a (dyn Fn(&MetricType) -> Option<String> + Sync),
    /// Whether the metric types of the users' points may be those of an earlier query.
    pub(super) may_remember: bool,
}

/// The series that a query reads and those that it skips.
pub(super) struct Selection {
    /// By name. Series of which the users have no point may be left out.
    pub(super) kept: Vec<Selected>,
    /// The series that cannot be read so, by name.
    pub(super) skipped: Vec<Arc<MetricType>>,
    /// What the selection assumes about metric types.
    pub(super) view: CatalogueView,
    /// The catalogue's generation that it was made from.
    pub(super) generation: u64,
    /// Digest of the generations of the metric types that are kept, and of the names that are skipped.
    pub(super) digest: u64,
    /// The head at which it was made, if it was made from the users' points as they are now.
    pub(super) head: Option<ScanHead>,
}

/// Selects series from the catalogue.
pub(super) struct SelectSeries {
    metric_types: Arc<dyn MetricTypeStore>,
    catalogue: Arc<CatalogueCache>,
    /// By user, and by whether they come from blocks.
    remembered: Mutex<BTreeMap<(UserId, bool), Arc<OfUser>>>,
}

/// The metric types of a user's points as they were once. The store checks in the snapshot of a query whether they still are.
struct OfUser {
    points: PointSource,
    head: ScanHead,
    types: Vec<SchemaVersion>,
}

impl SelectSeries {
    pub(super) const fn new(
        metric_types: Arc<dyn MetricTypeStore>,
        catalogue: Arc<CatalogueCache>,
    ) -> Self {
        Self {
            metric_types,
            catalogue,
            remembered: Mutex::new(BTreeMap::new()),
        }
    }

    /// Selects series. A later attempt uses the latest catalogue and depends on the metric types of the users' points only.
    ///
    /// # Errors
    /// [`QueryError`]; nothing is rejected because of an outdated catalogue.
    pub(super) async fn select(
        &self,
        choice: &Choice<'_>,
        attempt: usize,
    ) -> Result<Selection, QueryError> {
        let store = self.metric_types.as_ref();
        let mut catalogue = match attempt {
            0 => self.catalogue.known(store).await?,
            _ => self.catalogue.latest(store).await?,
        };
        let mut is_latest = attempt > 0;
        for _ in 0..CATALOGUE_ATTEMPTS {
            let selected = if choice.selector.is_exact()
                || (catalogue.len() <= SMALL_CATALOGUE && attempt == 0)
            {
                choice.of_catalogue(&catalogue)
            } else {
                match self
                    .of_users(
                        choice,
                        &catalogue,
                        choice.may_remember && attempt == 0 && !is_latest,
                    )
                    .await
                {
                    Err(QueryError::Store(StoreError::CatalogueChanged)) => {
                        catalogue = self.catalogue.latest(store).await?;
                        is_latest = true;
                        continue;
                    }
                    selected => selected,
                }
            };
            match selected {
                Err(e @ (QueryError::Series(_) | QueryError::NoNumbers { .. })) if !is_latest => {
                    // Another process may have changed the metric types.
                    let latest = self.catalogue.latest(store).await?;
                    if latest.generation == catalogue.generation {
                        return Err(e);
                    }
                    (catalogue, is_latest) = (latest, true);
                }
                selected => return selected,
            }
        }
        Err(StoreError::CatalogueChanged.into())
    }

    /// Selects series of a catalogue that is at least as new as `head`. Returns the head as an answer would show it.
    pub(super) async fn shown(
        &self,
        choice: &Choice<'_>,
        head: ScanHead,
    ) -> Result<ScanHead, QueryError> {
        let mut selection = self.select(choice, 0).await?;
        if selection.generation < head.generation {
            selection = self.select(choice, 1).await?;
        }
        Ok(selection.shown(selection.head.unwrap_or(head)))
    }

    /// Selects from the metric types of the users' points; `may_remember` those of an earlier query.
    async fn of_users(
        &self,
        choice: &Choice<'_>,
        known: &Arc<Catalogue>,
        may_remember: bool,
    ) -> Result<Selection, QueryError> {
        choice.selector.check_names(known)?;
        if may_remember && let Some(of_user) = self.remembered(choice) {
            let current = |version: &SchemaVersion| {
                known
                    .by_id(version.metric_type)
                    .filter(|t| t.schema_version() == *version)
                    .cloned()
            };
            if let Some(own) = of_user.types.iter().map(current).collect() {
                let (head, types) = (of_user.head, of_user.types.clone());
                let view = CatalogueView::OfUsers {
                    head,
                    points: choice.points.clone(),
                    types,
                };
                return Ok(Selection {
                    head: None,
                    ..choice.of_users(known, own, view)?
                });
            }
        }
        let (head, types) = self
            .metric_types
            .of_users(choice.users, &choice.points)
            .await?;
        let catalogue = if head.generation == known.generation {
            Arc::clone(known)
        } else {
            self.catalogue.latest(self.metric_types.as_ref()).await?
        };
        let seen = |version: &SchemaVersion| {
            let metric_type = catalogue
                .by_id(version.metric_type)
                .filter(|t| t.schema_version() == *version);
            metric_type.cloned().ok_or(StoreError::CatalogueChanged)
        };
        let own = types.iter().map(seen).collect::<Result<Vec<_>, _>>()?;
        self.remember(
            choice,
            OfUser {
                points: choice.points.clone(),
                head,
                types: types.clone(),
            },
        );
        let view = CatalogueView::OfUsers {
            head,
            points: choice.points.clone(),
            types,
        };
        Ok(Selection {
            head: Some(head),
            ..choice.of_users(&catalogue, own, view)?
        })
    }

    /// The metric types of the only user's points that were remembered, if they were looked for in all of the range.
    fn remembered(&self, choice: &Choice<'_>) -> Option<Arc<OfUser>> {
        let remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let of_user = remembered.get(&choice.key()?)?;
        of_user
            .points
            .covers(&choice.points)
            .then(|| Arc::clone(of_user))
    }

    fn remember(&self, choice: &Choice<'_>, of_user: OfUser) {
        let Some(key) = choice.key().filter(|_| choice.may_remember) else {
            return;
        };
        let mut remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED_USERS {
            remembered.clear();
        }
        remembered.insert(key, Arc::new(of_user));
    }
}

impl Choice<'_> {
    /// What the metric types of the only user's points are remembered by.
    fn key(&self) -> Option<(UserId, bool)> {
        let [user] = self.users else { return None };
        Some((*user, matches!(self.points, PointSource::Blocks(_))))
    }

    /// Selects from the whole catalogue.
    fn of_catalogue(&self, catalogue: &Catalogue) -> Result<Selection, QueryError> {
        let resolved = self.selector.resolve(catalogue)?;
        let generation = catalogue.generation;
        let view = if self.selector.is_exact() {
            CatalogueView::Types {
                generation,
                types: resolved.iter().map(|t| t.schema_version()).collect(),
            }
        } else {
            CatalogueView::Whole(generation)
        };
        let (mut kept, mut skipped) = (Vec::with_capacity(resolved.len()), Vec::new());
        for metric_type in resolved {
            match self.conditions(&metric_type)? {
                Some(conditions) => kept.push(Selected {
                    metric_type,
                    conditions,
                }),
                None => skipped.push(metric_type),
            }
        }
        Ok(Selection::new(kept, skipped, view, generation))
    }

    /// Selects from the metric types of the users' points. Those that are skipped are found by their channels.
    fn of_users(
        &self,
        catalogue: &Catalogue,
        mut own: Vec<Arc<MetricType>>,
        view: CatalogueView,
    ) -> Result<Selection, QueryError> {
        let is_skipped = |t: &MetricType| {
            (self.needs_numbers)(t).is_some()
                || self.filter.is_some_and(|filter| filter.on(t).is_none())
        };
        let mut skipped = Vec::new();
        for metric_type in catalogue.iter_by_channels(is_skipped) {
            if self.selector.matches(metric_type.series.as_str())
                && self.conditions(metric_type)?.is_none()
            {
                skipped.push(Arc::clone(metric_type));
            }
        }
        skipped.sort_unstable_by(|a, b| a.series.cmp(&b.series));
        own.sort_by(|a, b| a.series.cmp(&b.series));
        let mut kept = Vec::with_capacity(own.len());
        for metric_type in own
            .into_iter()
            .filter(|t| self.selector.matches(t.series.as_str()))
        {
            if let Some(conditions) = self.conditions(&metric_type)? {
                kept.push(Selected {
                    metric_type,
                    conditions,
                });
            }
        }
        Ok(Selection::new(kept, skipped, view, catalogue.generation))
    }

    /// The conditions on points of a series; `None` for a series that is skipped.
    fn conditions(
        &self,
        metric_type: &MetricType,
    ) -> Result<Option<Vec<crate::ports::LeafCondition>>, QueryError> {
        if let Some(what) = (self.needs_numbers)(metric_type) {
            let series = metric_type.series.as_str();
            if self.selector.names_exactly(series) {
                return Err(QueryError::NoNumbers {
                    series: series.to_owned(),
                    what,
                });
            }
            return Ok(None);
        }
        Ok(self
            .filter
            .map_or_else(|| Some(Vec::new()), |filter| filter.on(metric_type)))
    }
}

/// The names of the skipped metric types that are present, in their order.
pub(super) fn names_of_present(
    skipped: &[Arc<MetricType>],
    present: &[MetricTypeId],
) -> Vec<String> {
    let present = skipped.iter().filter(|t| present.contains(&t.id));
    present.map(|t| t.series.as_str().to_owned()).collect()
}

impl Selection {
    fn new(
        kept: Vec<Selected>,
        skipped: Vec<Arc<MetricType>>,
        view: CatalogueView,
        generation: u64,
    ) -> Self {
        let mut hash = blake3::Hasher::new();
        for Selected { metric_type, .. } in &kept {
            hash.update(&metric_type.id.0.to_le_bytes());
            hash.update(&metric_type.generation.to_le_bytes());
        }
        hash.update(b"skipped");
        for metric_type in &skipped {
            hash.update(metric_type.series.as_str().as_bytes());
            hash.update(b" ");
        }
        let mut digest = [0; 8];
        hash.finalize_xof().fill(&mut digest);
        Self {
            kept,
            skipped,
            view,
            generation,
            digest: u64::from_le_bytes(digest),
            head: None,
        }
    }

    /// The numbers of the metric types that are kept.
    pub(super) fn ids(&self) -> Vec<MetricTypeId> {
        self.metric_types()
            .map(|metric_type| metric_type.id)
            .collect()
    }

    /// The metric types that are kept, by name.
    pub(super) fn metric_types(&self) -> impl Iterator<Item = &Arc<MetricType>> {
        self.kept.iter().map(|selected| &selected.metric_type)
    }

    /// A head as an answer from this selection shows it.
    pub(super) const fn shown(&self, head: ScanHead) -> ScanHead {
        ScanHead {
            version: head.version,
            generation: self.digest,
        }
    }
}

/// Returns where the metric types of the users' points are found for an aggregate query. Day summaries are quicker, but only
/// tell of numbers.
pub(super) fn point_source(query: &AggregateQuery) -> PointSource {
    if why_numbers(query).is_some() && query.fill == Fill::None {
        return PointSource::DaySummaries;
    }
    let start = query.lookback.map_or(query.range.start, |lookback| {
        lookback.before(query.range.start)
    });
    PointSource::Blocks(start..query.range.end)
}

/// Returns the function that a series without numbers cannot answer.
pub(super) fn needs_numbers(query: &AggregateQuery, metric_type: &MetricType) -> Option<String> {
    if metric_type.channels.is_empty() {
        why_numbers(query)
    } else {
        None
    }
}

fn why_numbers(query: &AggregateQuery) -> Option<String> {
    let of_points = query.functions.iter().find(|f| !f.works_on_text());
    // What counts gives numbers; what picks a value gives text.
    let text_over = || query.functions.iter().any(|f| f.picks_text());
    let of_groups = || {
        query
            .over
            .iter()
            .find(|o: &&AggFunction| text_over() && !o.works_on_text())
    };
    of_points.or_else(of_groups).map(AggFunction::to_string)
}
