//! Values that can't be what was meant: with characters that nobody sees, or with an expression that was not evaluated.

use crate::core::is_hidden;

/// What may stand between the entries of a list, besides blanks and commas.
pub(super) const BREAKS: [char; 3] = ['\t', '\n', '\r'];

/// Texts that languages write for a value that is missing.
const MISSING: [&str; 11] =
    ["null", "nil", "none", "undefined", "nan", "(null)", "[object object]", "[]", "{}", "\"\"", "''"];

/// What begins and ends an expression in the templates of CI systems and related tools, besides `$`.
const TEMPLATES: [(&str, &str); 5] = [("{{", "}}"), ("<<", ">>"), ("<%", "%>"), ("#{", "}"), ("@{", "}")];

/// What stands around the name of a placeholder, alone.
const MARKS: [(&str, &str); 4] = [("<", ">"), ("%", "%"), ("!", "!"), ("__", "__")];

/// Refuses characters that a person does not see, or takes for an ordinary blank, but those in `breaks`: two values that
/// look the same must be the same.
pub(super) fn visible(text: &str, breaks: &[char]) -> Result<(), String> {
    let is_odd = |c: &char| c.is_control() || is_hidden(*c) || (c.is_whitespace() && *c != ' ');
    match text.chars().find(|c| is_odd(c) && !breaks.contains(c)) {
        Some(odd) => Err(format!(
            "contains the invisible character U+{:04X}. Delete it; it was probably copied along with the text",
            u32::from(odd)
        )),
        None => Ok(()),
    }
}

/// Refuses what is left when an expression or a placeholder was not replaced by its value.
pub(super) fn evaluated(text: &str) -> Result<(), String> {
    let is_name = |c: char| c.is_ascii_alphabetic() || c == '_';
    let begins = |rest: &str| rest.starts_with(|c| is_name(c) || "{([".contains(c));
    let is_marked = |(open, close): &(&str, &str)| {
        let name = text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        let fits = |c: char| c.is_ascii_alphanumeric() || " _.-".contains(c);
        name.is_some_and(|name| name.starts_with(is_name) && name.chars().all(fits))
    };
    let is_template =
        |(open, close): &(&str, &str)| text.split_once(open).is_some_and(|(_, rest)| rest.contains(close));
    if MISSING.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Err(
            "this is the text of a missing value. Check the expression or the step that it comes from".to_owned()
        );
    }
    let is_expression = text.match_indices('$').any(|(at, _)| begins(&text[at + 1..]))
        || TEMPLATES.iter().any(is_template)
        || MARKS.iter().any(is_marked);
    if is_expression {
        return Err(
            "this is an expression or a placeholder that was not replaced by its value. Check where it is written: \
                    quotes, or a file that evaluates no expressions, leave it as it is"
                .to_owned(),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invisible_character_is_named_by_its_code_point() {
        for (text, name) in [
            ("a\u{200b}", "U+200B"),
            ("\u{feff}a", "U+FEFF"),
            ("a\u{202e}b", "U+202E"),
            ("a\u{a0}b", "U+00A0"),
            ("a\u{202f}b", "U+202F"),
            ("a\u{3000}b", "U+3000"),
            ("a\u{2028}b", "U+2028"),
            ("a\u{ad}b", "U+00AD"),
            ("a\u{7}b", "U+0007"),
            ("a\u{b}b", "U+000B"),
            ("a\u{85}b", "U+0085"),
            ("a\tb", "U+0009"),
            ("a\u{e0041}b", "U+E0041"),
            ("é\u{2066}", "U+2066"),
        ] {
            assert!(visible(text, &[]).is_err_and(|what| what.contains(name)), "{text:?}");
        }
        for text in ["a b", "ação", "e\u{301}", "日本語", "🦀", ""] {
            assert_eq!(visible(text, &[]), Ok(()), "{text:?}");
        }
        assert_eq!(visible("a\tb\r\nc", &BREAKS), Ok(()));
    }

    #[test]
    fn an_expression_that_was_not_evaluated_is_known() {
        for text in [
            "null",
            "NULL",
            "None",
            "nil",
            "undefined",
            "NaN",
            "[object Object]",
            "(null)",
            "[]",
            "\"\"",
            "${{ inputs.run-id }}",
            "${{inputs.run-id}}",
            "$(params.run-id)",
            "$((1+1))",
            "${RUN_ID}",
            "${RUN_ID:-}",
            "$RUN_ID",
            "run-$RUN_ID",
            "$env:RUN_ID",
            "$[[ inputs.run-id ]]",
            "$[ dependencies.a ]",
            "{{inputs.parameters.run-id}}",
            "{{ run_id }}",
            "<< pipeline.parameters.run >>",
            "<run-id>",
            "<RUN>",
            "<%= run %>",
            "%RUN_ID%",
            "%env.RUN_ID%",
            "!RUN_ID!",
            "__RUN_ID__",
            "#{RUN_ID}#",
            "#{run_id}",
            "@{variables('run')}",
        ] {
            assert!(evaluated(text).is_err(), "{text}");
        }
        for text in [
            "e7c91a3b_5f2d",
            "manual__2024-12-18T10:30:00+00:00",
            "45",
            "nullable",
            "none_1",
            "a$1",
            "$",
            "cost-5$",
            "100%",
            "%c3%a7",
            "%2e%2e",
            "a<b>c",
            "<script>alert(1)<script>",
            "x<<EOF",
            "a__b",
            "__",
            "a%b%c",
            "{run_id}",
            "#1",
            "@team",
        ] {
            assert_eq!(evaluated(text), Ok(()), "{text}");
        }
    }
}
