//! Whether a list is all there is.
//!
//! The documented list is a bare array without pages. If the service or a gateway cuts it into pages one day, the newest run
//! may be on another page than the first. So an answer that says in a usual way that there is more is believed.

use reqwest::header::{HeaderMap, LINK};
use serde_json::Value;

use super::super::failure::RequestError;
use crate::core::{Failure, FailureKind, Operation};

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
        let is_part = self.has_next
            || self.total.is_some_and(|total| total > elements)
            || serde_json::from_str(around).map_or(true, |around| is_cut(&around, elements));
        if is_part { Completeness::OnePage } else { Completeness::Whole }
    }
}

/// Whether the object around the elements says that there are more, or an object in it where wrappers keep such things.
/// Spelt `next_page`, `nextPage` or `NextPage`.
fn is_cut(around: &Value, elements: u64) -> bool {
    let is_said = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Bool(true) | Value::Number(_) | Value::Array(_) | Value::Object(_) => true,
    };
    around.as_object().into_iter().flatten().any(|(key, value)| {
        match key.replace(['_', '-'], "").to_ascii_lowercase().as_str() {
            "next" | "nextpage" | "nextcursor" | "hasmore" | "hasnext" | "hasnextpage" => is_said(value),
            // Of all elements, or of those that are here.
            "total" | "totalcount" | "count" => number(value) > Some(elements),
            // From 0 or from 1 on: a first page is 1 at most.
            "page" | "currentpage" | "pages" | "totalpages" => number(value) > Some(1),
            "meta" | "pagination" | "links" | "paging" | "pageinfo" => is_cut(value, elements),
            _ => false,
        }
    })
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

/// Whether one of the links (RFC 8288) is to the next page. What only looks like a parameter, within quotes, counts too: in
/// doubt there is more.
fn is_to_the_next(links: &str) -> bool {
    links.split([',', ';']).filter_map(|parameter| parameter.split_once('=')).any(|(name, value)| {
        let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
        name.trim().eq_ignore_ascii_case("rel") && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
    })
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
            // In quotes, and in quotes without an end.
            r#"<?a>; title="b; rel=next, c"; rel=self"#,
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
