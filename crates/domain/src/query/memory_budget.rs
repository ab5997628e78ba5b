//! The memory that all queries together may hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::fold::Refusal;

/// Reservations grow in steps of this many bytes. The first step is free, so that small queries share no counter.
const STEP: usize = 256 << 10;

/// Bytes that queries may hold together, from the first gathered value to the last byte sent.
#[derive(Debug)]
pub struct QueryMemory {
    limit: usize,
    reserved: AtomicUsize,
}

impl QueryMemory {
    /// Memory of `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            reserved: AtomicUsize::new(0),
        })
    }

    /// The reservation of one query, empty at first.
    #[must_use]
    pub fn reservation(self: &Arc<Self>) -> MemoryReservation {
        MemoryReservation {
            memory: self.clone(),
            bytes: 0,
        }
    }

    /// Bytes that are reserved now.
    #[must_use]
    pub fn reserved(&self) -> usize {
        self.reserved.load(Ordering::Relaxed)
    }
}

/// Bytes reserved by one query, given back when it is dropped.
#[derive(Debug)]
pub struct MemoryReservation {
    memory: Arc<QueryMemory>,
    bytes: usize,
}

impl MemoryReservation {
    /// Reserves at least `bytes`, if that is more than before.
    ///
    /// # Errors
    /// [`Refusal::Memory`] if they exceed the limit by themselves, [`Refusal::MemoryBusy`] if they do with those of other
    /// queries.
    #[inline]
    pub fn grow_to(&mut self, bytes: usize) -> Result<(), Refusal> {
        if bytes <= self.bytes + STEP {
            Ok(())
        } else {
            self.grow(bytes)
        }
    }

    fn grow(&mut self, bytes: usize) -> Result<(), Refusal> {
        let limit = self.memory.limit;
        if bytes > limit {
            return Err(Refusal::Memory { limit });
        }
        let more = bytes.next_multiple_of(STEP).min(limit) - self.bytes;
        let grown = |reserved: usize| {
            reserved
                .checked_add(more)
                .filter(|reserved| *reserved <= limit)
        };
        let reserved =
            self.memory
                .reserved
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown);
        reserved.map_err(|_| Refusal::MemoryBusy)?;
        self.bytes += more;
        Ok(())
    }

    /// Gives back what exceeds `bytes`.
    pub fn shrink_to(&mut self, bytes: usize) {
        let less = self.bytes.saturating_sub(bytes.next_multiple_of(STEP));
        self.memory.reserved.fetch_sub(less, Ordering::Relaxed);
        self.bytes -= less;
    }
}

impl Drop for MemoryReservation {
    fn drop(&mut self) {
        self.memory
            .reserved
            .fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_query_that_exceeds_the_limit_alone_is_told_so() {
        let memory = QueryMemory::new(4 * STEP);
        assert_eq!(
            memory.reservation().grow_to(5 * STEP),
            Err(Refusal::Memory { limit: 4 * STEP })
        );
        let mut first = memory.reservation();
        assert_eq!(first.grow_to(3 * STEP), Ok(()));
        assert_eq!(
            memory.reservation().grow_to(2 * STEP),
            Err(Refusal::MemoryBusy)
        );
        assert_eq!(
            memory.reservation().grow_to(STEP),
            Ok(()),
            "the first step is free"
        );
        drop(first);
        assert_eq!(memory.reservation().grow_to(4 * STEP), Ok(()));
    }

    proptest! {
        #[test]
        fn reservations_never_exceed_the_limit_and_all_of_it_comes_back(
            steps in prop::collection::vec((0..4_usize, any::<bool>(), 0..3_000_000_usize), 0..60),
        ) {
            let memory = QueryMemory::new(2_000_000);
            let mut reservations: Vec<_> = (0..4).map(|_| memory.reservation()).collect();
            for (of, grows, bytes) in steps {
                let reservation = &mut reservations[of];
                let before = reservation.bytes;
                if !grows {
                    reservation.shrink_to(bytes);
                    prop_assert!(reservation.bytes <= before);
                } else if reservation.grow_to(bytes).is_ok() {
                    prop_assert!(reservation.bytes + STEP >= bytes);
                } else {
                    prop_assert_eq!(reservation.bytes, before);
                }
                let reserved: usize = reservations.iter().map(|r| r.bytes).sum();
                prop_assert_eq!(memory.reserved(), reserved);
                prop_assert!(reserved <= 2_000_000);
            }
            drop(reservations);
            prop_assert_eq!(memory.reserved(), 0);
        }
    }
}
