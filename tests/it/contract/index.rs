//! docs/reference.md, section by section, with the tests that hold each promise. Its tables of names are in `names`.

use super::names::{ANSWERS, BELOW, BODIES, ECHO, FAULTS, HOSTILE, Line, ORDER, SIGNALS, STATUSES, line};

/// The lines behind this one are about the section with this anchor.
pub const fn section(anchor: &'static str) -> Line {
    Line { says: anchor, held_by: &[] }
}

pub const RULES: &[Line] = &[
    section("#selecting-runs"),
    line(
        "an id is one path segment",
        &["an_id_is_one_segment_whatever_is_in_it", "an_id_is_one_path_segment_behind_the_base_s_own_path"],
    ),
    line(
        "only byte-identical entries are one",
        &["only_byte_identical_entries_are_one_and_each_may_name_its_pipeline"],
    ),
    line(
        "latest is the newest run, and an unreadable record exposes no older one",
        &[
            "latest_is_the_newest_run_in_a_long_list_of_any_order",
            "a_record_that_can_not_be_put_in_order_never_exposes_an_older_success",
            "of_every_list_of_up_to_four_records_latest_is_the_one_newest_or_nothing",
            "what_goes_wrong_with_the_list_goes_wrong_as_with_a_run",
        ],
    ),
    line(
        "last-success is the newest success; unreadable records are counted",
        &[
            "last_success_is_the_newest_success_and_counts_what_it_passes_over",
            "a_pipeline_without_such_a_run_is_not_found",
        ],
    ),
    line(
        "the run's own record, not the list, decides",
        &[
            "latest_is_waited_for_and_its_own_record_decides",
            "every_short_story_of_a_choice_passes_only_on_a_fresh_record_of_the_run_itself",
        ],
    ),
    section("#starting-runs"),
    line(
        "several new runs are all waited for, and the list is read once more before a pass",
        &[
            "of_several_new_runs_all_are_waited_for_and_the_worst_decides",
            "before_a_pass_the_list_is_read_once_more",
            "an_old_copy_of_the_list_confirms_no_pass",
        ],
    ),
    line(
        "the appear clock stands still while an earlier run is going",
        &["the_appear_clock_stands_still_while_an_earlier_run_is_running"],
    ),
    section("#how-an-answer-is-read"),
    line("200 with the record, bare or under data", &[BODIES, "a_record_may_stand_under_data_but_not_in_both_places"]),
    line(
        "a wrapper whose status is not a yes, or that reports an error, holds no record",
        &[BODIES, "a_record_may_stand_under_data_but_not_in_both_places"],
    ),
    line(
        "null, nothing, {} and data: null are not visible",
        &[BODIES, "null_nothing_and_an_empty_object_are_not_visible"],
    ),
    line(
        "no duplicate keys, nothing after it, valid UTF-8",
        &[BODIES, BELOW, "no_key_stands_twice_at_any_depth", "there_is_one_document_and_nothing_after_it"],
    ),
    line("foreign ids never pass", &[BODIES, "another_run_s_record_is_never_taken"]),
    line("all else is an outage", &[BELOW, STATUSES, "every_fault_is_read_as_the_reference_says"]),
    line(
        "redirects: five, GET, same origin",
        &[
            "a_redirect_within_the_origin_is_followed_five_times_and_no_more",
            "redirects_are_followed_within_the_origin_only",
        ],
    ),
    section("#status-values"),
    line("status words", &[ANSWERS, "success_is_the_only_word_that_passes"]),
    line(
        "unknown words warn once and name their input",
        &["an_unknown_word_is_shown_once_and_says_which_input_teaches_it"],
    ),
    line("a bad stamp never fails a gate", &[BODIES, "a_bad_stamp_is_none"]),
    section("#time-limits-and-polling"),
    line(
        "appear and outage clocks",
        &["a_clock_ends_a_wait_only_on_an_answer_of_its_own_kind", "only_its_record_stops_the_appear_clock", FAULTS],
    ),
    line(
        "poll-interval auto: gaps of at most 20 s, growing to 60 s for long runs; short runs use the ramp",
        &[
            "any_past_gives_polls_one_second_to_a_minute_apart",
            "gaps_reach_twenty_seconds_at_twenty_minutes_and_a_minute_for_long_runs",
            "runs_of_less_than_fifteen_seconds_are_left_to_the_ramp",
            "whenever_a_run_ends_lag_times_polls_is_at_most_a_quarter_over_that_of_an_even_poll",
        ],
    ),
    line("every wait ends at once on a signal", &[SIGNALS, "a_signal_while_connecting_is_heeded"]),
    section("#verdicts-and-exit-codes"),
    line("a GitHub step without a reported pass is red", &["a_program_that_does_nothing_is_red"]),
    line("the order of verdicts", &[ORDER, "the_first_of_the_reference_s_order_decides"]),
    line("exit codes", &["exit_codes_are_the_reference_s_and_none_is_taken_by_others"]),
    line("a verdict once reached stands", &["a_verdict_once_reached_stands_and_a_signal_only_shortens_its_delivery"]),
    section("#log-and-summary"),
    line("a heartbeat at least every minute", &["no_minute_is_silent_whenever_the_last_line_was_said"]),
    line(
        "one error on anything but a pass, at most five warnings",
        &[
            "one_error_on_anything_but_a_pass_and_none_on_a_pass",
            "at_most_five_warnings_and_the_fifth_counts_the_others",
        ],
    ),
    line(
        "the verdict and the next step last",
        &[
            "the_last_lines_of_the_log_say_what_to_do_and_what_happened",
            "the_log_says_a_failure_with_its_trace_and_the_next_step_last",
        ],
    ),
    line(
        "time left, the last runs and how this one stands among them",
        &[
            "while_it_waits_the_gate_says_how_much_is_left_and_when_it_is_overdue",
            "a_failure_is_reported_with_its_row_the_last_success_and_whether_the_trace_is_the_same",
            "a_hostile_past_yields_nothing",
        ],
    ),
    section("#untrusted-text-and-secrets"),
    line(
        "no command, output or markup that we did not mean",
        &[
            HOSTILE,
            "hostile_errors_yield_nothing",
            "hostile_ids_are_ids_and_no_more",
            "no_line_of_the_log_is_a_command_or_a_section",
        ],
    ),
    line(
        "no secret in any spelling",
        &[
            "a_secret_is_hidden_in_the_encodings_of_other_programs",
            "base64_is_found_however_it_is_wrapped",
            ECHO,
            "a_token_that_the_service_sends_back_is_seen_nowhere",
            "no_secret_is_left_in_any_spelling",
        ],
    ),
    line(
        "a status with a character that can't be seen shows its code point",
        &["what_can_not_be_seen_in_a_status_is_shown_by_its_number"],
    ),
    line(
        "proxy credentials and proxies",
        &[
            "https_goes_through_the_proxy_of_the_environment",
            "plain_http_to_this_machine_goes_through_no_proxy",
            "a_proxy_that_does_not_let_us_through_is_unreachable",
            "a_proxy_that_is_not_there_is_unreachable_and_named_as_the_proxy",
            "no_proxy_is_heeded",
        ],
    ),
    section("#limits"),
    line(
        "bodies are limited after decompression",
        &[BELOW, "a_body_counts_after_decompression", "the_limit_ends_the_logs_and_keeps_what_came_before"],
    ),
    line(
        "the history list: 8 MiB and 5 s, else a note",
        &[
            "a_list_has_its_limits",
            "a_past_that_can_not_be_had_is_a_note_and_never_a_verdict",
            "a_list_that_failed_in_whatever_way_is_left_alone_longer_and_longer_and_one_that_is_too_long_for_good",
        ],
    ),
    line(
        "many runs of a pipeline share a list, and wait no longer for it",
        &[
            "a_hundred_runs_of_a_pipeline_cost_little_more_than_one",
            "a_run_costs_the_same_among_a_thousand_and_among_twenty_thousand",
            "a_list_that_fails_changes_no_poll_at_any_run",
            "a_run_that_the_list_leaves_out_is_polled_as_if_there_were_no_list",
            "no_word_of_a_list_ends_a_wait",
        ],
    ),
    line(
        "at most eight requests at once, one session",
        &["twenty_runs_share_one_session_and_at_most_eight_requests", "at_most_eight_requests_are_under_way"],
    ),
    line(
        "gone within two seconds of a signal",
        &[
            SIGNALS,
            "a_signal_is_heeded_though_nobody_reads_stdout_or_a_report",
            "a_report_that_is_late_still_agrees_if_it_comes_within_the_two_seconds",
            "a_signal_is_obeyed_while_a_long_trace_is_sanitized",
            "a_signal_is_obeyed_while_long_logs_are_sanitized",
            "a_text_whose_sanitizing_was_stopped_says_so_and_shows_no_part_of_a_secret",
        ],
    ),
    line(
        "renewal before the end of a token's life",
        &[
            "an_old_token_is_renewed_before_it_is_refused",
            "a_stalled_early_renewal_does_not_hold_up_those_who_have_a_token",
            "expiring_tokens_are_renewed_for_as_long_as_it_takes",
        ],
    ),
    section("#doctor"),
    line(
        "doctor checks everything and starts nothing",
        &[
            "each_trouble_of_the_service_is_found_in_its_row",
            "what_can_not_be_reached_is_distinguished_from_what_is_not_trusted",
            "a_list_that_can_not_be_had_is_a_note_where_the_gate_needs_none",
            "what_would_keep_a_pipeline_from_being_started_is_found",
            "a_token_that_ends_before_the_deadline_and_a_clock_that_is_wrong_are_reported",
            "input_errors_and_files_that_can_not_be_written_are_found_without_a_request",
            "a_signal_ends_doctor_too_and_is_its_exit_code",
            "doctor_starts_nothing_and_leaves_every_report_as_it_is",
        ],
    ),
];
