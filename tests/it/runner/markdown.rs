//! GitHub's Markdown: the page that a text becomes, and what GitHub makes of mentions, issue numbers and addresses in it.

use ::markdown::mdast::Node;
use ::markdown::{ParseOptions, to_mdast};
use maestro_gate::report::escape;

/// The tree of a text.
pub fn parse(text: &str) -> Node {
    to_mdast(text, &ParseOptions::gfm()).expect("Markdown has no wrong texts")
}

/// Every kind of node in a tree, in reading order; HTML and code with what stands in it.
pub fn kinds(node: &Node) -> Vec<String> {
    let own = match node {
        Node::Html(html) => format!("html {}", html.value),
        Node::Code(code) => format!("code {}", code.value),
        Node::InlineCode(code) => format!("inline code {}", code.value),
        other => format!("{other:?}").split([' ', '{']).next().unwrap_or_default().to_lowercase(),
    };
    let below = node.children().into_iter().flatten().flat_map(kinds);
    std::iter::once(own).chain(below).collect()
}

/// The plain text in a tree: what GitHub looks for mentions and the like in.
pub fn words(node: &Node) -> String {
    match node {
        Node::Text(text) => text.value.clone(),
        other => other.children().into_iter().flatten().map(words).collect::<Vec<_>>().concat(),
    }
}

/// What GitHub would make of plain text: links of addresses (cmark-gfm, `extensions/autolink.c`, which looks at the text
/// after all escapes are gone), mentions, issue numbers, emoji (html-pipeline).
pub fn made_of_words(words: &str) -> Vec<&'static str> {
    let mut made = Vec::new();
    let lower = words.to_lowercase();
    let after = |mark: &str, next: fn(char) -> bool| {
        lower.match_indices(mark).any(|(at, _)| lower[at + mark.len()..].starts_with(next))
    };
    if after("@", char::is_alphanumeric) {
        made.push("mention or mail link");
    }
    if after("#", |c| c.is_ascii_digit()) {
        made.push("issue");
    }
    if ["http://", "https://", "ftp://", "www."].iter().any(|mark| lower.contains(mark)) {
        made.push("link");
    }
    let names: Vec<&str> = lower.split(':').collect();
    let emoji = |name: &&str| {
        let fits = name.chars().all(|c| c.is_ascii_alphanumeric() || "_+-".contains(c));
        fits && (name.len() > 2 || name.contains(|c: char| !c.is_ascii_digit()))
    };
    if names.len() > 2 && names[1..names.len() - 1].iter().any(|name| !name.is_empty() && emoji(name)) {
        made.push("emoji");
    }
    made
}

#[test]
fn the_check_sees_markup() {
    let tree = parse("| a |\n|---|\n| <b> *x* `c` ![i](u) |\n\n```\nx\n```\nhttps://a.b @me");
    let kinds = kinds(&tree);
    for kind in ["table", "tablerow", "tablecell", "html <b>", "emphasis", "inline code c", "image", "code x", "link"] {
        assert!(kinds.iter().any(|found| found == kind), "{kind} in {kinds:?}");
    }
    assert_eq!(made_of_words("a@b #1 www.x :tada:"), ["mention or mail link", "issue", "link", "emoji"]);
    assert!(made_of_words("06:00:00 # 1 @ x: y").is_empty());
}

#[test]
fn an_id_can_be_copied_from_a_cell_whatever_it_holds() {
    for id in [
        "a|b@c.de",
        "a|www.example.com",
        "a|https://b.de",
        "x|#1",
        "a|:tada:",
        "a|b_c*d~e!f[g]`h&amp;<i>$j\\|k",
        "a||b",
        "@me",
        "#1",
        ":x:",
    ] {
        let tree = parse(&format!("| a |\n|---|\n| {} |\n", escape::markdown_code_span(id)));
        let copied: Vec<String> = kinds(&tree)
            .into_iter()
            .filter_map(|kind| kind.strip_prefix("inline code ").map(str::to_owned))
            .chain(Some(words(&tree)).filter(|words| words.len() > 1).map(|words| words[1..].to_owned()))
            .collect();
        assert_eq!(copied, [id]);
        assert!(!kinds(&tree).iter().any(|kind| kind == "link"), "{id}");
    }
}
