//! Strongly connected components (Tarjan's algorithm).

use std::collections::{BTreeMap, BTreeSet};

/// The targets of the arrows of each node.
pub(super) type Arrows = BTreeMap<String, BTreeSet<String>>;

/// Returns the strongly connected components of at least two nodes, each sorted.
pub(super) fn cycles(arrows: &Arrows) -> BTreeSet<Vec<String>> {
    let mut search = Search {
        arrows,
        visited: BTreeMap::new(),
        stack: Vec::new(),
        cycles: BTreeSet::new(),
    };
    for node in arrows.keys() {
        if !search.visited.contains_key(node.as_str()) {
            search.visit(node);
        }
    }
    search.cycles
}

struct Search<'a> {
    arrows: &'a Arrows,
    visited: BTreeMap<&'a str, Visited>,
    /// Visited nodes that are not yet in a component.
    stack: Vec<&'a str>,
    cycles: BTreeSet<Vec<String>>,
}

#[derive(Clone, Copy)]
struct Visited {
    /// The order of the visit.
    index: usize,
    is_on_stack: bool,
}

impl<'a> Search<'a> {
    /// Visits a node and returns the smallest index that it reaches within its component.
    fn visit(&mut self, node: &'a str) -> usize {
        let index = self.visited.len();
        self.stack.push(node);
        self.visited.insert(
            node,
            Visited {
                index,
                is_on_stack: true,
            },
        );
        let mut low = index;
        for target in self.arrows.get(node).into_iter().flatten() {
            match self.visited.get(target.as_str()).copied() {
                None => low = low.min(self.visit(target)),
                Some(visited) if visited.is_on_stack => low = low.min(visited.index),
                Some(_) => {}
            }
        }
        if low == index {
            self.pop_component(node);
        }
        low
    }

    /// Removes the component that begins at `first` from the stack.
    fn pop_component(&mut self, first: &str) {
        let mut component = Vec::new();
        while let Some(node) = self.stack.pop() {
            if let Some(visited) = self.visited.get_mut(node) {
                visited.is_on_stack = false;
            }
            component.push(node.to_owned());
            if node == first {
                break;
            }
        }
        if component.len() > 1 {
            component.sort();
            self.cycles.insert(component);
        }
    }
}
