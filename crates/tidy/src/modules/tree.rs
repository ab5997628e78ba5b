//! The tree of modules of a crate target, parsed from its files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use syn::{Attribute, Expr, Item, ItemMod, Lit, Meta, UseTree, Visibility};

/// An index into [`ModuleTree::modules`].
pub(super) type ModuleId = usize;

/// The modules of a library or a binary. The first one is its root.
pub(super) struct ModuleTree {
    pub(super) modules: Vec<Module>,
}

/// A module without its test code.
pub(super) struct Module {
    /// The names from the root, which has none.
    pub(super) path: Vec<String>,
    pub(super) file: PathBuf,
    pub(super) parent: Option<ModuleId>,
    pub(super) children: BTreeMap<String, ModuleId>,
    /// Names that the module defines, other than modules.
    pub(super) defined: Vec<String>,
    pub(super) imports: Vec<Import>,
    /// The items of the module, without child modules.
    pub(super) items: Vec<Item>,
}

/// A leaf of a `use` declaration.
#[derive(Clone)]
pub(super) struct Import {
    pub(super) path: Vec<String>,
    /// The imported name; `None` for a glob.
    pub(super) name: Option<String>,
    pub(super) is_reexport: bool,
}

/// Reads a file of the crate; `None` if it does not exist.
pub(super) type ReadFile<'a> = &'a dyn Fn(&Path) -> Option<String>;

impl ModuleTree {
    /// Parses the target with the root file `root`.
    pub(super) fn parse(root: &Path, read: ReadFile<'_>) -> anyhow::Result<Self> {
        let text = read(root).with_context(|| format!("cannot read {}", root.display()))?;
        let mut tree = Self {
            modules: Vec::new(),
        };
        let folder = root.parent().unwrap_or(Path::new("")).to_owned();
        let items = parse_file(root, &text)?;
        tree.add(&[], None, root, &folder, items, read)?;
        Ok(tree)
    }

    /// Adds a module and its children. Files of children are in `folder`.
    fn add(
        &mut self,
        path: &[String],
        parent: Option<ModuleId>,
        file: &Path,
        folder: &Path,
        items: Vec<Item>,
        read: ReadFile<'_>,
    ) -> anyhow::Result<ModuleId> {
        let id = self.modules.len();
        self.modules.push(Module {
            path: path.to_vec(),
            file: file.to_owned(),
            parent,
            children: BTreeMap::new(),
            defined: Vec::new(),
            imports: Vec::new(),
            items: Vec::new(),
        });
        for item in items {
            if is_test(attributes(&item)) {
                continue;
            }
            match item {
                Item::Mod(module) => {
                    let name = module.ident.to_string();
                    let mut path = path.to_vec();
                    path.push(name.clone());
                    let folder = folder.join(&name);
                    let child = if let Some((_, items)) = module.content {
                        self.add(&path, Some(id), file, &folder, items, read)?
                    } else {
                        let (file, text) = child_file(&module, &folder, file, read)?;
                        let items = parse_file(&file, &text)?;
                        self.add(&path, Some(id), &file, &folder, items, read)?
                    };
                    self.modules[id].children.insert(name, child);
                }
                Item::Use(declaration) => {
                    if declaration.leading_colon.is_none() {
                        let is_reexport = !matches!(declaration.vis, Visibility::Inherited);
                        let imports = imports(&declaration.tree, is_reexport);
                        self.modules[id].imports.extend(imports);
                    }
                }
                item => {
                    self.modules[id].defined.extend(defined_name(&item));
                    self.modules[id].items.push(item);
                }
            }
        }
        Ok(id)
    }
}

fn parse_file(file: &Path, text: &str) -> anyhow::Result<Vec<Item>> {
    let parsed =
        syn::parse_file(text).with_context(|| format!("cannot parse {}", file.display()))?;
    Ok(parsed.items)
}

/// Finds the file of `mod name;`: that of its `path` attribute, or `name.rs`, or `name/mod.rs`.
fn child_file(
    module: &ItemMod,
    folder: &Path,
    parent_file: &Path,
    read: ReadFile<'_>,
) -> anyhow::Result<(PathBuf, String)> {
    let candidates = match path_attribute(&module.attrs) {
        Some(path) => vec![parent_file.with_file_name(path)],
        None => vec![folder.with_extension("rs"), folder.join("mod.rs")],
    };
    candidates
        .into_iter()
        .find_map(|file| read(&file).map(|text| (file, text)))
        .with_context(|| {
            format!(
                "{}: the file of module {} does not exist",
                parent_file.display(),
                module.ident
            )
        })
}

fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| {
        let Meta::NameValue(pair) = &attribute.meta else {
            return None;
        };
        match &pair.value {
            Expr::Lit(literal) if pair.path.is_ident("path") => match &literal.lit {
                Lit::Str(path) => Some(path.value()),
                _ => None,
            },
            _ => None,
        }
    })
}

/// Returns the leaves of a `use` declaration.
pub(super) fn imports(tree: &UseTree, is_reexport: bool) -> Vec<Import> {
    let mut imports = Vec::new();
    add_imports(tree, &mut Vec::new(), is_reexport, &mut imports);
    imports
}

fn add_imports(
    tree: &UseTree,
    prefix: &mut Vec<String>,
    is_reexport: bool,
    imports: &mut Vec<Import>,
) {
    let (segment, name) = match tree {
        UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            add_imports(&path.tree, prefix, is_reexport, imports);
            prefix.pop();
            return;
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                add_imports(tree, prefix, is_reexport, imports);
            }
            return;
        }
        UseTree::Glob(_) => (None, None),
        UseTree::Name(name) => (Some(name.ident.to_string()), Some(name.ident.to_string())),
        UseTree::Rename(rename) => (
            Some(rename.ident.to_string()),
            Some(rename.rename.to_string()),
        ),
    };
    let mut path = prefix.clone();
    let mut name = name;
    match segment.as_deref() {
        // `use module::{self}` imports the module itself.
        Some("self") if !prefix.is_empty() => {
            if name.as_deref() == Some("self") {
                name = prefix.last().cloned();
            }
        }
        _ => path.extend(segment),
    }
    imports.push(Import {
        path,
        name,
        is_reexport,
    });
}

fn defined_name(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

/// Returns the attributes of an item.
pub(super) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Returns whether attributes restrict an item to tests: `cfg(test)` or `cfg(all(test, …))`.
pub(super) fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let Meta::List(list) = &attribute.meta else {
            return false;
        };
        list.path.is_ident("cfg")
            && list
                .parse_args::<Meta>()
                .is_ok_and(|meta| requires_test(&meta))
    })
}

fn requires_test(condition: &Meta) -> bool {
    match condition {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("all") => list
            .parse_args_with(syn::punctuated::Punctuated::<Meta, syn::Token![,]>::parse_terminated)
            .is_ok_and(|conditions| conditions.iter().any(requires_test)),
        _ => false,
    }
}
