//! A job summary (GitHub Markdown) as plain text for a terminal.

use markdown::mdast::{Node, Table};
use markdown::{ParseOptions, to_mdast};

/// The lines of a page.
pub fn rendered(page: &str) -> Vec<String> {
    let Ok(root) = to_mdast(page, &ParseOptions::gfm()) else {
        return page.lines().map(str::to_owned).collect();
    };
    let mut lines = Vec::new();
    for block in root.children().into_iter().flatten() {
        lines.extend(shown(block));
    }
    lines
}

fn shown(block: &Node) -> Vec<String> {
    match block {
        Node::Heading(heading) => vec![inline(&heading.children).to_uppercase()],
        Node::Code(code) if code.lang.as_deref() == Some("mermaid") => vec!["(GitHub draws a chart here)".to_owned()],
        Node::Code(code) => code.value.lines().map(|line| format!("    {line}")).collect(),
        Node::Table(table) => rows(table),
        Node::List(list) => list.children.iter().map(|item| format!("- {}", text(item))).collect(),
        Node::Html(_) | Node::Paragraph(_) => Some(text(block)).filter(|text| !text.is_empty()).into_iter().collect(),
        other => vec![text(other)],
    }
}

/// A row a line, without the alignment that would need the width of every character.
fn rows(table: &Table) -> Vec<String> {
    let cells = |row: &Node| row.children().into_iter().flatten().map(text).collect::<Vec<_>>();
    table.children.iter().map(|row| cells(row).join(" | ")).collect()
}

fn inline(nodes: &[Node]) -> String {
    nodes.iter().map(text).collect()
}

fn text(node: &Node) -> String {
    match node {
        Node::Text(text) => text.value.clone(),
        Node::InlineCode(code) => code.value.clone(),
        Node::Break(_) => " ".to_owned(),
        Node::Html(html) => without_tags(&html.value),
        other => inline(other.children().map_or(&[][..], Vec::as_slice)),
    }
}

/// The text of HTML; what can be unfolded begins with a mark.
fn without_tags(html: &str) -> String {
    let mut text = String::new();
    for part in html.replace("<summary>", "▸ ").replace("<br>", " ").split('<') {
        text += part.rsplit('>').next().unwrap_or_default();
    }
    text.trim_end_matches('\n').to_owned()
}
