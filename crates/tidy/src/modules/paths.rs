//! Collects the paths that the code of a module names.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, ItemMod, ItemUse, Macro, Path, Visibility};

use super::tree::{self, Module};

/// Returns the paths in the code of a module, including its imports but not its re-exports.
pub(super) fn paths(module: &Module) -> BTreeSet<Vec<String>> {
    let mut collector = Collector::default();
    for import in &module.imports {
        if !import.is_reexport {
            collector.paths.insert(import.path.clone());
        }
    }
    for item in &module.items {
        collector.visit_item(item);
    }
    collector.paths
}

#[derive(Default)]
struct Collector {
    paths: BTreeSet<Vec<String>>,
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_item(&mut self, item: &'ast Item) {
        if !tree::is_test(tree::attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attributes = match item {
            ImplItem::Const(item) => &item.attrs[..],
            ImplItem::Fn(item) => &item.attrs,
            ImplItem::Type(item) => &item.attrs,
            _ => &[],
        };
        if !tree::is_test(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    /// A module inside a function; those of modules are in the tree.
    fn visit_item_mod(&mut self, _: &'ast ItemMod) {}

    /// An import inside a function; those of modules are in the tree.
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        for import in tree::imports(&item.tree, false) {
            self.paths.insert(import.path);
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        if path.leading_colon.is_none() {
            let segments = path.segments.iter();
            self.paths
                .insert(segments.map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.visit_path(&call.path);
        self.collect_tokens(call.tokens.clone());
    }

    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}

impl Collector {
    /// Collects `a::b::c` in the arguments of a macro. A single name is not taken for a path.
    fn collect_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    if colons != 2 {
                        self.finish(&mut path);
                    }
                    path.push(name.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => {
                    colons += 1;
                }
                TokenTree::Group(group) => {
                    self.finish(&mut path);
                    colons = 0;
                    self.collect_tokens(group.stream());
                }
                _ => {
                    self.finish(&mut path);
                    colons = 0;
                }
            }
        }
        self.finish(&mut path);
    }

    fn finish(&mut self, path: &mut Vec<String>) {
        let path = std::mem::take(path);
        if path.len() > 1 {
            self.paths.insert(path);
        }
    }
}
