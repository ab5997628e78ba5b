//! The branches of `anyOf` and `oneOf`, grouped by the values that enter them.

/// The kinds of values that the keyword `type` distinguishes here.
pub(super) const KINDS: [&str; 3] = ["object", "array", "other"];

/// The branches of one `anyOf` or `oneOf`.
pub(super) struct Choice {
    all: Vec<usize>,
    /// For each of [`KINDS`]: groups of branches. A value of the kind enters at most one group.
    pub(super) groups: [Vec<Vec<usize>>; 3],
    /// For each of [`KINDS`]: branches that every value of the kind enters.
    pub(super) open: [Vec<usize>; 3],
}

impl Choice {
    /// Creates a choice without groups: every value enters all branches.
    pub(super) fn new(all: Vec<usize>) -> Self {
        Self {
            open: [all.clone(), all.clone(), all.clone()],
            groups: [Vec::new(), Vec::new(), Vec::new()],
            all,
        }
    }

    /// Returns all branches.
    pub(super) fn branches(&self) -> impl Iterator<Item = &usize> {
        self.all.iter()
    }

    /// Returns the branches that every value of a kind enters.
    pub(super) fn open(&self, kind: usize) -> &[usize] {
        &self.open[kind]
    }

    /// Returns the groups of branches of which a value of a kind enters at most one.
    pub(super) fn groups(&self, kind: usize) -> &[Vec<usize>] {
        &self.groups[kind]
    }
}
