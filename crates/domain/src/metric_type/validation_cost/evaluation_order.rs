//! The order in which the costs of subschemas are computed.

use super::graph::Graph;

impl Graph<'_> {
    /// Returns the subschemas in topological order: each after those that it applies to the same
    /// value.
    ///
    /// `None` if a subschema may apply itself to the same value.
    pub(super) fn evaluation_order(&self) -> Option<Vec<usize>> {
        #[derive(Clone, Copy, PartialEq)]
        enum State {
            Unvisited,
            Open,
            Done,
        }
        let mut states = vec![State::Unvisited; self.nodes.len()];
        let mut order = Vec::with_capacity(self.nodes.len());
        for start in 0..self.nodes.len() {
            let mut path = vec![start];
            while let Some(number) = path.last().copied() {
                match states[number] {
                    State::Unvisited => {
                        states[number] = State::Open;
                        for child in self.nodes[number].same_value() {
                            match states[child] {
                                State::Unvisited => path.push(child),
                                State::Open => return None,
                                State::Done => {}
                            }
                        }
                    }
                    State::Open => {
                        states[number] = State::Done;
                        order.push(number);
                        path.pop();
                    }
                    State::Done => {
                        path.pop();
                    }
                }
            }
        }
        Some(order)
    }
}
