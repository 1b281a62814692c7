//! Every spelling of the proxy variables that the field uses, and those that nobody can read.

use proptest::prelude::*;
use secrecy::ExposeSecret;

use super::*;

fn read(pairs: &[(&str, &str)]) -> Result<Option<Proxy>, Vec<String>> {
    to("https://maestro.example", pairs)
}

fn to(service: &str, pairs: &[(&str, &str)]) -> Result<Option<Proxy>, Vec<String>> {
    let settings = ProxySettings::read(&Env::new(pairs.iter().copied(), None)).map_err(|input_errors| {
        input_errors.iter().map(|input_error| input_error.sentence(|text| text.raw().to_owned())).collect::<Vec<_>>()
    })?;
    Ok(settings.proxy_for(&service.parse().expect("a URL")))
}

fn of(value: &str) -> Proxy {
    read(&[("HTTPS_PROXY", value)]).expect("understood").expect("a proxy")
}

#[test]
fn a_proxy_value_is_trimmed_and_read_in_every_usual_spelling() {
    for (value, kind, address) in [
        ("http://proxy.example:3128", ProxyKind::Http, "proxy.example:3128"),
        ("  http://proxy.example:3128/\r\n", ProxyKind::Http, "proxy.example:3128"),
        ("\u{feff}proxy.example:3128", ProxyKind::Http, "proxy.example:3128"),
        ("proxy", ProxyKind::Http, "proxy:80"),
        ("10.1.2.3:8080", ProxyKind::Http, "10.1.2.3:8080"),
        ("HTTP://Proxy_1:1", ProxyKind::Http, "Proxy_1:1"),
        ("https://proxy.example", ProxyKind::Https, "proxy.example:443"),
        ("http://[::1]:3128", ProxyKind::Http, "[::1]:3128"),
        ("socks5://proxy", ProxyKind::Socks5, "proxy:1080"),
        ("socks5h://proxy:9050", ProxyKind::Socks5h, "proxy:9050"),
    ] {
        let proxy = of(value);
        assert_eq!((proxy.kind, proxy.address().as_str()), (kind, address), "{value}");
        assert!(proxy.credentials.is_none());
    }
}

#[test]
fn credentials_are_decoded_and_no_part_of_the_address() {
    for (value, user, password) in [
        ("http://me:p%40ss@proxy", "me", "p@ss"),
        ("me:a@b@proxy", "me", "a@b"),
        ("socks5://token@proxy", "token", ""),
        ("http://:only@proxy", "", "only"),
    ] {
        let proxy = of(value);
        let (name, secret) = proxy.credentials.as_ref().expect("credentials");
        assert_eq!((name.as_str(), secret.expose_secret()), (user, password), "{value}");
        assert!(proxy.address().starts_with("proxy:"), "{}", proxy.address());
        assert!(!format!("{proxy:?}").contains("ss@"), "a password can't be printed");
    }
    assert!(of("http://@proxy").credentials.is_none());
}

#[test]
fn a_proxy_variable_that_can_not_be_understood_is_an_input_error() {
    for value in [
        "http://",
        "://proxy",
        "http:/proxy:3128",
        "http://proxy:",
        "http://proxy:0",
        "http://proxy:65536",
        "http://proxy:+80",
        "http://proxy:port",
        "http://proxy:31 28",
        "http://pro xy:3128",
        "http://me:pa/ss@proxy:3128",
        "http://me:12/ss@proxy",
        "http://proxy:3128/proxy.pac",
        "http://proxy:3128?x",
        "http://::1:3128",
        "http://[::1:3128",
        "http://[::g]:3128",
        "http://[::1]3128",
        "http://proxy\u{200b}:3128",
        "http://pröxy:3128",
        "ftp://proxy",
        "socks4://proxy",
        "socks://proxy",
        "htpp://proxy:3128",
        "\"http://proxy:3128\"",
        "http://http://proxy:3128",
        "http://a:80,b:80",
        "-",
        "$PROXY",
        ":3128",
    ] {
        for name in PROXIES {
            let kind = read(&[(name, value)]).expect_err(value);
            assert!(kind.len() == 1 && kind[0].starts_with(name), "{kind:?}");
            assert!(kind[0].contains("http://proxy.example:3128"), "it says what is right: {kind:?}");
        }
    }
    // The log would name another proxy than the one that is used.
    for host in ["0x7f.1", "127.1", "2130706433", "0177.0.0.1", "0", "1.2.3"] {
        let kind = read(&[("HTTPS_PROXY", &format!("http://{host}:3128"))]).expect_err(host);
        assert!(kind[0].contains("plain form"), "{host}: {kind:?}");
    }
    // A password may stand anywhere in what can't be understood.
    for value in [
        "http://me:hunter22@proxy:x",
        "http://me:hunter22",
        "http://me:hunter22%40proxy:3128",
        "http://me:hunter22:proxy:3128",
        "socks5://me:hunter22",
        "me:hunter22",
        "http://me:hunter22\u{ff20}proxy:3128",
    ] {
        let kind = read(&[("HTTPS_PROXY", value)]).expect_err(value);
        assert!(!kind[0].contains("hunter22"), "{kind:?}");
        let exempt = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
        let kind = read(&[("NO_PROXY", &exempt)]).expect_err(value);
        assert!(kind.iter().all(|kind| !kind.contains("hunter22")), "{kind:?}");
    }
}

#[test]
fn a_variable_that_does_not_count_is_read_all_the_same() {
    let both = [("HTTPS_PROXY", "http://good:1"), ("all_proxy", "ftp://x"), ("no_proxy", "http://x")];
    assert_eq!(read(&both).expect_err("two are wrong").len(), 2);
}

#[cfg(unix)]
#[test]
fn a_proxy_variable_that_is_not_utf_8_is_an_input_error() {
    use std::os::unix::ffi::OsStrExt;
    for name in ["HTTPS_PROXY", "NO_PROXY"] {
        let env = Env::new([(name, std::ffi::OsStr::from_bytes(b"http://proxy\xff"))], None);
        assert_eq!(ProxySettings::read(&env).expect_err("no text").len(), 1);
    }
}

#[test]
fn the_first_variable_that_says_something_names_the_proxy() {
    let pairs = [("HTTPS_PROXY", "a"), ("https_proxy", "b"), ("ALL_PROXY", "c"), ("all_proxy", "d")];
    for (at, (name, host)) in pairs.into_iter().enumerate() {
        let proxy = read(&pairs[at..]).expect("understood").expect("a proxy");
        assert_eq!((proxy.host.as_str(), proxy.variable), (host, name));
    }
    // Blank means unset.
    let proxy = read(&[("HTTPS_PROXY", " "), ("https_proxy", "b")]).expect("understood").expect("a proxy");
    assert_eq!(proxy.variable, "https_proxy");
    assert!(read(&[("HTTP_PROXY", "a"), ("http_proxy", "b")]).expect("understood").is_none());
    // What CGI sets switches nothing off.
    assert!(read(&[("HTTPS_PROXY", "a"), ("REQUEST_METHOD", "GET")]).expect("understood").is_some());
}

#[test]
fn plain_http_has_no_proxy() {
    assert!(to("http://localhost:1", &[("ALL_PROXY", "a"), ("HTTPS_PROXY", "b")]).expect("understood").is_none());
}

#[test]
fn no_proxy_exempts_in_every_usual_spelling() {
    let rows: &[(&str, &[&str], &[&str])] = &[
        (
            "example.com",
            &["https://example.com", "https://a.example.com:8443"],
            &["https://notexample.com", "https://com"],
        ),
        (".example.com", &["https://a.example.com", "https://example.com"], &["https://anexample.com"]),
        ("*.example.com", &["https://a.b.example.com", "https://example.com"], &["https://anexample.com"]),
        ("EXAMPLE.com.", &["https://Example.COM", "https://example.com."], &["https://example.com.org"]),
        ("example.com:8443", &["https://example.com:8443"], &["https://example.com", "https://example.com:844"]),
        ("*.example.com:443", &["https://a.example.com"], &["https://a.example.com:8443"]),
        ("*", &["https://x", "https://10.0.0.1", "https://[::1]"], &[]),
        ("10.0.0.0/8", &["https://10.255.0.1"], &["https://11.0.0.1", "https://10.example"]),
        ("10.1.2.3", &["https://10.1.2.3"], &["https://10.1.2.30", "https://110.1.2.3"]),
        ("10.1.2.3:8443", &["https://10.1.2.3:8443"], &["https://10.1.2.3"]),
        ("fd00::/8", &["https://[fd12::1]"], &["https://[fe80::1]"]),
        ("[::1]", &["https://[::1]"], &["https://[::2]"]),
        ("[::1]:8443", &["https://[0:0::1]:8443"], &["https://[::1]"]),
        ("10.0.0.0/8", &["https://[::ffff:10.1.1.1]"], &[]),
        ("192.168.*", &["https://192.168.7.1"], &["https://192.16.8.1", "https://1.192.168.1"]),
        ("*maestro*", &["https://a.maestro.example"], &["https://mae.stro"]),
        (
            "a, b;c d\te\n,,f",
            &["https://a", "https://b", "https://c", "https://d", "https://e", "https://f"],
            &["https://g"],
        ),
    ];
    for (value, exempt, others) in rows {
        for name in EXEMPTIONS {
            let gone = |service: &&&str| {
                to(service, &[("HTTPS_PROXY", "proxy"), (name, value)]).expect("understood").is_none()
            };
            assert_eq!(exempt.iter().filter(gone).count(), exempt.len(), "{value}: {exempt:?}");
            assert_eq!(others.iter().filter(gone).count(), 0, "{value}: {others:?}");
        }
    }
    // The first that says something counts, as with the proxies.
    let both = [("ALL_PROXY", "proxy"), ("NO_PROXY", "other"), ("no_proxy", "maestro.example")];
    assert!(read(&both).expect("understood").is_some());
    assert!(read(&[both[0], ("NO_PROXY", " "), both[2]]).expect("understood").is_none());
}

#[test]
fn an_exemption_that_can_not_be_understood_is_an_input_error() {
    for entry in [
        "http://example.com",
        "10.0.0.0/33",
        "fd00::/129",
        "example.com:99999",
        "example.com:",
        ":443",
        "*.",
        ".",
        "..x",
        "<local>",
        "x/y",
        "a@b",
        "ex\u{200b}ample.com",
        "[::1",
        "/8",
    ] {
        let value = format!("good.example,{entry}");
        let kind = read(&[("NO_PROXY", &value)]).expect_err(entry);
        assert!(kind.len() == 1 && kind[0].starts_with("NO_PROXY") && kind[0].contains("10.0.0.0/8"), "{kind:?}");
        assert!(!kind[0].contains("good.example"), "only what is wrong is quoted: {kind:?}");
    }
}

proptest! {
    #[test]
    fn no_value_is_misread(value in "\\PC{0,40}", entry in "[a-z0-9.*:/\\[\\]-]{0,20}") {
        // Either an address that a connection can be made to, or an error: never a panic, never a bypass.
        if let Ok(proxy) = read(&[("HTTPS_PROXY", &value)]) {
            prop_assert_eq!(proxy.is_none(), value.trim_start_matches('\u{feff}').trim().is_empty());
            if let Some(proxy) = proxy {
                prop_assert!(proxy.port > 0);
                prop_assert!(format!("http://{}", proxy.address()).parse::<http::Uri>().is_ok(), "{}", proxy.address());
            }
        }
        let _read = to("https://10.0.0.1:8443", &[("HTTPS_PROXY", "p"), ("NO_PROXY", &entry)]);
    }
}
