//! Rust source as the rules need it: its paths, calls, types and imports, without tests.

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use syn::UseTree;
use syn::visit::{self, Visit};

use crate::repository::rust_files;

/// A file of ours, without its tests. Paths of ours are written in full: `crate::core::status`.
#[derive(Default)]
pub struct Source {
    pub file: String,
    pub module: String,
    pub paths: BTreeSet<String>,
    pub methods: BTreeSet<String>,
    pub types: BTreeSet<String>,
    /// What `use` brings in, by name.
    pub imports: HashMap<String, String>,
    test_modules: Vec<String>,
    /// The module that is being visited.
    scope: String,
}

/// Whether a path is this module or something in it.
pub fn within(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    let conditions = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    let mut conditions =
        conditions.filter_map(|attribute| Some(attribute.meta.require_list().ok()?.tokens.to_string()));
    conditions.any(|condition| condition == "test" || condition.replace(' ', "").starts_with("all(test,"))
}

impl Source {
    pub fn parse(file: &str, text: &str) -> Source {
        let name = file.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
        let module = format!("crate::{}", name.replace('/', "::"));
        let scope = if ["lib", "main"].contains(&name) { "crate" } else { &module }.to_owned();
        let mut source = Source { file: file.to_owned(), module, scope, ..Source::default() };
        source.visit_file(&syn::parse_file(text).expect("Rust"));
        source
    }

    /// Adds a path, and returns it in full.
    fn add(&mut self, path: &str) -> String {
        let mut names = path.split("::").peekable();
        let mut full: Vec<&str> = self.scope.split("::").collect();
        match names.next_if(|name| ["crate", "maestro_gate", "self", "super"].contains(name)) {
            Some("self") => {}
            Some("super") => {
                full.pop();
                while names.next_if_eq(&"super").is_some() {
                    full.pop();
                }
            }
            Some(_) => full.truncate(1),
            None => full.clear(),
        }
        full.extend(names);
        let full = full.join("::");
        self.paths.insert(full.clone());
        full
    }

    fn add_tree(&mut self, before: &str, tree: &UseTree) {
        let join = |name: &syn::Ident| if before.is_empty() { name.to_string() } else { format!("{before}::{name}") };
        let (path, name) = match tree {
            UseTree::Path(path) => return self.add_tree(&join(&path.ident), &path.tree),
            UseTree::Group(group) => return group.items.iter().for_each(|tree| self.add_tree(before, tree)),
            UseTree::Glob(_) => (before.to_owned(), "*".to_owned()),
            UseTree::Name(name) if name.ident == "self" => {
                (before.to_owned(), before.rsplit("::").next().unwrap_or_default().to_owned())
            }
            UseTree::Name(name) => (join(&name.ident), name.ident.to_string()),
            UseTree::Rename(name) => (join(&name.ident), name.rename.to_string()),
        };
        let full = self.add(&path);
        self.imports.insert(name, full);
    }

    /// Adds the paths and calls in what a macro or an attribute is given, which is no syntax tree.
    fn add_tokens(&mut self, tokens: &str) {
        let text = tokens.replace(" :: ", "::").replace(" . ", ".");
        for word in text.split(|c: char| !c.is_alphanumeric() && !"_:.".contains(c)) {
            let mut methods = word.split('.');
            let path = methods.next().unwrap_or_default().trim_matches(':');
            if path.contains("::") {
                self.add(path);
            }
            self.methods.extend(methods.map(str::to_owned));
        }
    }
}

/// Visits what can be under `#[cfg(test)]`, and leaves it out if it is; adds the name of a type.
macro_rules! visit_product {
    ($($visit:ident $node:ident $($types:ident)?),*) => {$(
        fn $visit(&mut self, item: &'ast syn::$node) {
            if !is_test(&item.attrs) {
                $(self.$types.insert(item.ident.to_string());)?
                visit::$visit(self, item);
            }
        }
    )*};
}

impl<'ast> Visit<'ast> for Source {
    visit_product!(
        visit_file File, visit_item_fn ItemFn, visit_item_const ItemConst, visit_item_static ItemStatic,
        visit_item_impl ItemImpl, visit_impl_item_fn ImplItemFn, visit_field Field, visit_variant Variant,
        visit_item_struct ItemStruct types, visit_item_enum ItemEnum types, visit_item_trait ItemTrait types,
        visit_item_type ItemType types
    );

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let outer = self.scope.clone();
        self.scope = format!("{outer}::{}", item.ident);
        if is_test(&item.attrs) {
            self.test_modules.push(self.scope.clone());
        } else {
            visit::visit_item_mod(self, item);
        }
        self.scope = outer;
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_test(&item.attrs) {
            self.add_tree("", &item.tree);
        }
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        self.add(&item.ident.to_string());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        // A single name is a variable, or comes from a `use`.
        if path.segments.len() > 1 {
            let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.add(&names.join("::"));
        }
        visit::visit_path(self, path);
    }

    /// `pub(in path)` imports nothing.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.methods.insert(call.method.to_string());
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, of: &'ast syn::Macro) {
        self.add_tokens(&of.tokens.to_string());
        visit::visit_macro(self, of);
    }

    fn visit_meta_list(&mut self, list: &'ast syn::MetaList) {
        self.add_tokens(&list.tokens.to_string());
    }
}

/// The files of the crate that are no tests, parsed once.
pub fn sources() -> &'static [Source] {
    static SOURCES: OnceLock<Vec<Source>> = OnceLock::new();
    SOURCES.get_or_init(|| {
        let mut all: Vec<Source> = rust_files(&["src"]).iter().map(|(file, text)| Source::parse(file, text)).collect();
        let tests: Vec<String> = all.iter().flat_map(|source| source.test_modules.clone()).collect();
        all.retain(|source| !tests.iter().any(|test| within(&source.module, test)));
        all
    })
}
