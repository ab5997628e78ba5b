//! [`MetricTypeStore`] in memory.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;

use super::{MemoryStore, State};
use crate::block::Block;
use crate::channel::{Channel, ChannelId};
use crate::json::Pointer;
use crate::metric_type::{MetricType, MetricTypeDefinition};
use crate::ports::{
    CatalogueChanges, CatalogueView, ChangeError, DataVersion, MetricTypeStore, PointSource,
    SchemaChange, StoreError,
};
use crate::{MetricTypeId, SchemaVersion, Timestamp, UserId};

#[async_trait]
impl MetricTypeStore for MemoryStore {
    async fn changes(&self, since: Option<u64>) -> Result<CatalogueChanges, StoreError> {
        let state = self.state();
        let since = since.filter(|since| *since <= state.generation);
        let is_new = |generation: u64| since.is_none_or(|since| generation > since);
        Ok(CatalogueChanges {
            generation: state.generation,
            is_whole: since.is_none(),
            changed: state
                .metric_types
                .iter()
                .filter(|t| is_new(t.generation))
                .cloned()
                .collect(),
            deleted: state
                .deleted
                .iter()
                .filter(|(at, _)| is_new(*at))
                .map(|(_, id)| *id)
                .collect(),
        })
    }

    async fn of_users(
        &self,
        users: &[UserId],
        points: &PointSource,
    ) -> Result<(DataVersion, Vec<SchemaVersion>), StoreError> {
        let state = self.state();
        Ok((state.data_version(users), state.types_of(users, points)))
    }

    async fn create(&self, definition: &MetricTypeDefinition) -> Result<MetricType, ChangeError> {
        let mut state = self.state();
        if state.index_of(definition.series.as_str()).is_some() {
            return Err(ChangeError::Exists);
        }
        state.generation += 1;
        state.last_metric_type += 1;
        let created = MetricType {
            id: MetricTypeId(state.last_metric_type),
            series: definition.series.clone(),
            schema: Arc::clone(&definition.schema),
            description: definition.description.clone(),
            unit: definition.unit.clone(),
            channels: state.new_channels(definition.schema.numeric_leaves().to_vec()),
            generation: state.generation,
            schema_generation: state.generation,
            created_at: Timestamp::EPOCH,
            updated_at: Timestamp::EPOCH,
        };
        state.metric_types.push(created.clone());
        Ok(created)
    }

    async fn update(&self, definition: &MetricTypeDefinition) -> Result<MetricType, ChangeError> {
        let mut state = self.state();
        let index = state
            .index_of(definition.series.as_str())
            .ok_or(ChangeError::Absent)?;
        let old = state.metric_types[index].clone();
        let change = SchemaChange::new(&old, definition);
        let mut has_points = false;
        for user in state.users.values() {
            for block in user
                .sessions
                .values()
                .flat_map(|s| &s.blocks)
                .filter(|b| b.metric_type == old.id)
            {
                has_points = true;
                change.check(block)?;
            }
        }
        let changes_schema = old.schema.document() != definition.schema.document();
        let keeps_channels = has_points || !changes_schema;
        let mut channels = Vec::new();
        let mut leaves = definition.schema.numeric_leaves();
        if keeps_channels {
            channels.clone_from(&old.channels);
            leaves = change.new_leaves();
        }
        channels.extend(state.new_channels(leaves.to_vec()));
        state.generation += 1;
        let generation = state.generation;
        let updated = &mut state.metric_types[index];
        updated.schema = Arc::clone(&definition.schema);
        updated.description.clone_from(&definition.description);
        updated.unit.clone_from(&definition.unit);
        updated.channels = channels;
        updated.generation = generation;
        if changes_schema {
            updated.schema_generation = generation;
        }
        Ok(updated.clone())
    }

    async fn delete(&self, series: &str) -> Result<(), ChangeError> {
        let mut state = self.state();
        let index = state.index_of(series).ok_or(ChangeError::Absent)?;
        let id = state.metric_types[index].id;
        let mut sessions = state.users.values().flat_map(|u| u.sessions.values());
        if sessions.any(|s| s.blocks.iter().any(|b| b.metric_type == id)) {
            return Err(ChangeError::InUse);
        }
        state.metric_types.remove(index);
        state.generation += 1;
        let generation = state.generation;
        state.deleted.push((generation, id));
        Ok(())
    }
}

impl State {
    fn index_of(&self, series: &str) -> Option<usize> {
        self.metric_types
            .iter()
            .position(|t| t.series.as_str() == series)
    }

    /// Returns the metric types of the users' points.
    fn types_of(&self, users: &[UserId], points: &PointSource) -> Vec<SchemaVersion> {
        let sessions = users
            .iter()
            .filter_map(|user| self.users.get(user))
            .flat_map(|user| user.sessions.values());
        let is_in_source = |block: &&Block| match points {
            PointSource::DaySummaries => {
                block.summarise().iter().any(|summary| summary.count() > 0)
            }
            PointSource::Blocks(range) => block.t_min() < range.end && range.start <= block.t_max(),
        };
        let seen: BTreeSet<MetricTypeId> = sessions
            .flat_map(|session| &session.blocks)
            .filter(is_in_source)
            .map(|block| block.metric_type)
            .collect();
        let seen = self.metric_types.iter().filter(|t| seen.contains(&t.id));
        seen.map(MetricType::schema_version).collect()
    }

    /// Checks that the metric types are those that a request assumes.
    pub(super) fn check(&self, users: &[UserId], view: &CatalogueView) -> Result<(), StoreError> {
        let is_current = |known: &SchemaVersion| {
            self.metric_types
                .iter()
                .any(|t| t.schema_version() == *known)
        };
        let is_valid = match view {
            CatalogueView::Whole(generation) => *generation == self.generation,
            CatalogueView::Types { types, .. } => types.iter().all(is_current),
            CatalogueView::OfUsers { points, types, .. } => self
                .types_of(users, points)
                .iter()
                .all(|seen| types.contains(seen)),
        };
        if is_valid {
            Ok(())
        } else {
            Err(StoreError::CatalogueChanged)
        }
    }

    fn new_channels(&mut self, leaves: Vec<Pointer>) -> Vec<Channel> {
        let mut channels = Vec::with_capacity(leaves.len());
        for pointer in leaves {
            self.last_channel += 1;
            channels.push(Channel {
                id: ChannelId(self.last_channel),
                pointer,
            });
        }
        channels
    }
}
