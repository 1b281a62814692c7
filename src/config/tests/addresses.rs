//! `base-url`, `run-url` and `ca-file`.

use proptest::prelude::*;
use url::Host;

use super::*;
use crate::config::address::base_url;
use crate::report::Link;

fn link(template: &str, pipeline: &str, run: &str) -> String {
    let links = with("MAESTRO_RUN_URL", template).config().links;
    match links.expect("a template was given").link(pipeline, run) {
        Some(Link::Run(url)) => url,
        other => panic!("no link to a run: {other:?}"),
    }
}

#[test]
fn base_addresses_are_https_and_keep_their_path() {
    for (text, base) in [
        ("https://maestro.stg.dadosfera.ai", "https://maestro.stg.dadosfera.ai/"),
        ("https://gateway.example/maestro/v1", "https://gateway.example/maestro/v1"),
        ("HTTPS://gateway.example:8443/maestro/", "https://gateway.example:8443/maestro/"),
        ("https://10.0.0.1", "https://10.0.0.1/"),
        ("https://10.0.0.1.", "https://10.0.0.1/"),
        ("https://Gateway.Example.:443", "https://gateway.example./"),
        ("https://gateway.example:/a%20b//%C3%a9;x=1/", "https://gateway.example/a%20b//%C3%a9;x=1/"),
        ("https://[::1]", "https://[::1]/"),
        ("https://[2001:DB8::1]:8443/x", "https://[2001:db8::1]:8443/x"),
        ("https://[2001:db8:0:0::0001]", "https://[2001:db8::1]/"),
        ("https://[::ffff:10.0.0.1]", "https://[::ffff:a00:1]/"),
        ("https://XN--Bcher-KVA.example", "https://xn--bcher-kva.example/"),
        ("http://localhost:8080", "http://localhost:8080/"),
        ("http://LOCALHOST", "http://localhost/"),
        ("http://127.0.0.1:1/x", "http://127.0.0.1:1/x"),
        ("http://127.255.255.254", "http://127.255.255.254/"),
        ("http://[::1]:8080/", "http://[::1]:8080/"),
    ] {
        assert_eq!(with("MAESTRO_BASE_URL", text).config().service.base.as_str(), base, "{text}");
    }
}

/// docs/reference.md: plain `http` only for a host that is literally `localhost`, in 127.0.0.0/8 or `::1`.
#[test]
fn plain_http_leaves_this_machine_by_no_trick() {
    for text in [
        "http://maestro.dadosfera.ai",
        "http://127.0.0.1.evil.com",
        "http://localhost.evil",
        "http://localhost.",
        "http://127.0.0.1.",
        "http://127.1",
        "http://0x7f.1",
        "http://0x7f000001",
        "http://2130706433",
        "http://0177.0.0.1",
        "http://127.0.0.01",
        "http://128.0.0.1",
        "http://0.0.0.0",
        "http://[::]",
        "http://[::ffff:127.0.0.1]",
        "http://[::1",
        "http://[::1].evil",
        "http://[::1]evil:80",
        "http://::1",
        "http://localhost:80:80",
        "http://localhost:x",
        "http://localhost:",
        "http://evil\\.localhost",
        "http://localhost\\evil",
        "http://lo\tcalhost",
        "http://ⅼocalhost",
        "http://%6cocalhost",
        "http://１２７.0.0.1",
        "http:localhost",
        "http:/localhost",
        "http:///localhost",
        "http://",
    ] {
        assert!(with("MAESTRO_BASE_URL", text).input_error().starts_with("base-url"), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// The text was approved, the parsed address is used: they must mean the same host.
    #[test]
    fn a_plain_address_stays_on_this_machine(parts in prop::collection::vec(prop::sample::select(&[
        "http:", "//", "/", "localhost", "127.0.0.1", "127.", "0x7f", "[::1]", "[", "]", ":", "80", ".", "evil", "%2e",
        "%40",
        "\\", "\t", "ⅼ", "。", "-", "xn--", "٠", "|", "^", "\u{ad}", "\u{200d}",
    ][..]), 1..6)) {
        let text = format!("http://{}", parts.concat());
        if let Ok(url) = base_url(&text) {
            let here = match url.host() {
                Some(Host::Domain(name)) => name == "localhost",
                Some(Host::Ipv4(address)) => address.is_loopback(),
                Some(Host::Ipv6(address)) => address.is_loopback(),
                None => false,
            };
            prop_assert!(here && url.scheme() == "http" && url.username().is_empty(), "{} {}", text, url);
        }
    }
}

/// The password would go to what the parser made of it, which nobody approved.
#[test]
fn an_address_that_would_be_repaired_is_refused() {
    for (text, about) in [
        ("https://h%41", "the host is not"),
        ("https://h%2eexample", "the host is not"),
        ("https://1", "the host is not"),
        ("https://10.1", "the host is not"),
        ("https://10.0.0.01", "the host is not"),
        ("https://0x7f.0.0.1:8443/x", "the host is not"),
        ("https://2130706433", "the host is not"),
        ("https://h/a/../b", "the path is not"),
        ("https://h/..", "the path is not"),
        ("https://h/.", "the path is not"),
        ("https://h/a/%2E%2e/b", "the path is not"),
        ("https://h/a/.%2e", "the path is not"),
        ("https://[::1]/./b", "the path is not"),
        ("https://h/\u{e9}", "the path is not"),
        ("https://h/<x>", "the path is not"),
        ("http://localhost/a/../b", "the path is not"),
    ] {
        let input_error = with("MAESTRO_BASE_URL", text).input_error();
        assert!(input_error.starts_with("base-url") && input_error.contains(about), "{text}: {input_error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn the_address_that_is_used_is_the_one_that_was_written(parts in prop::collection::vec(prop::sample::select(&[
        "h", "EXAMPLE", "1", "0x7f", ".", "..", "/", "/a", "%41", "%2e", "%2F", "%zz", "-", "_", "~", "xn--", "\u{ad}",
        "\u{e9}", "{", "|", "^", "'", "\"", "*", "+", ";", "[", "]",
    ][..]), 1..7)) {
        let text = format!("https://{}", parts.concat());
        if let Ok(url) = base_url(&text) {
            let (used, written) = (url.as_str().trim_end_matches('/'), text.trim_end_matches('/'));
            prop_assert!(used.eq_ignore_ascii_case(written), "{} {}", text, url);
        }
    }
}

#[test]
fn what_is_no_https_address_is_refused() {
    for text in [
        "maestro.dadosfera.ai",
        "//host",
        "https:host",
        "https://",
        "https://:443",
        "https:///x",
        "ftp://h",
        "javascript://h",
        "https://a b",
        "https://h:99999",
        "https://h\\x",
        "https://ho\tst",
        "https://ho\nst/x",
        "https://host/a b",
        "https://host/a\u{85}b",
        "https://ho\u{0}st",
        "h\nttps://x",
    ] {
        assert!(with("MAESTRO_BASE_URL", text).input_error().starts_with("base-url"), "{text}");
    }
}

#[test]
fn addresses_with_secrets_in_them_are_refused_unseen() {
    for text in [
        "https://me:hunter2@host",
        "https://hunter2@host",
        "https://@host",
        "https://me:hun/ter2@host",
        "http://localhost@evil/hunter2",
        "https://host?key=hunter2",
        "https://host/?",
        "https://host#hunter2",
        "https://host/#",
    ] {
        let input_error = with("MAESTRO_BASE_URL", text).input_error();
        assert!(input_error.starts_with("base-url (MAESTRO_BASE_URL): the address cannot contain a"), "{input_error}");
    }
}

#[test]
fn links_hold_the_ids_percent_encoded() {
    let run = "manual__2024-12-18T10:30:00+00:00";
    let encoded = "manual__2024-12-18T10%3A30%3A00%2B00%3A00";
    let link_of = |template: &str| link(template, "a?b", run);
    assert_eq!(link_of("https://x/p/{pipeline_id}/r/{run_id}"), format!("https://x/p/a%3Fb/r/{encoded}"));
    assert_eq!(link_of("https://x/?p={pipeline_id}#{run_id}"), format!("https://x/?p=a%3Fb#{encoded}"));
    assert_eq!(link("https://x/{pipeline_id}", "a", "b"), "https://x/a");
}

#[test]
fn no_id_breaks_out_of_a_link() {
    for id in [
        "](javascript:alert(1))",
        "\"><script>",
        "{run_id}",
        "{pipeline_id}",
        "%2e%2e",
        "a&b=c#d",
        "…`|*[]",
        "javascript:x",
        "\\..\\",
    ] {
        let link = link("https://x/{pipeline_id}/{run_id}", id, id);
        let ids = link.strip_prefix("https://x/").expect("the same origin");
        assert!(ids.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%/".contains(&byte)), "{link}");
        assert_eq!(ids.matches('/').count(), 1, "{link}");
    }
}

#[test]
fn a_template_that_is_no_link_to_a_run_is_refused() {
    for text in [
        "http://x/{run_id}",
        "javascript:alert({run_id})",
        "javascript://x/%0aalert({run_id})",
        "data:text/html,{run_id}",
        "//x/{run_id}",
        "/{run_id}",
        "{run_id}",
        "https://{run_id}",
        "https://{pipeline_id}.example/{run_id}",
        "https:///{run_id}",
        "https://x",
        "https://x/{run}",
        "https://x/{run_id}/{",
        "https://x/{{run_id}}",
        "https://x/{RUN_ID}",
        "https://x/({run_id})",
        "https://x/[{run_id}]",
        "https://x/{run_id} onclick=x",
        "https://x/{run_id}\"",
        "https://x/<{run_id}>",
        "https://x/`{run_id}`",
        "https://x/\\{run_id}",
        "https://x/é{run_id}",
        "https://x:99999/{run_id}",
    ] {
        assert!(with("MAESTRO_RUN_URL", text).input_error().starts_with("run-url"), "{text}");
    }
    for text in ["https://me:hunter2@x/{run_id}", "https://me:hun/ter2@x/{run_id}", "https://hunter2@{run_id}"] {
        let input_error = with("MAESTRO_RUN_URL", text).input_error();
        assert!(input_error.starts_with("run-url (MAESTRO_RUN_URL)"), "{input_error}");
    }
}

/// Issue 20.3.
#[test]
fn a_template_may_ask_for_ids_with_hyphens() {
    let template = "https://x/{pipeline_id}/{pipeline_id_hyphenated}?{run_id_hyphenated}#{run_id}";
    assert_eq!(link(template, "a_b", "c_d-E"), "https://x/a_b/a-b?c-d-E#c_d-E");
    assert_eq!(link("https://x/{pipeline_id_hyphenated}", "é_]", "r"), "https://x/%C3%A9-%5D");
    assert_eq!(link("https://x/{run_id_hyphenated}", "p", "{pipeline_id}_"), "https://x/%7Bpipeline-id%7D-");
    for text in ["https://x/{pipeline-id-hyphenated}", "https://{run_id_hyphenated}/{run_id}", "https://x/{hyphenated}"]
    {
        assert!(with("MAESTRO_RUN_URL", text).input_error().starts_with("run-url"), "{text}");
    }
}

/// Issue 20.3.
#[test]
fn with_the_default_address_the_reports_link_to_the_pipeline_s_page() {
    let links = |base: &str, template: &str| {
        with("MAESTRO_BASE_URL", base).env(&[("MAESTRO_RUN_URL", template)]).config().links
    };
    for default in
        ["", "https://maestro.dadosfera.ai", "https://maestro.dadosfera.ai/", "HTTPS://MAESTRO.dadosfera.ai:443"]
    {
        assert_eq!(links(default, ""), Some(LinkTarget::PipelinePage), "{default}");
    }
    for other in ["https://maestro.stg.dadosfera.ai", "https://maestro.dadosfera.ai/v1", "https://gateway.example"] {
        assert_eq!(links(other, ""), None, "{other}");
    }
    assert!(matches!(links("", "https://x/{run_id}"), Some(LinkTarget::Run(_))));
    let page = |id: &str| match LinkTarget::PipelinePage.link(id, "") {
        Some(Link::Pipeline(url)) => url,
        other => panic!("no link to a pipeline: {other:?}"),
    };
    assert_eq!(
        page("1b33ad2f_33d3_4837_9eeb_83c82c8b909d"),
        "https://app.dadosfera.ai/pt-BR/collect/pipelines/1b33ad2f-33d3-4837-9eeb-83c82c8b909d"
    );
    assert_eq!(
        page("a_)](javascript:é"),
        "https://app.dadosfera.ai/pt-BR/collect/pipelines/a-%29%5D%28javascript%3A%C3%A9"
    );
}

/// What the service answers in the place of an id need not be one.
#[test]
fn a_text_that_is_no_id_gets_no_link() {
    let template = LinkTarget::Run("https://x/{pipeline_id}/{run_id}".to_owned());
    for text in ["", ".", "..", "a b", "a/b", "a,b", &"x".repeat(257)] {
        assert_eq!((template.link("p", text), template.link(text, "r")), (None, None), "{text:?}");
        assert_eq!(LinkTarget::PipelinePage.link(text, "r"), None, "{text:?}");
    }
}

#[test]
fn a_ca_file_that_cannot_be_used_is_an_input_error() {
    let key = rcgen::KeyPair::generate().unwrap();
    let pem = rcgen::CertificateParams::new(vec!["ca.example".to_owned()]).unwrap().self_signed(&key).unwrap().pem();
    let good = with("MAESTRO_CA_FILE", "ca.pem").file("ca.pem", &pem);
    assert_eq!(good.config().service.network.further_roots.len(), 1);
    assert_eq!(
        with("MAESTRO_CA_FILE", "ca.pem").input_error(),
        "ca-file \"ca.pem\" (MAESTRO_CA_FILE): the file cannot be read (entity not found)"
    );
    assert!(with("MAESTRO_CA_FILE", "ca.pem").file("ca.pem", "").input_error().contains("no PEM certificate"));
    assert!(
        with("MAESTRO_CA_FILE", "ca.pem").file("ca.pem", &pem[..pem.len() / 2]).input_error().starts_with("ca-file")
    );
}

#[test]
fn a_host_beyond_ascii_is_asked_for_in_its_own_form() {
    for (host, fine) in [("b\u{fc}cher.example", false), ("xn--bcher-kva.example", true), ("d\u{430}dosfera.ai", false)]
    {
        let read = base_url(&format!("https://{host}/maestro"));
        assert_eq!(read.is_ok(), fine, "{host}");
        assert!(
            read.err().is_none_or(|wrong| matches!(wrong, InvalidValue::Whole(what) if what.contains("xn--"))),
            "{host}"
        );
    }
}
