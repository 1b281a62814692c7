//! Whether a list is all there is.
//!
//! The documented list is a bare array, and nobody has told of pages. Should it be cut into some one day, by the service or
//! by a gateway before it, the newest run may be on another one than the first. So whoever says in one of the usual ways
//! that there is more is believed; who says that this is all of it, or something unknown, changes nothing.

use std::iter;

use reqwest::header::{HeaderMap, LINK};
use serde::Deserialize;
use serde_json::Value;

use super::super::failure::RequestError;
use crate::core::{Failure, FailureKind, Operation};

/// Where a wrapper may keep what it says of its pages.
const WITHIN: [&str; 6] = ["meta", "pagination", "links", "paging", "page_info", "pageInfo"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Completeness {
    Whole,
    /// It says that there is more of it elsewhere.
    OnePage,
}

impl Completeness {
    /// # Errors
    /// Where there is more.
    pub(crate) fn whole(self) -> Result<(), Failure> {
        match self {
            Completeness::Whole => Ok(()),
            Completeness::OnePage => Err(RequestError::new(FailureKind::OnePage).during(Operation::List)),
        }
    }
}

/// What an answer's headers say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PageInfo {
    has_next: bool,
    /// How many elements there are.
    total: Option<u64>,
}

impl PageInfo {
    pub(crate) fn read(headers: &HeaderMap) -> PageInfo {
        let mut links = headers.get_all(LINK).iter();
        let totals = headers.get_all("x-total-count").iter().filter_map(|total| total.to_str().ok());
        PageInfo {
            has_next: links.any(|link| is_to_the_next(&String::from_utf8_lossy(link.as_bytes()))),
            // Said twice, in two headers or in one.
            total: totals.flat_map(|total| total.split(',')).filter_map(digits).max(),
        }
    }

    /// Of a list with so many elements, and with this around them.
    pub(super) fn extent(self, around: &str, elements: u64) -> Completeness {
        let is_part = self.has_next || self.total.is_some_and(|total| total > elements) || is_cut(around, elements);
        if is_part { Completeness::OnePage } else { Completeness::Whole }
    }
}

/// How a wrapper would say it, or an object in it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Paging {
    #[serde(alias = "next_page", alias = "nextPage", alias = "next_cursor", alias = "nextCursor")]
    next: Value,
    #[serde(alias = "hasMore", alias = "has_next", alias = "hasNext", alias = "has_next_page", alias = "hasNextPage")]
    has_more: Value,
    #[serde(alias = "total_count", alias = "totalCount")]
    total: Value,
    /// Of all elements, or of those that are here.
    count: Value,
    /// From 0 or from 1 on: a first page is 1 at most.
    #[serde(alias = "current_page", alias = "currentPage")]
    page: Value,
    pages: Value,
    #[serde(alias = "totalPages")]
    total_pages: Value,
}

impl Paging {
    fn tells_of_more_than(&self, elements: u64) -> bool {
        let is_said = |value: &Value| match value {
            Value::Null | Value::Bool(false) => false,
            Value::String(text) => !text.is_empty(),
            Value::Bool(true) | Value::Number(_) | Value::Array(_) | Value::Object(_) => true,
        };
        let is_over = |limit: u64| move |value: &&Value| number(value).is_some_and(|number| number > limit);
        [&self.next, &self.has_more].into_iter().any(is_said)
            || [&self.total, &self.count].iter().any(is_over(elements))
            || [&self.page, &self.pages, &self.total_pages].iter().any(is_over(1))
    }
}

/// Of a wrapper that says such a thing twice nobody can tell.
fn is_cut(around: &str, elements: u64) -> bool {
    let Ok(around) = serde_json::from_str::<Value>(around) else { return true };
    let within = WITHIN.iter().filter_map(|key| around.get(key));
    let mut objects = iter::once(&around).chain(within).filter(|value| value.is_object());
    objects.any(|object| Paging::deserialize(object).map_or(true, |paging| paging.tells_of_more_than(elements)))
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| digits(value.as_str()?))
}

/// A number, however many digits it has.
fn digits(text: &str) -> Option<u64> {
    let text = text.trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

/// Where in a `Link` header a character stands.
#[derive(Clone, Copy, PartialEq)]
enum LinkPosition {
    Nothing,
    Target,
    Quotes,
    /// Behind a backslash in quotes.
    Escape,
}

/// Whether one of the links (RFC 8288) is to the next page. Of links that don't end nobody can tell.
fn is_to_the_next(links: &str) -> bool {
    let mut within = LinkPosition::Nothing;
    let parameters = links.split(|character| {
        within = match (within, character) {
            (LinkPosition::Nothing, '<') => LinkPosition::Target,
            (LinkPosition::Nothing, '"') | (LinkPosition::Escape, _) => LinkPosition::Quotes,
            (LinkPosition::Target, '>') | (LinkPosition::Quotes, '"') => LinkPosition::Nothing,
            (LinkPosition::Quotes, '\\') => LinkPosition::Escape,
            (within, _) => within,
        };
        within == LinkPosition::Nothing && matches!(character, ',' | ';')
    });
    let is_next = |parameter: &str| {
        let Some((name, value)) = parameter.split_once('=') else { return false };
        let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
        name.trim().eq_ignore_ascii_case("rel") && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
    };
    // All of them, so that where the last one ends is known.
    let count = parameters.filter(|parameter| is_next(parameter)).count();
    count > 0 || within != LinkPosition::Nothing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(headers: &[(&'static str, &str)]) -> PageInfo {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().expect("a header"));
        }
        PageInfo::read(&map)
    }

    #[test]
    fn a_link_to_the_next_page_is_found_among_others() {
        for link in [
            r#"<https://x/runs?page=2>; rel="next""#,
            "<?page=2>;rel=next",
            r#"<?page=2> ; REL = "Next""#,
            r#"<?page=1>; rel="first", <?a=1,2;b>; title="a, \"b\"; c"; rel="prefetch next""#,
            r#"<?page=2>; rel="next"; title="b", </>; rel="index""#,
            // Without an end.
            r#"<?page=2>; title="next; rel=next"#,
            "<?page=2; rel=next",
        ] {
            assert!(pages(&[("link", link)]).has_next, "{link}");
            assert!(pages(&[("link", "</style.css>; rel=preload"), ("link", link)]).has_next, "{link}");
        }
        for link in [
            "",
            "</style.css>; rel=preload; as=style",
            r#"<?page=1>; rel="first last", <?page=0>; rel="prev""#,
            r#"<?a; rel=next>; rel=self"#,
            r#"<?a>; title="b; rel=next, c"; rel=self"#,
            "<next>; rel=self",
            "<?a>; rel=https://x/rel/next",
            "<?a>; rev=next",
            "<?a>; next",
        ] {
            assert!(!pages(&[("link", link)]).has_next, "{link}");
        }
    }

    #[test]
    fn a_total_above_the_elements_is_said_in_a_header() {
        let of_two = |headers: &[(&'static str, &str)]| pages(headers).extent("[]", 2);
        for total in ["3", " 300 ", "2, 3", "18446744073709551616"] {
            assert_eq!(of_two(&[("x-total-count", total)]), Completeness::OnePage, "{total}");
            assert_eq!(of_two(&[("x-total-count", "2"), ("x-total-count", total)]), Completeness::OnePage, "{total}");
        }
        for total in ["2", "0", "1", "", "-1", "many", "2, 2"] {
            assert_eq!(of_two(&[("x-total-count", total)]), Completeness::Whole, "{total}");
        }
        assert_eq!(of_two(&[]), Completeness::Whole);
    }

    #[test]
    fn headers_and_wrapper_are_both_believed() {
        let next = pages(&[("link", "<?page=2>; rel=next")]);
        assert_eq!(next.extent(r#"{"data":[],"total":2,"next":null}"#, 2), Completeness::OnePage);
        assert_eq!(PageInfo::default().extent(r#"{"data":[],"total":3}"#, 2), Completeness::OnePage);
        assert_eq!(PageInfo::default().extent(r#"{"data":[],"total":2}"#, 2), Completeness::Whole);
    }
}
