//! Selects series, from the whole catalogue or from the metric types that the users have points of.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::criteria::SelectionCriteria;
use super::selected_series::Selection;
use crate::catalogue::CatalogueCache;
use crate::metric_type::Catalogue;
use crate::ports::{CatalogueView, DataVersion, MetricTypeStore, PointSource, StoreError};
use crate::query::error::QueryError;
use crate::{SchemaVersion, UserId};

/// Maximum attempts of a query whose own metric types change while it runs.
pub(in crate::query) const CATALOGUE_ATTEMPTS: usize = 16;
/// Maximum size of a catalogue against which a pattern is resolved as a whole. In a larger one, it
/// is resolved against the metric types of the users' points.
const SMALL_CATALOGUE: usize = 32;

/// Maximum number of users whose metric types are remembered.
const REMEMBERED_USERS: usize = 10_000;

/// Selects the series of a query.
pub(in crate::query) struct SelectSeries {
    metric_types: Arc<dyn MetricTypeStore>,
    catalogue: Arc<CatalogueCache>,
    /// The metric types of single users' points, by user and whether they were read from blocks.
    remembered: Mutex<BTreeMap<(UserId, bool), Arc<RememberedTypes>>>,
}

/// The metric types of a user's points at an earlier data version. The store checks in the snapshot
/// of a query whether they are still current.
struct RememberedTypes {
    points: PointSource,
    data_version: DataVersion,
    types: Vec<SchemaVersion>,
}

impl SelectSeries {
    pub(in crate::query) const fn new(
        metric_types: Arc<dyn MetricTypeStore>,
        catalogue: Arc<CatalogueCache>,
    ) -> Self {
        Self {
            metric_types,
            catalogue,
            remembered: Mutex::new(BTreeMap::new()),
        }
    }

    /// Selects series. Attempts after the first use the latest catalogue and depend only on the
    /// metric types of the users' points.
    ///
    /// # Errors
    /// [`QueryError`]. An outdated catalogue never causes a rejection.
    pub(in crate::query) async fn select(
        &self,
        criteria: &SelectionCriteria<'_>,
        attempt: usize,
    ) -> Result<Selection, QueryError> {
        let store = self.metric_types.as_ref();
        let mut catalogue = match attempt {
            0 => self.catalogue.known(store).await?,
            _ => self.catalogue.latest(store).await?,
        };
        let mut is_latest = attempt > 0;
        for _ in 0..CATALOGUE_ATTEMPTS {
            let selected = if criteria.selector.is_exact()
                || (catalogue.len() <= SMALL_CATALOGUE && attempt == 0)
            {
                criteria.of_catalogue(&catalogue)
            } else {
                match self
                    .of_users(
                        criteria,
                        &catalogue,
                        criteria.may_remember && attempt == 0 && !is_latest,
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

    /// Selects series of a catalogue that is at least as new as `data_version`. Returns the data
    /// version as an answer would show it.
    pub(in crate::query) async fn shown(
        &self,
        criteria: &SelectionCriteria<'_>,
        data_version: DataVersion,
    ) -> Result<DataVersion, QueryError> {
        let mut selection = self.select(criteria, 0).await?;
        if selection.generation < data_version.generation {
            selection = self.select(criteria, 1).await?;
        }
        Ok(selection.shown(selection.data_version.unwrap_or(data_version)))
    }

    /// Selects from the metric types of the users' points. With `may_remember`, these may be
    /// remembered from an earlier query.
    async fn of_users(
        &self,
        criteria: &SelectionCriteria<'_>,
        known: &Arc<Catalogue>,
        may_remember: bool,
    ) -> Result<Selection, QueryError> {
        criteria.selector.check_names(known)?;
        if may_remember && let Some(of_user) = self.remembered(criteria) {
            let current = |version: &SchemaVersion| {
                known
                    .by_id(version.metric_type)
                    .filter(|t| t.schema_version() == *version)
                    .cloned()
            };
            if let Some(own) = of_user.types.iter().map(current).collect() {
                let (data_version, types) = (of_user.data_version, of_user.types.clone());
                let view = CatalogueView::OfUsers {
                    data_version,
                    points: criteria.points.clone(),
                    types,
                };
                return Ok(Selection {
                    data_version: None,
                    ..criteria.of_users(known, own, view)?
                });
            }
        }
        let (data_version, types) = self
            .metric_types
            .of_users(criteria.users, &criteria.points)
            .await?;
        let catalogue = if data_version.generation == known.generation {
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
            criteria,
            RememberedTypes {
                points: criteria.points.clone(),
                data_version,
                types: types.clone(),
            },
        );
        let view = CatalogueView::OfUsers {
            data_version,
            points: criteria.points.clone(),
            types,
        };
        Ok(Selection {
            data_version: Some(data_version),
            ..criteria.of_users(&catalogue, own, view)?
        })
    }

    /// Returns the remembered metric types of a single user's points, if they cover the range.
    fn remembered(&self, criteria: &SelectionCriteria<'_>) -> Option<Arc<RememberedTypes>> {
        let remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let of_user = remembered.get(&criteria.key()?)?;
        of_user
            .points
            .covers(&criteria.points)
            .then(|| Arc::clone(of_user))
    }

    fn remember(&self, criteria: &SelectionCriteria<'_>, types: RememberedTypes) {
        let Some(key) = criteria.key().filter(|_| criteria.may_remember) else {
            return;
        };
        let mut remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED_USERS {
            remembered.clear();
        }
        remembered.insert(key, Arc::new(types));
    }
}
