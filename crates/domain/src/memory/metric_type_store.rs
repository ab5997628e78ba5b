//! Metric types in memory.

use std::sync::Arc;

use async_trait::async_trait;

use super::{MemoryStore, State};
use crate::channel::{Channel, ChannelId, Pointer};
use crate::metric_type::{Catalogue, MetricType, MetricTypeDefinition};
use crate::ports::{ChangeError, MetricTypeStore, SchemaChange, StoreError};
use crate::{MetricTypeId, Timestamp};

#[async_trait]
impl MetricTypeStore for MemoryStore {
    async fn catalogue(&self) -> Result<Catalogue, StoreError> {
        let state = self.state();
        Ok(Catalogue::new(state.generation, state.metric_types.iter().cloned()))
    }

    async fn generation(&self) -> Result<u64, StoreError> {
        Ok(self.state().generation)
    }

    async fn create(&self, definition: &MetricTypeDefinition) -> Result<MetricType, ChangeError> {
        let mut state = self.state();
        if state.place(definition.series.as_str()).is_some() {
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
            channels: state.new_channels(definition.schema.numeric_leaves()),
            created_at: Timestamp::EPOCH,
            updated_at: Timestamp::EPOCH,
        };
        state.metric_types.push(created.clone());
        Ok(created)
    }

    async fn update(&self, definition: &MetricTypeDefinition) -> Result<MetricType, ChangeError> {
        let mut state = self.state();
        let place = state.place(definition.series.as_str()).ok_or(ChangeError::Absent)?;
        let old = state.metric_types[place].clone();
        let change = SchemaChange::new(&old, definition);
        let mut has_points = false;
        for user in state.users.values() {
            for block in user.sessions.values().flat_map(|s| &s.blocks).filter(|b| b.metric_type == old.id) {
                has_points = true;
                change.check(block)?;
            }
        }
        let kept = if has_points { old.channels } else { Vec::new() };
        let leaves = if has_points { change.new_leaves().to_vec() } else { definition.schema.numeric_leaves() };
        let mut channels = kept;
        channels.extend(state.new_channels(leaves));
        state.generation += 1;
        let updated = &mut state.metric_types[place];
        updated.schema = Arc::clone(&definition.schema);
        updated.description.clone_from(&definition.description);
        updated.unit.clone_from(&definition.unit);
        updated.channels = channels;
        Ok(updated.clone())
    }

    async fn delete(&self, series: &str) -> Result<(), ChangeError> {
        let mut state = self.state();
        let place = state.place(series).ok_or(ChangeError::Absent)?;
        let id = state.metric_types[place].id;
        let mut sessions = state.users.values().flat_map(|u| u.sessions.values());
        if sessions.any(|s| s.blocks.iter().any(|b| b.metric_type == id)) {
            return Err(ChangeError::InUse);
        }
        state.metric_types.remove(place);
        state.generation += 1;
        Ok(())
    }
}

impl State {
    fn place(&self, series: &str) -> Option<usize> {
        self.metric_types.iter().position(|t| t.series.as_str() == series)
    }

    fn new_channels(&mut self, leaves: Vec<Pointer>) -> Vec<Channel> {
        let mut channels = Vec::with_capacity(leaves.len());
        for pointer in leaves {
            self.last_channel += 1;
            channels.push(Channel { id: ChannelId(self.last_channel), pointer });
        }
        channels
    }
}
