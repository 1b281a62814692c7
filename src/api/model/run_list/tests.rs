//! What a list is read as: bare or wrapped, cut anywhere, with odd records in it.

use proptest::prelude::*;

use super::*;
use crate::core::{Effect, Observation, Untrusted};

const NEW: &str = r#"{"id":46,"pipeline_run_id":"b","pipeline_id":"p_1","last_status":"FAILED","created_at":"2024-01-15T14:00:00.000Z","updated_at":"2024-01-15T14:10:00.000Z","trace":"a, [b] {c} \"d\" \\"}"#;
const OLD: &str = r#"{"id":"45","pipeline_run_id":"a","pipeline_id":"P-1","last_status":"SUCCESS","created_at":"2024-01-14T14:00:00Z"}"#;

fn pipeline() -> PipelineId {
    PipelineId::new("p-1").expect("an id")
}

/// Reads a body that comes in pieces of this size.
fn read_by(size: usize, body: &[u8]) -> Observation<RunList> {
    super::super::read_list(200, body.chunks(size.max(1)), &pipeline())
}

fn listed(body: &str) -> Vec<ListedRun> {
    match read_by(usize::MAX, body.as_bytes()) {
        Observation::Record(listing) => listing.runs,
        other => panic!("{body}: {other:?}"),
    }
}

fn missed(body: &str) -> FailureKind {
    match read_by(usize::MAX, body.as_bytes()) {
        Observation::Missing(Effect::Unusable | Effect::NotVisible, failure) => failure.kind,
        other => panic!("{body}: {other:?}"),
    }
}

fn ids(body: &str) -> Vec<String> {
    listed(body).iter().map(|run| run.run.as_ref().map_or("?".to_owned(), ToString::to_string)).collect()
}

#[test]
fn a_list_is_bare_or_under_data_and_read_the_same_however_it_is_cut() {
    let bare = format!(" [ {NEW} ,{OLD}\n] ");
    let bodies = [
        bare.clone(),
        format!(r#"{{"status":true,"data":{bare}}}"#),
        format!(r#"{{"data" : {bare},"status":"success","x":{{"data":[1]}}}}"#),
        format!(r#"{{"a":"\"data\":[","x":[{{"data":[7]}}],"data":{bare}}}"#),
    ];
    for body in bodies {
        let whole = read_by(usize::MAX, body.as_bytes());
        assert_eq!(ids(&body), ["b", "a"], "{body}");
        for size in 1..40 {
            assert_eq!(read_by(size, body.as_bytes()), whole, "{size} {body}");
        }
    }
    assert!(listed("[]").is_empty());
    assert!(listed(r#"{"data":[ ]}"#).is_empty());
}

#[test]
fn a_run_is_reported_with_what_choosing_needs() {
    let runs = listed(&format!("[{NEW},{OLD}]"));
    assert_eq!(runs[0].number, Some(46));
    assert_eq!(runs[1].number, Some(45));
    assert_eq!(runs[0].status, Some(Untrusted::new("FAILED")));
    assert_eq!(runs[0].created_at, Some("2024-01-15T14:00:00Z".parse().expect("a date")));
    assert_eq!(runs[0].updated_at, Some("2024-01-15T14:10:00Z".parse().expect("a date")));
    assert_eq!(runs[1].updated_at, None);
}

#[test]
fn another_pipeline_s_record_is_left_out_and_anything_doubtful_is_kept() {
    assert_eq!(ids(&format!("[{},{OLD}]", NEW.replace("p_1", "p_2"))), ["a"]);
    assert_eq!(ids(&format!("[{},{OLD}]", NEW.replace("p_1", " P-1\\n"))), ["b", "a"]);
    for odd in [
        "null",
        "7",
        "\"x\"",
        "{}",
        "[]",
        "[1,[2]]",
        r#"{"pipeline_run_id":"b","created_at":"2024-01-15T14:00:00Z"}"#,
        r#"{"pipeline_id":null,"pipeline_run_id":"b"}"#,
        r#"{"pipeline_id":"","pipeline_run_id":"b"}"#,
        r#"{"pipeline_id":" ","pipeline_run_id":"b"}"#,
        r#"{"pipeline_id":"42","pipeline_run_id":"b"}"#,
        r#"{"pipeline_id":42,"pipeline_run_id":"b"}"#,
        r#"{"pipeline_id":"p_2","pipeline_id":"p_1"}"#,
    ] {
        assert_eq!(listed(&format!("[{odd},{OLD}]"))[0], ListedRun::default(), "{odd}");
        assert_eq!(ids(&format!("[{OLD},{odd}]")), ["a", "?"], "{odd}");
    }
}

#[test]
fn what_can_not_be_read_of_a_run_is_none() {
    let only = |from: &str, to: &str| listed(&format!("[{}]", NEW.replace(from, to))).remove(0);
    assert_eq!(only("\"b\"", "\"a/b\"").run, None);
    assert_eq!(only("\"b\"", "7").run, None);
    assert_eq!(only("\"FAILED\"", "7").status, None);
    assert_eq!(only("\"FAILED\"", "null").status, Some(Untrusted::new("")));
    assert_eq!(only("\"FAILED\"", &format!("\"SUCCESS{}\"", " ".repeat(2000))).status, None);
    assert_eq!(only("2024-01-15T14:00:00.000Z", "soon").created_at, None);
    for odd in ["-1", "1.5", "null", "\"x\"", "\"\"", "18446744073709551616", "[46]"] {
        assert_eq!(only("46", odd).number, None, "{odd}");
    }
}

#[test]
fn a_list_is_never_repaired() {
    let with = |trace: &[u8]| {
        let list = format!("[{NEW},{OLD}]");
        let (before, behind) = list.split_once("a, [b]").expect("a trace");
        [before.as_bytes(), trace, behind.as_bytes()].concat()
    };
    assert!(matches!(read_by(7, &with(b"fine")), Observation::Record(_)));
    for damage in [b"\\ud83d".as_slice(), b"\xff", b"\n", b"\0", b"\",\"x\":NaN,\"y\":\"", b"\",\"x\":1e400,\"y\":\""] {
        for size in [1, usize::MAX] {
            assert!(matches!(read_by(size, &with(damage)), Observation::Missing(Effect::Unusable, _)), "{damage:?}");
        }
    }
    assert_eq!(missed(&format!("\u{feff}[{NEW}]")), FailureKind::NotJson);
}

#[test]
fn a_list_that_has_further_pages_is_not_all_there_is() {
    let wrapped = |more: &str| format!(r#"{{"data":[{NEW},{OLD}],{more}}}"#);
    for more in [
        r#""next":"/page/2""#,
        r#""next_page":2"#,
        r#""nextCursor":"abc""#,
        r#""hasMore":true"#,
        r#""has_next":true"#,
        r#""total":3"#,
        r#""totalCount":3000"#,
        r#""total":"3""#,
        r#""count":3"#,
        r#""page":1,"pages":2"#,
        r#""page":2,"pages":2"#,
        r#""current_page":2"#,
        r#""page":0,"total_pages":30"#,
        r#""totalPages":"30""#,
        r#""Next-Page":2"#,
        r#""meta":{"total":3,"next":2}"#,
        r#""meta":{"current_page":1,"total_pages":30}"#,
        r#""pagination":{"has_more":true}"#,
        r#""links":{"self":"/page/1","next":"/page/2"}"#,
        r#""links":{"next":{"href":"/page/2"}}"#,
        r#""paging":{"nextCursor":"abc"}"#,
        r#""page_info":{"has_next_page":true}"#,
        r#""pageInfo":{"hasNextPage":true}"#,
        r#""total":2,"pagination":{"count":300}"#,
    ] {
        assert_eq!(missed(&wrapped(more)), FailureKind::OnePage, "{more}");
    }
    for all in [
        r#""next":null"#,
        r#""next":"""#,
        r#""next":null,"next_page":null"#,
        r#""meta":{"next":null,"next_page":null}"#,
        r#""hasMore":false"#,
        r#""total":2,"status":true"#,
        r#""page":1"#,
        r#""page":0"#,
        r#""page":1,"pages":1,"total_pages":1,"count":2,"total":"2""#,
        r#""pages":0,"count":0,"total":-1"#,
        r#""page":{"size":20},"pages":["/page/1"],"count":null"#,
        r#""meta":{"total":2,"count":2,"next":null,"page":1,"pages":1}"#,
        r#""meta":null,"pagination":[{"next":2}],"links":"next","paging":{},"page_info":{"hasNextPage":false}"#,
        // Who speaks of other things in such words, or further in, speaks of no list.
        r#""x":{"next":2,"total":300},"meta":{"x":{"next":2}},"per_page":100,"limit":100,"duration":300"#,
    ] {
        assert_eq!(ids(&wrapped(all)), ["b", "a"], "{all}");
    }
    // What is in a record is the record's.
    assert_eq!(ids(&format!("[{}]", NEW.replace("\"id\"", "\"next\":2,\"id\""))), ["b"]);
}

#[test]
fn what_is_no_list_is_not_one() {
    for body in ["", "  ", "null", "{}", r#"{"data":null}"#] {
        assert_eq!(missed(body), FailureKind::NoRecord, "{body}");
    }
    for body in [
        "<html>",
        "[",
        "[]]",
        "[] x",
        "[,]",
        "[1,]",
        "[1,,2]",
        "[1 2]",
        "[{]}",
        "[}",
        r#"["a]"#,
        "[1]{",
        "[\u{7f}\u{0}]",
        r#"{"data":[1}"#,
        r#"{"data":[1],}"#,
        r#"{"data":[1]"#,
        r#"{"data":[{"a":1]]}"#,
        "[[1]",
        "[1]]",
    ] {
        assert_eq!(missed(body), FailureKind::NotJson, "{body}");
    }
    for body in [
        "7",
        "\"[]\"",
        NEW,
        r#"{"data":{}}"#,
        r#"{"data":7}"#,
        r#"{"runs":[1]}"#,
        r#"{"status":false,"data":[]}"#,
        r#"{"data":[1],"data":[2]}"#,
        r#"{"x":1,"x":2,"data":[]}"#,
        r#"{"d\u0061ta":[1]}"#,
        r#"{"x":{"data":[1]}}"#,
    ] {
        assert!(matches!(missed(body), FailureKind::NotARecord(_)), "{body}");
    }
    let bad = [b"[\"".as_slice(), &[0xff], b"\"]"].concat();
    assert!(matches!(read_by(usize::MAX, &bad), Observation::Missing(Effect::Unusable, _)));
}

#[test]
fn no_truncation_of_a_list_is_a_list() {
    for body in [format!("[{NEW},{OLD}]"), format!(r#"{{"status":true,"data":[{NEW}]}}"#)] {
        for end in 0..body.len() {
            assert!(!matches!(read_by(7, &body.as_bytes()[..end]), Observation::Record(_)), "{end}");
        }
    }
}

#[test]
fn a_list_has_its_limits() {
    let pipeline = pipeline();
    let feed = |limit, piece: &[u8], times: usize| {
        let mut listing = RunList::default();
        let mut keep = keep_all(&mut listing);
        let mut list = RunListReader::new(&pipeline, limit, &mut keep);
        list.push(b"[").expect("a list begins");
        (0..times).find_map(|_| list.push(piece).err()).map(|fault| fault.kind)
    };
    // One element, without end.
    assert_eq!(feed(WHOLE_LIST, &[b' '; 1 << 16], 1 << 11), Some(FailureKind::TooLarge));
    let wide = format!("{{}}{},", " ".repeat(1000));
    let most = SHORT_LIST / wide.len();
    assert_eq!(feed(SHORT_LIST, wide.as_bytes(), most), None);
    assert_eq!(feed(SHORT_LIST, wide.as_bytes(), most + 1), Some(FailureKind::TooLarge));
    // Many small ones: what is kept of them is bounded too.
    assert_eq!(feed(WHOLE_LIST, b"{},", RUNS), None);
    assert_eq!(feed(WHOLE_LIST, b"{},", RUNS + 1), Some(FailureKind::TooLarge));
    // Much text that is no list.
    let mut keep = |_| Ok(());
    let mut list = RunListReader::new(&pipeline, WHOLE_LIST, &mut keep);
    let end = (0..AROUND).find_map(|_| list.push(b"<p>").err()).map(|fault| fault.kind);
    assert_eq!(end, Some(FailureKind::NotARecord("not a list")));
}

#[test]
fn an_element_in_many_pieces_is_read_a_few_times() {
    let pipeline = pipeline();
    let mut keep = |_| Ok(());
    let mut list = RunListReader::new(&pipeline, WHOLE_LIST, &mut keep);
    list.push(b"[{\"trace\":\"").expect("a list begins");
    let mut tries = std::collections::BTreeSet::new();
    for _ in 0..1 << 17 {
        list.push(b"1234 abc").expect("it goes on");
        tries.insert(list.enough);
    }
    assert!(tries.len() < 20, "{tries:?}");
}

#[test]
fn ten_thousand_runs_in_any_order_are_all_there() {
    let runs: Vec<String> = (0..10_000)
        .map(|n| {
            let minute = n * 7919 % 1440;
            let stamp = format!("2024-01-{:02}T{:02}:{:02}:00Z", n % 28 + 1, minute / 60, minute % 60);
            OLD.replace("\"a\"", &format!("\"r{n}\"")).replace("2024-01-14T14:00:00Z", &stamp)
        })
        .collect();
    let listed = listed(&format!("[{}]", runs.join(",\n")));
    assert_eq!(listed.len(), 10_000);
    assert!(listed.iter().all(|run| run.run.is_some() && run.created_at.is_some()));
}

#[test]
fn a_status_decides_whatever_the_body_says() {
    for status in (0..=999).filter(|status| *status != 200) {
        let pipeline = pipeline();
        let mut keep = |_| Ok(());
        let mut list = RunListReader::new(&pipeline, WHOLE_LIST, &mut keep);
        list.push(b"[]").expect("a list");
        assert!(list.finish(status, b"[]", PageInfo::default()).is_err(), "{status}");
    }
}

/// JSON text, mostly well-formed, mostly a list.
fn bodies() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "\"data\"",
        "\"x\"",
        "null",
        "1",
        " ",
        "\"status\"",
        "false",
        "true",
        "\"\\\"",
        "\\",
        "{\"pipeline_id\":\"p_1\"}",
        "[]",
        "{}",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// An independent reading: what is taken for a list is JSON, and has as many elements.
    #[test]
    fn whatever_is_read_as_a_list_is_one(body in bodies(), size in 1usize..9) {
        let read = read_by(size, body.as_bytes());
        prop_assert_eq!(&read, &read_by(usize::MAX, body.as_bytes()));
        if let Observation::Record(listing) = read {
            let json: serde_json::Value = serde_json::from_str(&body).expect("a list is JSON");
            let array = json.get("data").unwrap_or(&json).as_array().expect("an array").len();
            prop_assert_eq!(array, listing.runs.len(), "{}", body);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..300), size in 1usize..50) {
        let _ = read_by(size, &body);
    }
}

/// Found by fuzzing.
#[test]
fn a_form_feed_is_no_blank_of_json() {
    for body in ["[\u{c}]".to_owned(), format!("[\u{c}{OLD}]"), format!("[{OLD}\u{c},{NEW}]"), "\u{c}[]".to_owned()] {
        assert_eq!(missed(&body), FailureKind::NotJson, "{body:?}");
    }
    assert_eq!(ids("[ \t\r\n]"), [""; 0]);
}

#[test]
fn a_number_is_read_as_a_whole_however_it_is_cut() {
    // Up to the exponent it would be beyond a double.
    let long = format!("[1{}e-390,12,{OLD}]", "0".repeat(400));
    for size in 1..500 {
        assert_eq!(read_by(size, long.as_bytes()), read_by(usize::MAX, long.as_bytes()), "{size}");
    }
    assert_eq!(ids(&long), ["?", "?", "a"]);
    for body in ["[1", "[12 3]", "[1}", "[1e400]", "[1e999999999999]", "[-]", "[1,2"] {
        for size in [1, 2, usize::MAX] {
            assert!(matches!(read_by(size, body.as_bytes()), Observation::Missing(Effect::Unusable, _)), "{body}");
        }
    }
}

/// Found by fuzzing: the second `pipeline_id` ended the reading of an element whose rest is no JSON.
#[test]
fn an_element_that_is_no_json_makes_the_list_unusable_even_behind_a_key_that_stands_twice() {
    let twice = r#"{"pipeline_id":"p-1","pipeline_id":"p-1","created_at":"x"}"#;
    assert_eq!(ids(&format!("[{twice}]")), ["?"]);
    for behind in ["\"x\":1", "1e400", "\"\\ud83d\"", "NaN"] {
        assert_eq!(missed(&format!("[{}]", twice.replace("\"x\"", behind))), FailureKind::NotJson);
    }
}
