//! The analysis of small crates.

use std::collections::BTreeSet;
use std::path::Path;

use super::graph::{Cycles, Graph};
use super::known::KnownCycles;

/// Returns the graph of a crate with these files.
fn graph(files: &[(&str, &str)]) -> Graph {
    let read = |path: &Path| {
        let file = files.iter().find(|(name, _)| Path::new(name) == path);
        file.map(|(_, text)| (*text).to_owned())
    };
    let mut graph = Graph::default();
    graph.add_target(Path::new(files[0].0), &read).unwrap();
    graph
}

/// Returns the arrows between files, without `src/` and `.rs`.
fn arrows(files: &[(&str, &str)]) -> Vec<String> {
    let short = |name: &str| name.replace("src/", "").replace(".rs", "");
    let graph = graph(files);
    let arrows = graph.files.iter().flat_map(|(from, targets)| {
        targets
            .iter()
            .map(move |to| format!("{} -> {}", short(from), short(to)))
    });
    arrows.collect()
}

fn set(cycles: &[&[&str]]) -> BTreeSet<Vec<String>> {
    let cycle = |cycle: &&[&str]| cycle.iter().map(|node| (*node).to_owned()).collect();
    cycles.iter().map(cycle).collect()
}

#[test]
fn imports_and_qualified_paths_are_arrows() {
    let arrows = arrows(&[
        ("src/lib.rs", "mod a; mod b; mod c; mod d;"),
        (
            "src/a.rs",
            "use crate::b::B; fn a(_: B) -> super::c::C { C }",
        ),
        ("src/b.rs", "pub struct B; fn b() { crate::d::d() }"),
        ("src/c.rs", "pub struct C;"),
        ("src/d.rs", "pub fn d() {}"),
    ]);
    assert_eq!(arrows, ["a -> b", "a -> c", "b -> d"]);
}

#[test]
fn a_path_through_a_reexport_leads_to_the_defining_file() {
    let arrows = arrows(&[
        ("src/lib.rs", "mod a; mod b;"),
        ("src/a.rs", "use crate::b::Inner;"),
        (
            "src/b/mod.rs",
            "mod inner; mod other; pub use inner::Inner;",
        ),
        ("src/b/inner.rs", "pub struct Inner;"),
        ("src/b/other.rs", "fn other(_: super::Inner) {}"),
    ]);
    assert_eq!(arrows, ["a -> b/inner", "b/other -> b/inner"]);
}

#[test]
fn a_path_through_a_glob_reexport_leads_to_the_defining_file() {
    let arrows = arrows(&[
        ("src/lib.rs", "mod a; mod b;"),
        ("src/a.rs", "use crate::b::Inner;"),
        ("src/b/mod.rs", "mod inner; pub use inner::*;"),
        ("src/b/inner.rs", "pub struct Inner;"),
    ]);
    assert_eq!(arrows, ["a -> b/inner"]);
}

#[test]
fn declarations_and_reexports_of_children_are_no_arrows() {
    let arrows = arrows(&[
        ("src/lib.rs", "mod a; pub(crate) use a::A;"),
        ("src/a.rs", "pub struct A;"),
    ]);
    assert_eq!(arrows, Vec::<String>::new());
}

#[test]
fn a_reexport_that_the_file_itself_uses_is_an_arrow() {
    let arrows = arrows(&[
        ("src/lib.rs", "mod a; pub use a::A; fn f(_: A) {}"),
        ("src/a.rs", "pub struct A;"),
    ]);
    assert_eq!(arrows, ["lib -> a"]);
}

#[test]
fn an_imported_module_counts_where_it_is_used() {
    let arrows = arrows(&[
        ("src/lib.rs", "mod a; mod b;"),
        (
            "src/a.rs",
            "use crate::b::{self, inner as short}; fn a() { short::f() }",
        ),
        ("src/b/mod.rs", "pub mod inner; pub fn unused() {}"),
        ("src/b/inner.rs", "pub fn f() {}"),
    ]);
    assert_eq!(arrows, ["a -> b/inner"]);
}

#[test]
fn a_child_and_a_parent_that_name_each_other_are_a_cycle_of_files() {
    let graph = graph(&[
        ("src/lib.rs", "mod a;"),
        (
            "src/a/mod.rs",
            "mod child; pub struct Parent; fn f() { child::g() }",
        ),
        ("src/a/child.rs", "use super::Parent; pub fn g() {}"),
    ]);
    let cycles = graph.cycles();
    assert_eq!(cycles.files, set(&[&["src/a/child.rs", "src/a/mod.rs"]]));
    assert_eq!(cycles.modules, set(&[]), "both files are of one module");
}

#[test]
fn top_level_modules_are_a_cycle_even_if_their_files_are_not() {
    let cycles = graph(&[
        ("src/lib.rs", "mod a; mod b;"),
        ("src/a/mod.rs", "mod one; pub mod two;"),
        ("src/a/one.rs", "use crate::b::B;"),
        ("src/a/two.rs", "pub struct Two;"),
        ("src/b.rs", "use crate::a::two::Two; pub struct B;"),
    ])
    .cycles();
    assert_eq!(cycles.modules, set(&[&["a", "b"]]));
    assert_eq!(cycles.files, set(&[]));
}

#[test]
fn the_root_file_is_a_module() {
    let cycles = graph(&[
        (
            "src/main.rs",
            "mod a; struct Options; fn main() { a::run() }",
        ),
        ("src/a.rs", "use crate::Options; pub fn run() {}"),
    ])
    .cycles();
    assert_eq!(cycles.modules, set(&[&["a", "main.rs"]]));
}

#[test]
fn test_code_is_left_out() {
    let arrows = arrows(&[
        ("src/lib.rs", "mod a; mod b;"),
        (
            "src/a.rs",
            "#[cfg(test)] use crate::b::B;
             #[cfg(all(test, unix))] fn f(_: crate::b::B) {}
             impl A { #[cfg(test)] fn g(_: crate::b::B) {} }
             struct A;
             #[cfg(test)] mod tests { use crate::b::B; }",
        ),
        ("src/b.rs", "pub struct B;"),
    ]);
    assert_eq!(arrows, Vec::<String>::new());
}

#[test]
fn other_crates_visibilities_and_attributes_are_left_out() {
    let arrows = arrows(&[
        ("src/lib.rs", "mod a; mod b;"),
        ("src/a/mod.rs", "mod inner; pub struct A;"),
        (
            "src/a/inner.rs",
            "use other::b::B; use ::a::A; #[path_like(crate::b::B)] pub(in crate::a) struct I(B);",
        ),
        ("src/b.rs", "pub use uuid::Uuid; pub struct B;"),
    ]);
    assert_eq!(arrows, Vec::<String>::new());
}

#[test]
fn a_reexport_of_another_crate_is_no_arrow() {
    let arrows = arrows(&[
        ("src/lib.rs", "mod a; mod b;"),
        ("src/a.rs", "use crate::b::Uuid;"),
        ("src/b.rs", "pub use uuid::Uuid;"),
    ]);
    assert_eq!(arrows, Vec::<String>::new());
}

#[test]
fn paths_in_macro_arguments_and_function_imports_are_arrows() {
    let arrows = arrows(&[
        ("src/lib.rs", "mod a; mod b; mod c;"),
        (
            "src/a.rs",
            "fn a() { println!(\"{}\", [crate::b::VALUE]); use crate::c::C; }",
        ),
        ("src/b.rs", "pub const VALUE: u8 = 1;"),
        ("src/c.rs", "pub struct C;"),
    ]);
    assert_eq!(arrows, ["a -> b", "a -> c"]);
}

#[test]
fn variants_and_associated_items_belong_to_the_file_of_their_type() {
    let arrows = arrows(&[
        ("src/lib.rs", "mod a; mod b;"),
        (
            "src/a.rs",
            "use crate::b::Kind; fn a() { Kind::One; super::b::Kind::new(); }",
        ),
        ("src/b.rs", "pub enum Kind { One }"),
    ]);
    assert_eq!(arrows, ["a -> b"]);
}

#[test]
fn a_module_and_a_function_of_one_name_are_distinguished() {
    let arrows = arrows(&[
        ("src/lib.rs", "mod a; mod b;"),
        (
            "src/a.rs",
            "use crate::b::inner; fn a() { inner(); inner::f() }",
        ),
        ("src/b/mod.rs", "pub mod inner; pub fn inner() {}"),
        ("src/b/inner.rs", "pub fn f() {}"),
    ]);
    assert_eq!(arrows, ["a -> b/inner", "a -> b/mod"]);
}

#[test]
fn a_longer_cycle_is_one_component() {
    let cycles = graph(&[
        ("src/lib.rs", "mod a; mod b; mod c; mod d;"),
        ("src/a.rs", "use crate::b::B; pub struct A;"),
        ("src/b.rs", "use crate::c::C; pub struct B;"),
        (
            "src/c.rs",
            "use crate::a::A; use crate::d::D; pub struct C;",
        ),
        ("src/d.rs", "pub struct D;"),
    ])
    .cycles();
    assert_eq!(cycles.modules, set(&[&["a", "b", "c"]]));
}

fn known(modules: &[&[&str]]) -> KnownCycles {
    let cycles = Cycles {
        modules: set(modules),
        files: BTreeSet::new(),
    };
    KnownCycles::new([("ours".to_owned(), cycles)])
}

#[test]
fn only_new_gone_and_smaller_cycles_are_violations() {
    let list = known(&[&["a", "b", "c"]]);
    assert_eq!(list.violations(&list), Vec::<String>::new());
    assert_eq!(
        known(&[]).violations(&known(&[&["a", "b"]])),
        ["ours, modules: new cycle of a, b"]
    );
    assert_eq!(
        list.violations(&known(&[])),
        ["ours, modules: no longer a cycle of exactly a, b, c"]
    );
    assert_eq!(
        list.violations(&known(&[&["a", "b"]])),
        ["ours, modules: no longer a cycle of exactly a, b, c"],
        "a part of a known cycle is not new"
    );
    assert_eq!(
        list.violations(&known(&[&["a", "b", "c", "d"]])).len(),
        2,
        "a larger cycle is new, and the known one is gone"
    );
}

#[test]
fn the_list_of_known_cycles_survives_writing_and_reading() {
    let list = known(&[&["a", "b"], &["c", "d"]]);
    assert_eq!(KnownCycles::parse(&list.render()).unwrap(), list);
}

#[test]
fn this_workspace_has_only_known_cycles() {
    super::check().unwrap();
}
