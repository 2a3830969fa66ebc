//! The source files of the workspace, each with the module it is and the names it gives and takes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::visit::Visit;

/// One file of a crate outside of its tests.
pub(crate) struct File {
    /// From the root of the workspace.
    pub(crate) path: PathBuf,
    /// The path of its module; the crate's root has none.
    pub(crate) module: Vec<String>,
    pub(crate) text: String,
    /// Every path that starts at this crate: where it leads, from the crate's root.
    pub(crate) imports: BTreeSet<Vec<String>>,
    /// Every path that starts at another crate of the workspace: its name, and where it leads from its root.
    pub(crate) outside: BTreeSet<(String, Vec<String>)>,
    /// Names that this module passes on: the name (`*` for all), and where it comes from.
    pub(crate) passes_on: Vec<(String, Vec<String>)>,
    /// Lines of each function, its signature and its braces counted.
    pub(crate) functions: Vec<usize>,
}

/// A crate of the workspace.
pub(crate) struct Crate {
    pub(crate) name: String,
    pub(crate) files: Vec<File>,
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All crates, the program among them.
pub(crate) fn crates() -> Vec<Crate> {
    let folders = std::fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let named = folders.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path));
    let all = named.chain([("flagstaff".to_owned(), root().to_owned())]);
    let mut crates: Vec<_> = all.map(|(name, path)| Crate { name, files: files(&path.join("src")) }).collect();
    crates.sort_by(|a, b| a.name.cmp(&b.name));
    crates
}

fn files(src: &Path) -> Vec<File> {
    let mut paths = Vec::new();
    walk(src, &mut paths);
    let modules: BTreeMap<Vec<String>, PathBuf> =
        paths.into_iter().map(|path| (module_of(src, &path), path)).collect();
    let known: BTreeSet<Vec<String>> = modules.keys().cloned().collect();
    modules.iter().map(|(module, path)| read(module, path, &known)).collect()
}

/// Files of tests stand in `tests.rs`, `tests/` or `…_tests.rs`; helpers of tests in `testing.rs`.
fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if name == "tests" || name == "testing" || name.ends_with("_tests") {
            continue;
        }
        if path.is_dir() {
            walk(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

fn module_of(src: &Path, path: &Path) -> Vec<String> {
    let inside = path.strip_prefix(src).unwrap().with_extension("");
    let mut module: Vec<String> = inside.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        module.pop();
    }
    module
}

fn read(module: &[String], path: &Path, known: &BTreeSet<Vec<String>>) -> File {
    let text = std::fs::read_to_string(path).unwrap();
    let parsed = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut names = Names {
        module: module.to_vec(),
        known,
        imports: BTreeSet::new(),
        outside: BTreeSet::new(),
        passes_on: Vec::new(),
        functions: Vec::new(),
    };
    names.visit_file(&parsed);
    let path = path.strip_prefix(root()).unwrap().to_owned();
    let Names { imports, outside, passes_on, functions, .. } = names;
    File { path, module: module.to_vec(), text, imports, outside, passes_on, functions }
}

/// Collects what one file imports, passes on and defines.
struct Names<'a> {
    module: Vec<String>,
    known: &'a BTreeSet<Vec<String>>,
    imports: BTreeSet<Vec<String>>,
    outside: BTreeSet<(String, Vec<String>)>,
    passes_on: Vec<(String, Vec<String>)>,
    functions: Vec<usize>,
}

impl Names<'_> {
    /// The path from the crate's root, when it starts in this crate.
    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        let mut from = match first.as_str() {
            "crate" => Vec::new(),
            "self" => self.module.clone(),
            "super" => self.module.split_last()?.1.to_vec(),
            child => {
                let inner = [&self.module[..], &[child.to_owned()]].concat();
                return self.known.contains(&inner).then(|| [&inner[..], rest].concat());
            }
        };
        let mut rest = rest;
        while let Some((next, after)) = rest.split_first().filter(|(next, _)| *next == "super") {
            let _ = next;
            from.pop();
            rest = after;
        }
        Some([&from[..], rest].concat())
    }

    fn add_outside(&mut self, path: &[String]) {
        let Some((first, rest)) = path.split_first() else { return };
        if let Some(name) = first.strip_prefix("flagstaff_") {
            self.outside.insert((name.to_owned(), rest.to_vec()));
        }
    }

    fn take(&mut self, tree: &syn::UseTree, before: &[String], public: bool) {
        let with = |name: String| [before, &[name]].concat();
        match tree {
            syn::UseTree::Path(path) => self.take(&path.tree, &with(path.ident.to_string()), public),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.take(item, before, public)),
            syn::UseTree::Name(name) if name.ident == "self" => self.add(before, before.last().cloned(), public),
            syn::UseTree::Name(name) => self.add(&with(name.ident.to_string()), Some(name.ident.to_string()), public),
            syn::UseTree::Rename(name) => {
                self.add(&with(name.ident.to_string()), Some(name.rename.to_string()), public);
            }
            syn::UseTree::Glob(_) => self.add(before, Some("*".to_owned()), public),
        }
    }

    fn add(&mut self, path: &[String], name: Option<String>, public: bool) {
        self.add_outside(path);
        let (Some(to), Some(name)) = (self.absolute(path), name) else { return };
        // What a module takes from its children and shows to others, it passes on; it does not use it.
        if !public {
            self.imports.insert(to.clone());
        }
        // The modules below see what this one imports.
        self.passes_on.push((name, to));
    }
}

fn for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let text = quote(attribute);
        text.contains("cfg(test)") || text.contains("cfg(all(test") || text == "test" || text.contains("cfg(fuzzing)")
    })
}

fn quote(attribute: &syn::Attribute) -> String {
    match &attribute.meta {
        syn::Meta::List(list) => {
            let name = list.path.get_ident().map(ToString::to_string).unwrap_or_default();
            format!("{name}({})", list.tokens).replace(' ', "")
        }
        syn::Meta::Path(path) => path.get_ident().map(ToString::to_string).unwrap_or_default(),
        syn::Meta::NameValue(_) => String::new(),
    }
}

fn lines(block: &syn::Block, from: proc_macro2::Span) -> usize {
    block.brace_token.span.close().end().line - from.start().line + 1
}

impl<'ast> Visit<'ast> for Names<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if for_tests(&item.attrs) {
            return;
        }
        syn::visit::visit_item_mod(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !for_tests(&item.attrs) {
            self.take(&item.tree, &[], !matches!(item.vis, syn::Visibility::Inherited));
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        // A single name is defined or imported here; `crate` alone says who may see an item.
        self.add_outside(&names);
        if let Some(to) = self.absolute(&names).filter(|_| names.len() > 1) {
            self.imports.insert(to);
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !for_tests(&item.attrs) {
            self.functions.push(lines(&item.block, item.sig.fn_token.span));
            syn::visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !for_tests(&item.attrs) {
            self.functions.push(lines(&item.block, item.sig.fn_token.span));
            syn::visit::visit_impl_item_fn(self, item);
        }
    }
}
