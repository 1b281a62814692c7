//! The inputs, verdicts and outputs of docs/reference.md, with the tests that hold each.

/// A promise of the reference, in short, and the tests that fail when it is broken.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    pub says: &'static str,
    pub held_by: &'static [&'static str],
}

pub const fn line(says: &'static str, held_by: &'static [&'static str]) -> Line {
    Line { says, held_by }
}

pub const MISTAKES: &str = "an_input_error_is_reported_by_the_name_of_its_input_and_no_request_is_made";
pub const REPORTS: &str = "a_destination_that_can_not_be_written_is_a_warning_and_changes_no_verdict";
pub const EACH_RUN: &str = "each_run_has_its_own_verdict_and_the_outputs_describe_the_first_with_the_gate_s";
pub const ANSWERS: &str = "the_documented_answers_and_every_status_value_are_read_as_the_table_says";
pub const BODIES: &str = "a_body_that_is_not_this_run_s_record_never_passes";
pub const STATUSES: &str = "a_status_decides_and_never_the_words_of_its_body";
pub const FAULTS: &str = "each_answer_that_comes_and_goes_ends_as_the_table_says";
pub const BELOW: &str = "a_broken_answer_is_no_answer";
pub const SIGN_IN: &str = "a_sign_in_that_is_refused_denies_and_one_that_fails_is_an_outage";
pub const ORDER: &str = "the_worst_verdict_is_the_gate_s_whatever_the_order_of_the_runs";
pub const SIGNALS: &str = "a_signal_at_any_moment_ends_the_gate_with_its_reports";
pub const KILLED: &str = "a_killed_gate_leaves_internal_error_everywhere";
pub const HOSTILE: &str = "hostile_traces_logs_words_and_stamps_yield_nothing";
pub const ECHO: &str = "a_secret_that_the_service_sends_back_is_seen_in_no_spelling";

pub const INPUTS: &[Line] = &[
    line("pipeline-id", &[MISTAKES, "only_byte_identical_entries_are_one_and_each_may_name_its_pipeline"]),
    line(
        "run-id",
        &[MISTAKES, "an_id_is_one_path_segment_behind_the_base_s_own_path", "hostile_ids_are_ids_and_no_more"],
    ),
    line(
        "trigger",
        &[
            "whatever_becomes_of_the_answer_the_service_is_asked_once",
            "no_story_of_a_trigger_asks_twice_or_passes_on_a_run_that_failed",
            "inputs_that_make_no_sense_with_trigger_are_input_errors_and_nothing_is_started",
            "two_spellings_of_one_pipeline_are_an_input_error_where_each_would_start_it",
        ],
    ),
    line("if-running", &["behind_a_run_that_is_running_the_gate_queues_attaches_or_fails"]),
    line(
        "max-age",
        &[
            "a_success_is_as_fresh_as_the_service_s_own_clock_says",
            "what_is_chosen_needs_a_max_age_and_what_is_named_may_have_one",
        ],
    ),
    line(
        "started-after",
        &[
            "a_run_must_have_started_at_or_after_started_after",
            "a_run_that_started_before_started_after_is_stale",
            "a_timestamp_is_rfc_3339_or_a_unix_time",
            "what_is_no_timestamp_is_an_input_error",
        ],
    ),
    line(
        "if-stale",
        &[
            "every_short_story_of_a_wait_for_a_fresh_run_ends_as_an_oracle_says",
            "a_gate_waits_for_a_fresh_run_and_its_own_record_decides",
            "latest_takes_a_new_failure_for_the_result_and_last_success_skips_it",
            "a_pipeline_without_a_success_is_not_found_at_the_deadline_and_an_outage_is_unreachable",
            "there_is_nothing_to_wait_for_with_a_run_that_is_named_or_started_or_without_time",
            "a_wait_for_a_nightly_run_costs_half_the_requests_of_a_fixed_poll_of_the_list_at_no_more_lag",
            "a_thousand_gates_on_one_pipeline_do_not_read_its_list_in_step",
        ],
    ),
    line("timeout", &[FAULTS, "nothing_is_asked_twice_at_a_timeout_of_zero", "the_last_poll_lands_on_the_deadline"]),
    line(
        "poll-interval",
        &[
            "a_fixed_interval_is_kept",
            "the_ramp_grows_from_one_second_to_ten",
            "a_past_that_is_learned_places_the_polls",
            "polls_are_dense_where_runs_end_and_wide_before",
        ],
    ),
    line("appear-timeout", &[FAULTS, "a_run_that_stays_unknown_is_not_found_after_appear_timeout"]),
    line("max-outage", &[FAULTS, "an_outage_without_a_break_ends_as_unreachable"]),
    line("fail-fast", &["fail_fast_gives_up_the_others_and_says_so", "without_fail_fast_every_run_is_waited_for"]),
    line(
        "history",
        &[
            "the_past_is_asked_for_once_and_only_while_the_run_is_running",
            "a_past_that_can_not_be_had_is_a_note_and_never_a_verdict",
            "history_is_learned_from_unless_it_is_switched_off",
        ],
    ),
    line("success-statuses", &["words_of_the_user_decide_and_beat_the_undocumented_ones", MISTAKES]),
    line("failure-statuses", &["words_of_the_user_decide_and_beat_the_undocumented_ones", MISTAKES]),
    line("base-url", &["nothing_is_in_the_way_of_a_wrong_address_but_the_check_itself", MISTAKES]),
    line(
        "run-url",
        &[
            "links_hold_the_ids_percent_encoded",
            "a_template_may_ask_for_ids_with_hyphens",
            "with_the_default_address_the_reports_link_to_the_pipeline_s_page",
            "a_link_to_the_pipeline_is_in_every_report_and_called_so",
            "hostile_ids_are_ids_and_no_more",
        ],
    ),
    line("username", &["sign_in_sends_name_password_and_language_and_the_token_stands_alone", MISTAKES]),
    line(
        "password",
        &["sign_in_sends_name_password_and_language_and_the_token_stands_alone", ECHO, "secrets_have_no_flag"],
    ),
    line("password-file", &["a_password_file_is_a_password"]),
    line(
        "totp-secret",
        &[
            "a_fresh_code_is_sent_with_every_sign_in_and_none_twice",
            "two_jobs_of_one_account_in_the_same_half_minute_both_pass",
            MISTAKES,
        ],
    ),
    line(
        "access-token",
        &[
            "a_token_made_elsewhere_is_used_as_it_stands_and_never_signs_in",
            "a_token_that_ends_before_the_deadline_is_warned_about_at_the_start",
        ],
    ),
    line("access-token-file", &["a_token_file_is_read_again_when_its_token_is_refused"]),
    line("ca-file", &["only_a_certificate_of_a_trusted_root_for_this_very_host_is_taken", MISTAKES]),
    line("summary", &["the_summary_can_be_left_out_and_names_can_have_another_prefix"]),
    line(
        "logs",
        &["logs_are_fetched_for_the_verdicts_that_were_asked_for", "logs_are_shown_in_every_shape_that_they_may_have"],
    ),
    line("trace-file", &["the_trace_file_has_all_and_the_log_the_last_sixteen_kib", REPORTS]),
    line(
        "json",
        &[
            "the_json_file_has_the_reference_s_keys",
            "every_json_report_and_log_satisfies_its_schema",
            REPORTS,
            "missing_folders_are_made",
        ],
    ),
    line("junit", &["junit_has_a_suite_per_pipeline_and_a_case_per_run_whose_name_stays", REPORTS]),
    line("dotenv", &["gitlab_takes_every_dotenv_file", REPORTS]),
    line("markdown", &["a_summary_stays_within_128_kib", REPORTS]),
    line("output-dir", &["outputs_go_by_the_reference_s_names_in_its_order", REPORTS]),
    line("output-prefix", &["the_summary_can_be_left_out_and_names_can_have_another_prefix"]),
    line("ci", &["the_github_family_is_known_by_its_marks", "on_no_ci_the_log_is_plain_and_complete", MISTAKES]),
    line(
        "log-format",
        &["json_lines_are_one_object_each_and_nothing_else", "every_json_report_and_log_satisfies_its_schema"],
    ),
    line("quiet", &["quiet_keeps_the_verdict_and_verbose_shows_every_poll"]),
    line("verbose", &["quiet_keeps_the_verdict_and_verbose_shows_every_poll"]),
];

pub const VERDICTS: &[Line] = &[
    line("passed", &[ANSWERS, "every_story_up_to_length_six_is_bounded_and_only_a_last_success_passes"]),
    line("failed", &[ANSWERS, "the_log_says_a_failure_with_its_trace_and_the_next_step_last"]),
    line("invalid-input", &[MISTAKES, "all_input_errors_are_reported_at_once"]),
    line("timed-out", &[ANSWERS, FAULTS]),
    line("not-found", &[BODIES, FAULTS]),
    line("denied", &[STATUSES, SIGN_IN]),
    line("unreachable", &[STATUSES, BELOW]),
    line("stale", &["a_success_is_as_fresh_as_the_service_s_own_clock_says"]),
    line("not-started", &["whatever_becomes_of_the_answer_the_service_is_asked_once"]),
    line("internal-error", &[KILLED, "a_bug_is_reported_as_a_bug_whatever_was_known"]),
    line("interrupted", &[SIGNALS, "process_one_heeds_signals"]),
];

pub const OUTPUTS: &[Line] = &[
    line("verdict", &["verdict_and_exit_code_are_the_gate_s", EACH_RUN]),
    line("exit-code", &["verdict_and_exit_code_are_the_gate_s", EACH_RUN]),
    line("status", &["status_is_the_last_word_in_a_narrow_alphabet", HOSTILE]),
    line("duration", &["duration_follows_the_reference", EACH_RUN]),
    line("duration-seconds", &["duration_follows_the_reference", EACH_RUN]),
    line("trace", &["trace_is_cleaned_and_cut_with_head_and_tail_kept", EACH_RUN]),
    line(
        "trace-file",
        &["trace_file_is_named_only_where_one_was_written", "the_trace_file_has_all_and_the_log_the_last_sixteen_kib"],
    ),
    line("pipeline-id", &["ids_are_spelt_as_the_service_spells_them", EACH_RUN]),
    line("run-id", &["ids_are_spelt_as_the_service_spells_them", EACH_RUN]),
    line("started-at", &["stamps_are_rfc_3339_in_utc_or_empty", EACH_RUN]),
    line("updated-at", &["stamps_are_rfc_3339_in_utc_or_empty", EACH_RUN]),
    line(
        "waited-seconds",
        &["waited_seconds_and_polls_are_what_the_gate_did", "retry_after_is_obeyed_in_both_forms_and_on_any_answer"],
    ),
    line("polls", &["waited_seconds_and_polls_are_what_the_gate_did", "a_run_is_waited_for_until_it_ends"]),
    line("runs", &["runs_is_one_line_of_json_in_input_order", "runs_is_never_a_shortened_list"]),
];
