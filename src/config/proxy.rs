//! The proxy's credentials, to be redacted: error texts and proxies' own pages like to repeat them.

use percent_encoding::percent_decode_str;

use crate::inputs::Env;

/// The variables that an HTTP client takes its proxy from.
const VARIABLES: [&str; 6] = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// Everything in the proxy variables that might be a credential, as it stands and percent-decoded.
pub(super) fn secrets(env: &Env) -> Vec<String> {
    let addresses = VARIABLES.iter().filter_map(|name| env.value(name)).map(|address| address.to_string_lossy());
    // A password with a bare `/` breaks the rules, and is a password all the same: so the last `@` of all ends one, too.
    let mut found: Vec<String> =
        addresses.flat_map(|address| [user_info(&address), before_at(behind_scheme(&address))].concat()).collect();
    found.sort();
    found.dedup();
    found
}

/// The user info of an address, and its password alone; of an address without one, nothing.
pub(super) fn user_info(address: &str) -> Vec<String> {
    before_at(behind_scheme(address).split(['/', '?', '#']).next().unwrap_or_default())
}

fn behind_scheme(address: &str) -> &str {
    address.split_once("://").map_or(address, |(_, behind)| behind)
}

/// What is before the last `@`, and the password in it, as they stand and percent-decoded.
fn before_at(text: &str) -> Vec<String> {
    let Some((user_info, _)) = text.rsplit_once('@') else { return Vec::new() };
    // Without a password the name is a token.
    let password = user_info.split_once(':').map(|(_, password)| password);
    let parts = [Some(user_info), password].into_iter().flatten().filter(|text| !text.is_empty());
    parts.flat_map(|text| [text.to_owned(), percent_decode_str(text).decode_utf8_lossy().into_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> Vec<String> {
        secrets(&Env::new([("https_proxy", value)], None))
    }

    #[test]
    fn proxy_credentials_are_known_raw_and_decoded() {
        assert_eq!(of("http://me:p%40ss@proxy:3128/x"), ["me:p%40ss", "me:p@ss", "p%40ss", "p@ss"]);
        assert_eq!(of("me:pass@proxy:3128"), ["me:pass", "pass"]);
        assert_eq!(of("socks5://token@proxy"), ["token"]);
        let bare_slash = of("http://me:pa/ss@proxy");
        assert!(bare_slash.contains(&"pa/ss".to_owned()), "{bare_slash:?}");
        let several_ats = of("http://me:a@b@proxy");
        assert!(several_ats.contains(&"a@b".to_owned()), "{several_ats:?}");
    }

    #[test]
    fn a_proxy_without_credentials_hides_nothing() {
        for value in ["http://proxy:3128", "proxy:3128", "", "http://@proxy"] {
            assert_eq!(of(value), Vec::<String>::new(), "{value}");
        }
    }

    #[test]
    fn every_proxy_variable_is_read() {
        for name in VARIABLES {
            assert_eq!(secrets(&Env::new([(name, "http://me:secret@proxy")], None)), ["me:secret", "secret"], "{name}");
        }
    }
}
