//! Memory budget of all queries together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::limits::LimitExceeded;

/// Bytes by which reservations grow. The first step is free, so that small queries do not touch the
/// shared counter.
const STEP: usize = 256 << 10;

/// The bytes that queries may hold together, from the first accumulated value to the last byte
/// sent.
#[derive(Debug)]
pub struct QueryMemory {
    limit: usize,
    reserved: AtomicUsize,
}

impl QueryMemory {
    /// Creates a budget of `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            reserved: AtomicUsize::new(0),
        })
    }

    /// Returns an empty reservation for one query.
    #[must_use]
    pub fn reservation(self: &Arc<Self>) -> MemoryReservation {
        MemoryReservation {
            memory: self.clone(),
            bytes: 0,
        }
    }

    /// Returns the bytes that are reserved now.
    #[must_use]
    pub fn reserved(&self) -> usize {
        self.reserved.load(Ordering::Relaxed)
    }
}

/// The bytes reserved by one query. Dropping the reservation releases them.
#[derive(Debug)]
pub struct MemoryReservation {
    memory: Arc<QueryMemory>,
    bytes: usize,
}

impl MemoryReservation {
    /// Grows the reservation to at least `bytes`.
    ///
    /// # Errors
    /// [`LimitExceeded::Memory`] if `bytes` exceeds the budget, [`LimitExceeded::MemoryBusy`] if
    /// the reservations of other queries leave too little.
    #[inline]
    pub fn grow_to(&mut self, bytes: usize) -> Result<(), LimitExceeded> {
        if bytes <= self.bytes + STEP {
            Ok(())
        } else {
            self.grow(bytes)
        }
    }

    fn grow(&mut self, bytes: usize) -> Result<(), LimitExceeded> {
        let limit = self.memory.limit;
        if bytes > limit {
            return Err(LimitExceeded::Memory { limit });
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
        reserved.map_err(|_| LimitExceeded::MemoryBusy)?;
        self.bytes += more;
        Ok(())
    }

    /// Releases what exceeds `bytes`.
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
    fn a_query_that_exceeds_the_budget_alone_gets_another_error() {
        let memory = QueryMemory::new(4 * STEP);
        assert_eq!(
            memory.reservation().grow_to(5 * STEP),
            Err(LimitExceeded::Memory { limit: 4 * STEP })
        );
        let mut first = memory.reservation();
        assert_eq!(first.grow_to(3 * STEP), Ok(()));
        assert_eq!(
            memory.reservation().grow_to(2 * STEP),
            Err(LimitExceeded::MemoryBusy)
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
        fn reservations_never_exceed_the_budget_and_are_released_when_dropped(
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
