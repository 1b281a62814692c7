//! Every form in which a secret may stand in a text.

use super::*;

#[test]
fn a_secret_becomes_the_mark_in_each_form() {
    // The right-hand forms were made by Python: urllib.parse, base64, json.
    let secret = "p@ss w/örd?>";
    for form in [
        "p@ss w/örd?>",
        "p%40ss%20w%2F%C3%B6rd%3F%3E",
        "p%40ss%20w%2f%c3%b6rd%3f%3e",
        "p%40ss+w%2F%C3%B6rd%3F%3E",
        "p%40ss%20w/%C3%B6rd%3F%3E",
        "p@ss w/\\u00f6rd?>",
    ] {
        assert_eq!(cleaned(&[secret], &format!("<{form}>")), "<***>", "{form}");
    }
    // base64 of it alone, for URLs too, and with `x` or `user:` before it and `:x` behind it: what is left of it there are
    // the bits that it shares with its neighbours.
    assert_eq!(cleaned(&[secret], "cEBzcyB3L8O2cmQ/Pg=="), "***==");
    assert_eq!(cleaned(&[secret], "cEBzcyB3L8O2cmQ_Pg"), "***");
    assert_eq!(cleaned(&[secret], "eHBAc3Mgdy/DtnJkPz46eA=="), "eH***6eA==");
    assert_eq!(cleaned(&[secret], "dXNlcjpwQHNzIHcvw7ZyZD8+Ong="), "dXNlcjp***Ong=");
    // What comes behind shares in its last digit.
    assert_eq!(cleaned(&[secret], "eHBAc3Mgdy/DtnJkPz54Og=="), "eH***54Og==");
    assert_eq!(cleaned(&[secret], "cEBzcyB3L8O2cmQ/Pnh4"), "***nh4");
    assert_eq!(cleaned(&["s3cr\"et\\"], r#"{"a":"s3cr\"et\\"}"#), r#"{"a":"***"}"#);
}

#[test]
fn a_secret_is_hidden_whatever_of_it_is_percent_encoded() {
    let secret = "p@ss!(w/örd~";
    for form in ["p%40ss!%28w/%C3%b6rd~", "%70@%73s%21(w%2förd%7E", "p%40ss%21%28w%2F%C3%B6rd~", "%%70@ss!(w/örd%7e"]
    {
        let shown = cleaned(&[secret], &format!("<{form}%4>"));
        assert_eq!(shown.replace("%***", "***"), "<***%4>", "{form}");
    }
    // What only looks like an encoded byte stands for itself.
    let secrets = ["100%zebra", "hunter%4"];
    assert_eq!(cleaned(&secrets, "%3100%zebra 100%25zebra %68unter%4 %68unter%4z"), "*** *** *** ***z");
    assert_eq!(cleaned(&["abc%41"], "abc%41 %61bc%2541 abcA %61bc%4"), "*** *** abcA %61bc%4");
    assert_eq!(cleaned(&["%zebra"], "<%zebr%61> <%25zebra>"), "<***> <***>");
    assert_eq!(cleaned(&["%4zebra"], "far away <%4zebr%61>"), "far away <***>");
    assert_eq!(cleaned(&["4zebra", "zebras%"], "<%4zebr%61> <%7aebras%4>"), "<%***> <***4>");
    assert_eq!(cleaned(&["abc%41defg"], "abc%41defg abcAdefg"), "*** abcAdefg");
    // In pieces as well; the unfinished rest is not lost, and a text cut off within a secret does not show its beginning.
    let pieces = |end: fn(SanitizedStream) -> Sanitized| {
        let mut stream = knowing(&[secret]).stream();
        let pushed: String = ["a%", "4", "1 p%4", "0ss%21%", "2", "8w%2f%c"]
            .map(|piece| stream.push(piece.as_bytes()).to_string())
            .concat();
        pushed + &end(stream)
    };
    assert_eq!(pieces(SanitizedStream::finish), "a%41 p%40ss%21%28w%2f%c");
    assert_eq!(pieces(SanitizedStream::cut_off), "a%41 ***");
}

#[test]
fn a_secret_of_many_lines_is_hidden_line_by_line_and_whole() {
    let secret = "-----BEGIN\nabcdefgh\nxyz\n      \nend-of-it";
    assert_eq!(cleaned(&[secret], "1 abcdefgh\n2 xyz\n3 end-of-it\n4        ."), "1 ***\n2 xyz\n3 ***\n4        .");
    assert_eq!(cleaned(&[secret], &format!("a {} b", secret.replace('\n', "\r\n"))), "a *** b");
    assert_eq!(cleaned(&[secret], "%0Aabcdefgh%0Axyz"), "%0A***%0Axyz");
    assert_eq!(cleaned(&["ab\ncd\nef"], "ab%0D%0Acd%0D%0Aef, ab\\r\\ncd\\r\\nef, ab\rcd\ref"), "***, ***, ***");
    // Joining lines must not put a secret together.
    let line = knowing(&["correct horse"]).line(&Untrusted::new("correct\nhorse\tcorrect\r\n horse"), 99);
    assert_eq!(line.as_str(), "*** ***");
}

#[test]
fn a_mark_shares_no_character_with_any_secret_so_that_it_never_completes_one() {
    assert_eq!(cleaned(&["topsecret", "***abc"], "topsecretabc"), "•••abc");
    assert_eq!(cleaned(&["topsecret", "******"], "topsecrettopsecret topsecret***"), "•••••• •••***");
    assert_eq!(cleaned(&["topsecret", "a***bc", "•••••••"], "atopsecretbc a%2a%2a%2abc"), "a███bc ███");
    assert_eq!(cleaned(&["topsecret"], "topsecret"), "***");
}

/// Debuggers, shells, browsers and mail programs write a secret in more ways than can be listed.
#[test]
fn a_secret_is_hidden_in_the_encodings_of_other_programs() {
    let secret = "p@ss w/\u{f6}&<\"d";
    for form in [
        "7040737320772fc3b6263c2264",
        "7040737320772FC3B6263C2264",
        "p@ss w/\u{f6}&amp;&lt;&quot;d",
        "p&#64;ss w&#x2f;&#xF6;&amp;&#60;&#34;d",
        "p&#0000064;ss w/&#246;&amp;amp;&amp;lt;&quot;d",
        "p%2540ss%2520w%252F%25C3%25B6%2526%253C%2522d",
        "p@ss w\\/\\u00f6\\u0026\\u003c\\\"d",
        "p@ss w\\/\\u00F6\\u0026\\u003C\\u0022d",
        "p@ss w\\\\/\\\\u00f6\\\\u0026<\\\\\\\"d",
    ] {
        assert_eq!(cleaned(&[secret], &format!("<{form}>")), "<***>", "{form}");
    }
    // Two units of UTF-16.
    assert_eq!(cleaned(&["secret\u{1f980}s"], r"secret\ud83e\udd80s secret\uD83E\uDD80s"), "*** ***");
    // What only looks like an escape stands for itself.
    assert_eq!(cleaned(&[r"a\qbcdef"], r"a\qbcdef a\\qbcdef"), "*** ***");
    assert_eq!(cleaned(&["a&bogus;c"], "a&bogus;c a&amp;bogus;c &#+64; &#x;"), "*** *** &#+64; &#x;");
}

#[test]
fn base64_is_found_however_it_is_wrapped() {
    let secret: String = (0..40).map(|number| format!("secret-line-{number};")).collect();
    let whole = data_encoding::BASE64.encode(format!("user:{secret}").as_bytes());
    for width in [64, 76, 20] {
        for gap in ["\n", "\r\n"] {
            let lines: Vec<&str> =
                (0..whole.len()).step_by(width).map(|at| &whole[at..whole.len().min(at + width)]).collect();
            let shown = cleaned(&[&secret], &format!("begin\n{}\nend", lines.join(gap)));
            assert!(shown.starts_with("begin\ndXNlcj") && shown.ends_with("\nend"), "{shown}");
            assert!(shown.len() < 30 && shown.contains("***"), "{width}: {shown}");
        }
    }
    // The line breaks around a secret are not part of it.
    assert_eq!(cleaned(&["hunter22"], "a\nhunter22\nb"), "a\n***\nb");
}

#[test]
fn a_token_is_hidden_part_by_part_and_a_totp_secret_in_any_groups() {
    let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0NSJ9.b-_8xQQ0";
    for part in token.split('.') {
        assert_eq!(cleaned(&[token], &format!("a {part} b")), "a *** b");
    }
    assert_eq!(cleaned(&[token], token), "***");
    // Three parts of a sentence are no token.
    assert_eq!(cleaned(&["correct horse.battery.staple"], "battery staple"), "battery staple");
    for secret in ["JBSWY3DPEHPK3PXPJBSW", "jbsw y3dp ehpk 3pxp jbsw", "JBSW-Y3DP-EHPK-3PXP-JBSW"] {
        for form in [
            "JBSWY3DPEHPK3PXPJBSW",
            "jbswy3dpehpk3pxpjbsw",
            "JBSW Y3DP EHPK 3PXP JBSW",
            "jbsw y3dp ehpk 3pxp jbsw",
            "jbsw-y3dp-ehpk-3pxp-jbsw",
            "JBSWY 3DPEH PK3PX PJBSW",
            "JBSWY3DP EHPK3PXP JBSW",
        ] {
            assert_eq!(cleaned(&[secret], &format!("<{form}>")), "<***>", "{secret} {form}");
        }
    }
}
