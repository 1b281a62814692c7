//! What makes an answer a whole one, and what becomes of a damaged one, with the tests that hold each promise.

use super::names::{Line, line};

pub const ANSWERS: &[Line] = &[
    line(
        "a compressed body is decoded to the end of its last member, however it is cut into packets",
        &[
            "a_compressed_body_is_decoded_to_the_end_of_its_last_member",
            "how_a_compressed_body_is_cut_into_packets_changes_nothing",
            "only_gzip_is_decoded_and_no_other_coding_taken",
        ],
    ),
    line(
        "an answer is complete only if its framing says so",
        &[
            "on_http_2_only_a_stream_that_was_ended_is_complete",
            "on_http_1_only_a_body_of_its_length_or_with_its_last_chunk_is_complete",
            "over_tls_the_connection_s_end_counts_only_if_it_was_said",
        ],
    ),
    line(
        "of false answers none passes, and no right one is refused",
        &["no_false_answer_passes_and_no_right_one_is_refused"],
    ),
    line(
        "a repaired record may fail a gate, never pass it",
        &[
            "a_repaired_answer_may_fail_a_gate_and_never_pass_it",
            "what_is_almost_json_is_repaired_and_marked",
            "what_programs_get_wrong_is_repaired_and_named",
            "what_is_no_json_afterwards_is_refused_as_before",
            "a_failed_run_with_a_damaged_record_has_failed",
        ],
    ),
    line(
        "a service error shows all it says, a page its title",
        &["every_layer_s_own_message_is_found", "an_error_shows_its_cause_and_a_page_its_title"],
    ),
    line("only ASCII white space around a status is ignored", &["only_ascii_blanks_around_a_word_are_ignored"]),
];
