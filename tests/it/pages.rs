//! Pages: every link, and every citation in a comment, leads to a page and a heading that exist.

use std::fs;
use std::path::{Component, Path, PathBuf};

use markdown::mdast::Node;

use crate::repository;
use crate::repository::markdown::{headings, nodes, pages};

/// `a/b/../c` as `a/c`.
fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(tidy.pop()),
            Component::CurDir => {}
            part => tidy.push(part),
        }
    }
    tidy
}

/// What is wrong with a link in a file, if anything.
fn broken(from: &Path, base: &Path, link: &str) -> Option<String> {
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = if path.is_empty() { from.to_owned() } else { tidy(&base.join(path)) };
    let is_there = repository::path(&target).exists();
    let has_anchor = || anchor.is_empty() || headings(&target).iter().any(|heading| heading.anchor == anchor);
    (!is_there || !has_anchor()).then(|| format!("{}: {link}", from.display()))
}

#[test]
fn every_link_of_a_page_leads_to_a_page_and_a_heading() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in pages() {
        let base = page.parent().expect("a folder").to_owned();
        for node in nodes(&page) {
            let links = match node {
                Node::Link(link) => vec![link.url],
                Node::Image(image) => vec![image.url],
                Node::Definition(definition) => vec![definition.url],
                Node::Html(html) => quoted(&html.value, "src=\"").chain(quoted(&html.value, "href=\"")).collect(),
                _ => continue,
            };
            let ours = links.into_iter().filter(|link| !link.contains("://") && !link.starts_with("mailto:"));
            for link in ours {
                count += 1;
                wrong.extend(broken(&page, &base, &link));
            }
        }
    }
    assert!(count > 100, "{count} links found");
    assert!(wrong.is_empty(), "links that lead nowhere:\n{}", wrong.join("\n"));
}

/// What stands in quotes behind this.
fn quoted<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = String> + use<'a> {
    text.split(before).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned)
}

#[test]
fn every_page_of_the_docs_that_code_cites_is_there() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for path in repository::files("").into_iter().map(PathBuf::from) {
        let Ok(text) = fs::read_to_string(repository::path(&path)) else { continue };
        for rest in text.split("docs/").skip(1) {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"-_./#".contains(c)).unwrap_or(rest.len());
            let cited = rest[..end].trim_end_matches(['.', '#']);
            if cited.contains(".md") && !cited.starts_with('/') {
                count += 1;
                wrong.extend(broken(&path, Path::new(""), &format!("docs/{cited}")));
            }
        }
    }
    assert!(count > 50, "{count} citations found");
    assert!(wrong.is_empty(), "citations of pages that are not there:\n{}", wrong.join("\n"));
}

/// The comments of a file of code, with the line that each is on.
fn comments(path: &Path, text: &str) -> Vec<(usize, String)> {
    let sign = match path.extension().and_then(|extension| extension.to_str()) {
        Some("rs" | "kts" | "c") => "//",
        Some("mjs" | "md" | "json" | "jsonl" | "svg" | "png" | "txt" | "lock" | "log" | "xml") => return Vec::new(),
        _ => "#",
    };
    let comment = |(at, line): (usize, &str)| line.split_once(sign).map(|(_, comment)| (at + 1, comment.to_owned()));
    text.lines().enumerate().filter_map(comment).collect()
}

/// Whoever reads a comment has this repository and the web, and nothing else.
#[test]
fn every_page_that_a_comment_cites_is_in_this_repository() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for path in repository::files("").into_iter().map(PathBuf::from) {
        let Ok(text) = fs::read_to_string(repository::path(&path)) else { continue };
        for (at, comment) in comments(&path, &text) {
            if comment.contains("(contract") || comment.contains("contract, *") {
                wrong.push(format!("{}:{at}: a contract that is nowhere", path.display()));
            }
            let words = comment.split(|c: char| !c.is_ascii_alphanumeric() && !"-_./:#".contains(c));
            for word in words.filter(|word| word.contains(".md") && !word.contains("://")) {
                let page = word.split('#').next().unwrap_or_default().trim_end_matches(['.', ':']);
                // A name alone is of a page at the root or beside the file or one of its folders.
                let is_there = path.ancestors().skip(1).any(|folder| repository::path(folder).join(page).is_file());
                count += 1;
                if page.ends_with(".md") && page != ".md" && !is_there {
                    wrong.push(format!("{}:{at}: {page}", path.display()));
                }
            }
        }
    }
    assert!(count > 50, "{count} citations found");
    assert!(wrong.is_empty(), "citations of what this repository does not hold:\n{}", wrong.join("\n"));
}

/// What the mutants were made of has the names of their commits, and the worked examples name a file that they add.
#[test]
fn every_file_of_code_that_a_page_or_a_comment_names_is_there() {
    let files = repository::files("");
    let is_there = |named: &str| files.iter().any(|file| Path::new(file).ends_with(named));
    let mut wrong = Vec::new();
    let mut count = 0;
    for path in files.iter().map(PathBuf::from).filter(|path| path != Path::new("docs/quality.md")) {
        let Ok(text) = fs::read_to_string(repository::path(&path)) else { continue };
        let texts = match path.extension().and_then(|extension| extension.to_str()) {
            Some("md") => vec![text],
            _ => comments(&path, &text).into_iter().map(|(_, comment)| comment).collect(),
        };
        for text in texts {
            let words = text.split(|c: char| !c.is_ascii_alphanumeric() && !"-_./:".contains(c));
            let named = words.filter_map(|word| word.split(':').next()).filter(|word| word.ends_with(".rs"));
            for file in named.filter(|file| file.len() > 3 && !file.ends_with("example.rs")) {
                count += 1;
                if !is_there(file.trim_start_matches("../")) {
                    wrong.push(format!("{}: {file}", path.display()));
                }
            }
        }
    }
    assert!(count > 50, "{count} names found");
    assert!(wrong.is_empty(), "files that are not there:\n{}", wrong.join("\n"));
}
