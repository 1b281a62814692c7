//! Each fault, as it is on the wire and as an HTTP library sees it.

use reqwest::Client;

use super::*;
use crate::stand_in::{End, Framing, Gzip, On, Reply};

const RECORD: &str = r#"{"id":45,"pipeline_run_id":"e7c91a3b_5f2d_4a8e_b1c9_7d3f2e8a4b6c","pipeline_id":"1b33ad2f_33d3_4837_9eeb_83c82c8b909d","last_status":"SUCCESS","created_at":"c","updated_at":"u","trace":null}"#;

fn service() -> Service {
    let record = json!({"id": 45, "pipeline_run_id": SUCCESS, "created_at": "c", "updated_at": "u"});
    Service::start(playing(json!([{"record": record}])))
}

fn after(reply: Reply) -> Came {
    after_within(HANG_TIMEOUT, reply)
}

fn after_within(grace_period: Duration, reply: Reply) -> Came {
    let service = service();
    service.order(On::Run, reply);
    ask_within(grace_period, &service, "GET", RUN_PATH, &[("authorization", "good")], "")
}

#[test]
fn a_reply_has_the_ordered_content() {
    let success = || Reply::run("SUCCESS");
    let (before, after_it) = RECORD.split_once("SUCCESS").expect("it is a success");
    let rows: Vec<(Reply, u16, Vec<u8>)> = vec![
        (Reply::normal(), 200, RECORD.replace("SUCCESS", "RUNNING").into()),
        (success(), 200, RECORD.into()),
        (success().with_status(500), 500, RECORD.into()),
        (success().drop_key("trace"), 200, RECORD.replace(r#","trace":null"#, "").into()),
        (success().set("trace", json!(["x"])), 200, RECORD.replace("null", r#"["x"]"#).into()),
        (success().wrapped(), 200, format!(r#"{{"status":true,"data":{RECORD}}}"#).into()),
        (success().wrapped().set("status", false), 200, format!(r#"{{"status":false,"data":{RECORD}}}"#).into()),
        (success().swap("\"trace\"", "\"last_status\""), 200, RECORD.replace("\"trace\"", "\"last_status\"").into()),
        (
            success().swap_bytes("SUCCESS", b"SUC\xff"),
            200,
            [before.as_bytes(), b"SUC\xff", after_it.as_bytes()].concat(),
        ),
        (success().prepend("\u{feff}").append("{}"), 200, format!("\u{feff}{RECORD}{{}}").into()),
        (success().padded_to(300), 200, format!("{RECORD:<300}").into()),
        (Reply::status(503), 503, vec![]),
        (Reply::status(204), 204, vec![]),
        (
            Reply::json(429, json!({"message": "slow", "statusCode": 429})),
            429,
            br#"{"statusCode":429,"message":"slow"}"#.into(),
        ),
        (Reply::text(200, "{\"a\":1,\"a\":2}"), 200, b"{\"a\":1,\"a\":2}".into()),
        (Reply::bytes(200, b"\xff\xfe\0"), 200, b"\xff\xfe\0".into()),
    ];
    for (reply, status, body) in rows {
        let came = after(reply.clone());
        assert_eq!((came.status(), came.ended), (status, None), "{reply:?}");
        assert_eq!(String::from_utf8_lossy(&came.body()), String::from_utf8_lossy(&body), "{reply:?}");
        assert_eq!(came.body(), body, "{reply:?}");
    }
    let page = after(Reply::html(502));
    assert!(page.status() == 502 && page.text().starts_with("<!DOCTYPE html>"));
    assert_eq!(page.header("content-type").as_deref(), Some("text/html; charset=utf-8"));
}

#[test]
fn a_refusal_is_not_dressed_up_as_a_record() {
    let service = service();
    service.order(On::Run, Reply::run("SUCCESS").wrapped().forever());
    let came = ask(&service, "GET", RUN_PATH, &[], "");
    assert_eq!((came.status(), came.text().as_str()), (401, r#"{"msg":"Unauthorized"}"#));
}

#[test]
fn headers_are_added_replaced_and_left_out() {
    let header = |reply: Reply, name: &str| after(reply).header(name);
    assert_eq!(header(Reply::status(429).retry_after(7), "retry-after").as_deref(), Some("7"));
    assert_eq!(header(Reply::redirect(302, "/x"), "location").as_deref(), Some("/x"));
    assert_eq!(
        header(Reply::normal().header("Content-Type", "image/png"), "content-type").as_deref(),
        Some("image/png")
    );
    assert_eq!(header(Reply::normal().without_header("Date"), "date"), None);
    let twice = after(Reply::normal().header("content-length", "1").header("content-length", "2"));
    assert_eq!(String::from_utf8_lossy(&twice.raw).matches("content-length").count(), 2);

    let service = Service::start(scenario(json!({"starts_at": "2024-01-15T10:59:58Z", "speed": 0.001})));
    service.order(On::Run, Reply::status(503).header("retry-after", "now+1h5s").header("date", "now-1d"));
    service.order(On::Run, Reply::status(503).header("date", "now-9000years").header("retry-after", "nowhere"));
    let came = get(&service, RUN_PATH);
    assert_eq!(came.header("retry-after").as_deref(), Some("Mon, 15 Jan 2024 12:00:03 GMT"));
    assert_eq!(came.header("date").as_deref(), Some("Sun, 14 Jan 2024 10:59:58 GMT"));
    let came = get(&service, RUN_PATH);
    assert_eq!(came.header("date").as_deref(), Some("Thu, 01 Jan 1970 00:00:00 GMT"), "no date is before it");
    assert_eq!(came.header("retry-after").as_deref(), Some("nowhere"));
}

#[test]
fn a_connection_ends_as_ordered() {
    use ErrorKind::{ConnectionReset, WouldBlock};
    let success = || Reply::run("SUCCESS");
    // What comes of the record (if the head is whole), and how the connection ends.
    let rows: Vec<(Reply, Option<&str>, Option<ErrorKind>)> = vec![
        (Reply::close(), None, None),
        (Reply::reset(), None, Some(ConnectionReset)),
        (Reply::hang(), None, Some(WouldBlock)),
        (success().cut_in_head(), None, None),
        (success().cut_in_head().then(End::Reset), None, Some(ConnectionReset)),
        (success().cut_in_head().then(End::Hang), None, Some(WouldBlock)),
        (success().cut_at(0), Some(""), None),
        (success().cut_at(50), Some(&RECORD[..50]), None),
        (success().cut_at(50).then(End::Close), Some(&RECORD[..50]), None),
        (success().cut_at(50).then(End::Reset), Some(&RECORD[..50]), Some(ConnectionReset)),
        (success().cut_at(50).then(End::Hang), Some(&RECORD[..50]), Some(WouldBlock)),
        (success().then(End::Close), Some(RECORD), None),
        (success().then(End::Reset), Some(RECORD), Some(ConnectionReset)),
        (success().then(End::Hang), Some(RECORD), Some(WouldBlock)),
        (success().framing(Framing::Length(10)), Some(RECORD), None),
        (success().framing(Framing::Length(9999)), Some(RECORD), None),
        (success().framing(Framing::UntilClose), Some(RECORD), None),
    ];
    let holds = |(reply, body, ended): (Reply, Option<&str>, Option<ErrorKind>)| {
        let came = after_within(if ended == Some(WouldBlock) { SILENCE } else { HANG_TIMEOUT }, reply.clone());
        assert_eq!(came.ended, ended, "{reply:?}");
        match body {
            None => assert!(!String::from_utf8_lossy(&came.raw).contains("\r\n\r\n"), "{reply:?}"),
            Some(body) => assert_eq!(came.text(), body, "{reply:?}"),
        }
    };
    // Side by side, so that the silent ones are silent together.
    std::thread::scope(|scope| {
        for row in rows {
            scope.spawn(|| holds(row));
        }
    });
    assert!(after(Reply::close()).raw.is_empty());
    assert!(after(Reply::run("SUCCESS").cut_in_head()).raw.starts_with(b"HTTP/1.1 200"));
    assert_eq!(after(Reply::garbage(b"SSH-2.0-OpenSSH\r\n")).raw, b"SSH-2.0-OpenSSH\r\n");
    let right = RECORD.len().to_string();
    assert_eq!(after(success().cut_at(50)).header("content-length"), Some(right), "truncated under a right length");
    assert_eq!(after(success().framing(Framing::Length(10))).header("content-length").as_deref(), Some("10"));
    assert_eq!(after(success().framing(Framing::UntilClose)).header("content-length"), None);
}

#[test]
fn a_connection_stays_open_after_a_whole_answer_and_not_after_a_broken_one() {
    let rows = [
        (Reply::normal(), true),
        (Reply::status(503), true),
        (Reply::normal().framing(Framing::Chunked), true),
        (Reply::normal().then(End::Close), false),
        (Reply::normal().cut_at(3), false),
        (Reply::normal().framing(Framing::UntilClose), false),
        (Reply::normal().framing(Framing::ChunkedNoEnd), false),
    ];
    for (reply, stays) in rows {
        let service = service();
        service.order(On::Run, reply.clone());
        let one = format!("GET {RUN_PATH} HTTP/1.1\r\nauthorization: good\r\n");
        let mut stream = connect(&service);
        stream.write_all(format!("{one}\r\n{one}connection: close\r\n\r\n").as_bytes()).expect("room");
        read(stream, HANG_TIMEOUT);
        assert_eq!(service.requests().len() == 2, stays, "{reply:?}");
    }
}

#[test]
fn chunks_are_right_or_broken_as_ordered() {
    let body = |framing: Framing| after(Reply::text(200, "0123456789abcdef").framing(framing)).text();
    assert_eq!(body(Framing::Chunked), "10\r\n0123456789abcdef\r\n0\r\n\r\n");
    assert_eq!(body(Framing::ChunkedBadSize), "zz\r\n0123456789abcdef\r\n");
    assert_eq!(body(Framing::ChunkedWrongSize), "27\r\n0123456789abcdef\r\n");
    assert_eq!(body(Framing::ChunkedNoEnd), "10\r\n0123456789abcdef\r\n");
}

#[test]
fn delays_and_trickles_take_their_time() {
    let service = service();
    let pause = Duration::from_millis(20);
    service.order(On::Run, Reply::status(503).delay(pause));
    service.order(On::Run, Reply::text(200, "abc").trickle(1, pause).framing(Framing::Chunked));
    let mut stream = connect(&service);
    let one = format!("GET {RUN_PATH} HTTP/1.1\r\nauthorization: good\r\n");
    stream.write_all(format!("{one}\r\n{one}\r\n{one}connection: close\r\n\r\n").as_bytes()).expect("room");
    let text = String::from_utf8(read(stream, HANG_TIMEOUT).raw).expect("UTF-8");
    assert!(text.contains("1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n"), "{text}");
    let at: Vec<Duration> = service.requests().iter().map(|seen| seen.at).collect();
    assert!(at[1] - at[0] >= pause, "{at:?}");
    assert!(at[2] - at[1] >= 3 * pause, "{at:?}");
}

/// The body as reqwest and flate2 give it, or how it fails: `send` or `body`.
async fn fetched(reply: Reply) -> Result<Vec<u8>, &'static str> {
    let service = service();
    service.order(On::Run, reply);
    let client = Client::builder().tls_backend_preconfigured(super::ordered::trusting(&[])).no_proxy().build();
    let request = client.expect("a client").get(format!("{}{RUN_PATH}", service.base_url()));
    let answer = request.header("authorization", "good").send().await.map_err(|_| "send")?;
    let is_packed = answer.headers().contains_key("content-encoding");
    let bytes = answer.bytes().await.map_err(|_| "body")?;
    let mut body = Vec::new();
    let mut open: Box<dyn Read> =
        if is_packed { Box::new(flate2::read::GzDecoder::new(&bytes[..])) } else { Box::new(&bytes[..]) };
    open.read_to_end(&mut body).map_err(|_| "body")?;
    Ok(body)
}

#[tokio::test]
async fn an_http_library_sees_each_answer_whole_or_broken() {
    let success = || Reply::run("SUCCESS");
    let rows: Vec<(Reply, Result<&str, &str>)> = vec![
        (success(), Ok(RECORD)),
        (success().framing(Framing::Chunked), Ok(RECORD)),
        (success().framing(Framing::UntilClose), Ok(RECORD)),
        (success().trickle(7, Duration::from_micros(100)), Ok(RECORD)),
        (success().interim(100), Ok(RECORD)),
        (success().interim(103), Ok(RECORD)),
        (success().gzip(Gzip::Right), Ok(RECORD)),
        (success().gzip(Gzip::Right).framing(Framing::Chunked).trickle(7, Duration::ZERO), Ok(RECORD)),
        (success().then(End::Close), Ok(RECORD)),
        (success().framing(Framing::Length(10)), Ok(&RECORD[..10])),
        (success().gzip(Gzip::Claimed), Err("body")),
        (success().gzip(Gzip::Truncated), Err("body")),
        (success().gzip(Gzip::Corrupt), Err("body")),
        (success().framing(Framing::Length(9999)).then(End::Close), Err("body")),
        (success().framing(Framing::ChunkedBadSize), Err("body")),
        (success().framing(Framing::ChunkedWrongSize), Err("body")),
        (success().framing(Framing::ChunkedNoEnd), Err("body")),
        (success().cut_at(50), Err("body")),
        (success().cut_at(50).then(End::Reset), Err("body")),
        (success().cut_in_head(), Err("send")),
        (Reply::close(), Err("send")),
        (Reply::reset(), Err("send")),
        (Reply::garbage(b"\x16\x03\x01 not HTTP"), Err("send")),
        (success().header("content-length", "1").header("content-length", "2"), Err("send")),
        (Reply::redirect(302, RUN_PATH).forever(), Err("send")),
    ];
    for (reply, expected) in rows {
        let came = fetched(reply.clone()).await;
        assert_eq!(came, expected.map(|text| text.as_bytes().to_vec()), "{reply:?}");
    }
}

#[tokio::test]
async fn a_bomb_is_small_on_the_wire_and_big_when_opened() {
    const TOTAL: u64 = 5 * 1024 * 1024 + 12_345;
    let bomb = || Reply::run("SUCCESS").padded_to(TOTAL).gzip(Gzip::Right);
    let small = after(bomb()).body().len();
    assert!(small < 64 * 1024, "{small}");
    let opened = fetched(bomb()).await.expect("a whole gzip");
    assert_eq!(opened.len() as u64, TOTAL);
    assert_eq!(String::from_utf8_lossy(&opened).trim_end(), RECORD);
}

#[tokio::test]
async fn an_endless_body_has_no_end() {
    for reply in [Reply::run("SUCCESS").endless(), Reply::run("SUCCESS").endless().gzip(Gzip::Right)] {
        let service = service();
        service.order(On::Run, reply);
        let client = Client::builder().tls_backend_preconfigured(super::ordered::trusting(&[])).no_proxy().build();
        let request = client.expect("a client").get(format!("{}{RUN_PATH}", service.base_url()));
        let mut answer = request.header("authorization", "good").send().await.expect("a head");
        let mut got = 0;
        while got < 4 * 1024 * 1024 {
            got += answer.chunk().await.expect("no end").expect("no end").len();
        }
    }
}
