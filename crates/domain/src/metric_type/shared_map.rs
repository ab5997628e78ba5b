//! A persistent sorted map: copies share all chunks that did not change.

use std::borrow::Borrow;
use std::sync::Arc;

/// Maximum entries of a chunk. A change copies one chunk and the list of chunks.
const MAX_CHUNK: usize = 128;

/// Entries in key order, in chunks that copies of the map share.
#[derive(Debug, Clone)]
pub(super) struct SharedMap<K, V> {
    /// Not empty, each of at most [`MAX_CHUNK`] entries.
    chunks: Vec<Arc<Vec<(K, V)>>>,
    len: usize,
}

impl<K, V> Default for SharedMap<K, V> {
    fn default() -> Self {
        Self {
            chunks: Vec::new(),
            len: 0,
        }
    }
}

impl<K: Ord + Clone, V: Clone> SharedMap<K, V> {
    /// Returns the number of entries.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Returns the value of a key.
    pub(super) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let chunk = self.chunks.get(self.chunk_of(key))?;
        let at = chunk.binary_search_by(|(k, _)| k.borrow().cmp(key)).ok()?;
        chunk.get(at).map(|(_, value)| value)
    }

    /// Adds or replaces an entry.
    pub(super) fn insert(&mut self, key: K, value: V) {
        let number = self.chunk_of(&key).min(self.chunks.len().saturating_sub(1));
        let Some(shared) = self.chunks.get_mut(number) else {
            self.chunks.push(Arc::new(vec![(key, value)]));
            self.len = 1;
            return;
        };
        let chunk = Arc::make_mut(shared);
        match chunk.binary_search_by(|(k, _)| k.cmp(&key)) {
            Ok(at) => chunk[at] = (key, value),
            Err(at) => {
                chunk.insert(at, (key, value));
                self.len += 1;
            }
        }
        if chunk.len() > MAX_CHUNK {
            let upper = chunk.split_off(MAX_CHUNK / 2);
            self.chunks.insert(number + 1, Arc::new(upper));
        }
    }

    /// Removes an entry and returns its value.
    pub(super) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let number = self.chunk_of(key);
        let shared = self.chunks.get_mut(number)?;
        let at = shared.binary_search_by(|(k, _)| k.borrow().cmp(key)).ok()?;
        let chunk = Arc::make_mut(shared);
        let (_, value) = chunk.remove(at);
        if chunk.is_empty() {
            self.chunks.remove(number);
        }
        self.len -= 1;
        Some(value)
    }

    /// Returns all values in key order.
    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.chunks
            .iter()
            .flat_map(|chunk| chunk.iter())
            .map(|(_, value)| value)
    }

    /// Returns the values of the keys greater than `key`, in key order.
    pub(super) fn values_after<Q: Ord + ?Sized>(
        &self,
        key: &Q,
    ) -> impl DoubleEndedIterator<Item = &V>
    where
        K: Borrow<Q>,
    {
        let number = self.chunk_of(key);
        let at = self
            .chunks
            .get(number)
            .map_or(0, |chunk| chunk.partition_point(|(k, _)| k.borrow() <= key));
        let (first, rest) = self
            .chunks
            .get(number..)
            .unwrap_or_default()
            .split_at_checked(1)
            .unwrap_or_default();
        let first = first.iter().flat_map(move |chunk| &chunk[at..]);
        first
            .chain(rest.iter().flat_map(|chunk| chunk.iter()))
            .map(|(_, value)| value)
    }

    /// Returns the values of the keys up to `key`, in descending key order.
    pub(super) fn values_until<Q: Ord + ?Sized>(&self, key: &Q) -> impl Iterator<Item = &V>
    where
        K: Borrow<Q>,
    {
        let number = self.chunk_of(key);
        let at = self
            .chunks
            .get(number)
            .map_or(0, |chunk| chunk.partition_point(|(k, _)| k.borrow() <= key));
        let last = self
            .chunks
            .get(number)
            .into_iter()
            .flat_map(move |chunk| chunk[..at].iter().rev());
        let before = self.chunks[..number]
            .iter()
            .rev()
            .flat_map(|chunk| chunk.iter().rev());
        last.chain(before).map(|(_, value)| value)
    }

    /// Returns the index of the first chunk that ends at or after a key.
    fn chunk_of<Q: Ord + ?Sized>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
    {
        self.chunks
            .partition_point(|chunk| chunk.last().is_some_and(|(last, _)| last.borrow() < key))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::ops::Bound;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn operations_match_those_of_a_btree_map(changes in prop::collection::vec((any::<bool>(), 0_u16..600), 0..2_000)) {
            let (mut map, mut model) = (SharedMap::default(), BTreeMap::new());
            for (number, (inserts, key)) in changes.iter().enumerate() {
                if *inserts {
                    map.insert(*key, number);
                    model.insert(*key, number);
                } else {
                    prop_assert_eq!(map.remove(key), model.remove(key));
                }
            }
            prop_assert_eq!(map.len(), model.len());
            prop_assert!(map.values().eq(model.values()));
            for key in 0..600 {
                prop_assert_eq!(map.get(&key), model.get(&key));
            }
            for key in (0..620).step_by(31) {
                let after = model.range((Bound::Excluded(key), Bound::Unbounded)).map(|(_, value)| value);
                prop_assert!(map.values_after(&key).eq(after));
                let until = model.range(..=key).rev().map(|(_, value)| value);
                prop_assert!(map.values_until(&key).eq(until));
            }
        }

        #[test]
        fn a_copy_does_not_see_later_changes(keys in prop::collection::vec(0_u16..400, 1..800)) {
            let mut map = SharedMap::default();
            for key in &keys {
                map.insert(*key, 0);
            }
            let copy = map.clone();
            for key in keys.iter().step_by(2) {
                map.remove(key);
            }
            for key in keys.iter().skip(1).step_by(2) {
                map.insert(*key, 1);
            }
            prop_assert!(copy.values().all(|value| *value == 0));
            prop_assert!(keys.iter().all(|key| copy.get(key) == Some(&0)));
        }
    }
}
