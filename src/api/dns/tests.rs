//! Which of the two ways to an address counts, and what is never asked.

use std::future::{pending, ready};

use proptest::prelude::*;

use super::message::{DnsReply, Family, question, reply};
use super::*;

fn fails<T>(kind: io::ErrorKind) -> io::Result<T> {
    Err(kind.into())
}

#[tokio::test]
async fn localhost_is_this_machine_whatever_anybody_says() {
    for name in ["localhost", "LOCALHOST"] {
        let found = addresses(name).await.expect("no question");
        assert!(!found.is_empty() && found.iter().all(|address| address.ip().is_loopback()), "{found:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_second_way_is_gone_where_the_first_fails_or_is_late() {
    let kind = |found: io::Result<u8>| found.map_err(|why| why.kind());
    let late = async {
        let _late = timeout(HEAD_START * 4, pending::<()>()).await;
        Ok(1)
    };
    assert_eq!(kind(either(ready(Ok(1)), pending()).await), Ok(1));
    assert_eq!(kind(either(ready(fails(io::ErrorKind::NotFound)), ready(Some(2))).await), Ok(2));
    assert_eq!(kind(either(pending(), ready(Some(2))).await), Ok(2));
    assert_eq!(kind(either(late, pending()).await), Ok(1));
    let late = async {
        let _late = timeout(HEAD_START * 4, pending::<()>()).await;
        Ok(1)
    };
    assert_eq!(kind(either(late, ready(None)).await), Ok(1));
    // What the system says of a name that neither finds is what people know.
    let neither = either::<u8>(ready(fails(io::ErrorKind::NotFound)), ready(None)).await;
    assert_eq!(kind(neither), Err(io::ErrorKind::NotFound));
}

#[test]
fn a_name_that_can_not_be_asked_for_is_no_question() {
    assert!(question(1, "a.example", Family::V4).is_some() && question(1, "a.example.", Family::V6).is_some());
    let long = "a.".repeat(127) + "bb";
    for name in ["", ".", "a..b", ".a", &"a".repeat(64), &long] {
        assert_eq!(question(1, name, Family::V4), None, "{name}");
    }
}

proptest! {
    #[test]
    fn an_answer_is_only_what_answers(junk in proptest::collection::vec(any::<u8>(), 0..200), cut in 0usize..200) {
        let question = question(7, "a.example", Family::V4).expect("a name");
        // Never a panic; and what repeats the question with junk behind it holds no more addresses than it has room for.
        let _whatever = reply(&question, Family::V4, &junk);
        let mut message = question.clone();
        message[2] |= 0x80;
        message[7] = 9;
        message.extend(&junk);
        message.truncate(cut);
        if let Some(DnsReply::Addresses(found)) = reply(&question, Family::V4, &message) {
            prop_assert!(found.len() * 4 <= junk.len());
        }
        message.first_mut().into_iter().for_each(|id| *id ^= 0x55);
        prop_assert_eq!(reply(&question, Family::V4, &message), None);
    }
}
