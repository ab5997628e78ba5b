//! The arrows between the files of a crate, and between its top-level modules.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::cycles::{Arrows, cycles};
use super::names::{Target, resolve};
use super::paths::paths;
use super::tree::{Module, ModuleTree, ReadFile};

/// The graph of a crate. Files are named by their path from the folder of the crate.
#[derive(Default)]
pub(super) struct Graph {
    pub(super) modules: Arrows,
    pub(super) files: Arrows,
}

/// The cycles of a crate, each a sorted list of names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cycles {
    pub(super) modules: BTreeSet<Vec<String>>,
    pub(super) files: BTreeSet<Vec<String>>,
}

impl Graph {
    /// Adds the library or binary with the root file `root`.
    pub(super) fn add_target(&mut self, root: &Path, read: ReadFile<'_>) -> anyhow::Result<()> {
        let tree = ModuleTree::parse(root, read)?;
        for (id, module) in tree.modules.iter().enumerate() {
            add_node(&mut self.modules, top_level(&tree, module));
            add_node(&mut self.files, file(module));
            for path in paths(module) {
                if let Some(Target::Item(target)) = resolve(&tree, id, &path) {
                    let target = &tree.modules[target];
                    add_arrow(
                        &mut self.modules,
                        top_level(&tree, module),
                        top_level(&tree, target),
                    );
                    add_arrow(&mut self.files, file(module), file(target));
                }
            }
        }
        Ok(())
    }

    /// Returns the cycles among modules and among files.
    pub(super) fn cycles(&self) -> Cycles {
        Cycles {
            modules: cycles(&self.modules),
            files: cycles(&self.files),
        }
    }
}

/// Returns the top-level module that contains a module; the root stands for itself.
fn top_level(tree: &ModuleTree, module: &Module) -> String {
    match module.path.first() {
        Some(name) => name.clone(),
        None => tree.modules[0]
            .file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
    }
}

fn file(module: &Module) -> String {
    module.file.to_string_lossy().into_owned()
}

fn add_node(arrows: &mut Arrows, node: String) {
    arrows.entry(node).or_default();
}

fn add_arrow(arrows: &mut BTreeMap<String, BTreeSet<String>>, from: String, to: String) {
    if from != to {
        arrows.entry(from).or_default().insert(to);
    }
}
