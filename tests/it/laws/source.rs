//! Rust source as the rules need it: its paths, calls, types and imports, without tests.

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use syn::visit::{self, Visit};

use crate::repository::rust_files;

pub(super) type Names = Vec<String>;

/// A file of ours, without its tests.
#[derive(Default)]
pub(super) struct Source {
    pub(super) path: String,
    pub(super) module: Names,
    /// Every path, in full if it begins with `crate`, `self` or `super`.
    pub(super) paths: Vec<Names>,
    pub(super) methods: BTreeSet<String>,
    pub(super) types: BTreeSet<String>,
    /// What `use` brings in, by name.
    pub(super) imports: HashMap<String, Names>,
    test_modules: Vec<Names>,
    inside: Names,
}

pub(super) fn names(path: &str) -> Names {
    path.split("::").map(str::to_owned).collect()
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) if list.path.is_ident("cfg") => {
            let condition = list.tokens.to_string().replace(' ', "");
            condition == "test" || condition.starts_with("all(test,")
        }
        _ => false,
    })
}

impl Source {
    pub(super) fn parse(path: &str, text: &str) -> Source {
        let module = names(&path.trim_start_matches("src/").trim_end_matches(".rs").replace('/', "::"));
        let module = module.into_iter().filter(|name| name != "mod").collect();
        let mut source = Source { path: path.to_owned(), module, ..Source::default() };
        source.visit_file(&syn::parse_file(text).expect("Rust"));
        source
    }

    /// The module that a path starts in: `lib.rs` and `main.rs` are no modules.
    fn scope(&self) -> Names {
        let file = if self.module == ["lib"] || self.module == ["main"] { &[][..] } else { &self.module };
        [file, &self.inside].concat()
    }

    fn add(&mut self, path: Names) -> Names {
        let supers = path.iter().take_while(|name| *name == "super").count();
        let scope = self.scope();
        let full = match path[0].as_str() {
            "crate" | "maestro_gate" => [names("crate"), path[1..].to_vec()].concat(),
            "self" => [names("crate"), scope, path[1..].to_vec()].concat(),
            "super" => [names("crate"), scope[..scope.len() - supers].to_vec(), path[supers..].to_vec()].concat(),
            _ => path,
        };
        self.paths.push(full.clone());
        full
    }

    fn add_tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let join = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        let (path, name) = match tree {
            syn::UseTree::Path(path) => return self.add_tree(&join(&path.ident), &path.tree),
            syn::UseTree::Group(group) => return group.items.iter().for_each(|tree| self.add_tree(before, tree)),
            syn::UseTree::Glob(_) => (before.to_vec(), "*".to_owned()),
            syn::UseTree::Name(name) if name.ident == "self" => (before.to_vec(), before[before.len() - 1].clone()),
            syn::UseTree::Name(name) => (join(&name.ident), name.ident.to_string()),
            syn::UseTree::Rename(name) => (join(&name.ident), name.rename.to_string()),
        };
        let full = self.add(path);
        self.imports.insert(name, full);
    }

    /// The paths and calls in what a macro or an attribute is given, which is no syntax tree.
    fn scan(&mut self, tokens: &str) {
        let text = tokens.replace(" :: ", "::").replace(" . ", ".");
        for word in text.split(|c: char| !c.is_alphanumeric() && !"_:.".contains(c)) {
            let mut calls = word.split('.');
            let path = names(calls.next().unwrap_or_default().trim_matches(':'));
            if path.len() > 1 && path.iter().all(|name| !name.is_empty()) {
                self.add(path);
            }
            self.methods.extend(calls.map(str::to_owned));
        }
    }
}

/// Items under `#[cfg(test)]` are left out.
macro_rules! visit_product {
    ($($visit:ident $node:ident $($name:ident)?),*) => {$(
        fn $visit(&mut self, item: &'ast syn::$node) {
            if !is_test(&item.attrs) {
                $(self.$name.insert(item.ident.to_string());)?
                visit::$visit(self, item);
            }
        }
    )*};
}

impl<'ast> Visit<'ast> for Source {
    visit_product!(
        visit_item_fn ItemFn, visit_item_const ItemConst, visit_item_static ItemStatic, visit_item_impl ItemImpl,
        visit_impl_item_fn ImplItemFn, visit_field Field, visit_variant Variant, visit_item_struct ItemStruct types,
        visit_item_enum ItemEnum types, visit_item_trait ItemTrait types, visit_item_type ItemType types
    );

    fn visit_file(&mut self, file: &'ast syn::File) {
        if !is_test(&file.attrs) {
            visit::visit_file(self, file);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.inside.push(item.ident.to_string());
        if is_test(&item.attrs) {
            self.test_modules.push(self.scope());
        } else {
            visit::visit_item_mod(self, item);
        }
        self.inside.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_test(&item.attrs) {
            self.add_tree(&[], &item.tree);
        }
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        self.add(names(&item.ident.to_string()));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        // A single name is a variable, or comes from a `use`.
        if path.segments.len() > 1 {
            self.add(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.methods.insert(call.method.to_string());
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, of: &'ast syn::Macro) {
        self.scan(&of.tokens.to_string());
        visit::visit_macro(self, of);
    }

    fn visit_meta_list(&mut self, list: &'ast syn::MetaList) {
        self.scan(&list.tokens.to_string());
    }
}

/// The files of the crate that are no tests, parsed once.
pub(super) fn sources() -> &'static [Source] {
    static SOURCES: OnceLock<Vec<Source>> = OnceLock::new();
    SOURCES.get_or_init(|| {
        let all: Vec<Source> = rust_files(&["src"]).iter().map(|(path, text)| Source::parse(path, text)).collect();
        let tests: Vec<Names> = all.iter().flat_map(|source| source.test_modules.clone()).collect();
        all.into_iter().filter(|source| !tests.iter().any(|test| source.module.starts_with(test))).collect()
    })
}
