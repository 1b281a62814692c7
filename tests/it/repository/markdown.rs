//! The Markdown pages of this repository.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use markdown::mdast::Node;
use markdown::{Constructs, ParseOptions};

/// A heading, and the name by which a link finds it on GitHub.
#[derive(Debug)]
pub struct Heading {
    pub anchor: String,
    pub depth: u8,
}

/// The repository's Markdown pages.
pub fn pages() -> Vec<PathBuf> {
    let names = super::files("").into_iter().filter(|name| name.ends_with(".md"));
    names.map(PathBuf::from).collect()
}

fn parsed(page: &Path) -> Node {
    let text = super::text(page);
    let constructs = Constructs { frontmatter: true, ..Constructs::gfm() };
    let options = ParseOptions { constructs, ..ParseOptions::gfm() };
    markdown::to_mdast(&text, &options).expect("Markdown has no errors")
}

/// Every node of a page, in order.
pub fn nodes(page: &Path) -> Vec<Node> {
    let mut all = vec![parsed(page)];
    let mut at = 0;
    while at < all.len() {
        let children = all[at].children().cloned().unwrap_or_default();
        all.splice(at + 1..at + 1, children);
        at += 1;
    }
    all
}

/// The headings of a page.
pub fn headings(page: impl AsRef<Path>) -> Vec<Heading> {
    let mut seen = BTreeMap::<String, usize>::new();
    let heading = |node: Node| match &node {
        Node::Heading(heading) => {
            let slug = slug(&node.to_string());
            let count = seen.entry(slug.clone()).or_default();
            let anchor = if *count == 0 { slug } else { format!("{slug}-{count}") };
            *count += 1;
            Some(Heading { anchor, depth: heading.depth })
        }
        _ => None,
    };
    nodes(page.as_ref()).into_iter().filter_map(heading).collect()
}

/// As GitHub makes an anchor of a heading: lower case, blanks become hyphens, punctuation goes.
fn slug(text: &str) -> String {
    let kept = |character: &char| character.is_alphanumeric() || matches!(character, '-' | '_' | ' ');
    text.to_lowercase().chars().filter(kept).map(|character| if character == ' ' { '-' } else { character }).collect()
}
