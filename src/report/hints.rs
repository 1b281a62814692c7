//! What a cause suggests to look at first: one sentence for each kind of cause that is common. A hint decides nothing.

use super::sanitize::Sanitized;

/// A kind of cause, and the sentence for it.
struct Hint {
    /// Words that stand together in the cause, in small letters; `|` is between two signs, `..` between words that may be apart.
    signs: &'static str,
    sentence: &'static str,
}

/// The first that has a sign in the cause is shown (docs/troubleshooting.md#failed).
const HINTS: [Hint; 6] = [
    Hint {
        signs: "out of memory | outofmemoryerror | memoryerror | arraymemoryerror | oomkilled | oom \
                | cannot allocate memory | unable to allocate | bad_alloc | java heap space | gc overhead limit exceeded \
                | memory limit | memory limits | killed | sigkill | signal 9 | exit code 137 | exit code is 137 \
                | exit status 137 | exit status: 137 | return code 137 | return code -9",
        sentence: "this looks like too little memory: raise the memory setting of the pipeline in Maestro, or process less data \
                   at a time",
    },
    Hint {
        signs: "no space left | disk full | disk is full | enospc | disk quota exceeded | not enough disk space \
                | could not extend file",
        sentence: "this looks like a full disk: free space where the run writes, or write less data at a time",
    },
    Hint {
        signs: "rate limit | rate limits | rate limited | rate-limited | ratelimit | ratelimiterror | ratelimitexceeded \
                | request_limit_exceeded | too many requests | toomanyrequests | throttled | throttling \
                | throttlingexception | reduce your request rate | quota exceeded | 429 client error | error 429 \
                | http 429 | status 429 | status code 429",
        sentence: "this looks like a rate limit: run the pipeline less often or with fewer requests at a time, or ask the owner of \
                   the source for a higher limit",
    },
    Hint {
        signs: "permission denied | permissionerror | access denied | accessdenied | accessdeniedexception \
                | insufficient privileges | insufficient permissions | insufficient permission | insufficientprivilege \
                | does not have permission | not authorized to perform | unauthorized | forbidden | must be owner of \
                | authentication failed | login failed | incorrect username or password",
        sentence: "this looks like a missing permission: check the account that the pipeline uses, and what it may read and write",
    },
    Hint {
        signs: "schema mismatch | schema change | schema changed | schema has changed | type mismatch \
                | datatype_mismatch | undefinedcolumn | undefinedtable | unresolved_column | invalid identifier \
                | no such column | no such table | unknown column | missing column | missing columns \
                | column .. does not exist | relation .. does not exist | table .. does not exist \
                | object .. does not exist | table or view not found | cannot cast | not in index \
                | invalid input syntax for type | can not merge type | failed to merge fields \
                | column count doesn't match",
        sentence: "this looks like a schema that does not match: compare the tables, columns and types of the source and the \
                   destination with those that the pipeline expects",
    },
    Hint {
        signs: "connection refused | econnrefused | connection reset | econnreset | connection timeout | connect timeout \
                | connecttimeout | connecttimeouterror | readtimeout | timed out | etimedout | sockettimeoutexception \
                | could not connect | unable to connect | failed to connect | connection failure | no route to host \
                | network is unreachable | could not translate host name | name or service not known \
                | temporary failure in name resolution | unknownhostexception | max retries exceeded",
        sentence: "this looks like a network problem: check that the source and the destination are up, and that they accept \
                   connections from Maestro",
    },
];

/// The hint for a cause, if there is one.
pub fn hint(cause: &Sanitized) -> Option<&'static str> {
    let cause = cause.to_lowercase();
    let has = |sign: &str| sign.split(" .. ").all(|words| has_words(&cause, words));
    let hint = HINTS.iter().find(|hint| hint.signs.split(" | ").any(has));
    hint.map(|hint| hint.sentence)
}

/// Whether the words stand in the text, and are no part of other words: `killed` is not in `skilled`.
fn has_words(text: &str, words: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(words)
        .any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + words.len()..].starts_with(is_part))
}
